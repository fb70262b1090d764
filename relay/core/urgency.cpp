#include "relay/core/urgency.h"

#include "options82/options.h"
#include "relay/core/bootp.h"

namespace relay {

Urgency urgency_of(std::span<const std::uint8_t> request) noexcept {
  // Clients put the message type first or nearly so; who does not is no worse off.
  constexpr int looked_at = 4;
  options82::OptionReader options{bootp::options_field(request)};
  for (int number = 0; number < looked_at; ++number) {
    const auto option = options.next();
    if (!option) {
      break;
    }
    if (option->code == options82::code::message_type) {
      const bool is_discover = option->value.size() == 1 && option->value.front() == bootp::message_type::discover;
      return is_discover ? Urgency::common : Urgency::urgent;
    }
  }
  return Urgency::urgent;
}

}  // namespace relay
