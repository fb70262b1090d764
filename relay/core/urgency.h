// Which requests go first where more come than can be relayed.
#pragma once

#include <cstdint>

#include "relay/core/message_kind.h"
#include "relay/core/message_kind6.h"

namespace relay {

enum class Urgency : std::uint8_t {
  urgent,  ///< what others have worked for already: given up only where its flow has nothing else
  common,
};

/// A DHCPDISCOVER begins a handshake; any other request may end one, for which clients, servers and this relay agent
/// have done their work already. In a storm that one goes first, or the more is sent, the fewer clients get an address.
[[nodiscard]] constexpr Urgency urgency_of(MessageKind request) noexcept {
  return request == MessageKind::discover ? Urgency::common : Urgency::urgent;
}

/// The same of a Solicit, but of one that another relay agent has wrapped: nobody looks into a Relay-forward for this.
[[nodiscard]] constexpr Urgency urgency_of(MessageKind6 request) noexcept {
  return request == MessageKind6::solicit ? Urgency::common : Urgency::urgent;
}

}  // namespace relay
