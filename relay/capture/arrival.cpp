#include "relay/capture/arrival.h"

#include <algorithm>
#include <array>

#include "relay/core/bootp.h"
#include "relay/core/frame.h"

namespace relay::capture {

namespace {

/// Sent by this host, as the capture says it or as its addresses do: the kernel takes nothing with an address of its
/// own as the source from outside.
[[nodiscard]] bool is_ours(const Arrival& arrival, const InterfaceTable& table) noexcept {
  const Direction direction =
      arrival.packet.direction == Direction::unknown ? arrival.ip.direction : arrival.packet.direction;
  if (direction != Direction::unknown) {
    return direction == Direction::outbound;
  }
  const bool is_from_our_card = arrival.interface.mac.is_station() && arrival.ip.link_source == arrival.interface.mac;
  return is_from_our_card || table.is_local(arrival.ip.source);
}

/// IEEE 802.1Q section 9.6: VLAN id 0 is a priority alone.
[[nodiscard]] bool is_in_vlan(const Ipv4Packet& packet) noexcept {
  return packet.vlan_tag_count > 1 || packet.vlan_id.value_or(0) != 0;
}

/// Linux takes what is for any of its interfaces on every one.
[[nodiscard]] bool is_for_us(const Arrival& arrival, const InterfaceTable& table) noexcept {
  const Ipv4Address destination = arrival.ip.destination;
  return destination.is_limited_broadcast() || destination.is_multicast() || arrival.is_to_subnet ||
         table.is_local(destination);
}

[[nodiscard]] std::optional<NotRun> damage(const Arrival& arrival) noexcept {
  if (arrival.ip.is_fragment()) {
    return NotRun::fragment;
  }
  if (!arrival.datagram.is_whole) {
    return arrival.packet.octets.size() < arrival.packet.original_size ? NotRun::incomplete : NotRun::bad_length;
  }
  return arrival.datagram.payload.size() > max_udp_payload ? std::optional{NotRun::bad_length} : std::nullopt;
}

}  // namespace

bool is_reply(const UdpDatagram& datagram, const Ports& ports) noexcept {
  return datagram.destination_port == ports.relay ||
         (!datagram.payload.empty() && datagram.payload[0] == bootp::op_reply);
}

bool is_dhcp(const UdpDatagram& datagram, const Ports& ports) noexcept {
  const auto is_one = [&ports](std::uint16_t port) {
    constexpr std::array<std::uint16_t, 3> known{67, 68, 4011};  // the last is PXE's
    return ports.listens_on(port) || port == ports.client() || std::ranges::find(known, port) != known.end();
  };
  return !datagram.payload.empty() && (is_one(datagram.source_port) || is_one(datagram.destination_port));
}

std::optional<NotRun> why_not_run(const Arrival& arrival, const Ports& ports, const InterfaceTable& table) noexcept {
  if (is_ours(arrival, table)) {
    return NotRun::sent_by_us;
  }
  if (arrival.is_named && is_in_vlan(arrival.ip)) {
    return NotRun::other_vlan;
  }
  if (const auto reason = damage(arrival)) {
    return reason;
  }
  if (!ports.listens_on(arrival.datagram.destination_port)) {
    return arrival.datagram.destination_port == ports.client() ? NotRun::to_clients : NotRun::other_port;
  }
  if (!is_for_us(arrival, table)) {
    return NotRun::other_host;
  }
  if (!arrival.ip.is_header_intact) {
    return NotRun::bad_ip_checksum;
  }
  return arrival.datagram.checksum == ChecksumState::wrong ? std::optional{NotRun::bad_udp_checksum} : std::nullopt;
}

}  // namespace relay::capture
