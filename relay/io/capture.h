// A running capture: a thread that listens on the relay's interfaces, joins packets with verdicts and writes them.
// Others only ask it to begin and to end, tell it of interfaces, and never wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "relay/capture/annotator.h"
#include "relay/capture/capture_counters.h"
#include "relay/capture/host_view.h"
#include "relay/capture/pcapng_writer.h"
#include "relay/capture/scope.h"
#include "relay/capture/verdict_tap.h"
#include "relay/io/capture_file.h"

namespace relay::io {

class Capture {
 public:
  struct Options {
    capture::Scope scope;
    std::string filter;  ///< further than the ports; empty: none
    capture::SectionFacts section{};
    bool judges = true;  ///< false: nothing relays here, and packets are told as they are
  };

  /// What the capture asks of its surroundings. All are called on its thread and must not throw.
  struct Surroundings {
    /// The comment on a packet; `source_frame` is the number, in the same file, of the frame that `Annotated` refers
    /// to.
    std::function<std::string(const capture::Annotated&, std::string_view egress,
                              std::optional<std::uint64_t> source_frame, const capture::HostFacts&)>
        comment;
    std::function<void(const capture::Annotated&)> seen;  ///< each packet; may be empty
    std::function<void(const std::string& interface, const std::string& why)> cannot_listen;
    /// It listens on the interfaces of `start`: what passes them from now on is captured.
    std::function<void()> listening;
    /// The capture has ended, asked to or not: `join` will not wait.
    std::function<void()> ended;
  };

  struct Ending {
    std::string fault;               ///< a sentence; empty where it was asked to end
    std::uint64_t packets = 0;       ///< in the files
    std::uint64_t lost_packets = 0;  ///< by the kernel, for want of room
    std::uint64_t lost_verdicts = 0;
  };

  /// `file` is open; none: nothing is written.
  Capture(const Options& options, std::unique_ptr<CaptureFile> file, Surroundings surroundings);
  /// Ends the capture and waits for that.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Opens the file unless it is open. Throws std::runtime_error with one sentence where that cannot be. What is in the
  /// file is kept under another name, or in front.
  void open();
  /// Begins, with the file that was opened.
  void start(const capture::HostView& view);
  [[nodiscard]] bool is_running() const noexcept;
  /// Until it listens, or has ended. Once after each `start`.
  void wait_until_listening();

  /// Asks it to end, which it does in a moment: `Surroundings::ended` tells.
  void stop() noexcept;
  /// Waits for the end and tells how it went. Needs a capture that was started.
  [[nodiscard]] Ending join();

  /// The interfaces or their addresses changed.
  void follow(const capture::HostView& view);

  /// Of all that were started; for other threads too.
  [[nodiscard]] std::shared_ptr<const capture::CaptureCounters> counters() const noexcept;

  /// Where the data path of each protocol tells its verdicts; both are of one thread, and live as long as the capture.
  [[nodiscard]] capture::VerdictTap& tap() noexcept;
  [[nodiscard]] capture::VerdictTap6& tap6() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
