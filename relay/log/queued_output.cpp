#include "relay/log/queued_output.h"

#include <pthread.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
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
      : pool_(std::make_unique<spdlog::details::thread_pool>(queue_size, 1, block_signals)),
        pool_handle_(pool_.get(), [](spdlog::details::thread_pool*) {}),
        logger_(std::make_shared<spdlog::async_logger>("dhcp-relay", spdlog::sinks_init_list{std::move(sink), written_},
                                                       pool_handle_, spdlog::async_overflow_policy::overrun_oldest)) {
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

  void write(LogLevel level, std::string_view line) {
    ++posted_;
    logger_->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
    lost_->displaced.store(pool_->overrun_counter());  // which takes the queue's lock: not for readers on other threads
  }

  [[nodiscard]] std::shared_ptr<const LostLines> lost() const { return lost_; }

 private:
  std::shared_ptr<WrittenLines> written_ = std::make_shared<WrittenLines>();
  std::shared_ptr<LostLines> lost_ = std::make_shared<LostLines>();
  std::unique_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::details::thread_pool> pool_handle_;  // does not own: the logger wants a weak_ptr
  std::shared_ptr<spdlog::async_logger> logger_;
  std::uint64_t posted_ = 0;
};

QueuedOutput::QueuedOutput(Log::Sink sink) : impl_(std::make_unique<Impl>(make_sink(sink))) {}

QueuedOutput::~QueuedOutput() = default;

void QueuedOutput::write(LogLevel level, std::string_view line) {
  impl_->write(level, line);
}

std::shared_ptr<const LostLines> QueuedOutput::lost() const {
  return impl_->lost();
}

}  // namespace relay
