// The daemon: joins log, capture and service, in the foreground or the background, and runs.
#pragma once

#include <string>
#include <vector>

#include "relay/config/configuration.h"

namespace relay {

/// Relays until SIGTERM or SIGINT; returns the exit status. `words` are those of the command line, read again on
/// SIGHUP. Throws what keeps the relay from starting.
[[nodiscard]] int relay_until_signal(const Configuration& configuration, const std::vector<std::string>& words);

}  // namespace relay
