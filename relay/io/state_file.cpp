#include "relay/io/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "relay/io/file_lock.h"

namespace relay::io {

namespace {

constexpr mode_t directory_mode = 0755;
constexpr mode_t file_mode = 0600;  // it says who has which prefix

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

[[nodiscard]] Descriptor open_directory(const std::string& name) {
  return Descriptor{::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

void make_directory(const std::string& name, const StateFile::Owner& owner) {
  if (::mkdir(name.c_str(), directory_mode) != 0) {
    fail("cannot make the directory " + name);
  }
  const Descriptor made = open_directory(name);
  if (owner && (!made.is_open() || ::fchownat(made.number(), "", owner->first, owner->second, AT_EMPTY_PATH) != 0)) {
    fail("cannot give the directory " + name + " to the account of --user");
  }
}

}  // namespace

StateFile::StateFile(std::string name, const Owner& owner) : name_(std::move(name)) {
  const std::size_t slash = name_.rfind('/');
  file_ = slash == std::string::npos ? name_ : name_.substr(slash + 1);
  new_file_ = file_ + ".new";
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : name_.substr(0, slash);
  if (file_.empty()) {
    throw std::runtime_error("'" + name_ + "' names no file; expected one");
  }
  directory_ = open_directory(folder);
  if (!directory_.is_open() && errno == ENOENT) {
    make_directory(folder, owner);
    made_directory_ = folder;
    directory_ = open_directory(folder);
  }
  if (!directory_.is_open()) {
    fail("cannot open the directory of " + name_);
  }
}

Descriptor StateFile::opened(int access) const noexcept {
  return Descriptor{
      ::openat(directory_.number(), file_.c_str(), access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
}

bool StateFile::is_claimed() const noexcept {
  const Descriptor file = opened(O_RDONLY);
  return file.is_open() && is_locked(file.number());
}

/// Two that write one file would take from each other what they know.
void StateFile::claim() {
  if (is_claimed()) {
    throw std::runtime_error(name_ + " is that of another relay, which runs, and each needs its own");
  }
  claimed_ = opened(O_RDWR);
  lock(claimed_.number());
}

std::optional<std::string> StateFile::read(std::size_t most) const {
  const Descriptor file = opened(O_RDONLY);
  struct stat status {};
  if (!file.is_open() && errno == ENOENT) {
    return std::nullopt;
  }
  if (!file.is_open() && errno == ELOOP) {  // O_NOFOLLOW, in a directory that is open
    throw std::runtime_error(name_ + " is a symbolic link");
  }
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) {
    fail("cannot open " + name_);
  }
  if (!S_ISREG(status.st_mode) || status.st_size < 0 || static_cast<std::uintmax_t>(status.st_size) > most) {
    throw std::runtime_error(name_ + (S_ISREG(status.st_mode) ? " is too large" : " is no regular file"));
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t part = ::read(file.number(), text.data() + size, text.size() - size);
    if (part < 0 && errno != EINTR) {
      fail("cannot read " + name_);
    }
    if (part == 0) {
      break;
    }
    size += part < 0 ? 0 : static_cast<std::size_t>(part);
  }
  text.resize(size);
  return text;
}

void StateFile::put_aside() const noexcept {
  ::renameat(directory_.number(), file_.c_str(), directory_.number(), (file_ + ".damaged").c_str());
}

bool StateFile::is_writable() const noexcept {
  return ::faccessat(directory_.number(), ".", W_OK | X_OK, 0) == 0;
}

void StateFile::write(std::string_view text) {
  try {
    Descriptor file = written_new(text);
    lock(file.number());
    if (::renameat(directory_.number(), new_file_.c_str(), directory_.number(), file_.c_str()) != 0) {
      fail("cannot rename " + name_ + ".new");
    }
    claimed_ = std::move(file);
  } catch (...) {
    ::unlinkat(directory_.number(), new_file_.c_str(), 0);
    throw;
  }
}

/// Nothing that stands under the name is opened: it goes first, and what is made is new.
Descriptor StateFile::written_new(std::string_view text) const {
  ::unlinkat(directory_.number(), new_file_.c_str(), 0);
  Descriptor file{::openat(directory_.number(), new_file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           file_mode)};
  if (!file.is_open()) {
    fail("cannot make " + name_ + ".new");
  }
  while (!text.empty()) {
    const ssize_t part = ::write(file.number(), text.data(), text.size());
    if (part < 0 && errno != EINTR) {
      fail("cannot write " + name_ + ".new");
    }
    text.remove_prefix(part < 0 ? 0 : static_cast<std::size_t>(part));
  }
  if (::fdatasync(file.number()) != 0) {
    fail("cannot write " + name_ + ".new");
  }
  return file;
}

}  // namespace relay::io
