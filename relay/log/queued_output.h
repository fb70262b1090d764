// Lines on their way to a slow place: a bounded queue with a thread of its own; the only user of spdlog.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "relay/log/log.h"
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

  /// Lines that were displaced in the queue or refused by the sink.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
