// What the bench's programs share: system calls that have to work, and an end in words where something did not.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <system_error>

namespace bench {

/// Throws what errno says, with `what` in front, unless it is fine.
inline void require(bool fine, const char* what) {
  if (!fine) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

template <typename Value>
void set_option(int socket, int level, int name, const Value& value, const char* what) {
  require(::setsockopt(socket, level, name, &value, sizeof value) == 0, what);
}

/// The exit status of the program of this name: that of `run`, or 1 with a line on standard error where it throws.
inline int run_program(const char* name, int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
