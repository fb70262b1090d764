// One turn of a data path: how much it takes, what comes after it, and its time.
#pragma once

#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay::io {

/// What a data path wants after a turn; what is wanted sooner is less.
enum class Turn : std::uint8_t {
  more,   ///< another one at once
  pause,  ///< another one after `Pacing::pause`, by when more messages have gathered
  idle,   ///< another one when a socket has something
};

// Neither side starves the other, and signals and links are looked at in between.
inline constexpr std::size_t max_replies = 1024;
inline constexpr std::size_t max_taken_requests =
    4096;  // many, so that a flood waits by interface and not in the socket
inline constexpr std::size_t max_decided_batches = 2;

/// Since the system started.
[[nodiscard]] inline std::chrono::nanoseconds monotonic_time() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

/// The beginning of the tick of a coarse clock that `now` is in.
[[nodiscard]] inline std::chrono::nanoseconds tick_of(std::chrono::nanoseconds now) noexcept {
  constexpr std::chrono::nanoseconds tick = std::chrono::milliseconds{4};
  return now - now % tick;
}

}  // namespace relay::io
