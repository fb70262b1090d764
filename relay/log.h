// The log: one line per event, fixed order of fields, text or JSON; the only user of spdlog and the only place that
// turns octets of a message into text. Whatever came from the wire is escaped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/log_options.h"

namespace relay {

class Log {
 public:
  enum class Sink : std::uint8_t { standard_error, syslog };

  Log(Sink sink, LogFormat format, LogLevel threshold);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void started(std::string_view version, std::string_view servers, std::string_view interfaces);
  void stopped(std::string_view why);
  void note(LogLevel level, std::string_view sentence);

  /// `received` and `forwarded`: debug lines.
  void message(const MessageEvent& event);
  /// The first drop of a reason on an interface is a warning with what to do about it; further ones are counted, and
  /// `report_suppressed` says how many there were. At debug level every drop has its line.
  void dropped(const MessageEvent& event);
  void send_failed(const SendFailure& failure);
  void interface_changed(const InterfaceEvent& event);
  void counters(const InterfaceTable& table);

  /// Writes one line for each reason and interface with suppressed drops, and counts anew. Called on a timer.
  void report_suppressed();
  /// Whether `report_suppressed` has something to say, so that an idle relay needs no timer.
  [[nodiscard]] bool has_suppressed() const noexcept;

  void set_threshold(LogLevel threshold);
  [[nodiscard]] bool wants_messages() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
