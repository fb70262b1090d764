// The log: one line per event, fixed order of fields, text or JSON; the only user of spdlog and the only place that
// turns octets of a message into text (line.h). Whatever came from the wire is escaped.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "relay/capture/annotator.h"
#include "relay/core/delegation_counters.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/log/lost_lines.h"
#include "relay/log/options.h"

namespace relay {

struct CaptureEnding {
  std::string_view file;
  std::string_view why;
  bool is_fault = false;  ///< nobody asked for it
  std::uint64_t packets = 0;
  std::uint64_t lost_packets = 0;
  std::uint64_t lost_verdicts = 0;
};

/// Used from one thread. Lines are written by a thread of its own behind a bounded queue, so that a blocked standard
/// error or syslog never blocks the caller: what does not fit displaces the oldest lines, which are counted. That
/// thread begins with the object: construct it after daemonising.
class Log {
 public:
  enum class Sink : std::uint8_t { standard_error, standard_output, syslog };
  using WriteLine = std::function<void(std::string_view)>;
  using Clock = std::function<std::chrono::system_clock::time_point()>;

  /// To standard error or output with a time in each line, or to syslog (facility daemon) without. Throws where the
  /// thread cannot be made.
  Log(Sink sink, LogFormat format, LogLevel threshold);
  /// To `write_line`, one line per call without its newline, before the event's function returns. With an empty
  /// `clock` lines have no time.
  Log(WriteLine write_line, LogFormat format, LogLevel threshold, Clock clock = std::chrono::system_clock::now);
  /// Waits up to a second until every line is written. A sink that is still blocked then loses the rest, and its
  /// thread is left behind, for the end of the process to take.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void started(std::string_view version, std::string_view servers, std::string_view interfaces);
  void stopped(std::string_view why);
  void note(LogLevel level, std::string_view sentence);

  /// `received` and `forwarded`: debug lines.
  void message(const MessageEvent& event) noexcept;
  void message(const MessageEvent6& event) noexcept;
  /// The first drop of a reason on an interface is a warning with what to do about it; further ones are counted, and
  /// `report_suppressed` says how many there were. At debug level every drop has its line. Beyond 8,192 interfaces
  /// with drops the others are counted together.
  void dropped(const MessageEvent& event) noexcept;
  void dropped(const MessageEvent6& event) noexcept;
  /// Limited as drops are, with the error's text.
  void send_failed(const SendFailure& failure) noexcept;
  void send_failed(const SendFailure6& failure) noexcept;
  void membership_refused(const MembershipRefusal& refusal) noexcept;
  /// Limited as drops are.
  void kernel_lost(const KernelLoss& loss) noexcept;
  void offload_refused(Offload offload, int error) noexcept;
  void interface_changed(const InterfaceEvent& event) noexcept;
  /// One line; a refused prefix is a warning.
  void delegation_changed(const DelegationEvent& event) noexcept;
  void route_refused(const RouteRefusal& refusal) noexcept;
  void prefix_state(const PrefixStateEvent& event) noexcept;
  /// A server that fell silent is a warning.
  void server_changed(const ServerEvent& event) noexcept;

  /// A message that a capture saw; the line's time is the packet's.
  void seen(const capture::Annotated& annotated) noexcept;
  void capture_started(std::string_view file);
  void capture_ended(const CaptureEnding& ending);

  /// One line for each interface and family that is downstream or upstream or has counted something, one for what
  /// belongs to no interface if there is any, and one with the sums of both families, and of `delegations` if it is
  /// not null. Whoever asks for the counters wants to see them: written at any threshold.
  void counters(const InterfaceTable& table, const DelegationCounters* delegations);

  /// Writes one line for each reason and interface with suppressed drops, and counts anew; beyond 256 lines, one for
  /// each reason. A reason that did not occur since the last call is forgotten: its next drop is a first one again.
  /// Also says how many lines the queue has lost. Called on a timer.
  void report_suppressed();
  /// Whether `report_suppressed` has something to write or to forget, so that an idle relay needs no timer.
  [[nodiscard]] bool has_suppressed() const noexcept;
  /// Goes on counting.
  [[nodiscard]] std::shared_ptr<const LostLines> lost_lines() const;

  void set_threshold(LogLevel threshold) noexcept;
  /// Whether `message` writes anything.
  [[nodiscard]] bool wants_messages() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
