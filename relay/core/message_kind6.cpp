#include "relay/core/message_kind6.h"

#include <array>

#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"

namespace relay {

namespace {

constexpr std::array names{std::string_view{"solicit"},       std::string_view{"request"},
                           std::string_view{"confirm"},       std::string_view{"renew"},
                           std::string_view{"rebind"},        std::string_view{"release"},
                           std::string_view{"decline"},       std::string_view{"information-request"},
                           std::string_view{"relay-forward"}, std::string_view{"advertise"},
                           std::string_view{"reply"},         std::string_view{"reconfigure"},
                           std::string_view{"relay-reply"},   std::string_view{"other"},
                           std::string_view{"malformed"},     std::string_view{"unknown"}};
static_assert(names.size() == message_kind6_count);

[[nodiscard]] constexpr MessageKind6 kind_of_type(std::uint8_t type) noexcept {
  using Kind = MessageKind6;
  constexpr std::array by_type{Kind::other,         Kind::solicit,    Kind::advertise,   Kind::request,
                               Kind::confirm,       Kind::renew,      Kind::rebind,      Kind::reply,
                               Kind::release,       Kind::decline,    Kind::reconfigure, Kind::information_request,
                               Kind::relay_forward, Kind::relay_reply};
  return type < by_type.size() ? by_type[type] : Kind::other;
}

static_assert(kind_of_type(dhcpv6::message_type::solicit) == MessageKind6::solicit);
static_assert(kind_of_type(dhcpv6::message_type::reconfigure) == MessageKind6::reconfigure);
static_assert(kind_of_type(dhcpv6::message_type::relay_reply) == MessageKind6::relay_reply);

}  // namespace

MessageKind6 kind6_of(std::span<const std::uint8_t> message) noexcept {
  // RFC 8415 sections 8 and 9: without the header there is nothing to go by.
  if (!dhcpv6::has_header(message)) {
    return MessageKind6::malformed;
  }
  if (dhcpv6::msg_type(message) != dhcpv6::message_type::relay_reply) {
    return kind_of_type(dhcpv6::msg_type(message));
  }
  const dhcpv6::Octets carried = dhcpv6::carried_message(message);
  return carried.empty() ? MessageKind6::malformed : kind_of_type(dhcpv6::msg_type(carried));
}

std::string_view name(MessageKind6 kind) noexcept {
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace relay
