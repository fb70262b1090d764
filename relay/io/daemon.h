// Life as a daemon: going to the background.
#pragma once

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

}  // namespace relay::io
