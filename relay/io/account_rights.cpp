#include "relay/io/account_rights.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>

#include "relay/io/descriptor.h"

namespace relay::io {

namespace {

using Question = std::function<int()>;  // an errno, or 0

struct Answer {
  std::string fault;  // why it could not be asked
  int error = 0;
};

constexpr char answered = '\0';  // what the process says first, unless it says why it could not be asked

[[nodiscard]] std::string reason(int error) {
  return std::error_code{error, std::generic_category()}.message();
}

/// Few octets, which a pipe takes at once.
void say(int to, std::string_view text) noexcept {
  (void)!::write(to, text.data(), text.size());
}

[[noreturn]] void answer_as(const std::optional<Account>& account, const Question& question, int to) noexcept {
  int error = 0;
  try {
    drop_privileges(account, Kept::nothing);
    error = question();
    say(to, std::string_view{&answered, 1});
  } catch (const std::exception& fault) {
    say(to, fault.what());
  }
  ::_exit(error);
}

/// An errno, or 0.
[[nodiscard]] int try_to_read(const std::string& file) {
  const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  char octet = 0;
  return opened.is_open() && ::read(opened.number(), &octet, 1) >= 0 ? 0 : errno;
}

[[nodiscard]] std::string all_of(int from) {
  std::string text;
  std::array<char, 4096> octets{};
  ssize_t size = 0;
  while ((size = ::read(from, octets.data(), octets.size())) > 0 || (size < 0 && errno == EINTR)) {
    text.append(octets.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  return text;
}

/// An errno fits into the status of a process.
[[nodiscard]] Answer ask(const std::optional<Account>& account, const Question& question) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {"cannot make a pipe: " + reason(errno)};
  }
  const Descriptor reader{ends[0]};
  Descriptor writer{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) {
    return {"cannot fork: " + reason(errno)};
  }
  if (child == 0) {
    answer_as(account, question, writer.number());
  }
  writer = Descriptor{};
  std::string said = all_of(reader.number());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (said != std::string_view{&answered, 1} || !WIFEXITED(status)) {
    return {said.empty() ? "the process that tries what an account can do has ended" : said};
  }
  return {{}, WEXITSTATUS(status)};
}

}  // namespace

std::string become_fault(const std::optional<Account>& account) {
  return ask(account, [] { return 0; }).fault;
}

std::string read_fault(const std::optional<Account>& account, const std::string& file) {
  if (try_to_read(file) != 0) {
    return {};
  }
  const Answer answer = ask(account, [&file] { return try_to_read(file); });
  return answer.error == 0 ? answer.fault : reason(answer.error);
}

bool may_make_files_beside(const std::optional<Account>& account, const std::string& file) {
  const std::filesystem::path path{file};
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  const Descriptor directory{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  const Answer answer = ask(
      account, [&directory] { return ::faccessat(directory.number(), ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno; });
  return !directory.is_open() || (answer.fault.empty() && answer.error == 0);
}

}  // namespace relay::io
