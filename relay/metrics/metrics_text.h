// All metrics of the relay: their names, what they mean, and their text.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "relay/capture/capture_counters.h"
#include "relay/core/figures.h"
#include "relay/log/lost_lines.h"

namespace relay::metrics {

/// What stays as it was at the start.
struct Constants {
  std::string version;
  std::chrono::system_clock::time_point started{};
  std::shared_ptr<const capture::CaptureCounters> captured{};  ///< null: none was named
  std::shared_ptr<const LostLines> lost_log_lines{};           ///< null: they are not counted
};

/// The same moment on two clocks: that of the figures, and everybody's.
struct Moment {
  std::chrono::nanoseconds figures{};
  std::chrono::system_clock::time_point wall{};
};

/// Each family is one item of METRICS in the man page. Of counters by kind and reason those that are zero are left out,
/// and of interfaces those that have no role and counted nothing.
[[nodiscard]] std::string metrics_text(const Figures& figures, const Constants& constants, const Moment& now);

}  // namespace relay::metrics
