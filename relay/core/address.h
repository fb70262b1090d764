// Addresses as the core sees them: octets in network order, comparable, printable by others.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace relay {

struct Ipv4Address {
  std::array<std::uint8_t, 4> octets{};

  // As numbers: octet by octet, which the default would be, is a call of memcmp.
  friend constexpr bool operator==(const Ipv4Address& one, const Ipv4Address& other) noexcept {
    return one.host_order() == other.host_order();
  }
  friend constexpr std::strong_ordering operator<=>(const Ipv4Address& one, const Ipv4Address& other) noexcept {
    return one.host_order() <=> other.host_order();
  }

  [[nodiscard]] static constexpr Ipv4Address from_host_order(std::uint32_t value) noexcept {
    return {{static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
             static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)}};
  }
  [[nodiscard]] constexpr std::uint32_t host_order() const noexcept {
    return std::uint32_t{octets[0]} << 24U | std::uint32_t{octets[1]} << 16U | std::uint32_t{octets[2]} << 8U |
           octets[3];
  }

  [[nodiscard]] constexpr bool is_unspecified() const noexcept { return host_order() == 0; }
  [[nodiscard]] constexpr bool is_limited_broadcast() const noexcept { return host_order() == 0xffffffffU; }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return (octets[0] & 0xf0U) == 0xe0U; }
  [[nodiscard]] constexpr bool is_loopback() const noexcept { return octets[0] == 127; }

  /// An address that one host can have: not 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4 or 240.0.0.0/4 (RFC 1122
  /// section 3.2.1.3).
  [[nodiscard]] constexpr bool is_host() const noexcept { return octets[0] != 0 && !is_loopback() && octets[0] < 224; }
};

inline constexpr Ipv4Address limited_broadcast{{255, 255, 255, 255}};

/// An interface's address with the length of its subnet's prefix, 0 to 32.
struct Ipv4Prefix {
  Ipv4Address address;
  std::uint8_t length = 32;

  friend constexpr auto operator<=>(const Ipv4Prefix&, const Ipv4Prefix&) = default;

  [[nodiscard]] constexpr std::uint32_t mask() const noexcept {
    return length == 0 ? 0 : 0xffffffffU << (32U - length);
  }
  /// The subnet: the address with its host bits zero.
  [[nodiscard]] constexpr Ipv4Address network() const noexcept {
    return Ipv4Address::from_host_order(address.host_order() & mask());
  }
  /// Whether `other` is the subnet's broadcast address; a /31 or /32 has none (RFC 3021).
  [[nodiscard]] constexpr bool is_broadcast(Ipv4Address other) const noexcept {
    return length < 31 && other.host_order() == (address.host_order() | ~mask());
  }
};

/// An EUI-48 link-layer address.
struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

  /// An address that one station can have: neither the group bit (IEEE 802-2014 section 8.2.2) nor all zero.
  [[nodiscard]] constexpr bool is_station() const noexcept {
    return (octets[0] & 1U) == 0 && std::ranges::any_of(octets, [](std::uint8_t octet) { return octet != 0; });
  }
};

inline constexpr MacAddress broadcast_mac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace relay

template <>
struct std::hash<relay::Ipv4Address> {
  std::size_t operator()(const relay::Ipv4Address& address) const noexcept {
    return std::hash<std::uint32_t>{}(address.host_order());
  }
};
