#include "relay/io/capture_file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "relay/io/descriptor.h"

namespace relay::io {

namespace {

using Octets = std::span<const std::uint8_t>;
using std::chrono::steady_clock;

constexpr std::string_view standard_output_name = "-";
constexpr std::chrono::milliseconds patience{100};  // how long a slow reader is waited for without a question

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

/// SIGPIPE (the reader has gone) and SIGXFSZ (RLIMIT_FSIZE) would end the process, unless it ignores them. While this
/// lives the calling thread blocks them, and those that came meanwhile are thrown away: writing fails, no more.
class HeldSignals {
 public:
  HeldSignals() noexcept {
    ::sigemptyset(&held_);
    sigset_t pending{};
    ::sigpending(&pending);
    for (const int signal : {SIGPIPE, SIGXFSZ}) {
      if (::sigismember(&pending, signal) == 0) {  // else it is blocked already, and somebody's
        ::sigaddset(&held_, signal);
      }
    }
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  ~HeldSignals() {
    const int error = errno;
    constexpr timespec at_once{};
    while (::sigtimedwait(&held_, nullptr, &at_once) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t held_{};
  sigset_t before_{};
};

struct Misfit {
  const char* is;
  const char* expected;
};

using Owner = std::optional<std::pair<uid_t, gid_t>>;

/// Why what stands under a name is not to be touched.
std::optional<Misfit> misfit(const struct stat& status, const Owner& owner) noexcept {
  if (!S_ISREG(status.st_mode)) {
    const char* const kind = S_ISLNK(status.st_mode)    ? "is a symbolic link"
                             : S_ISDIR(status.st_mode)  ? "is a directory"
                             : S_ISFIFO(status.st_mode) ? "is a named pipe"
                             : S_ISSOCK(status.st_mode) ? "is a socket"
                                                        : "is a device";
    return Misfit{kind, "a regular file"};
  }
  if (status.st_uid != ::geteuid() && !(owner && status.st_uid == owner->first)) {
    return Misfit{"belongs to another user", "a file of this process's user"};
  }
  return std::nullopt;
}

/// As `misfit`, and it must not be reached by another name besides: that one's content would be gone too.
std::optional<Misfit> misfit_to_be_emptied(const struct stat& status, const Owner& owner) noexcept {
  const auto found = misfit(status, owner);
  return found || status.st_nlink == 1 ? found : Misfit{"has further hard links", "a file with one name"};
}

void refuse(const std::string& name, const Misfit& misfit, const char* alternative) {
  throw std::runtime_error(name + " " + misfit.is + "; expected " + misfit.expected + " or " + alternative);
}

void check_may_be_emptied(const std::string& name, const struct stat& status, const Owner& owner) {
  if (const auto found = misfit_to_be_emptied(status, owner)) {
    refuse(name, *found, "a new name");
  }
}

/// Writes all of `octets`. On an error `errno` says which, and what was written of them is cut off again, where they
/// ended the file.
[[nodiscard]] bool write_or_cut(int file, Octets octets) noexcept {
  for (Octets rest = octets; !rest.empty();) {
    const ssize_t size = ::write(file, rest.data(), rest.size());
    if (size >= 0) {
      rest = rest.subspan(static_cast<std::size_t>(size));
    } else if (errno != EINTR) {
      const int error = errno;
      const auto written = static_cast<off_t>(octets.size() - rest.size());
      const off_t end = ::lseek(file, 0, SEEK_CUR);
      struct stat status {};
      if (written > 0 && ::fstat(file, &status) == 0 && status.st_size == end &&
          ::ftruncate(file, end - written) == 0) {
        (void)::lseek(file, end - written, SEEK_SET);
      }
      errno = error;
      return false;
    }
  }
  return true;
}

}  // namespace

class CaptureFile::Impl {
 public:
  Impl(Options options, bool keep_previous);

  [[nodiscard]] bool is_full(std::size_t size) const noexcept {
    return file_.is_open() && size_ > 0 && size > options_.max_size - std::min(size_, options_.max_size);
  }
  void account_changed();
  [[nodiscard]] bool is_bound() const noexcept { return is_bound_; }
  void end_capture() noexcept;
  void begin_capture(bool keep_previous);
  [[nodiscard]] bool goes_on() const noexcept { return is_bound_ || !directory_.is_open(); }
  void rotate();
  void write(Octets blocks, const std::function<bool()>& should_stop);
  void expect_reader() const;

 private:
  /// What may be under a name that is about to be opened.
  enum class Expected : std::uint8_t { nothing, nothing_or_ours };

  void look_at_standard_output();
  void open_directory();
  void open(Expected expected);
  void give_to_owner(const Descriptor& file, const struct stat& status) const;
  void begin_anew();
  void shift();
  [[nodiscard]] std::optional<struct stat> status_of(const std::string& suffix) const;
  void write_to_file(Octets blocks);
  void write_to_reader(Octets blocks, const std::function<bool()>& should_stop) const;

  Options options_;
  Descriptor directory_;   // names stay what they were, also when the process goes elsewhere
  std::string name_;       // within the directory
  Descriptor file_;        // open unless this is standard output
  bool is_bound_ = false;  // to this file
  std::uint64_t size_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  mode_t output_type_ = 0;  // of standard output, S_IFMT
};

CaptureFile::Impl::Impl(Options options, bool keep_previous) : options_(std::move(options)) {
  options_.max_count = std::max<std::size_t>(options_.max_count, 1);
  if (options_.name == standard_output_name) {
    look_at_standard_output();
    return;
  }
  open_directory();
  begin_capture(keep_previous);
}

void CaptureFile::Impl::begin_capture(bool keep_previous) {
  if (goes_on() || file_.is_open()) {
    return;
  }
  const bool shifts = keep_previous && options_.max_count > 1;
  if (shifts) {
    if (const auto previous = status_of("")) {
      if (const auto found = misfit(*previous, options_.owner)) {
        refuse(options_.name, *found, "a new name");
      }
      shift();
    }
  }
  open(shifts ? Expected::nothing : Expected::nothing_or_ours);
}

void CaptureFile::Impl::end_capture() noexcept {
  if (!goes_on()) {
    file_ = Descriptor{};
  }
}

/// The directory is asked, and not its path: the account may have no way there, and needs none.
void CaptureFile::Impl::account_changed() {
  if (file_.is_open() && ::faccessat(directory_.number(), ".", W_OK | X_OK, 0) != 0) {
    is_bound_ = true;
    options_.max_size *= options_.max_count;
  }
}

void CaptureFile::Impl::look_at_standard_output() {
  struct stat status {};
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || ::fstat(STDOUT_FILENO, &status) != 0) {
    fail("cannot write to standard output");
  }
  if ((flags & O_ACCMODE) == O_RDONLY) {
    throw std::runtime_error("standard output is open for reading alone; expected a pipe or a file");
  }
  if (::isatty(STDOUT_FILENO) == 1) {
    throw std::runtime_error("standard output is a terminal; expected a pipe or a file");
  }
  output_type_ = status.st_mode & S_IFMT;
}

void CaptureFile::Impl::open_directory() {
  const std::size_t slash = options_.name.rfind('/');
  name_ = slash == std::string::npos ? options_.name : options_.name.substr(slash + 1);
  const std::string directory = slash == std::string::npos ? "." : options_.name.substr(0, slash + 1);
  if (name_.empty()) {
    throw std::runtime_error("'" + options_.name + "' names no file; expected one");
  }
  directory_ = Descriptor{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!directory_.is_open()) {
    fail("cannot open the directory of " + options_.name);
  }
}

std::optional<struct stat> CaptureFile::Impl::status_of(const std::string& suffix) const {
  struct stat status {};
  if (::fstatat(directory_.number(), (name_ + suffix).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return status;
  }
  if (errno != ENOENT) {
    fail("cannot look at " + options_.name + suffix);
  }
  return std::nullopt;
}

void CaptureFile::Impl::open(Expected expected) {
  // Looked at before it is opened, since to open a device can do something already; and again behind it, since another
  // can have got under the name meanwhile.
  if (expected == Expected::nothing_or_ours) {
    if (const auto status = status_of("")) {
      check_may_be_emptied(options_.name, *status, options_.owner);
    }
  }
  const int exclusive = expected == Expected::nothing ? O_EXCL : 0;
  constexpr mode_t owner_alone = 0600;  // a capture holds what clients say of themselves
  Descriptor file{::openat(directory_.number(), name_.c_str(),
                           O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | exclusive,
                           owner_alone)};
  struct stat status {};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) {
    fail("cannot open " + options_.name);
  }
  check_may_be_emptied(options_.name, status, options_.owner);
  if (file_.is_open()) {
    ::flock(file_.number(), LOCK_UN);  // it may be the same file, begun anew
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error(options_.name + " is written by another process; expected a name of its own");
  }
  if (::ftruncate(file.number(), 0) != 0) {
    fail("cannot empty " + options_.name);
  }
  give_to_owner(file, status);
  file_ = std::move(file);
  size_ = 0;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void CaptureFile::Impl::give_to_owner(const Descriptor& file, const struct stat& status) const {
  if (options_.owner && status.st_uid != options_.owner->first &&
      ::fchown(file.number(), options_.owner->first, options_.owner->second) != 0) {
    fail("cannot give " + options_.name + " to the account of --user" +
         (errno == EPERM ? ", which takes CAP_CHOWN" : ""));
  }
}

void CaptureFile::Impl::begin_anew() {
  if (::ftruncate(file_.number(), 0) != 0 || ::lseek(file_.number(), 0, SEEK_SET) != 0) {
    fail("cannot empty " + options_.name);
  }
  size_ = 0;
}

/// FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on, up to the first name that is free; else the last one goes.
void CaptureFile::Impl::shift() {
  const auto suffix = [](std::size_t number) { return number == 0 ? "" : "." + std::to_string(number); };
  std::size_t last = 1;
  while (const auto status = status_of(suffix(last))) {
    if (const auto found = misfit(*status, options_.owner)) {
      refuse(options_.name + suffix(last), *found, "nothing under this name");
    }
    if (last == options_.max_count - 1) {
      break;
    }
    ++last;
  }
  for (; last > 0; --last) {
    const std::string from = name_ + suffix(last - 1);
    const std::string to = name_ + suffix(last);
    if (::renameat(directory_.number(), from.c_str(), directory_.number(), to.c_str()) != 0) {
      fail("cannot rename " + options_.name + suffix(last - 1));
    }
  }
}

void CaptureFile::Impl::rotate() {
  if (!file_.is_open()) {
    return;
  }
  if (is_bound_) {
    begin_anew();
    return;
  }
  const auto status = status_of("");
  if (!status) {
    open(Expected::nothing);
    return;
  }
  if (status->st_dev != device_ || status->st_ino != inode_) {
    throw std::runtime_error(options_.name + " was replaced; expected the file that the capture began");
  }
  if (options_.max_count == 1) {
    open(Expected::nothing_or_ours);
    return;
  }
  shift();
  open(Expected::nothing);
}

void CaptureFile::Impl::write(Octets blocks, const std::function<bool()>& should_stop) {
  const HeldSignals held;
  if (file_.is_open()) {
    write_to_file(blocks);
  } else if (output_type_ == S_IFREG) {
    if (!write_or_cut(STDOUT_FILENO, blocks)) {
      fail("cannot write to standard output");
    }
  } else {
    write_to_reader(blocks, should_stop);
  }
}

void CaptureFile::Impl::write_to_file(Octets blocks) {
  struct stat status {};
  if (::fstat(file_.number(), &status) == 0 && status.st_nlink == 0) {
    throw std::runtime_error(options_.name + " was removed");
  }
  if (!write_or_cut(file_.number(), blocks)) {
    fail("cannot write " + options_.name);
  }
  size_ += blocks.size();
}

/// Standard output is shared with other processes, and so is whether it blocks: a pipe that is ready takes PIPE_BUF
/// octets without blocking.
void CaptureFile::Impl::write_to_reader(Octets blocks, const std::function<bool()>& should_stop) const {
  auto asked = steady_clock::now();
  while (!blocks.empty()) {
    auto waited = steady_clock::now() - asked;
    if (waited >= patience) {
      if (should_stop && should_stop()) {
        throw std::runtime_error("the reader of standard output was too slow to get all");
      }
      asked += waited;
      waited = {};
    }
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(patience - waited);
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    const int ready = ::poll(&output, 1, static_cast<int>(rest.count()));
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
      continue;
    }
    const Octets piece = blocks.first(std::min<std::size_t>(blocks.size(), PIPE_BUF));
    const ssize_t size = ready < 0                  ? -1
                         : output_type_ == S_IFSOCK ? ::send(STDOUT_FILENO, piece.data(), piece.size(), MSG_DONTWAIT)
                                                    : ::write(STDOUT_FILENO, piece.data(), piece.size());
    if (size >= 0) {
      blocks = blocks.subspan(static_cast<std::size_t>(size));
    } else if (errno != EINTR && errno != EAGAIN) {
      fail("cannot write to standard output");
    }
  }
}

void CaptureFile::Impl::expect_reader() const {
  if (file_.is_open() || (output_type_ != S_IFIFO && output_type_ != S_IFSOCK)) {
    return;
  }
  pollfd output{STDOUT_FILENO, 0, 0};
  if (::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0) {
    errno = EPIPE;
    fail("cannot write to standard output");
  }
}

CaptureFile::CaptureFile(const Options& options, bool keep_previous)
    : impl_(std::make_unique<Impl>(options, keep_previous)) {}

CaptureFile::~CaptureFile() = default;

std::string CaptureFile::refusal(const Options& options) {
  struct stat status {};
  if (::lstat(options.name.c_str(), &status) != 0) {
    return {};
  }
  const auto found = misfit_to_be_emptied(status, options.owner);
  return found ? std::string{"it "} + found->is : std::string{};
}

bool CaptureFile::is_full(std::size_t size) const noexcept {
  return impl_->is_full(size);
}

void CaptureFile::account_changed() {
  impl_->account_changed();
}

bool CaptureFile::is_bound() const noexcept {
  return impl_->is_bound();
}

void CaptureFile::end_capture() noexcept {
  impl_->end_capture();
}

void CaptureFile::begin_capture(bool keep_previous) {
  impl_->begin_capture(keep_previous);
}

bool CaptureFile::goes_on() const noexcept {
  return impl_->goes_on();
}

void CaptureFile::rotate() {
  impl_->rotate();
}

void CaptureFile::write(std::span<const std::uint8_t> blocks, const std::function<bool()>& should_stop) {
  impl_->write(blocks, should_stop);
}

void CaptureFile::expect_reader() const {
  impl_->expect_reader();
}

}  // namespace relay::io
