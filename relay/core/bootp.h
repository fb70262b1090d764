// The fixed header of a BOOTP message (RFC 951 section 3, RFC 2131 section 2): where each field is, and nothing else.
// Fields are compile-time ranges of a 236-octet span, so an offset outside the header does not compile.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "relay/core/address.h"

namespace relay::bootp {

inline constexpr std::size_t header_size = 236;
inline constexpr std::size_t cookie_size = 4;
inline constexpr std::size_t options_offset = header_size + cookie_size;

using Header = std::span<const std::uint8_t, header_size>;
using MutableHeader = std::span<std::uint8_t, header_size>;

inline constexpr std::uint8_t op_request = 1;
inline constexpr std::uint8_t op_reply = 2;
inline constexpr std::uint16_t flag_broadcast = 0x8000;  // RFC 1542 section 2.2; the other bits are reserved
inline constexpr std::uint8_t hops_ceiling = 16;         // RFC 1542 section 4.1.1
inline constexpr std::uint8_t max_hlen = 16;             // the size of chaddr
inline constexpr std::uint8_t htype_ethernet = 1;        // RFC 1700, "Hardware Type"
inline constexpr std::array<std::uint8_t, cookie_size> magic_cookie{99, 130, 83, 99};  // RFC 1497, RFC 2131 section 3

/// Values of option 53 that change what a relay agent does (RFC 2132 section 9.6, RFC 4388 section 6.1).
namespace message_type {
inline constexpr std::uint8_t discover = 1;
inline constexpr std::uint8_t offer = 2;
inline constexpr std::uint8_t request = 3;
inline constexpr std::uint8_t decline = 4;
inline constexpr std::uint8_t ack = 5;
inline constexpr std::uint8_t nak = 6;
inline constexpr std::uint8_t release = 7;
inline constexpr std::uint8_t inform = 8;
inline constexpr std::uint8_t force_renew = 9;        // RFC 3203
inline constexpr std::uint8_t lease_query = 10;       // RFC 4388
inline constexpr std::uint8_t lease_unassigned = 11;  // RFC 4388
inline constexpr std::uint8_t lease_unknown = 12;     // RFC 4388
inline constexpr std::uint8_t lease_active = 13;      // RFC 4388
}  // namespace message_type

namespace detail {
[[nodiscard]] constexpr std::uint32_t big_endian(std::span<const std::uint8_t> octets) noexcept {
  std::uint32_t value = 0;
  for (const std::uint8_t octet : octets) {
    value = value << 8U | octet;
  }
  return value;
}
template <std::size_t offset>
[[nodiscard]] constexpr Ipv4Address address_at(Header header) noexcept {
  return {{header[offset], header[offset + 1], header[offset + 2], header[offset + 3]}};
}
}  // namespace detail

[[nodiscard]] constexpr std::uint8_t op(Header header) noexcept {
  return header[0];
}
[[nodiscard]] constexpr std::uint8_t htype(Header header) noexcept {
  return header[1];
}
[[nodiscard]] constexpr std::uint8_t hlen(Header header) noexcept {
  return header[2];
}
[[nodiscard]] constexpr std::uint8_t hops(Header header) noexcept {
  return header[3];
}
[[nodiscard]] constexpr std::uint32_t xid(Header header) noexcept {
  return detail::big_endian(header.subspan<4, 4>());
}
[[nodiscard]] constexpr std::uint16_t secs(Header header) noexcept {
  return static_cast<std::uint16_t>(detail::big_endian(header.subspan<8, 2>()));
}
[[nodiscard]] constexpr std::uint16_t flags(Header header) noexcept {
  return static_cast<std::uint16_t>(detail::big_endian(header.subspan<10, 2>()));
}
[[nodiscard]] constexpr Ipv4Address ciaddr(Header header) noexcept {
  return detail::address_at<12>(header);
}
[[nodiscard]] constexpr Ipv4Address yiaddr(Header header) noexcept {
  return detail::address_at<16>(header);
}
[[nodiscard]] constexpr Ipv4Address giaddr(Header header) noexcept {
  return detail::address_at<24>(header);
}
[[nodiscard]] constexpr std::span<const std::uint8_t, max_hlen> chaddr(Header header) noexcept {
  return header.subspan<28, max_hlen>();
}
/// The octets of chaddr that mean something: hlen of them, 16 at most.
[[nodiscard]] constexpr std::span<const std::uint8_t> hardware_address(Header header) noexcept {
  return std::span<const std::uint8_t>{chaddr(header)}.first(std::min(hlen(header), max_hlen));
}
/// The client's hardware address, where it is one of Ethernet that one station can have.
[[nodiscard]] constexpr std::optional<MacAddress> client_mac(Header header) noexcept {
  MacAddress mac;
  if (htype(header) != htype_ethernet || hlen(header) != mac.octets.size()) {
    return std::nullopt;
  }
  std::ranges::copy(chaddr(header).first<6>(), mac.octets.begin());
  return mac.is_station() ? std::optional{mac} : std::nullopt;
}

constexpr void set_hops(MutableHeader header, std::uint8_t hops) noexcept {
  header[3] = hops;
}
constexpr void set_giaddr(MutableHeader header, Ipv4Address address) noexcept {
  std::ranges::copy(address.octets, header.subspan<24, 4>().begin());
}

/// Whether the octets behind the header begin with the magic cookie; without it there is no options field to speak of.
[[nodiscard]] constexpr bool has_cookie(std::span<const std::uint8_t> message) noexcept {
  return message.size() >= options_offset &&
         std::ranges::equal(message.subspan<header_size, cookie_size>(), magic_cookie);
}

/// The octets behind the cookie; none where there is no cookie.
[[nodiscard]] constexpr std::span<const std::uint8_t> options_field(std::span<const std::uint8_t> message) noexcept {
  return has_cookie(message) ? message.subspan(options_offset) : std::span<const std::uint8_t>{};
}

}  // namespace relay::bootp
