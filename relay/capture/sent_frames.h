// The frames in which a message would leave this host, for a capture of what would be sent.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/ports.h"

namespace relay::capture {

/// One copy of a message as an Ethernet frame, not fragmented. Borrows; valid during the call alone.
struct SentFrame {
  const Interface& egress;
  Ipv4Address destination;
  std::span<const std::uint8_t> octets;
};

/// Tells of each copy of `message` that `decision` sends. MAC addresses that only ARP would tell are zero. What goes to
/// a server leaves by the first interface with a subnet that has the server, else by the first upstream one, else by
/// the first one. Needs `message` to fit into one UDP datagram.
void for_each_sent_frame(const Decision& decision, std::span<const std::uint8_t> message, const Ports& ports,
                         const InterfaceTable& table, const std::function<void(const SentFrame&)>& tell);

}  // namespace relay::capture
