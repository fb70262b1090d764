#include "relay/io/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "relay/io/descriptor.h"

namespace relay::io {

namespace {

constexpr int patience_ms = 10'000;  // without a word of the program
constexpr std::size_t most_fault = 200;

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

[[nodiscard]] Pipe open_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

/// Starts the program; 0 where that fails, with errno.
[[nodiscard]] pid_t start(const std::vector<std::string>& words, int output, int error) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execve does not write to them, its type says otherwise
  }
  arguments.push_back(nullptr);
  std::string locale = "LC_ALL=C";
  std::array<char*, 2> environment{locale.data(), nullptr};
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  pid_t child = 0;
  const int failure = ::posix_spawn(&child, arguments.front(), &actions, nullptr, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  errno = failure;
  return failure == 0 ? child : 0;
}

/// Appends what can be read now; false at the end.
[[nodiscard]] bool read_some(int descriptor, std::string& text) {
  std::array<char, 65536> buffer{};
  ssize_t size = -1;
  do {
    size = ::read(descriptor, buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  if (size > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return size > 0;
}

/// Reads both until their ends. Returns why it did not get there.
[[nodiscard]] std::string read_both(const Descriptor& output, const Descriptor& error, std::size_t most,
                                    std::string& text, std::string& complaint) {
  std::array<pollfd, 2> waiting{{{output.number(), POLLIN, 0}, {error.number(), POLLIN, 0}}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const int ready = ::poll(waiting.data(), waiting.size(), patience_ms);
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    if (ready <= 0) {
      return "it does not come to an end";
    }
    for (pollfd& each : waiting) {
      std::string& into = &each == waiting.data() ? text : complaint;
      if (each.revents != 0 && !read_some(each.fd, into)) {
        each.fd = -1;
      }
    }
    if (text.size() + complaint.size() > most) {
      return "it prints more than " + std::to_string(most) + " octets";
    }
  }
  return {};
}

[[nodiscard]] int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

ProgramOutput output_of(const std::vector<std::string>& words, std::size_t most) {
  Pipe output = open_pipe();
  Pipe error = open_pipe();
  if (!output.reader.is_open() || !error.reader.is_open()) {
    return {{}, "there are no descriptors for its output"};
  }
  const pid_t child = start(words, output.writer.number(), error.writer.number());
  if (child == 0) {
    return {{}, std::error_code{errno, std::generic_category()}.message()};
  }
  output.writer = Descriptor{};
  error.writer = Descriptor{};
  ProgramOutput result;
  std::string complaint;
  result.fault = read_both(output.reader, error.reader, most, result.text, complaint);
  if (!result.fault.empty()) {
    ::kill(child, SIGKILL);
  }
  const int status = status_of(child);
  if (result.fault.empty() && status != 0) {
    const std::string first_line = complaint.substr(0, complaint.find('\n')).substr(0, most_fault);
    result.fault = first_line.empty() ? "it ends with status " + std::to_string(status) : first_line;
  }
  if (!result.fault.empty()) {
    result.text.clear();
  }
  return result;
}

}  // namespace relay::io
