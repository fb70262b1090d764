// Durations in logarithmic steps of under two per cent: fixed memory, no order to sort.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "json_object.h"

namespace bench {

class Histogram {
 public:
  void add(std::int64_t nanoseconds);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// In microseconds, the upper end of the step; 0 where nothing was added.
  [[nodiscard]] double quantile(double share) const;
  /// NAME_count, NAME_p50_us, _p90_us, _p99_us, _p999_us and _max_us.
  void describe(const std::string& name, JsonObject& into) const;

 private:
  static constexpr unsigned step_bits = 6;
  static constexpr std::uint64_t steps = 1U << step_bits;  // in each power of two

  [[nodiscard]] static std::size_t step_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t top_of(std::size_t step);

  std::array<std::uint64_t, steps*(65 - step_bits)> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace bench
