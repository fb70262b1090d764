// The pages that the metrics endpoint hands out: made seldom enough to cost little, shared by those who wait, and few
// at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relay::io {

/// On one thread.
class MetricsPages {
 public:
  using Page = std::shared_ptr<const std::string>;
  using Time = std::chrono::steady_clock::time_point;
  using Now = std::function<Time()>;

  /// With thousands of interfaces a page has megabytes: no more than these are held for those who take them slowly.
  static constexpr std::size_t most_held = 3;
  /// Times as long as the last page took to make: pages take a fifth of one processor at most.
  static constexpr int rest = 4;
  static constexpr std::chrono::milliseconds rest_after_failure{100};

  explicit MetricsPages(
      std::function<std::string()> make, Now now = [] { return std::chrono::steady_clock::now(); });

  /// One that was begun at `asked_at` or later, or the latest where too many are held; null: none before `rested_at`.
  /// Throws what making it throws.
  [[nodiscard]] Page find(Time asked_at);
  [[nodiscard]] Time rested_at() const noexcept { return rested_at_; }

 private:
  std::function<std::string()> make_;
  Now now_;
  Page latest_;
  Time begun_at_{};  // the latest
  Time rested_at_{};
  std::vector<std::weak_ptr<const std::string>> held_;
};

}  // namespace relay::io
