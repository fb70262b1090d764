// Gathers what `--check` judges: the host's interfaces as the relay would see them, the ways to the servers, the port,
// the kernel's settings and the firewall. Changes nothing, and binds nothing.
#pragma once

#include "relay/check/facts.h"
#include "relay/core/ports.h"
#include "relay/io/service.h"

namespace relay::io {

/// What the orders meet on this host. What cannot be looked at is told so in the facts. Left to the caller: what the
/// configuration says of itself. Throws std::system_error where rtnetlink cannot be asked.
[[nodiscard]] check::Facts look_around(const Orders& orders, const Ports& ports);

/// What `check::judge_servers_at_start` asks of these: the ways to the servers, and the interfaces that they leave by.
[[nodiscard]] check::Facts look_at_servers(const Orders& orders, const Ports& ports);

}  // namespace relay::io
