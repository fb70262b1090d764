// What stands in for the service where nothing is relayed: the live view of the interfaces and the signals, without a
// socket of the relay's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relay/core/events.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"
#include "relay/io/link_monitor.h"

namespace relay::io {

class Observer {
 public:
  /// What the observer asks of its surroundings, on the thread of `run`.
  struct Surroundings {
    bool ends_with_standard_output = false;                         ///< once nobody can read that any more
    std::function<void(const InterfaceTable&)> toggle_capture;      ///< SIGUSR2
    std::function<void(const InterfaceTable&)> interfaces_changed;  ///< links or addresses may be others now
  };

  /// Learns the interfaces; throws std::system_error. `link_reports` is of `open_link_reports`.
  Observer(LinkReports link_reports, const InterfaceSettings& settings, const Listener& listener,
           Surroundings surroundings);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Until SIGTERM, SIGINT, `end` or the end of standard output's reader; returns the signal's number, 0 without one.
  /// SIGHUP and SIGUSR1 change nothing.
  [[nodiscard]] int run();

  /// Calls `what` on the thread of `run`; from any thread.
  void post(std::function<void()> what);
  void end();

  /// On the thread of `run`, or before it.
  [[nodiscard]] const InterfaceTable& interfaces() const noexcept;
  [[nodiscard]] std::vector<std::string> missing_interfaces() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
