// What the service manager shows of the relay: `systemctl status`.
#pragma once

#include <string>

#include "relay/core/interface_table.h"

namespace relay {

/// `12 requests relayed, 11 replies delivered, 3 messages dropped`, of all interfaces and both
/// families since the start.
[[nodiscard]] std::string status_text(const InterfaceTable& table);

}  // namespace relay
