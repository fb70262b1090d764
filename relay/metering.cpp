#include "relay/metering.h"

#include <chrono>
#include <string>
#include <utility>

namespace relay {

Metering::Metering(io::Descriptor socket, std::shared_ptr<const capture::CaptureCounters> captured,
                   std::shared_ptr<const LostLines> lost_log_lines)
    : constants_{DHCP_RELAY_VERSION, std::chrono::system_clock::now(), std::move(captured), std::move(lost_log_lines)},
      endpoint_(std::move(socket), [this] { return page(); }) {}

void Metering::publish(Figures figures) {
  auto published = std::make_shared<const Figures>(std::move(figures));
  const std::lock_guard lock{mutex_};
  figures_.swap(published);
}

void Metering::begin() {
  endpoint_.begin();
}

std::string Metering::page() {
  std::shared_ptr<const Figures> figures;
  {
    const std::lock_guard lock{mutex_};
    figures = figures_;
  }
  const metrics::Moment now{std::chrono::steady_clock::now().time_since_epoch(), std::chrono::system_clock::now()};
  return metrics::metrics_text(*figures, constants_, now);
}

}  // namespace relay
