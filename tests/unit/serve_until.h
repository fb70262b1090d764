// Waits for what a data path does with messages that are under way: where the machine is busy, the kernel hands them
// over some time after they were sent.
#pragma once

#include <poll.h>

#include "relay/io/turn.h"

namespace relay::io {

/// Serves until nothing waits and `is_done()`; whether that came true. Allocates nothing itself.
template <typename Path, typename Condition>
[[nodiscard]] bool serve_until(Path& path, Condition is_done) {
  constexpr int most_pauses = 20'000;  // of a millisecond
  for (int pause = 0; pause < most_pauses; ++pause) {
    while (path.serve() != Turn::idle) {
    }
    if (is_done()) {
      return true;
    }
    static_cast<void>(::poll(nullptr, 0, 1));
  }
  return false;
}

}  // namespace relay::io
