// Joins the capture with configuration, log and service: when it begins and ends, what its comments say, and who tells
// it of messages and interfaces.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/io/capture.h"
#include "relay/io/capture_file.h"
#include "relay/log/log.h"

namespace relay {

/// The answer to SIGUSR2 where there is nothing to start.
inline constexpr std::string_view no_capture_named =
    "SIGUSR2 starts and stops a capture, and none was named; give --capture FILE at start";

class Capturing {
 public:
  /// `configuration` and `log` must outlive it. `families` are those that are relayed, or looked at. `words` stand in
  /// the capture, as the flags that the relay ran with. `file` is that of the configuration, if it names one, and open.
  /// `seen`: as in `io::Capture::Surroundings`.
  Capturing(const Configuration& configuration, Families families, Log& log, const std::vector<std::string>& words,
            std::unique_ptr<io::CaptureFile> file, std::function<void(const capture::Annotated&)> seen = {});

  using Post = std::function<void(std::function<void()>)>;

  /// `post` calls what it is given on this thread, from any other. `ended` is called, on this one, whenever the capture
  /// has ended, and told whether it did so without being asked to. Waits until the interfaces are listened on. Throws
  /// where the file cannot be opened.
  void start(const InterfaceTable& table, Post post, std::function<void(bool is_fault)> ended);
  /// SIGUSR2: ends the capture, or begins it again in a new file. `table` must outlive the capture.
  void toggle(const InterfaceTable& table);
  void interfaces_changed(const InterfaceTable& table);
  void policy_changed(const Policy& policy, const Policy6& policy6);
  /// Ends the capture, if there is one, and waits for that.
  void end(const std::string& why);

  [[nodiscard]] bool is_running() const noexcept { return capture_.is_running(); }

  /// For other threads too.
  [[nodiscard]] std::shared_ptr<const capture::CaptureCounters> counters() const noexcept {
    return capture_.counters();
  }

  /// `listener` with the capture beside it.
  [[nodiscard]] Listener listening(Listener listener);

 private:
  void begin(const InterfaceTable& table);
  void begin_again(const InterfaceTable& table);
  void tell_of_start();
  void settle();
  [[nodiscard]] capture::HostView view_of(const InterfaceTable& table) const;
  [[nodiscard]] io::Capture::Surroundings surroundings(std::function<void(const capture::Annotated&)> seen);

  const Configuration& configuration_;
  Log& log_;
  capture::Scope scope_;
  bool upstream_named_ = false;
  io::Capture capture_;
  const InterfaceTable* table_ = nullptr;  // that `start` and `toggle` were given
  std::string why_;                        // it was asked to end; empty while it was not
  bool begins_again_ = false;              // once it has ended
  Post post_;
  std::function<void(bool is_fault)> ended_;
};

/// The capture's thread speaks to others through `post`: it ends before they do, however that comes about.
struct CaptureEnd {
  Capturing& capturing;
  explicit CaptureEnd(Capturing& ended) : capturing(ended) {}
  CaptureEnd(const CaptureEnd&) = delete;
  CaptureEnd& operator=(const CaptureEnd&) = delete;
  ~CaptureEnd() { capturing.end("an error"); }
};

/// `--capture-only`: until SIGTERM or SIGINT; returns the exit status.
[[nodiscard]] int capture_until_signal(const Configuration& configuration, const std::vector<std::string>& words);

}  // namespace relay
