#include "relay/capture/arrival.h"

#include <algorithm>
#include <array>

#include "relay/capture/host_view.h"
#include "relay/core/dhcpv6.h"
#include "relay/core/frame.h"
#include "relay/core/protocols.h"

namespace relay::capture {

namespace {

/// An address of this host; a link-local one of IPv6 is that of the interface where it was seen.
[[nodiscard]] bool is_local(const Address& address, const Interface& interface, const InterfaceTable& table) noexcept {
  return address.is_ipv6() ? table.is_local(address.ipv6()) || interface.v6.has(address.ipv6())
                           : table.is_local(address.ipv4());
}

/// Sent by this host, as the capture says it or as its addresses do: the kernel takes nothing with an address of its
/// own as the source from outside.
[[nodiscard]] bool is_ours(const Arrival& arrival, const InterfaceTable& table) noexcept {
  const Direction direction =
      arrival.packet.direction == Direction::unknown ? arrival.ip.direction : arrival.packet.direction;
  if (direction != Direction::unknown) {
    return direction == Direction::outbound;
  }
  const bool is_from_our_card = arrival.interface.mac.is_station() && arrival.ip.link_source == arrival.interface.mac;
  return is_from_our_card || is_local(arrival.ip.source, arrival.interface, table);
}

/// IEEE 802.1Q section 9.6: VLAN id 0 is a priority alone.
[[nodiscard]] bool is_in_vlan(const IpPacket& packet) noexcept {
  return packet.vlan_tag_count > 1 || packet.vlan_id.value_or(0) != 0;
}

/// Linux takes what is for any of its interfaces on every one.
[[nodiscard]] bool is_for_us(const Arrival& arrival, const InterfaceTable& table) noexcept {
  const Address& destination = arrival.ip.destination;
  if (arrival.is_to_subnet || is_local(destination, arrival.interface, table)) {
    return true;
  }
  return destination.is_ipv6() ? hears(destination.ipv6(), arrival.interface.is_downstream6())
                               : destination.ipv4().is_limited_broadcast() || destination.ipv4().is_multicast();
}

[[nodiscard]] std::size_t most_payload(Family family) noexcept {
  return family == Family::ipv4 ? max_udp_payload : dhcpv6::max_message_size;
}

[[nodiscard]] std::optional<NotRun> damage(const Arrival& arrival) noexcept {
  if (arrival.ip.is_fragment()) {
    return NotRun::fragment;
  }
  if (!arrival.datagram.is_whole) {
    return arrival.packet.octets.size() < arrival.packet.original_size ? NotRun::incomplete : NotRun::bad_length;
  }
  const bool is_possible = arrival.datagram.payload.size() <= most_payload(arrival.ip.source.family());
  return is_possible ? std::nullopt : std::optional{NotRun::bad_length};
}

}  // namespace

bool is_reply(const UdpDatagram& datagram, const Scope& scope) noexcept {
  return datagram.source.is_ipv6()
             ? datagram.destination_port == scope.ipv6.relay || Dhcpv6::is_reply(datagram.payload)
             : datagram.destination_port == scope.ipv4.relay || Dhcpv4::is_reply(datagram.payload);
}

bool has_dhcp_ports(const UdpDatagram& datagram, const Scope& scope) noexcept {
  const Family family = datagram.source.family();
  const auto is_one = [&scope, family](std::uint16_t port) {
    constexpr std::array<std::uint16_t, 3> known{67, 68, 4011};  // the last is PXE's
    constexpr std::array<std::uint16_t, 2> known6{546, 547};
    return scope.listens_on(family, port) || port == scope.client_port(family) ||
           (family == Family::ipv4 ? std::ranges::find(known, port) != known.end()
                                   : std::ranges::find(known6, port) != known6.end());
  };
  return scope.covers(family) && (is_one(datagram.source_port) || is_one(datagram.destination_port));
}

bool is_dhcp(const UdpDatagram& datagram, const Scope& scope) noexcept {
  return has_dhcp_ports(datagram, scope) && !datagram.payload.empty();
}

std::optional<NotRun> why_not_run(const Arrival& arrival, const Scope& scope, const InterfaceTable& table) noexcept {
  const Family family = arrival.ip.source.family();
  if (is_ours(arrival, table)) {
    return NotRun::sent_by_us;
  }
  if (arrival.is_named && is_in_vlan(arrival.ip)) {
    return NotRun::other_vlan;
  }
  if (const auto reason = damage(arrival)) {
    return reason;
  }
  if (!scope.listens_on(family, arrival.datagram.destination_port)) {
    return arrival.datagram.destination_port == scope.client_port(family) ? NotRun::to_clients : NotRun::other_port;
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
