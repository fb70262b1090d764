// When to let messages gather before the next look at the sockets, as a network card moderates its interrupts: a
// wake-up costs more than a message, so under load a short pause halves the work.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace relay {

/// Counts messages between two ticks of a coarse clock. A message that comes alone, or among few, is never delayed.
class Pacing {
 public:
  static constexpr std::size_t busy_per_second = 10'000;  // then a pause gathers two messages or more

  /// How long a pause lasts. With two of them a request and its reply stay well under a millisecond.
  static constexpr std::chrono::microseconds pause{300};

  /// `count` messages were found at `now`, which counts from any fixed point, may be coarse and does not go back.
  /// Whether a pause is worth it.
  [[nodiscard]] bool is_busy(std::size_t count, std::chrono::nanoseconds now) noexcept {
    if (now != since_) {
      was_busy_ = exceeds(count_, now - since_);
      since_ = now;
      count_ = 0;
    }
    count_ += count;
    return was_busy_ || exceeds(count_, longest_tick);
  }

 private:
  static constexpr std::chrono::nanoseconds longest_tick = std::chrono::milliseconds{10};  // of CONFIG_HZ=100

  [[nodiscard]] static constexpr bool exceeds(std::size_t count, std::chrono::nanoseconds span) noexcept {
    constexpr std::chrono::nanoseconds second = std::chrono::seconds{1};
    return count > busy_per_second * static_cast<std::size_t>(std::min(span, second).count()) /
                       static_cast<std::size_t>(second.count());
  }

  std::chrono::nanoseconds since_{};  // the last tick
  std::size_t count_ = 0;             // messages since then
  bool was_busy_ = false;             // between the last two ticks with messages
};

}  // namespace relay
