// What becomes of a BOOTREPLY: RFC 1542 section 4.1.2, RFC 2131 section 4.1 and RFC 3046 section 2.1, rule by rule.
#pragma once

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy.h"
#include "relay/core/transactions.h"

namespace relay {

/// Decides on a message that arrived on the reply side and edits it in place: `ToClient`, or `Drop` with the message as
/// it was. `transactions` tells what neither giaddr nor option 82 does. Never reads outside the message; writes no
/// further than `message.capacity()`.
[[nodiscard]] Decision relay_reply(const Policy& policy, const InterfaceTable& interfaces,
                                   const Transactions& transactions, const Ingress& ingress,
                                   MessageBuffer& message) noexcept;

}  // namespace relay
