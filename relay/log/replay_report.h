// What a replay prints: a line for each message, and at its end how many met each verdict.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "relay/capture/replayed.h"
#include "relay/core/drop_reason.h"
#include "relay/log/options.h"

namespace relay {

/// The verdict in words: `forwarded to 10.9.0.2, giaddr 10.101.0.1`, `not run: to port 68, which is the clients'`.
[[nodiscard]] std::string replay_verdict_text(const capture::ReplayedMessage& message);

/// What a summary calls the reason: `to_clients`.
[[nodiscard]] std::string_view reason_name(capture::NotRun reason) noexcept;

class ReplayReport {
 public:
  using WriteLine = std::function<void(std::string_view line)>;

  ReplayReport(LogFormat format, WriteLine write_line) : format_(format), write_line_(std::move(write_line)) {}

  /// Writes `<time>Z INFO replay frame=12 type=DISCOVER xid=... interface=d1 ... verdict="..."` and counts.
  void message(const capture::ReplayedMessage& message);

  /// The beginning of a message that was not completed; the same, but it is no message.
  void unfinished(const capture::ReplayedMessage& message);

  /// Writes a line for each verdict that was met, and one with the totals.
  void summary(std::uint64_t packet_count);

 private:
  void write(const capture::ReplayedMessage& message);
  void write_count(std::string_view verdict, std::string_view reason, std::uint64_t count);

  LogFormat format_;
  WriteLine write_line_;
  std::string storage_;
  std::uint64_t messages_ = 0;
  std::uint64_t unfinished_ = 0;
  std::uint64_t relayed_ = 0;
  std::uint64_t delivered_ = 0;
  std::array<std::uint64_t, drop_reason_count> dropped_{};
  std::array<std::uint64_t, capture::not_run_count> not_run_{};
};

}  // namespace relay
