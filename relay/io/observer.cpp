#include "relay/io/observer.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "relay/io/interface_view.h"
#include "relay/io/link_monitor.h"

namespace relay::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds link_retry_delay{1};

}  // namespace

class Observer::Impl {
 public:
  Impl(LinkReports link_reports, const InterfaceSettings& settings, const Listener& listener, Surroundings surroundings)
      : surroundings_(std::move(surroundings)),
        view_(table_, settings, listener),
        monitor_(
            view_, [this] { asio::post(loop_, [this] { follow_links(); }); }, std::move(link_reports)),
        link_watch_(loop_, monitor_.descriptor()),
        signals_(loop_, SIGTERM, SIGINT, SIGHUP),
        link_timer_(loop_),
        output_watch_(loop_) {
    if (surroundings_.ends_with_standard_output) {
      output_watch_.assign(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    }
    signals_.add(SIGUSR1);
    signals_.add(SIGUSR2);
    monitor_.synchronise();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { link_watch_.release(); }

  [[nodiscard]] int run() {
    await_links();
    if (monitor_.progress() == LinkProgress::failed) {
      follow_links();
    }
    await_signal();
    await_end_of_output();
    loop_.run();
    return ending_signal_;
  }

  void post(std::function<void()> what) { asio::post(loop_, std::move(what)); }
  void end() { loop_.stop(); }
  [[nodiscard]] const InterfaceTable& interfaces() const noexcept { return table_; }
  [[nodiscard]] std::vector<std::string> missing_interfaces() const { return view_.missing(); }

 private:
  void await_links() {
    if (std::exchange(is_awaiting_links_, true)) {
      return;
    }
    link_watch_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      is_awaiting_links_ = false;
      if (!error) {
        follow_links();
      }
    });
  }

  void follow_links() {
    while (monitor_.read_changes() == LinkProgress::behind) {
    }
    surroundings_.interfaces_changed(table_);
    switch (monitor_.progress()) {
      case LinkProgress::behind:
      case LinkProgress::in_step:
        await_links();
        break;
      case LinkProgress::asking:
        break;  // the monitor wakes us
      case LinkProgress::failed:
        await_links();
        await_retry();
        break;
    }
  }

  /// Changes meanwhile do not put it off.
  void await_retry() {
    if (std::exchange(is_awaiting_retry_, true)) {
      return;
    }
    link_timer_.expires_after(link_retry_delay);
    link_timer_.async_wait([this](const error_code& error) {
      is_awaiting_retry_ = false;
      if (!error) {
        monitor_.ask_again();
        follow_links();
      }
    });
  }

  /// A pipe without a reader is an error that the loop is told of; what is not a pipe, or cannot be waited for, is
  /// none.
  void await_end_of_output() {
    if (output_watch_.is_open()) {
      output_watch_.async_wait(asio::posix::stream_descriptor::wait_error, [this](const error_code& error) {
        if (!error) {
          end();
        }
      });
    }
  }

  void await_signal() {
    signals_.async_wait([this](const error_code& error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGTERM || signal == SIGINT) {
        ending_signal_ = signal;
        loop_.stop();
      } else if (signal == SIGUSR2) {
        surroundings_.toggle_capture(table_);
      }
      await_signal();
    });
  }

  asio::io_context loop_{1};
  Surroundings surroundings_;
  InterfaceTable table_;
  InterfaceView view_;
  LinkMonitor monitor_;
  asio::posix::stream_descriptor link_watch_;
  asio::signal_set signals_;
  bool is_awaiting_links_ = false;
  asio::steady_timer link_timer_;
  bool is_awaiting_retry_ = false;
  asio::posix::stream_descriptor output_watch_;
  int ending_signal_ = 0;
};

Observer::Observer(LinkReports link_reports, const InterfaceSettings& settings, const Listener& listener,
                   Surroundings surroundings)
    : impl_(std::make_unique<Impl>(std::move(link_reports), settings, listener, std::move(surroundings))) {}
Observer::~Observer() = default;

int Observer::run() {
  return impl_->run();
}

void Observer::post(std::function<void()> what) {
  impl_->post(std::move(what));
}

void Observer::end() {
  impl_->end();
}

const InterfaceTable& Observer::interfaces() const noexcept {
  return impl_->interfaces();
}

std::vector<std::string> Observer::missing_interfaces() const {
  return impl_->missing_interfaces();
}

}  // namespace relay::io
