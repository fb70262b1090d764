// What a DHCPv6 message is, as far as counters and queues tell messages apart: the twin of message_kind.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace relay {

/// By msg-type (RFC 8415 section 7.3); of a Relay-reply, that of the message which it carries to somebody below.
enum class MessageKind6 : std::uint8_t {
  solicit,
  request,
  confirm,
  renew,
  rebind,
  release,
  decline,
  information_request,
  relay_forward,
  advertise,
  reply,
  reconfigure,
  relay_reply,  ///< for another relay agent
  other,        ///< any other type
  malformed,    ///< shorter than its header, or a Relay-reply that carries nothing that could be found
  unknown,      ///< nobody saw it: the kernel turned it away
};

inline constexpr std::size_t message_kind6_count = static_cast<std::size_t>(MessageKind6::unknown) + 1;

/// Of a UDP payload of any content.
[[nodiscard]] MessageKind6 kind6_of(std::span<const std::uint8_t> message) noexcept;

/// As in counters and in the man page.
[[nodiscard]] std::string_view name(MessageKind6 kind) noexcept;

}  // namespace relay
