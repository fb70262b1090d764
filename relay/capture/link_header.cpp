#include "relay/capture/link_header.h"

#include <algorithm>
#include <array>

namespace relay::capture {

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr std::size_t max_vlan_tags = 4;
constexpr std::size_t mac_size = 6;

[[nodiscard]] MacAddress mac_at(Octets octets, std::size_t offset) noexcept {
  MacAddress address;
  std::ranges::copy(octets.subspan(offset, mac_size), address.octets.begin());
  return address;
}

[[nodiscard]] bool is_vlan_tag(std::uint16_t ethertype) noexcept {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;  // 802.1Q, 802.1ad, and QinQ before it
}

/// `octets` is a packet of the protocol with this number.
[[nodiscard]] std::optional<LinkHeader> in_front_of_ip(LinkHeader header, std::uint16_t ethertype,
                                                       Octets octets) noexcept {
  if (ethertype != ethertype_ipv4 && ethertype != ethertype_ipv6) {
    return std::nullopt;
  }
  header.family = ethertype == ethertype_ipv4 ? Family::ipv4 : Family::ipv6;
  header.ip = octets;
  return header;
}

/// IP in IEEE 802.2 LLC with SNAP (RFC 1042).
[[nodiscard]] std::optional<LinkHeader> behind_llc(const LinkHeader& header, Octets octets) noexcept {
  constexpr std::array<std::uint8_t, 6> snap{0xaa, 0xaa, 0x03, 0, 0, 0};
  constexpr std::size_t size = snap.size() + 2;
  if (octets.size() < size || !std::ranges::equal(octets.first<snap.size()>(), snap)) {
    return std::nullopt;
  }
  return in_front_of_ip(header, number16_at(octets, snap.size()), octets.subspan(size));
}

/// `octets` stands behind a header that announced `ethertype`.
[[nodiscard]] std::optional<LinkHeader> behind_ethertype(LinkHeader header, std::uint16_t ethertype,
                                                         Octets octets) noexcept {
  constexpr std::size_t tag_size = 4;
  constexpr std::uint16_t max_length = 1500;  // IEEE 802.3: up to here it is no type, but a length
  while (is_vlan_tag(ethertype)) {
    if (header.vlan_tag_count == max_vlan_tags || octets.size() < tag_size) {
      return std::nullopt;
    }
    if (header.vlan_tag_count == 0) {
      header.vlan_id = static_cast<std::uint16_t>(number16_at(octets, 0) & 0xfffU);
    }
    ++header.vlan_tag_count;
    ethertype = number16_at(octets, 2);
    octets = octets.subspan(tag_size);
  }
  if (ethertype <= max_length) {
    return behind_llc(header, octets.first(std::min<std::size_t>(ethertype, octets.size())));
  }
  return in_front_of_ip(header, ethertype, octets);
}

[[nodiscard]] std::optional<LinkHeader> ethernet_header(Octets frame) noexcept {
  constexpr std::size_t size = 14;
  if (frame.size() < size) {
    return std::nullopt;
  }
  LinkHeader header;
  header.destination = mac_at(frame, 0);
  header.source = mac_at(frame, mac_size);
  return behind_ethertype(header, number16_at(frame, 12), frame.subspan(size));
}

/// What both cooked headers say: how the packet came, its sender's address, and the protocol.
[[nodiscard]] std::optional<LinkHeader> behind_cooked_header(std::uint32_t packet_type, std::size_t address_size,
                                                             Octets address, std::uint16_t protocol,
                                                             Octets octets) noexcept {
  constexpr std::uint32_t outgoing = 4;      // PACKET_OUTGOING; below it all that came, ours or not
  constexpr std::uint16_t protocol_llc = 4;  // ETH_P_802_2: a frame with a length, which is gone
  LinkHeader header;
  if (packet_type <= outgoing) {
    header.direction = packet_type == outgoing ? Direction::outbound : Direction::inbound;
  }
  if (address_size == mac_size) {
    header.source = mac_at(address, 0);
  }
  return protocol == protocol_llc ? behind_llc(header, octets) : behind_ethertype(header, protocol, octets);
}

[[nodiscard]] std::optional<LinkHeader> cooked_header_v1(Octets frame) noexcept {
  constexpr std::size_t size = 16;
  if (frame.size() < size) {
    return std::nullopt;
  }
  return behind_cooked_header(number16_at(frame, 0), number16_at(frame, 4), frame.subspan(6, 8), number16_at(frame, 14),
                              frame.subspan(size));
}

[[nodiscard]] std::optional<LinkHeader> cooked_header_v2(Octets frame) noexcept {
  constexpr std::size_t size = 20;
  if (frame.size() < size) {
    return std::nullopt;
  }
  return behind_cooked_header(frame[10], frame[11], frame.subspan(12, 8), number16_at(frame, 0), frame.subspan(size));
}

/// An address family in front, in the byte order of whoever wrote it.
[[nodiscard]] std::optional<LinkHeader> loopback_header(Octets frame) noexcept {
  constexpr std::size_t size = 4;
  constexpr std::array<std::uint32_t, 5> families{2, 10, 24, 28, 30};  // AF_INET everywhere, then AF_INET6 of Linux,
                                                                       // NetBSD and OpenBSD, FreeBSD, and macOS
  if (frame.size() < size) {
    return std::nullopt;
  }
  for (const ByteOrder order : {ByteOrder::big, ByteOrder::little}) {
    const auto* const family = std::ranges::find(families, number32_at(frame, 0, order));
    if (family != families.end()) {
      return in_front_of_ip({}, family == families.begin() ? ethertype_ipv4 : ethertype_ipv6, frame.subspan(size));
    }
  }
  return std::nullopt;
}

[[nodiscard]] std::optional<LinkHeader> no_header(std::optional<Family> family, Octets frame) noexcept {
  LinkHeader header;
  header.family = family;
  header.ip = frame;
  return header;
}

/// A data frame as it is without encryption, fragments and aggregation (IEEE 802.11-2020 section 9.3.2.1).
[[nodiscard]] std::optional<LinkHeader> wireless_header(Octets frame) noexcept {
  constexpr std::size_t least_size = 24;
  if (frame.size() < least_size) {
    return std::nullopt;
  }
  const bool is_data = (frame[0] & 0x0fU) == 0x08 && (frame[0] & 0x40U) == 0;  // version 0, data, not a null one
  const bool has_qos = (frame[0] & 0x80U) != 0;
  const bool to_ds = (frame[1] & 0x01U) != 0;
  const bool from_ds = (frame[1] & 0x02U) != 0;
  const bool is_fragment = (frame[1] & 0x04U) != 0 || (frame[22] & 0x0fU) != 0;
  const bool is_encrypted = (frame[1] & 0x40U) != 0;
  const bool has_ht_control = has_qos && (frame[1] & 0x80U) != 0;
  const std::size_t qos_offset = least_size + (to_ds && from_ds ? mac_size : 0);
  const std::size_t size = qos_offset + (has_qos ? 2 : 0) + (has_ht_control ? 4 : 0);
  if (!is_data || is_fragment || is_encrypted || frame.size() < size) {
    return std::nullopt;
  }
  if (has_qos && (frame[qos_offset] & 0x80U) != 0) {  // several frames in one
    return std::nullopt;
  }
  LinkHeader header;
  header.destination = mac_at(frame, to_ds ? 16 : 4);
  header.source = mac_at(frame, !from_ds ? 10 : to_ds ? least_size : 16);
  return behind_llc(header, frame.subspan(size));
}

/// https://www.radiotap.org: version, padding, and the header's length, which is little-endian.
[[nodiscard]] std::optional<LinkHeader> radiotap_header(Octets frame) noexcept {
  constexpr std::size_t least_size = 8;
  if (frame.size() < least_size) {
    return std::nullopt;
  }
  const std::size_t size = number16_at(frame, 2, ByteOrder::little);
  return size < least_size || size > frame.size() ? std::nullopt : wireless_header(frame.subspan(size));
}

}  // namespace

std::optional<LinkHeader> link_header(LinkType link_type, Octets frame) noexcept {
  switch (link_type) {
    case LinkType::null:
    case LinkType::loop:
      return loopback_header(frame);
    case LinkType::ethernet:
      return ethernet_header(frame);
    case LinkType::raw:
      return no_header(std::nullopt, frame);
    case LinkType::ipv4:
      return no_header(Family::ipv4, frame);
    case LinkType::ipv6:
      return no_header(Family::ipv6, frame);
    case LinkType::ieee802_11:
      return wireless_header(frame);
    case LinkType::linux_sll:
      return cooked_header_v1(frame);
    case LinkType::radiotap:
      return radiotap_header(frame);
    case LinkType::linux_sll2:
      return cooked_header_v2(frame);
  }
  return std::nullopt;
}

}  // namespace relay::capture
