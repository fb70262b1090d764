// How many of many things are not over yet, each of which is over at a time of its own.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay {

/// Counts by the second in which things are over; those of more than a minute ahead must not be added. One thread
/// writes, any may read.
class Expiries {
 public:
  /// `at` counts from any fixed point that is not later than now.
  void add(std::chrono::nanoseconds at) noexcept {
    const std::uint32_t second = second_of(at);
    std::atomic<std::uint64_t>& place = places_[second % places_.size()];
    const std::uint64_t before = place.load(std::memory_order_relaxed);
    place.store((second_in(before) == second ? before : std::uint64_t{second} << 32U) + 1, std::memory_order_relaxed);
  }

  /// Takes back an `add`. One of the past may be taken back too.
  void remove(std::chrono::nanoseconds at) noexcept {
    const std::uint32_t second = second_of(at);
    std::atomic<std::uint64_t>& place = places_[second % places_.size()];
    const std::uint64_t before = place.load(std::memory_order_relaxed);
    if (second_in(before) == second && count_in(before) != 0) {
      place.store(before - 1, std::memory_order_relaxed);
    }
  }

  /// Those that are over later than `now`, or in the same second.
  [[nodiscard]] std::uint64_t ahead(std::chrono::nanoseconds now) const noexcept {
    std::uint64_t sum = 0;
    for (const std::atomic<std::uint64_t>& place : places_) {
      const std::uint64_t value = place.load(std::memory_order_relaxed);
      sum += second_in(value) >= second_of(now) ? count_in(value) : 0;
    }
    return sum;
  }

 private:
  [[nodiscard]] static std::uint32_t second_of(std::chrono::nanoseconds time) noexcept {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  }
  [[nodiscard]] static std::uint32_t second_in(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>(value >> 32U);
  }
  [[nodiscard]] static std::uint32_t count_in(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>(value);
  }

  // A second and its count in one word, so that nobody reads half of a change; a minute and a little more of them.
  std::array<std::atomic<std::uint64_t>, 64> places_{};
};

}  // namespace relay
