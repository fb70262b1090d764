// What becomes of a captured datagram in front of the relay's rules: whether it is a DHCP message, and whether this
// host's kernel would give it to the relay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/capture/datagram.h"
#include "relay/capture/packet.h"
#include "relay/capture/scope.h"
#include "relay/core/interface_table.h"

namespace relay::capture {

/// Why a message of a capture is not run, in the order in which this is asked.
enum class NotRun : std::uint8_t {
  sent_by_us,        ///< it leaves this host
  other_vlan,        ///< tagged: it belongs to a VLAN device, not to the interface on which it was seen
  fragment,          ///< the rest of its datagram is not in the capture
  incomplete,        ///< the capture has less of it than was on the wire
  bad_length,        ///< its UDP header says more, or less, than there can be
  to_clients,        ///< to the clients' port
  other_port,        ///< to another port on which the relay does not listen
  other_host,        ///< to an address that is not this host's
  bad_ip_checksum,   ///< of the IP header
  bad_udp_checksum,  ///< of the datagram
};
inline constexpr std::size_t not_run_count = static_cast<std::size_t>(NotRun::bad_udp_checksum) + 1;

/// Whether the rules of replies are for the datagram, as the sockets sort.
[[nodiscard]] bool is_reply(const UdpDatagram& datagram, const Scope& scope) noexcept;

/// Whether the datagram is of a protocol in the scope, by its ports as tshark has it, or by ours.
[[nodiscard]] bool has_dhcp_ports(const UdpDatagram& datagram, const Scope& scope) noexcept;
/// The same; one without a payload is no message.
[[nodiscard]] bool is_dhcp(const UdpDatagram& datagram, const Scope& scope) noexcept;

/// A datagram as it was seen.
struct Arrival {
  const Packet& packet;  ///< the one that completed it
  const IpPacket& ip;
  const UdpDatagram& datagram;
  const Interface& interface;  ///< where it was seen, or would have arrived
  bool is_named = false;       ///< the capture says that it was there
  bool is_to_subnet = false;   ///< to the broadcast address of a subnet of any interface
};

/// Nothing where the kernel would give the datagram to the relay.
[[nodiscard]] std::optional<NotRun> why_not_run(const Arrival& arrival, const Scope& scope,
                                                const InterfaceTable& table) noexcept;

}  // namespace relay::capture
