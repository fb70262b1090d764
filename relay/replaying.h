// Joins configuration, capture file, replay and report, as wiring does it for a relay that runs.
#pragma once

#include <string>
#include <vector>

#include "relay/config/configuration.h"

namespace relay {

/// Replays the file that `--replay` names and returns 0. Prints a line for each message on standard output, or on
/// standard error where the capture has that. `words` is the command line, for the capture. Throws UsageError for a
/// filter, servers, files or interfaces that are of no use, and std::runtime_error where not all of the file could be
/// read or the capture not be written, once what could be was printed, and where the lines cannot be printed. SIGPIPE
/// is ignored from here on.
[[nodiscard]] int replay(const Configuration& configuration, const std::vector<std::string>& words);

}  // namespace relay
