// Joins the metrics endpoint with the figures that the service publishes: what a scrape reads, it reads on the
// endpoint's thread, without the data path's knowing.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "relay/capture/capture_counters.h"
#include "relay/core/figures.h"
#include "relay/io/descriptor.h"
#include "relay/io/metrics_endpoint.h"
#include "relay/log/lost_lines.h"
#include "relay/metrics/metrics_text.h"

namespace relay {

class Metering {
 public:
  /// `socket` is of `io::open_metrics_socket`. `captured` is null where no capture was named.
  Metering(io::Descriptor socket, std::shared_ptr<const capture::CaptureCounters> captured,
           std::shared_ptr<const LostLines> lost_log_lines);

  /// What there is to show from now on. On one thread.
  void publish(Figures figures);

  /// Answers from now on. After the first `publish`, and when there is no privilege left: whoever connects is listened
  /// to. Starts a thread.
  void begin();

 private:
  [[nodiscard]] std::string page();

  metrics::Constants constants_;
  std::mutex mutex_;
  std::shared_ptr<const Figures> figures_;  // guarded by the mutex
  io::MetricsEndpoint endpoint_;
};

}  // namespace relay
