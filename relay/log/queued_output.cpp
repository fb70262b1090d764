#include "relay/log/queued_output.h"

#include <pthread.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/sink.h>

#include "relay/log/system_log.h"

namespace relay {

namespace {

constexpr std::size_t queue_size = 8192;        // lines
constexpr std::chrono::seconds flush_limit{1};  // how long the destructor waits

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

/// What spdlog carries of a line as its place in the source: which report it is, or comes after.
constexpr const char* report_mark = "report";

[[nodiscard]] spdlog::source_loc behind_report(int number) {
  return {nullptr, number, nullptr};
}
[[nodiscard]] spdlog::source_loc report(int number) {
  return {nullptr, number, report_mark};
}

/// Writes lines to standard error or output by its descriptor. The stream `stderr` will not do: while a blocked writer
/// holds its lock, the flush of `std::cerr` at the end of the process waits for that lock.
class StandardStream final : public spdlog::sinks::sink {
 public:
  StandardStream(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  void log(const spdlog::details::log_msg& line) override {
    buffer_.assign(line.payload.data(), line.payload.size());
    buffer_ += '\n';
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t size = ::write(descriptor_, rest.data(), rest.size());
      if (size >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno != EINTR) {
        throw spdlog::spdlog_ex("cannot write to standard " + name_, errno);
      }
    }
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  int descriptor_;
  std::string name_;
  std::string buffer_;
};

/// Not spdlog's own, which does not hear of lines that nobody took.
class SystemLogSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& line) override {
    if (!log_.write(severity_of(line.level), {line.payload.data(), line.payload.size()})) {
      throw spdlog::spdlog_ex("cannot write to syslog", errno);
    }
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  [[nodiscard]] static int severity_of(spdlog::level::level_enum level) noexcept {
    return level >= spdlog::level::err    ? LOG_ERR
           : level == spdlog::level::warn ? LOG_WARNING
           : level == spdlog::level::info ? LOG_INFO
                                          : LOG_DEBUG;
  }

  SystemLog log_;
};

/// Hands lines to the sink that writes, and knows what became of them.
class WrittenLines final : public spdlog::sinks::sink {
 public:
  WrittenLines(spdlog::sink_ptr place, std::shared_ptr<LostLines> lost)
      : place_(std::move(place)), lost_(std::move(lost)) {}

  void log(const spdlog::details::log_msg& line) override {
    const bool is_taken = write(line);
    const bool is_report = line.source.funcname == report_mark;
    if (is_taken && is_report) {
      lost_->reported.fetch_add(lost_by_report_.load());
    }
    {
      const std::lock_guard lock{mutex_};
      ++count_;
      last_report_ = line.source.line;
      changed_.notify_one();
    }
    if (!is_taken && !is_report) {
      lost_->refused.fetch_add(1);
    }
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

  /// Whether `count` lines have passed, taken or not, before `flush_limit` is over.
  bool wait_for(std::uint64_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, flush_limit, [&] { return count_ >= count; });
  }

  /// What the next report tells of.
  void expect_report_of(std::uint64_t lost) { lost_by_report_.store(lost); }

  /// Whether the report of this number, or a line behind it if it was displaced, has passed.
  [[nodiscard]] bool is_past_report(int number) {
    const std::lock_guard lock{mutex_};
    return last_report_ == number;
  }

 private:
  [[nodiscard]] bool write(const spdlog::details::log_msg& line) {
    try {
      place_->log(line);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  spdlog::sink_ptr place_;
  std::shared_ptr<LostLines> lost_;
  std::atomic<std::uint64_t> lost_by_report_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
  int last_report_ = 0;
};

spdlog::sink_ptr make_sink(Log::Sink sink) {
  switch (sink) {
    case Log::Sink::syslog:
      return std::make_shared<SystemLogSink>();
    case Log::Sink::standard_output:
      return std::make_shared<StandardStream>(STDOUT_FILENO, "output");
    case Log::Sink::standard_error:
      break;
  }
  return std::make_shared<StandardStream>(STDERR_FILENO, "error");
}

/// Signals are for the other threads; and a reader that has gone away is EPIPE here, not the end of the process.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

class QueuedOutput::Impl {
 public:
  explicit Impl(spdlog::sink_ptr sink)
      : written_(std::make_shared<WrittenLines>(std::move(sink), lost_)),
        pool_(std::make_unique<spdlog::details::thread_pool>(queue_size, 1, block_signals)),
        pool_handle_(pool_.get(), [](spdlog::details::thread_pool*) {}),
        logger_(std::make_shared<spdlog::async_logger>("dhcp-relay", written_, pool_handle_,
                                                       spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);  // thresholds are ours
    logger_->set_error_handler([lost = lost_](const std::string&) { lost->refused.fetch_add(1); });
  }

  /// spdlog joins its thread, which a blocked sink would never let happen: such a thread is left with its queue.
  ~Impl() {
    if (!written_->wait_for(posted_ - std::min<std::uint64_t>(posted_, lost_->displaced.load()))) {
      static_cast<void>(pool_.release());
    }
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void write(LogLevel level, std::string_view line) { post(behind_report(report_), level, line); }

  void report(LogLevel level, std::string_view line, std::uint64_t lost) {
    written_->expect_report_of(lost);
    post(relay::report(++report_), level, line);
  }
  [[nodiscard]] bool is_reporting() const { return !written_->is_past_report(report_); }

  [[nodiscard]] std::shared_ptr<const LostLines> lost() const { return lost_; }

 private:
  void post(spdlog::source_loc place, LogLevel level, std::string_view line) {
    ++posted_;
    logger_->log(place, spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
    lost_->displaced.store(pool_->overrun_counter());  // which takes the queue's lock: not for readers on other threads
  }

  std::shared_ptr<LostLines> lost_ = std::make_shared<LostLines>();
  std::shared_ptr<WrittenLines> written_;
  std::unique_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::details::thread_pool> pool_handle_;  // does not own: the logger wants a weak_ptr
  std::shared_ptr<spdlog::async_logger> logger_;
  std::uint64_t posted_ = 0;
  int report_ = 0;  // number of the last one
};

QueuedOutput::QueuedOutput(Log::Sink sink) : impl_(std::make_unique<Impl>(make_sink(sink))) {}

QueuedOutput::~QueuedOutput() = default;

void QueuedOutput::write(LogLevel level, std::string_view line) {
  impl_->write(level, line);
}

void QueuedOutput::report(LogLevel level, std::string_view line, std::uint64_t lost) {
  impl_->report(level, line, lost);
}

bool QueuedOutput::is_reporting() const {
  return impl_->is_reporting();
}

std::shared_ptr<const LostLines> QueuedOutput::lost() const {
  return impl_->lost();
}

}  // namespace relay
