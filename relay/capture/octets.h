// Numbers in octets that somebody else wrote, in either byte order. Who asks has checked the size.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace relay::capture {

using Octets = std::span<const std::uint8_t>;

enum class ByteOrder : std::uint8_t { big, little };

/// The unsigned integer of `size` octets at `offset`. Needs `offset + size <= octets.size()` and `size <= 8`.
[[nodiscard]] constexpr std::uint64_t number_at(Octets octets, std::size_t offset, std::size_t size,
                                                ByteOrder order) noexcept {
  assert(size <= 8 && offset <= octets.size() && size <= octets.size() - offset);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8U | octets[offset + (order == ByteOrder::big ? i : size - 1 - i)];
  }
  return value;
}

[[nodiscard]] constexpr std::uint16_t number16_at(Octets octets, std::size_t offset,
                                                  ByteOrder order = ByteOrder::big) noexcept {
  return static_cast<std::uint16_t>(number_at(octets, offset, 2, order));
}

[[nodiscard]] constexpr std::uint32_t number32_at(Octets octets, std::size_t offset,
                                                  ByteOrder order = ByteOrder::big) noexcept {
  return static_cast<std::uint32_t>(number_at(octets, offset, 4, order));
}

}  // namespace relay::capture
