// Who has a UDP port: sockets by the kernel's socket diagnosis (sock_diag(7)), processes by /proc.
#pragma once

#include <cstdint>
#include <vector>

#include "relay/check/facts.h"

namespace relay::io {

/// The sockets of this network namespace that keep a UDP port on 0.0.0.0 from being bound, each process once. A process
/// that this one may not look into is told without its name. Throws std::system_error.
[[nodiscard]] std::vector<check::PortHolder> port_holders(const std::vector<std::uint16_t>& ports);

}  // namespace relay::io
