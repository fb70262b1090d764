#include "relay/capture/datagram.h"

#include <algorithm>
#include <array>

#include "relay/capture/link_header.h"
#include "relay/capture/octets.h"
#include "relay/core/frame.h"

namespace relay::capture {

namespace {

constexpr std::uint8_t protocol_udp = 17;

/// Numbers of extension headers that have their length in units of eight octets (RFC 8200 section 4), and of the one of
/// fragments.
namespace extension {
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t routing = 43;
constexpr std::uint8_t fragment = 44;
constexpr std::uint8_t destination_options = 60;
}  // namespace extension

constexpr std::size_t fragment_header_size = 8;
constexpr std::size_t max_extensions = 8;  // of one packet

[[nodiscard]] Ipv4Address address4_at(Octets octets, std::size_t offset) noexcept {
  return Ipv4Address::from_host_order(number32_at(octets, offset));
}

[[nodiscard]] Ipv6Address address6_at(Octets octets, std::size_t offset) noexcept {
  Ipv6Address address;
  std::ranges::copy(octets.subspan(offset, address.octets.size()), address.octets.begin());
  return address;
}

/// The pseudo header's part of the checksum (RFC 768, RFC 8200 section 8.1), folded. What IPv6 has there beside this is
/// zero.
[[nodiscard]] std::uint16_t pseudo_header_sum(const IpPacket& packet, std::uint16_t size) noexcept {
  const std::array<std::uint8_t, 4> rest{0, protocol_udp, static_cast<std::uint8_t>(size >> 8U),
                                         static_cast<std::uint8_t>(size)};
  std::uint16_t sum = internet_sum(packet.source.octets());
  sum = internet_sum(packet.destination.octets(), sum);
  return internet_sum(rest, sum);
}

/// `datagram` is the UDP header and all of its payload.
[[nodiscard]] ChecksumState checksum_state(const IpPacket& packet, Octets datagram) noexcept {
  const std::uint16_t pseudo_sum = pseudo_header_sum(packet, static_cast<std::uint16_t>(datagram.size()));
  if (internet_sum(datagram, pseudo_sum) == 0xffff) {
    return ChecksumState::right;
  }
  return number16_at(datagram, 6) == pseudo_sum ? ChecksumState::unfinished : ChecksumState::wrong;
}

[[nodiscard]] std::optional<IpPacket> ipv4_packet(IpPacket packet, Octets octets) noexcept {
  if (octets.size() < ipv4_header_size || octets[0] >> 4U != 4) {
    return std::nullopt;
  }
  const std::size_t header_size = (octets[0] & 0x0fU) * std::size_t{4};
  // RFC 791 section 3.1. A total length of zero is the sender's network card's to fill in.
  const std::size_t announced = number16_at(octets, 2);
  const std::size_t total = announced == 0 ? octets.size() : announced;
  if (header_size < ipv4_header_size || header_size > octets.size() || total < header_size) {
    return std::nullopt;
  }
  const std::uint16_t flags_and_offset = number16_at(octets, 6);
  packet.source = address4_at(octets, 12);
  packet.destination = address4_at(octets, 16);
  packet.protocol = octets[9];
  packet.identification = number16_at(octets, 4);
  packet.fragment_offset = (flags_and_offset & 0x1fffU) * std::size_t{8};
  packet.more_fragments = (flags_and_offset & 0x2000U) != 0;
  packet.is_header_intact = internet_sum(octets.first(header_size)) == 0xffff;
  packet.payload = octets.first(std::min(total, octets.size())).subspan(header_size);
  packet.is_cut = total > octets.size();
  return packet;
}

/// RFC 8200 section 4.5.
void read_fragment_header(IpPacket& packet) noexcept {
  const std::uint16_t offset_and_flag = number16_at(packet.payload, 2);
  packet.protocol = packet.payload[0];
  packet.identification = number32_at(packet.payload, 4);
  packet.fragment_offset = offset_and_flag & 0xfff8U;
  packet.more_fragments = (offset_and_flag & 1U) != 0;
  packet.payload = packet.payload.subspan(fragment_header_size);
}

/// Passes over the extension headers in front of the payload; at a fragment there is an end. False where one of them is
/// not whole, or there are too many.
[[nodiscard]] bool pass_extensions(IpPacket& packet) noexcept {
  for (std::size_t count = 0; !packet.is_fragment(); ++count) {
    const bool is_fragment_header = packet.protocol == extension::fragment;
    if (!is_fragment_header && packet.protocol != extension::hop_by_hop && packet.protocol != extension::routing &&
        packet.protocol != extension::destination_options) {
      return true;
    }
    if (count == max_extensions || packet.payload.size() < fragment_header_size) {
      return false;
    }
    if (is_fragment_header) {
      read_fragment_header(packet);
      continue;
    }
    const std::size_t size = 8 + packet.payload[1] * std::size_t{8};
    if (packet.payload.size() < size) {
      return false;
    }
    packet.protocol = packet.payload[0];
    packet.payload = packet.payload.subspan(size);
  }
  return true;
}

/// RFC 8200 section 3.
[[nodiscard]] std::optional<IpPacket> ipv6_packet(IpPacket packet, Octets octets) noexcept {
  if (octets.size() < ipv6_header_size || octets[0] >> 4U != 6) {
    return std::nullopt;
  }
  const std::size_t announced = number16_at(octets, 4);
  const Octets behind = octets.subspan(ipv6_header_size);
  packet.source = address6_at(octets, 8);
  packet.destination = address6_at(octets, 24);
  packet.protocol = octets[6];
  packet.is_header_intact = true;
  packet.payload = behind.first(std::min(announced, behind.size()));
  packet.is_cut = announced > behind.size();
  return pass_extensions(packet) ? std::optional{packet} : std::nullopt;
}

/// What the fragments of a packet of IPv6 have in front of UDP, they have in the fragmented part.
[[nodiscard]] IpPacket without_extensions(const IpPacket& packet) noexcept {
  IpPacket result = packet;
  result.more_fragments = false;
  return packet.source.is_ipv6() && pass_extensions(result) && !result.is_fragment() ? result : packet;
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
    case LinkType::ipv6:
    case LinkType::linux_sll2:
      return true;
  }
  return false;
}

std::optional<IpPacket> ip_packet(LinkType link_type, std::span<const std::uint8_t> frame) noexcept {
  const auto link = link_header(link_type, frame);
  if (!link || link->ip.empty()) {
    return std::nullopt;
  }
  IpPacket packet;
  packet.link_source = link->source;
  packet.link_destination = link->destination;
  packet.vlan_tag_count = link->vlan_tag_count;
  packet.vlan_id = link->vlan_id;
  packet.direction = link->direction;
  const Family family = link->family.value_or(link->ip[0] >> 4U == 6 ? Family::ipv6 : Family::ipv4);
  return family == Family::ipv4 ? ipv4_packet(packet, link->ip) : ipv6_packet(packet, link->ip);
}

std::optional<UdpDatagram> udp_datagram(const IpPacket& packet) noexcept {
  const IpPacket last = packet.fragment_offset == 0 ? without_extensions(packet) : packet;
  const Octets octets = last.payload;
  if (last.protocol != protocol_udp || packet.fragment_offset != 0 || octets.size() < udp_header_size) {
    return std::nullopt;
  }
  const std::size_t size = number16_at(octets, 4);  // with the header
  const Octets there = octets.first(std::min(std::max(size, udp_header_size), octets.size()));
  UdpDatagram datagram;
  datagram.source = packet.source;
  datagram.destination = packet.destination;
  datagram.source_port = number16_at(octets, 0);
  datagram.destination_port = number16_at(octets, 2);
  datagram.payload = there.subspan(udp_header_size);
  datagram.payload_size = std::max(size, udp_header_size) - udp_header_size;
  datagram.is_whole = size == there.size();
  const bool has_checksum = number16_at(octets, 6) != 0;
  if (!has_checksum && !packet.source.is_ipv6()) {
    datagram.checksum = ChecksumState::absent;
  } else if (datagram.is_whole) {
    datagram.checksum = has_checksum ? checksum_state(packet, there) : ChecksumState::wrong;
  }
  return datagram;
}

}  // namespace relay::capture
