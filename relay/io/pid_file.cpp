#include "relay/io/pid_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "relay/io/file_lock.h"
#include "relay/io/privileges_lacked.h"

namespace relay::io {

namespace {

using Fault = PidFile::Fault;

constexpr std::size_t most_octets = 32;  // of a number and what is around it

/// What stands under the name itself; nothing where that is nothing.
[[nodiscard]] std::optional<mode_t> kind_of(const std::string& path) noexcept {
  struct stat status {};
  return ::fstatat(AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ? std::optional{status.st_mode}
                                                                              : std::nullopt;
}

/// 0 where there is none; nothing where something else is there.
[[nodiscard]] std::optional<pid_t> number_in(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) {
    return 0;
  }
  text = text.substr(0, last + 1);
  pid_t number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stopped == text.data() + text.size() && number > 0 ? std::optional{number}
                                                                                    : std::nullopt;
}

[[nodiscard]] bool lives(pid_t process) noexcept {
  return ::kill(process, 0) == 0 || errno == EPERM;
}

[[nodiscard]] std::optional<Fault> fault_of_kind(mode_t mode) {
  if (S_ISREG(mode)) {
    return std::nullopt;
  }
  return Fault{S_ISLNK(mode) ? "it is a symbolic link" : S_ISDIR(mode) ? "it is a directory" : "it is no regular file"};
}

[[nodiscard]] std::optional<Fault> fault_of_content(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) {
    return Fault{std::generic_category().message(errno)};
  }
  if (auto fault = fault_of_kind(status.st_mode)) {
    return fault;
  }
  std::array<char, most_octets> octets{};
  const ssize_t size = ::pread(file, octets.data(), octets.size(), 0);
  if (size < 0) {
    return Fault{std::generic_category().message(errno)};
  }
  const auto number = status.st_size <= static_cast<off_t>(octets.size())
                          ? number_in({octets.data(), static_cast<std::size_t>(size)})
                          : std::nullopt;
  if (!number) {
    return Fault{"it holds something other than the number of a process, which would be lost"};
  }
  // A lock alone says nothing, since who may read the file may lock it; nor does a number alone: it may be of a relay
  // that has ended, and another process has it now.
  if (*number != 0 && lives(*number) && is_locked(file)) {
    return Fault{
        "it is that of another relay, which runs as process " + std::to_string(*number) + ", and each needs its own",
        *number};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Fault> PidFile::fault(const std::string& path) {
  const auto kind = kind_of(path);
  if (kind && S_ISCHR(*kind)) {
    return std::nullopt;
  }
  if (auto fault = kind ? fault_of_kind(*kind) : std::nullopt) {
    return fault;
  }
  if (std::string why = write_fault(path); !why.empty()) {
    return Fault{std::move(why)};
  }
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (file.is_open()) {
    return fault_of_content(file.number());
  }
  return errno == ENOENT ? std::nullopt : std::optional{Fault{std::generic_category().message(errno)}};
}

PidFile::PidFile(std::string path) : path_(std::move(path)), text_(std::to_string(::getpid()) + "\n") {
  const auto refuse = [this](const std::string& why) {
    throw std::runtime_error("cannot write the pid file " + path_ + ": " + why);
  };
  const auto kind = kind_of(path_);
  if (kind && S_ISCHR(*kind)) {
    return;
  }
  if (const auto fault = kind ? fault_of_kind(*kind) : std::nullopt) {
    refuse(fault->why);
  }
  file_ = Descriptor{::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644)};
  if (!file_.is_open()) {
    refuse(std::generic_category().message(errno));
  }
  if (const auto fault = fault_of_content(file_.number())) {
    refuse(fault->why);
  }
  lock(file_.number());
  // At the offset 0, where it is read at the end with a plain read.
  if (::ftruncate(file_.number(), 0) != 0 ||
      ::pwrite(file_.number(), text_.data(), text_.size(), 0) != static_cast<ssize_t>(text_.size())) {
    refuse(std::generic_category().message(errno));
  }
}

/// By calls that a confined relay has.
bool PidFile::is_still_ours() const noexcept {
  struct stat named {};
  struct stat opened {};
  std::array<char, most_octets> octets{};
  if (::fstatat(AT_FDCWD, path_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 || ::fstat(file_.number(), &opened) != 0 ||
      named.st_dev != opened.st_dev || named.st_ino != opened.st_ino) {
    return false;
  }
  const ssize_t size = ::read(file_.number(), octets.data(), octets.size());
  return size >= 0 && std::string_view{octets.data(), static_cast<std::size_t>(size)} == text_;
}

PidFile::~PidFile() {
  if (file_.is_open() && is_still_ours() && ::unlink(path_.c_str()) != 0) {
    (void)!::ftruncate(file_.number(), 0);
  }
}

}  // namespace relay::io
