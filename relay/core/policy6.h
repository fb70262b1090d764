// What the operator decided for DHCPv6 on all interfaces together; what is decided per interface stands in
// `Interface6`.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/core/address.h"
#include "relay/core/ports.h"

namespace relay {

struct Policy6 {
  static constexpr std::uint8_t hop_count_ceiling = 32;  // HOP_COUNT_LIMIT of RFC 3315 section 5.5

  Ports6 ports{};
  std::uint8_t hop_count_limit = 8;           ///< RFC 8415 section 7.6; Relay-forwards that have come to it are dropped
  bool client_link_layer_address = true;      ///< option 79 (RFC 6939), in messages of clients
  bool relays_reconfigure_requests = true;    ///< Reconfigure-request of other relay agents (RFC 6977 section 6.4)
  bool relays_relay_supplied_options = true;  ///< Relay-forwards that carry them at any level (RFC 6422 section 5)
  /// `--reply-from any`. Needed where a server is a multicast address: who answers there is not known before.
  bool replies_from_anyone = false;
  bool upstream_named = false;  ///< as in `Policy`
  /// `--source-address`: of messages to servers; else the interface's `Interface6::source`.
  std::optional<Ipv6Address> source_address{};
};

}  // namespace relay
