// Lines on their way to a slow place: a bounded queue with a thread of its own; the only user of spdlog.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "relay/log/log.h"
#include "relay/log/lost_lines.h"
#include "relay/log/options.h"

namespace relay {

/// `write` never blocks: what does not fit displaces the oldest lines, which are counted. Used from one thread.
class QueuedOutput {
 public:
  /// Starts the thread. Throws where it cannot be made.
  explicit QueuedOutput(Log::Sink sink);
  /// Waits up to a second until every line is written; a thread whose sink is still blocked is left behind.
  ~QueuedOutput();
  QueuedOutput(const QueuedOutput&) = delete;
  QueuedOutput& operator=(const QueuedOutput&) = delete;

  void write(LogLevel level, std::string_view line);

  /// A line that tells of so many lost ones, which are `LostLines::reported` once it has reached its place. Where that
  /// refuses it, nothing is lost by that: it is for the caller to write another. Not while `is_reporting`.
  void report(LogLevel level, std::string_view line, std::uint64_t lost);
  /// Whether nobody knows yet what becomes of the last report.
  [[nodiscard]] bool is_reporting() const;

  [[nodiscard]] std::shared_ptr<const LostLines> lost() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
