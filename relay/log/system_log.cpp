#include "relay/log/system_log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace relay {

SystemLog::SystemLog(std::string path) : path_(std::move(path)) {
  static_cast<void>(connect());
}

SystemLog::~SystemLog() {
  close();
}

bool SystemLog::write(int severity, std::string_view line) {
  compose(severity, line);
  return send() || (connect() && send());
}

std::string SystemLog::fault() {
  return socket_ >= 0 || connect()
             ? std::string{}
             : "no syslog daemon takes lines at " + path_ + ": " + std::generic_category().message(errno);
}

/// Datagrams are what most daemons take, a stream what some do; without either the socket is closed.
bool SystemLog::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    close();
    is_stream_ = type == SOCK_STREAM;
    socket_ = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (socket_ >= 0 && ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      return true;
    }
    if (errno != EPROTOTYPE) {
      break;
    }
  }
  const int error = errno;
  close();
  errno = error;
  return false;
}

/// RFC 3164 section 4.1, without the name of the host.
void SystemLog::compose(int severity, std::string_view line) {
  const time_t now = ::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> when{};
  const std::size_t size = ::strftime(when.data(), when.size(), "%b %e %T", &local);
  message_ = "<" + std::to_string(LOG_DAEMON | severity) + ">";
  message_.append(when.data(), size);
  message_ += " dhcp-relay[" + std::to_string(::getpid()) + "]: ";
  message_ += line;
}

/// A line of a stream ends in a zero.
bool SystemLog::send() {
  const std::size_t size = message_.size() + (is_stream_ ? 1 : 0);
  for (std::string_view rest{message_.c_str(), size}; !rest.empty();) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void SystemLog::close() {
  if (socket_ >= 0) {
    ::close(std::exchange(socket_, -1));
  }
}

}  // namespace relay
