// What is to become of one DHCPv6 message, and where it came from. `Drop` is the same as in DHCPv4.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "relay/core/address.h"
#include "relay/core/decision.h"
#include "relay/core/interface6.h"
#include "relay/core/interface_table.h"

namespace relay {

/// How a message reached this host, as the kernel told it.
struct Ingress6 {
  std::uint32_t interface_index = 0;
  Ipv6Address source;
  std::uint16_t source_port = 0;
  Ipv6Address destination;  ///< one of ours, or a multicast address
  /// Source of the frame that the message came in; none where the link has no such addresses, or nobody looked.
  std::optional<MacAddress> link_source{};
  std::chrono::nanoseconds arrival{};  ///< as in `Ingress`
};

/// One copy of the Relay-forward that the message has become to each server. `servers` borrows from the interface and
/// is valid until the table changes.
struct ToServers6 {
  std::span<const Server6> servers;
  Ipv6Address source;            ///< unspecified: the kernel chooses
  bool from_relay_port = false;  ///< it says so in option 135 (RFC 8357); otherwise it leaves from the server port
};

/// The message that a Relay-reply carries, to the client or relay agent that it is for.
struct ToPeer6 {
  /// The link, valid until its entry leaves the table; null: where the routes lead.
  const Interface* egress = nullptr;
  Ipv6Address source;  ///< unspecified: the kernel chooses
  Ipv6Address destination;
  std::uint16_t destination_port = 0;
  std::span<const std::uint8_t> message;  ///< as it came; borrows from the Relay-reply
};

using Decision6 = std::variant<Drop, ToServers6, ToPeer6>;

}  // namespace relay
