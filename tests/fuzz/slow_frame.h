// Frames as their receiver sees them, slowly: checksums octet by octet, and a datagram put together from its fragments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tests/fuzz/slow_options.h"

namespace fuzz {

/// The ones' complement sum of 16-bit words (RFC 1071 section 1), the carry added each time there is one.
class SlowSum {
 public:
  void add_word(std::size_t word) {
    sum_ += word;
    if (sum_ > 0xffff) {
      sum_ -= 0xffff;  // the carry out of the 16 bits comes in at the other end
    }
  }

  /// An odd octet at the end is a word's upper half.
  void add(std::span<const std::uint8_t> octets) {
    for (std::size_t i = 0; i < octets.size(); i += 2) {
      add_word(octets[i] * std::size_t{256} + (i + 1 < octets.size() ? octets[i + 1] : 0));
    }
  }

  [[nodiscard]] std::size_t value() const { return sum_; }

 private:
  std::size_t sum_ = 0;
};

inline std::size_t word_at(std::span<const std::uint8_t> octets, std::size_t offset) {
  return octets[offset] * std::size_t{256} + octets[offset + 1];
}

/// An Ethernet frame with an IPv4 packet, taken apart (RFC 791 section 3.1).
struct SlowFrame {
  Octets link_destination;
  Octets link_source;
  std::size_t ether_type;
  std::size_t version_and_size;
  std::size_t total_size;
  std::size_t identification;
  bool reserved;
  bool dont_fragment;
  bool more_fragments;
  std::size_t offset;
  std::size_t ttl;
  std::size_t protocol;
  std::size_t header_sum;  ///< 0xffff where the checksum is right
  Octets source;
  Octets destination;
  Octets payload;
};

/// Needs the 34 octets of the headers.
inline SlowFrame take_apart_frame(std::span<const std::uint8_t> frame) {
  const auto part = [&](std::size_t from, std::size_t size) {
    return Octets(frame.begin() + static_cast<std::ptrdiff_t>(from),
                  frame.begin() + static_cast<std::ptrdiff_t>(from + size));
  };
  SlowSum sum;
  sum.add(frame.subspan(14, 20));
  const std::size_t flags = word_at(frame, 20);
  return {part(0, 6),
          part(6, 6),
          word_at(frame, 12),
          frame[14],
          word_at(frame, 16),
          word_at(frame, 18),
          flags / 0x8000 % 2 == 1,
          flags / 0x4000 % 2 == 1,
          flags / 0x2000 % 2 == 1,
          flags % 0x2000 * 8,
          frame[22],
          frame[23],
          sum.value(),
          part(26, 4),
          part(30, 4),
          part(34, frame.size() - 34)};
}

/// The datagram that the fragments make together in whatever order; nothing where one is missing, or two overlap
/// (RFC 791 section 3.2).
inline std::optional<Octets> reassemble(const std::vector<SlowFrame>& fragments) {
  std::vector<std::optional<std::uint8_t>> octets;
  std::optional<std::size_t> end;
  for (const SlowFrame& fragment : fragments) {
    const std::size_t behind = fragment.offset + fragment.payload.size();
    if (!fragment.more_fragments) {
      if (end) {
        return std::nullopt;
      }
      end = behind;
    }
    if (octets.size() < behind) {
      octets.resize(behind);
    }
    for (std::size_t i = 0; i < fragment.payload.size(); ++i) {
      if (octets[fragment.offset + i]) {
        return std::nullopt;
      }
      octets[fragment.offset + i] = fragment.payload[i];
    }
  }
  Octets result;
  for (const auto& octet : octets) {
    if (!octet) {
      return std::nullopt;
    }
    result.push_back(*octet);
  }
  return end == result.size() ? std::optional{result} : std::nullopt;
}

}  // namespace fuzz
