#include "relay/io/capture_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace relay::io {

namespace {

constexpr std::size_t buffer_size = 65536;

[[nodiscard]] std::string unreadable(int error) {
  return "cannot be read: " + std::generic_category().message(error);
}

[[nodiscard]] Descriptor opened(const std::string& name) {
  if (name == "-") {
    return {};
  }
  Descriptor file{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (!file.is_open()) {
    throw std::runtime_error(unreadable(errno));
  }
  return file;
}

}  // namespace

CaptureInput::CaptureInput(const std::string& name)
    : opened_(opened(name)), descriptor_(opened_.is_open() ? opened_.number() : STDIN_FILENO), buffer_(buffer_size) {}

std::size_t CaptureInput::read(std::span<std::uint8_t> octets) {
  std::size_t count = 0;
  while (count < octets.size() && (!unread_.empty() || fill())) {
    const auto part = unread_.first(std::min(unread_.size(), octets.size() - count));
    std::ranges::copy(part, octets.begin() + static_cast<std::ptrdiff_t>(count));
    count += part.size();
    unread_ = unread_.subspan(part.size());
  }
  return count;
}

bool CaptureInput::is_file(const std::string& name) const {
  struct stat ours {};
  struct stat other {};
  return ::fstat(descriptor_, &ours) == 0 && ::stat(name.c_str(), &other) == 0 && ours.st_dev == other.st_dev &&
         ours.st_ino == other.st_ino;
}

bool CaptureInput::is_written_by(int descriptor) const {
  struct stat ours {};
  struct stat other {};
  return ::fstat(descriptor_, &ours) == 0 && ::fstat(descriptor, &other) == 0 && S_ISREG(ours.st_mode) &&
         ours.st_dev == other.st_dev && ours.st_ino == other.st_ino;
}

/// Reads what there is next; false at the end.
bool CaptureInput::fill() {
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, buffer_.data(), buffer_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    fault_ = unreadable(errno);
  }
  unread_ = std::span{buffer_}.first(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return count > 0;
}

}  // namespace relay::io
