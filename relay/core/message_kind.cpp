#include "relay/core/message_kind.h"

#include <algorithm>
#include <array>

#include "options82/options.h"
#include "relay/core/bootp.h"

namespace relay {

namespace {

constexpr std::size_t looked_at = 1024;  // octets: clients put the message type first or nearly so

[[nodiscard]] constexpr MessageKind kind_of_type(std::uint8_t type) noexcept {
  constexpr std::array by_type{MessageKind::other,   MessageKind::discover, MessageKind::offer,
                               MessageKind::request, MessageKind::decline,  MessageKind::ack,
                               MessageKind::nak,     MessageKind::release,  MessageKind::inform};
  return type < by_type.size() ? by_type[type] : MessageKind::other;
}

static_assert(kind_of_type(bootp::message_type::discover) == MessageKind::discover);
static_assert(kind_of_type(bootp::message_type::nak) == MessageKind::nak);
static_assert(kind_of_type(bootp::message_type::inform) == MessageKind::inform);

}  // namespace

MessageKind kind_of(std::span<const std::uint8_t> message) noexcept {
  // RFC 951 section 3: without the fixed header there is nothing to go by.
  if (message.size() < bootp::header_size) {
    return MessageKind::malformed;
  }
  const auto field = bootp::options_field(message);
  options82::OptionReader options{field.first(std::min(field.size(), looked_at))};
  while (const auto option = options.next()) {
    if (option->code == options82::code::message_type) {
      return option->value.size() == 1 ? kind_of_type(option->value.front()) : MessageKind::malformed;
    }
  }
  if (options.stop() != options82::ReadStop::end_option && field.size() > looked_at) {
    return MessageKind::other;
  }
  return options.stop() == options82::ReadStop::damaged ? MessageKind::malformed : MessageKind::bootp;
}

std::string_view name(MessageKind kind) noexcept {
  switch (kind) {
    case MessageKind::discover:
      return "discover";
    case MessageKind::request:
      return "request";
    case MessageKind::decline:
      return "decline";
    case MessageKind::release:
      return "release";
    case MessageKind::inform:
      return "inform";
    case MessageKind::offer:
      return "offer";
    case MessageKind::ack:
      return "ack";
    case MessageKind::nak:
      return "nak";
    case MessageKind::other:
      return "other";
    case MessageKind::bootp:
      return "bootp";
    case MessageKind::malformed:
      return "malformed";
    case MessageKind::unknown:
      return "unknown";
  }
  return {};
}

std::string_view name(Direction direction) noexcept {
  return direction == Direction::request ? "request" : "reply";
}

}  // namespace relay
