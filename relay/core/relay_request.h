// What becomes of a BOOTREQUEST: RFC 1542 section 4.1.1 and RFC 3046 section 2.1, rule by rule.
#pragma once

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy.h"

namespace relay {

/// Decides on a message that arrived on the request side and edits it in place: `ToServers`, or `Drop` with the message
/// as it was. Never reads outside the message; writes no further than `message.capacity()`.
[[nodiscard]] Decision relay_request(const Policy& policy, const InterfaceTable& interfaces, const Ingress& ingress,
                                     MessageBuffer& message) noexcept;

}  // namespace relay
