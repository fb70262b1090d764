#include "relay/io/daemon.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace relay::io {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// The parent's part: 0 once the child has written its octet, 1 if it ended without.
[[noreturn]] void await_child(int from_child) {
  char octet = 0;
  ssize_t count = 0;
  do {
    count = ::read(from_child, &octet, 1);
  } while (count < 0 && errno == EINTR);
  ::_exit(count == 1 ? 0 : 1);
}

}  // namespace

Background Background::enter() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail("cannot make a pipe");
  }
  Background background;
  const Descriptor from_child{ends[0]};
  background.to_parent_ = Descriptor{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) {
    fail("cannot fork");
  }
  if (child > 0) {
    background.to_parent_ = Descriptor{};
    await_child(from_child.number());
  }
  if (::setsid() < 0) {
    fail("cannot leave the terminal's session");
  }
  background.null_ = Descriptor{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  return background;
}

void Background::ready() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null_.is_open()) {
      (void)::dup2(null_.number(), standard);
    }
  }
  constexpr char octet = 0;
  (void)!::write(to_parent_.number(), &octet, 1);
  to_parent_ = Descriptor{};
}

}  // namespace relay::io
