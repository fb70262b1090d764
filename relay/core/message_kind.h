// What a message is, as far as counters and queues tell messages apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace relay {

/// Which way a message goes: towards servers or towards clients.
enum class Direction : std::uint8_t { request, reply };

/// By option 53 (RFC 2132 section 9.6), and what has none.
enum class MessageKind : std::uint8_t {
  discover,
  request,
  decline,
  release,
  inform,
  offer,
  ack,
  nak,
  other,      ///< any other type
  bootp,      ///< without a type (RFC 951)
  malformed,  ///< shorter than its header, or its options are broken off before they tell a type
  unknown,    ///< nobody saw it: the kernel turned it away
};

inline constexpr std::size_t message_kind_count = static_cast<std::size_t>(MessageKind::unknown) + 1;

/// Of a UDP payload of any content. A type that stands behind the first 1,024 octets of options is not looked for: such
/// a message is `other`.
[[nodiscard]] MessageKind kind_of(std::span<const std::uint8_t> message) noexcept;

/// As in counters and in the man page.
[[nodiscard]] std::string_view name(MessageKind kind) noexcept;
[[nodiscard]] std::string_view name(Direction direction) noexcept;

}  // namespace relay
