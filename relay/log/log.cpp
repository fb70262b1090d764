#include "relay/log/log.h"

#include <pthread.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/sinks/syslog_sink.h>

#include "relay/log/line.h"

namespace relay {

namespace {

constexpr std::size_t queue_size = 8192;              // lines
constexpr std::chrono::seconds flush_limit{1};        // how long the destructor waits
constexpr std::size_t tracked_interfaces_max = 8192;  // with drops of their own; further ones share one entry
constexpr std::size_t report_lines_max = 256;         // of one `report_suppressed`
// Labels in place of names; an interface's name could look like them, but nobody names one so.
constexpr std::string_view unattributed_label = "(unattributed)";
constexpr std::string_view shared_label = "(others)";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Stands behind the sink that writes, and counts the lines that have passed it.
class WrittenLines final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& /*line*/) override {
    const std::lock_guard lock{mutex_};
    ++count_;
    changed_.notify_one();
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

  /// Whether `count` lines have passed before `flush_limit` is over.
  bool wait_for(std::uint64_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, flush_limit, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

/// Writes lines to standard error by its descriptor. The stream `stderr` will not do: while a blocked writer holds its
/// lock, the flush of `std::cerr` at the end of the process waits for that lock.
class StandardError final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& line) override {
    buffer_.assign(line.payload.data(), line.payload.size());
    buffer_ += '\n';
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t size = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (size >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno != EINTR) {
        throw spdlog::spdlog_ex("cannot write to standard error", errno);
      }
    }
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  std::string buffer_;
};

spdlog::sink_ptr make_sink(Log::Sink sink) {
  switch (sink) {
    case Log::Sink::syslog:
      return std::make_shared<spdlog::sinks::syslog_sink_st>("dhcp-relay", LOG_PID | LOG_NDELAY, LOG_DAEMON, false);
    case Log::Sink::standard_error:
      break;
  }
  return std::make_shared<StandardError>();
}

/// Signals are for the other threads; and a reader that has gone away is EPIPE here, not the end of the process.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// spdlog's queue and thread before one sink. `write` never blocks.
class QueuedOutput {
 public:
  explicit QueuedOutput(spdlog::sink_ptr sink)
      : pool_(std::make_unique<spdlog::details::thread_pool>(queue_size, 1, block_signals)),
        pool_handle_(pool_.get(), [](spdlog::details::thread_pool*) {}),
        logger_(std::make_shared<spdlog::async_logger>("dhcp-relay", spdlog::sinks_init_list{std::move(sink), written_},
                                                       pool_handle_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);  // thresholds are ours
    logger_->set_error_handler([failed = failed_](const std::string&) { failed->fetch_add(1); });
  }

  /// spdlog joins its thread, which a blocked sink would never let happen: such a thread is left with its queue.
  ~QueuedOutput() {
    if (!written_->wait_for(posted_ - std::min<std::uint64_t>(posted_, pool_->overrun_counter()))) {
      static_cast<void>(pool_.release());
    }
  }

  QueuedOutput(const QueuedOutput&) = delete;
  QueuedOutput& operator=(const QueuedOutput&) = delete;

  void write(LogLevel level, std::string_view line) {
    ++posted_;
    logger_->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
  }

  /// Lines that were displaced in the queue or refused by the sink.
  [[nodiscard]] std::uint64_t lost() const { return pool_->overrun_counter() + failed_->load(); }

 private:
  std::shared_ptr<WrittenLines> written_ = std::make_shared<WrittenLines>();
  std::shared_ptr<std::atomic<std::uint64_t>> failed_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::unique_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::details::thread_pool> pool_handle_;  // does not own: the logger wants a weak_ptr
  std::shared_ptr<spdlog::async_logger> logger_;
  std::uint64_t posted_ = 0;
};

using ReasonSet = std::bitset<drop_reason_count>;

/// What was dropped on one interface and not written.
struct Tally {
  std::string label;
  std::array<std::uint64_t, drop_reason_count> suppressed{};
  ReasonSet announced{};  // the first one was written
  ReasonSet recent{};     // occurred since the last report
  int last_error = 0;     // errno of the last `send_failed`

  /// Whether this is the first `reason`, so that it is to be announced.
  bool is_first(DropReason reason) {
    const auto at = static_cast<std::size_t>(reason);
    const bool is_new = !announced[at];
    announced[at] = true;
    recent[at] = true;
    return is_new;
  }
  void suppress(DropReason reason) { ++suppressed[static_cast<std::size_t>(reason)]; }
};

/// The tallies of all interfaces with drops, of bounded size.
class Tallies {
 public:
  Tallies() { shared_.label = shared_label; }

  Tally& of(const Interface* interface, std::uint32_t index) {
    if (const auto found = by_index_.find(index); found != by_index_.end()) {
      return found->second;
    }
    if (by_index_.size() == tracked_interfaces_max) {
      return shared_;
    }
    Tally& added = by_index_[index];
    added.label = interface_label(interface, index);
    return added;
  }

  void rename(const Interface& interface) {
    if (const auto found = by_index_.find(interface.index); found != by_index_.end()) {
      found->second.label = interface.name;
    }
  }

  [[nodiscard]] bool empty() const noexcept { return by_index_.empty() && shared_.announced.none(); }

  /// Calls `write(tally, reason, count)` for what was suppressed, at most `report_lines_max` times for single
  /// interfaces, in order of index; forgets what did not occur since the last report.
  template <typename Write>
  void report(Write write) {
    std::vector<std::uint32_t> indices;
    indices.reserve(by_index_.size());
    for (const auto& entry : by_index_) {
      indices.push_back(entry.first);
    }
    std::ranges::sort(indices);
    std::size_t lines_left = report_lines_max;
    for (const std::uint32_t index : indices) {
      Tally& tally = by_index_.at(index);
      for (const DropReason reason : all_drop_reasons()) {
        std::uint64_t& count = tally.suppressed[static_cast<std::size_t>(reason)];
        if (count != 0 && lines_left != 0) {
          --lines_left;
          write(tally, reason, count);
        } else {
          shared_.suppressed[static_cast<std::size_t>(reason)] += count;
        }
        count = 0;
      }
      forget_past(tally);
      if (tally.announced.none()) {
        by_index_.erase(index);
      }
    }
    report_shared(write);
  }

 private:
  template <typename Write>
  void report_shared(Write write) {
    for (const DropReason reason : all_drop_reasons()) {
      std::uint64_t& count = shared_.suppressed[static_cast<std::size_t>(reason)];
      if (count != 0) {
        write(shared_, reason, count);
        count = 0;
      }
    }
    forget_past(shared_);
  }

  static void forget_past(Tally& tally) {
    tally.announced &= tally.recent;
    tally.recent.reset();
  }

  std::unordered_map<std::uint32_t, Tally> by_index_;
  Tally shared_;
};

DropReason reason_of(const MessageEvent& event) {
  const auto* drop = event.decision == nullptr ? nullptr : std::get_if<Drop>(event.decision);
  assert(drop != nullptr);
  return drop->reason;
}

LogLevel level_of(const InterfaceEvent& event) {
  switch (event.change) {
    case InterfaceChange::vanished:
    case InterfaceChange::went_down:
      return LogLevel::warning;
    case InterfaceChange::giaddr_changed:
      return event.interface.giaddr ? LogLevel::info : LogLevel::warning;
    case InterfaceChange::appeared:
    case InterfaceChange::renamed:
    case InterfaceChange::came_up:
    case InterfaceChange::became_passive:
    case InterfaceChange::became_active:
      return LogLevel::info;
  }
  return LogLevel::info;
}

bool is_sending(DropReason reason) {
  return reason == DropReason::send_buffer_full || reason == DropReason::send_failed;
}

}  // namespace

class Log::Impl {
 public:
  /// To `queue`, or where there is none to `write_line`.
  Impl(std::unique_ptr<QueuedOutput> queue, WriteLine write_line, LogFormat format, LogLevel threshold, Clock clock)
      : queue_(std::move(queue)),
        write_line_(std::move(write_line)),
        clock_(std::move(clock)),
        format_(format),
        threshold_(threshold) {}

  [[nodiscard]] bool wants(LogLevel level) const noexcept { return level >= threshold_; }

  /// Writes one line, whose fields behind the event's name `add_fields(LogLine&)` adds.
  template <typename AddFields>
  void write(LogLevel level, std::string_view event, AddFields add_fields) {
    const auto time = clock_ ? std::optional{clock_()} : std::nullopt;
    LogLine line{storage_, format_, time, level, event};
    add_fields(line);
    if (queue_) {
      queue_->write(level, line.finish());
    } else {
      write_line_(line.finish());
    }
  }

  [[nodiscard]] std::uint64_t lost() const { return queue_ ? queue_->lost() : 0; }

  void set_threshold(LogLevel threshold) noexcept { threshold_ = threshold; }

  Tallies tallies;
  std::uint64_t lost_reported = 0;

 private:
  std::unique_ptr<QueuedOutput> queue_;
  WriteLine write_line_;
  Clock clock_;
  LogFormat format_;
  LogLevel threshold_;
  std::string storage_;
};

Log::Log(Sink sink, LogFormat format, LogLevel threshold)
    : impl_(std::make_unique<Impl>(std::make_unique<QueuedOutput>(make_sink(sink)), nullptr, format, threshold,
                                   sink == Sink::syslog ? Clock{} : std::chrono::system_clock::now)) {}

Log::Log(WriteLine write_line, LogFormat format, LogLevel threshold, Clock clock)
    : impl_(std::make_unique<Impl>(nullptr, std::move(write_line), format, threshold, std::move(clock))) {}

Log::~Log() = default;

void Log::started(std::string_view version, std::string_view servers, std::string_view interfaces) {
  if (impl_->wants(LogLevel::info)) {
    impl_->write(LogLevel::info, "started", [&](LogLine& line) {
      line.field("version", version).field("servers", servers).field("interfaces", interfaces);
    });
  }
}

void Log::stopped(std::string_view why) {
  if (impl_->wants(LogLevel::info)) {
    impl_->write(LogLevel::info, "stopped", [&](LogLine& line) { line.field("why", why); });
  }
}

void Log::note(LogLevel level, std::string_view sentence) {
  if (impl_->wants(level)) {
    impl_->write(level, "note", [&](LogLine& line) { line.field("message", sentence); });
  }
}

void Log::message(const MessageEvent& event) noexcept {
  if (!wants_messages()) {
    return;
  }
  switch (event.stage) {
    case MessageStage::received:
      impl_->write(LogLevel::debug, "received", [&](LogLine& line) {
        add_message(line, event);
        add_arrival(line, event);
      });
      return;
    case MessageStage::forwarded:
      impl_->write(LogLevel::debug, "forwarded", [&](LogLine& line) {
        add_message(line, event);
        add_destination(line, event);
        line.field("size", event.message.size());
      });
      return;
    case MessageStage::dropped:
      dropped(event);
      return;
  }
}

void Log::dropped(const MessageEvent& event) noexcept {
  if (!impl_->wants(LogLevel::warning)) {
    return;
  }
  const DropReason reason = reason_of(event);
  Tally& tally = impl_->tallies.of(event.interface, event.ingress.interface_index);
  if (tally.is_first(reason)) {
    impl_->write(LogLevel::warning, "dropped", [&](LogLine& line) {
      add_message(line, event);
      add_arrival(line, event);
      add_explanation(line, reason);
    });
  } else if (wants_messages()) {
    impl_->write(LogLevel::debug, "dropped", [&](LogLine& line) {
      add_message(line, event);
      add_arrival(line, event);
      line.field("reason", text(reason).name);
    });
  } else {
    tally.suppress(reason);
  }
}

void Log::send_failed(const SendFailure& failure) noexcept {
  if (!impl_->wants(LogLevel::warning)) {
    return;
  }
  const std::uint32_t index = failure.interface == nullptr ? 0 : failure.interface->index;
  Tally& tally = impl_->tallies.of(failure.interface, index);
  tally.last_error = failure.error;
  const auto add_failure = [&](LogLine& line) {
    line.field("interface", interface_label(failure.interface, index)).field("destination", failure.destination);
    line.field("error", std::generic_category().message(failure.error));
  };
  if (tally.is_first(failure.reason)) {
    impl_->write(LogLevel::warning, "send_failed", [&](LogLine& line) {
      add_failure(line);
      add_explanation(line, failure.reason);
    });
  } else if (wants_messages()) {
    impl_->write(LogLevel::debug, "send_failed", [&](LogLine& line) {
      add_failure(line);
      line.field("reason", text(failure.reason).name);
    });
  } else {
    tally.suppress(failure.reason);
  }
}

void Log::interface_changed(const InterfaceEvent& event) noexcept {
  impl_->tallies.rename(event.interface);
  const LogLevel level = level_of(event);
  if (impl_->wants(level)) {
    impl_->write(level, "interface_changed", [&](LogLine& line) { add_change(line, event); });
  }
}

void Log::counters(const InterfaceTable& table) {
  std::vector<const Interface*> shown;
  for (const auto& entry : table.all()) {
    const Interface& interface = entry.second;
    if (interface.is_downstream || interface.is_upstream || has_counted(interface.counters)) {
      shown.push_back(&interface);
    }
  }
  std::ranges::sort(shown, {}, &Interface::index);
  const auto write_counters = [this](std::string_view label, const Counters& counters) {
    impl_->write(LogLevel::info, "counters", [&](LogLine& line) {
      line.field("interface", label);
      add_counters(line, counters);
    });
  };
  Counters sum = table.unattributed();
  for (const Interface* interface : shown) {
    write_counters(interface->name, interface->counters);
    sum.add(interface->counters);
  }
  if (has_counted(table.unattributed())) {
    write_counters(unattributed_label, table.unattributed());
  }
  impl_->write(LogLevel::info, "counters_total", [&](LogLine& line) {
    line.field("interfaces", shown.size());
    add_counters(line, sum);
    line.field("log_lines_lost", impl_->lost());
  });
}

void Log::report_suppressed() {
  impl_->tallies.report([this](const Tally& tally, DropReason reason, std::uint64_t count) {
    impl_->write(LogLevel::warning, is_sending(reason) ? "send_failed" : "dropped", [&](LogLine& line) {
      line.field("interface", tally.label);
      if (reason == DropReason::send_failed && tally.last_error != 0) {
        line.field("error", std::generic_category().message(tally.last_error));
      }
      line.field("reason", text(reason).name).field("suppressed", count);
    });
  });
  if (const std::uint64_t lost = impl_->lost(); lost != impl_->lost_reported) {
    impl_->write(LogLevel::warning, "log_overrun",
                 [&](LogLine& line) { line.field("lost", lost - impl_->lost_reported).field("log_lines_lost", lost); });
    impl_->lost_reported = lost;
  }
}

bool Log::has_suppressed() const noexcept {
  return !impl_->tallies.empty() || impl_->lost() != impl_->lost_reported;
}

void Log::set_threshold(LogLevel threshold) noexcept {
  impl_->set_threshold(threshold);
}

bool Log::wants_messages() const noexcept {
  return impl_->wants(LogLevel::debug);
}

}  // namespace relay
