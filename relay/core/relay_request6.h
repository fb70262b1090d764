// What becomes of a DHCPv6 message on its way to the servers: RFC 8415 section 19.1, rule by rule.
#pragma once

#include "relay/core/decision6.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy6.h"

namespace relay {

/// Decides on a message of a client or of another relay agent and makes it a Relay-forward: `ToServers6`, or `Drop`
/// with the buffer as it was. The message stays where it is, octet for octet, and is the end of the Relay-forward; all
/// that is ours goes in front of it, into `message.headroom()`, of which `relay_forward_headroom` is enough. Never
/// reads outside the message.
[[nodiscard]] Decision6 relay_request6(const Policy6& policy, const InterfaceTable& interfaces, const Ingress6& ingress,
                                       MessageBuffer& message) noexcept;

}  // namespace relay
