// Addresses as the core sees them: octets in network order, comparable, printable by others.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <variant>

#include "relay/core/families.h"

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

/// The kinds are those of RFC 4291 section 2.4; what is none of the others is global unicast.
struct Ipv6Address {
  std::array<std::uint8_t, 16> octets{};

  friend constexpr bool operator==(const Ipv6Address&, const Ipv6Address&) = default;
  friend constexpr std::strong_ordering operator<=>(const Ipv6Address& one, const Ipv6Address& other) noexcept {
    return one.octets <=> other.octets;
  }

  [[nodiscard]] constexpr bool is_unspecified() const noexcept { return *this == Ipv6Address{}; }
  [[nodiscard]] constexpr bool is_loopback() const noexcept {
    return *this == Ipv6Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return octets[0] == 0xff; }
  /// fe80::/10: one link's, where another link can have the same one.
  [[nodiscard]] constexpr bool is_link_local() const noexcept {
    return octets[0] == 0xfe && (octets[1] & 0xc0U) == 0x80U;
  }
  /// fc00::/7 (RFC 4193 section 3.1).
  [[nodiscard]] constexpr bool is_unique_local() const noexcept { return (octets[0] & 0xfeU) == 0xfcU; }
  /// ::ffff:0:0/96, which stands for an IPv4 address and is in no packet (RFC 4291 section 2.5.5.2).
  [[nodiscard]] constexpr bool is_ipv4_mapped() const noexcept {
    return octets[10] == 0xff && octets[11] == 0xff &&
           std::all_of(octets.begin(), octets.begin() + 10, [](std::uint8_t octet) { return octet == 0; });
  }

  /// An address that one host can have, and another host can write to.
  [[nodiscard]] constexpr bool is_host() const noexcept {
    return !is_multicast() && !is_unspecified() && !is_loopback() && !is_ipv4_mapped();
  }
  /// A global unicast address (GUA).
  [[nodiscard]] constexpr bool is_global() const noexcept {
    return is_host() && !is_link_local() && !is_unique_local();
  }
  /// A globally scoped unicast address, which is a GUA or a ULA (RFC 8415 section 19.1.1).
  [[nodiscard]] constexpr bool is_globally_scoped() const noexcept { return is_host() && !is_link_local(); }
};

/// ff05::1:3 (RFC 8415 section 7.1).
inline constexpr Ipv6Address all_dhcp_servers{{0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3}};
/// ff02::1:2 (RFC 8415 section 7.1).
inline constexpr Ipv6Address all_dhcp_relay_agents_and_servers{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}};

/// An address with the length of its link's prefix, 0 to 128.
struct Ipv6Prefix {
  Ipv6Address address;
  std::uint8_t length = 128;

  friend constexpr bool operator==(const Ipv6Prefix&, const Ipv6Prefix&) = default;
  friend constexpr std::strong_ordering operator<=>(const Ipv6Prefix& one, const Ipv6Prefix& other) noexcept {
    const std::strong_ordering by_address = one.address <=> other.address;
    return std::is_eq(by_address) ? one.length <=> other.length : by_address;
  }

  /// The prefix with nothing but zeros behind it.
  [[nodiscard]] constexpr Ipv6Prefix network() const noexcept {
    Ipv6Prefix result{{}, length};
    for (std::size_t bit = 0; bit < length; bit += 8) {
      const std::size_t bits = std::min<std::size_t>(8, length - bit);
      result.address.octets[bit / 8] = static_cast<std::uint8_t>(address.octets[bit / 8] & (0xff00U >> bits));
    }
    return result;
  }
  /// The last address that begins with the prefix.
  [[nodiscard]] constexpr Ipv6Address last() const noexcept {
    Ipv6Address result = address;
    for (std::size_t bit = length; bit < 128; ++bit) {
      result.octets[bit / 8] = static_cast<std::uint8_t>(result.octets[bit / 8] | (0x80U >> bit % 8));
    }
    return result;
  }
  /// Whether `other` begins with the prefix.
  [[nodiscard]] constexpr bool contains(const Ipv6Address& other) const noexcept {
    return Ipv6Prefix{other, length}.network() == network();
  }
};

/// An address of either family.
using IpAddress = std::variant<Ipv4Address, Ipv6Address>;

[[nodiscard]] constexpr Family family_of(const IpAddress& address) noexcept {
  return std::holds_alternative<Ipv4Address>(address) ? Family::ipv4 : Family::ipv6;
}

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
template <>
struct std::hash<relay::Ipv6Address> {
  std::size_t operator()(const relay::Ipv6Address& address) const noexcept {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), address.octets.data(), address.octets.size());
    return std::hash<std::uint64_t>{}(halves[0] * 0xff51afd7ed558ccdU ^ halves[1]);
  }
};
template <>
struct std::hash<relay::Ipv6Prefix> {
  std::size_t operator()(const relay::Ipv6Prefix& prefix) const noexcept {
    return std::hash<relay::Ipv6Address>{}(prefix.address) ^ std::size_t{prefix.length} << 8U;
  }
};
