// The flags of captures and replays: their values, and which of them go together.
#pragma once

#include <vector>

#include "relay/config/configuration.h"
#include "relay/config/values.h"

namespace relay::flags {

void set_capture_filter(Configuration& configuration, const Given& given);
void set_capture_size(Configuration& configuration, const Given& given);
void set_capture_files(Configuration& configuration, const Given& given);

/// Both run in the foreground, where whoever started them reads what they print.
void set_capture_only(Configuration& configuration, const Given& given);
void set_replay(Configuration& configuration, const Given& given);

/// `NAME=CIDR[,MAC]`.
void add_replay_interface(Configuration& configuration, const Given& given);

/// Throws UsageError where flags contradict each other or have no effect.
void check_captures(const Configuration& configuration, const std::vector<Given>& givens);

}  // namespace relay::flags
