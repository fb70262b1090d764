// `--check`: joins configuration, the look at the host, the judgement and its report.
#pragma once

#include "relay/config/configuration.h"

namespace relay {

/// Looks at the host as a start with this configuration would meet it, and starts nothing. Prints the findings on
/// standard output and returns the exit status: 2 where one of them is an error, else 0. Throws UsageError for a filter
/// that is of no use, and std::runtime_error where the host cannot be asked or the findings not be printed.
[[nodiscard]] int check_host(const Configuration& configuration);

}  // namespace relay
