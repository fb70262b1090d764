// Life as a daemon: going to the background, and the file with the process's number.
#pragma once

#include <string>

#include "relay/io/descriptor.h"

namespace relay::io {

/// Forks. The parent waits until the child says `ready` and exits with status 0, or with 1 if the child ends before
/// that: a start that fails is seen by whoever started it. Returns in the child alone, which keeps the working
/// directory: files may have been named relative to it.
class Background {
 public:
  /// Call it before any thread is started. Throws std::system_error.
  [[nodiscard]] static Background enter();

  /// Lets the parent go, and turns standard input, output and error to /dev/null.
  void ready();

  /// /dev/null, which takes their place then.
  [[nodiscard]] int null_device() const noexcept { return null_.number(); }

 private:
  Descriptor null_;
  Descriptor to_parent_;
};

/// A file with this process's number, for as long as this object lives. A symbolic link is not followed. At the end it
/// is removed, or where the process has become an account that may not do that, emptied.
class PidFile {
 public:
  /// Throws std::system_error naming the file.
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  /// Open for that end.
  [[nodiscard]] int descriptor() const noexcept { return file_.number(); }

 private:
  std::string path_;
  Descriptor file_;
};

}  // namespace relay::io
