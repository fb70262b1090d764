#include "relay/io/service_manager.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

namespace relay::io {

namespace {

/// The variable's value, which nobody reads after us; empty if it is not set.
std::string take(const char* name) {
  const char* const value = ::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

std::optional<std::int64_t> whole_number(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// sd_watchdog_enabled(3): WATCHDOG_PID, if it is set, says whom the watchdog looks after.
std::optional<std::chrono::microseconds> half_of_watchdog(std::string_view microseconds,
                                                          std::string_view pid) noexcept {
  const auto limit = whole_number(microseconds);
  if (!limit || *limit < 2 || (!pid.empty() && whole_number(pid) != ::getpid())) {
    return std::nullopt;
  }
  return std::chrono::microseconds{*limit / 2};
}

}  // namespace

ServiceManager::ServiceManager() {
  const std::string socket = take("NOTIFY_SOCKET");
  const std::string watchdog = take("WATCHDOG_USEC");
  const std::string watchdog_pid = take("WATCHDOG_PID");
  if (!socket.empty()) {
    connect(socket);
  }
  if (listens()) {
    watchdog_interval_ = half_of_watchdog(watchdog, watchdog_pid);
  }
}

void ServiceManager::connect(const std::string& name) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((name[0] != '/' && name[0] != '@') || name.size() >= sizeof address.sun_path) {
    fault_ =
        "expected a path or an abstract name of at most " + std::to_string(sizeof address.sun_path - 1) + " octets";
    return;
  }
  std::ranges::copy(name, address.sun_path);
  auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + name.size());
  if (name[0] == '@') {
    address.sun_path[0] = '\0';  // unix(7): an abstract name begins with a null octet and ends with its size
  } else {
    ++size;
  }
  Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket.is_open() || ::connect(socket.number(), reinterpret_cast<const ::sockaddr*>(&address), size) != 0) {
    fault_ = std::generic_category().message(errno);
    return;
  }
  socket_ = std::move(socket);
}

void ServiceManager::ready() {
  change_state("READY=1");
}

void ServiceManager::reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();  // CLOCK_MONOTONIC
  change_state("RELOADING=1\nMONOTONIC_USEC=" +
               std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void ServiceManager::stopping() {
  change_state("STOPPING=1");
}

void ServiceManager::alive() {
  tell_state();
  if (watchdog_interval_) {
    (void)send("WATCHDOG=1");
  }
}

void ServiceManager::status(std::string_view text) {
  if (listens() && text != told_status_ && send("STATUS=" + std::string{text})) {
    told_status_ = text;
  }
}

/// The latest state is what the manager has to know: it takes the place of one that could not be told.
void ServiceManager::change_state(std::string state) {
  untold_state_ = std::move(state);
  tell_state();
}

void ServiceManager::tell_state() {
  if (!untold_state_.empty() && send(untold_state_)) {
    untold_state_.clear();
  }
}

/// Whether this is done with: taken, or never to be taken.
bool ServiceManager::send(std::string_view lines) const noexcept {
  if (!listens()) {
    return true;
  }
  return ::send(socket_.number(), lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
         (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

}  // namespace relay::io
