#include "relay/capture/datagram.h"

#include <algorithm>
#include <array>

#include "relay/capture/link_header.h"
#include "relay/capture/octets.h"
#include "relay/core/frame.h"

namespace relay::capture {

namespace {

constexpr std::uint8_t protocol_udp = 17;

[[nodiscard]] Ipv4Address address_at(Octets octets, std::size_t offset) noexcept {
  return Ipv4Address::from_host_order(number32_at(octets, offset));
}

/// The pseudo header's part of the checksum (RFC 768), folded.
[[nodiscard]] std::uint16_t pseudo_header_sum(const Ipv4Packet& packet, std::uint16_t size) noexcept {
  const std::array<std::uint8_t, 4> rest{0, protocol_udp, static_cast<std::uint8_t>(size >> 8U),
                                         static_cast<std::uint8_t>(size)};
  std::uint16_t sum = internet_sum(packet.source.octets);
  sum = internet_sum(packet.destination.octets, sum);
  return internet_sum(rest, sum);
}

/// `datagram` is the UDP header and all of its payload.
[[nodiscard]] ChecksumState checksum_state(const Ipv4Packet& packet, Octets datagram) noexcept {
  const std::uint16_t pseudo_sum = pseudo_header_sum(packet, static_cast<std::uint16_t>(datagram.size()));
  if (internet_sum(datagram, pseudo_sum) == 0xffff) {
    return ChecksumState::right;
  }
  return number16_at(datagram, 6) == pseudo_sum ? ChecksumState::unfinished : ChecksumState::wrong;
}

}  // namespace

bool is_known(LinkType link_type) noexcept {
  switch (link_type) {
    case LinkType::null:
    case LinkType::ethernet:
    case LinkType::raw:
    case LinkType::ieee802_11:
    case LinkType::loop:
    case LinkType::linux_sll:
    case LinkType::radiotap:
    case LinkType::ipv4:
    case LinkType::linux_sll2:
      return true;
  }
  return false;
}

std::optional<Ipv4Packet> ipv4_packet(LinkType link_type, std::span<const std::uint8_t> frame) noexcept {
  const auto link = link_header(link_type, frame);
  if (!link || link->ipv4.size() < ipv4_header_size) {
    return std::nullopt;
  }
  const Octets octets = link->ipv4;
  const std::size_t header_size = (octets[0] & 0x0fU) * std::size_t{4};
  // RFC 791 section 3.1. A total length of zero is the sender's network card's to fill in.
  const std::size_t announced = number16_at(octets, 2);
  const std::size_t total = announced == 0 ? octets.size() : announced;
  if (octets[0] >> 4U != 4 || header_size < ipv4_header_size || header_size > octets.size() || total < header_size) {
    return std::nullopt;
  }
  const std::uint16_t flags_and_offset = number16_at(octets, 6);
  Ipv4Packet packet;
  packet.link_source = link->source;
  packet.link_destination = link->destination;
  packet.vlan_tag_count = link->vlan_tag_count;
  packet.vlan_id = link->vlan_id;
  packet.direction = link->direction;
  packet.source = address_at(octets, 12);
  packet.destination = address_at(octets, 16);
  packet.protocol = octets[9];
  packet.identification = number16_at(octets, 4);
  packet.fragment_offset = (flags_and_offset & 0x1fffU) * std::size_t{8};
  packet.more_fragments = (flags_and_offset & 0x2000U) != 0;
  packet.is_header_intact = internet_sum(octets.first(header_size)) == 0xffff;
  packet.payload = octets.first(std::min(total, octets.size())).subspan(header_size);
  packet.is_cut = total > octets.size();
  return packet;
}

std::optional<UdpDatagram> udp_datagram(const Ipv4Packet& packet) noexcept {
  if (packet.protocol != protocol_udp || packet.fragment_offset != 0 || packet.payload.size() < udp_header_size) {
    return std::nullopt;
  }
  const std::size_t size = number16_at(packet.payload, 4);  // with the header
  const Octets there = packet.payload.first(std::min(std::max(size, udp_header_size), packet.payload.size()));
  UdpDatagram datagram;
  datagram.source = packet.source;
  datagram.destination = packet.destination;
  datagram.source_port = number16_at(packet.payload, 0);
  datagram.destination_port = number16_at(packet.payload, 2);
  datagram.payload = there.subspan(udp_header_size);
  datagram.payload_size = std::max(size, udp_header_size) - udp_header_size;
  datagram.is_whole = size == there.size();
  if (number16_at(packet.payload, 6) == 0) {
    datagram.checksum = ChecksumState::absent;
  } else if (datagram.is_whole) {
    datagram.checksum = checksum_state(packet, there);
  }
  return datagram;
}

}  // namespace relay::capture
