// What becomes of a DHCPv6 message on its way from the servers: RFC 8415 section 19.2, rule by rule.
#pragma once

#include <cstdint>
#include <span>

#include "relay/core/decision6.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy6.h"

namespace relay {

/// Decides on a message that arrived on the reply side: `ToPeer6` with the message in it, or `Drop`. Nothing is edited;
/// never reads outside the message.
[[nodiscard]] Decision6 relay_reply6(const Policy6& policy, const InterfaceTable& interfaces, const Ingress6& ingress,
                                     std::span<const std::uint8_t> message) noexcept;

}  // namespace relay
