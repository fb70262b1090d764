// An address of either family, for what a capture says of packets of both.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "relay/core/address.h"
#include "relay/core/families.h"

namespace relay::capture {

class Address {
 public:
  /// 0.0.0.0.
  constexpr Address() = default;
  // An address of one family is one of either, without further words.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Address(Ipv4Address address) noexcept { std::ranges::copy(address.octets, octets_.begin()); }
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Address(const Ipv6Address& address) noexcept : octets_(address.octets), family_(Family::ipv6) {}

  friend constexpr bool operator==(const Address&, const Address&) = default;

  [[nodiscard]] constexpr Family family() const noexcept { return family_; }
  [[nodiscard]] constexpr bool is_ipv6() const noexcept { return family_ == Family::ipv6; }

  /// The octets of its family, 4 or 16.
  [[nodiscard]] constexpr std::span<const std::uint8_t> octets() const noexcept {
    return std::span{octets_}.first(is_ipv6() ? std::size_t{16} : std::size_t{4});
  }

  /// Needs one of this family.
  [[nodiscard]] constexpr Ipv4Address ipv4() const noexcept {
    return {{octets_[0], octets_[1], octets_[2], octets_[3]}};
  }
  [[nodiscard]] constexpr Ipv6Address ipv6() const noexcept { return {octets_}; }

  [[nodiscard]] constexpr bool is_unspecified() const noexcept {
    return std::ranges::all_of(octets_, [](std::uint8_t octet) { return octet == 0; });
  }

 private:
  std::array<std::uint8_t, 16> octets_{};  // those behind an IPv4 address are zero
  Family family_ = Family::ipv4;
};

}  // namespace relay::capture

template <>
struct std::hash<relay::capture::Address> {
  std::size_t operator()(const relay::capture::Address& address) const noexcept {
    return address.is_ipv6() ? std::hash<relay::Ipv6Address>{}(address.ipv6())
                             : std::hash<relay::Ipv4Address>{}(address.ipv4());
  }
};
