// What one network interface is to DHCPv6: the twin of the DHCPv4 members of `Interface`, of which it is a part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/counters.h"
#include "relay/core/options6.h"

namespace relay {

/// Where Relay-forwards go: an address of a host or a multicast group.
struct Server6 {
  Ipv6Address address;
  std::uint32_t interface_index = 0;  ///< on which it is reached, for a scope smaller than global; 0: where routes lead

  friend constexpr bool operator==(const Server6&, const Server6&) = default;

  /// RFC 8415 section 19: 8 for a multicast group.
  [[nodiscard]] constexpr std::uint8_t hop_limit() const noexcept { return address.is_multicast() ? 8 : 64; }

  /// By what its answers show: a link-local address is somebody else's on each link (RFC 4007 section 6), of another it
  /// does not matter where it arrives.
  [[nodiscard]] constexpr Server6 as_sender() const noexcept {
    return {address, address.is_link_local() ? interface_index : 0};
  }
};

/// An address of an interface with the kernel's flags.
struct InterfaceAddress6 {
  Ipv6Prefix prefix;
  bool is_deprecated = false;  ///< its preferred lifetime is over (RFC 4862 section 5.5.4)
  bool is_temporary = false;   ///< RFC 8981

  friend bool operator==(const InterfaceAddress6&, const InterfaceAddress6&) = default;
};

/// The options that all Relay-forwards of one interface have in common, encoded once (`encode_relay_forward`).
struct RelayForwardOptions {
  std::vector<std::uint8_t> octets;   ///< the first of them is Interface-Id, which a message may leave out
  std::size_t interface_id_size = 0;  ///< octets of that option, its head included
  bool has_interface_id_always = false;
  std::size_t vss_offset = 0;  ///< of the value of option 68
  std::size_t vss_size = 0;    ///< of that value; 0: there is none

  [[nodiscard]] std::span<const std::uint8_t> without_interface_id() const noexcept {
    return std::span{octets}.subspan(interface_id_size);
  }
  /// The value of Interface-Id; empty where there is none.
  [[nodiscard]] std::span<const std::uint8_t> interface_id() const noexcept {
    return interface_id_size == 0 ? std::span<const std::uint8_t>{}
                                  : std::span{octets}.first(interface_id_size).subspan(dhcpv6::option_head_size);
  }
  [[nodiscard]] std::span<const std::uint8_t> vss() const noexcept {
    return std::span{octets}.subspan(vss_offset, vss_size);
  }
};

struct Interface6 {
  bool is_relayed = false;  ///< it has a role, and DHCPv6 is relayed at all: its messages are counted by themselves
  bool is_lower = false;    ///< downstream of DHCPv6 alone (`-l`)
  bool is_upper = false;    ///< upstream of DHCPv6 alone, by name (`-u`)
  /// What we write into link-address: `--link-address`, or what `choose_link_address` does; unspecified: Interface-Id
  /// alone tells the link.
  Ipv6Address link_address;
  RelayForwardOptions options;
  std::vector<Server6> servers;  ///< where Relay-forwards of its clients go
  bool lacks_server = false;     ///< there is another, on an interface that does not exist now

  std::uint32_t mtu = 1500;  ///< octets of IPv6 datagram; not more than `Interface::mtu`
  Ipv6Address source;        ///< of what goes to servers, and to peers that are further away; unspecified: the kernel's
  Ipv6Address link_local;    ///< source of what goes to link-local peers; unspecified: the kernel chooses
  std::vector<InterfaceAddress6> addresses;  ///< all that can be used, in order

  /// Of an interface in a table that is or was `is_relayed`, else null.
  std::shared_ptr<Counters6> counters;

  [[nodiscard]] bool has(const Ipv6Address& address) const noexcept {
    return std::ranges::any_of(addresses, [&](const InterfaceAddress6& own) { return own.prefix.address == address; });
  }
};

}  // namespace relay

template <>
struct std::hash<relay::Server6> {
  std::size_t operator()(const relay::Server6& server) const noexcept {
    return std::hash<relay::Ipv6Address>{}(server.address) ^ std::size_t{server.interface_index} << 8U;
  }
};
