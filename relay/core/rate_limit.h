// How many requests per second an interface may send us (`--rate-limit`): a token bucket in the form of the generic
// cell rate algorithm, one point in time for each interface.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace relay {

/// At most `burst` messages at once and `per_second` in the long run; neither is 0.
struct RateLimit {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

class RateMeter {
 public:
  /// Whether one more message is within `limit` at `now`, which counts from any fixed point and does not go back. One
  /// that is not costs nothing.
  [[nodiscard]] bool admit(const RateLimit& limit, std::chrono::nanoseconds now) noexcept {
    // Rounded up, so that the rate is not exceeded where it does not divide a second.
    constexpr std::chrono::nanoseconds second = std::chrono::seconds{1};
    const auto interval = (second + std::chrono::nanoseconds{limit.per_second - 1}) / limit.per_second;
    // A bucket is empty at worst, also where another limit than before fills it.
    due_ = std::clamp(due_, now, now + interval * limit.burst);
    if (due_ - now > interval * (limit.burst - 1)) {
      return false;
    }
    due_ += interval;
    return true;
  }

 private:
  std::chrono::nanoseconds due_{};  // when the bucket will be full again
};

}  // namespace relay
