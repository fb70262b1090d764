// What is measured: a router with one uplink and any number of VLANs, the requests of their clients and a server's
// replies, of the size and with the options that are common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "tests/support/message_builder.h"

namespace bench {

inline constexpr std::uint32_t uplink = 2;
inline constexpr std::uint32_t first_vlan = 3;
inline constexpr relay::Ipv4Address server = test_support::ip(198, 51, 100, 10);

/// By what a reply's interface is told.
enum class ToldBy : std::uint8_t {
  giaddr,                ///< each interface has an address of its own
  circuit_id,            ///< all have the same one, and the server echoes the name
  client_in_circuit_id,  ///< the same, and the circuit-id is name and hardware address (`%i:%M`)
};

/// A router's table, and messages in an order in which no interface follows its neighbour.
class Scene {
 public:
  explicit Scene(std::size_t vlan_count, ToldBy told_by = ToldBy::giaddr);

  [[nodiscard]] relay::InterfaceTable& interfaces() noexcept { return interfaces_; }

  /// One DHCPDISCOVER of each interface.
  [[nodiscard]] std::vector<test_support::Bytes> requests() const;
  /// The DHCPOFFERs that answer them, with option 82 echoed.
  [[nodiscard]] std::vector<test_support::Bytes> replies() const;

  /// Where message `number` of them arrives.
  [[nodiscard]] relay::Ingress request_ingress(std::size_t number) const noexcept;
  [[nodiscard]] static relay::Ingress reply_ingress() noexcept;

 private:
  [[nodiscard]] relay::Interface vlan(std::uint32_t index) const;
  [[nodiscard]] relay::Ipv4Address giaddr(std::uint32_t index) const noexcept;

  ToldBy told_by_;
  std::vector<std::uint32_t> order_;  // indices of the VLANs
  relay::InterfaceTable interfaces_;
};

}  // namespace bench
