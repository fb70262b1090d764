// This host as a capture has to know it: where packets are seen, and which addresses are its own. A copy of what the
// interface table knows, for a thread that must not look into the table.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/capture/address.h"
#include "relay/core/address.h"
#include "relay/core/families.h"
#include "relay/core/interface_table.h"

namespace relay::capture {

struct HostView {
  struct Point {
    std::uint32_t index = 0;
    std::string name;
    std::string description;  ///< `downstream, giaddr 10.101.0.1`
    std::vector<Ipv4Prefix> addresses;
    MacAddress mac;
    bool is_ethernet = false;
    std::vector<Ipv6Prefix> addresses6{};
    bool hears_clients6 = false;  ///< it is a member of the group that clients of DHCPv6 write to

    friend bool operator==(const Point&, const Point&) = default;
  };

  std::vector<Point> points;                               ///< where to listen, in order of index
  std::unordered_map<std::uint32_t, std::string> names{};  ///< of all interfaces, by index
  std::unordered_set<Address> addresses{};                 ///< of all interfaces
  std::unordered_set<Ipv4Address> broadcasts{};            ///< of the subnets of all interfaces that are up

  /// Whether the kernel takes what is for `destination` as its own, wherever it arrives.
  [[nodiscard]] bool takes(Ipv4Address destination) const noexcept;
  /// The same where it arrives at `point`: link-local addresses and groups of IPv6 are those of one interface.
  [[nodiscard]] bool takes(const Address& destination, const Point& point) const noexcept;

  /// Whether `address`, seen at `point`, is one of this host's.
  [[nodiscard]] bool holds(const Address& address, const Point& point) const noexcept;
};

/// Whether this host hears what is for `group`, where `hears_clients` says whether it joined that of clients.
[[nodiscard]] bool hears(const Ipv6Address& group, bool hears_clients) noexcept;

/// Points are the interfaces with a role in one of these families; where the servers' side is not named, also every
/// other one that is up and has an address beyond this host, since replies are accepted on all of them.
[[nodiscard]] HostView host_view(const InterfaceTable& table, bool upstream_named, Families families = {.ipv4 = true});

}  // namespace relay::capture
