// The frames in which a message would leave this host, for a capture of what would be sent.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "relay/capture/address.h"
#include "relay/core/decision.h"
#include "relay/core/decision6.h"
#include "relay/core/interface_table.h"
#include "relay/core/ports.h"

namespace relay::capture {

/// One copy of a message as an Ethernet frame, not fragmented. Borrows; valid during the call alone.
struct SentFrame {
  const Interface& egress;
  Address destination;
  std::span<const std::uint8_t> octets;
};

/// Where what goes to the server leaves: the first interface with a subnet that has the server, else the first upstream
/// one, else the first one. Looks at every interface; null where there is none.
[[nodiscard]] const Interface* egress_towards(const Address& server, const InterfaceTable& table) noexcept;

/// Says where what goes to an address leaves that is not of one link; null: nowhere.
using EgressTowards = std::function<const Interface*(const Address&)>;

/// Tells of each copy of `message` that `decision` sends. MAC addresses that only ARP or Neighbor Discovery would tell
/// are zero. Needs `message` to fit into one UDP datagram.
void for_each_sent_frame(const Decision& decision, std::span<const std::uint8_t> message, const Ports& ports,
                         const EgressTowards& egress, const std::function<void(const SentFrame&)>& tell);
/// The same of DHCPv6; `table` has the interfaces that servers are given with.
void for_each_sent_frame(const Decision6& decision, std::span<const std::uint8_t> message, const Ports6& ports,
                         const InterfaceTable& table, const EgressTowards& egress,
                         const std::function<void(const SentFrame&)>& tell);

}  // namespace relay::capture
