// Lines of the log that did not reach their place.
#pragma once

#include <atomic>
#include <cstdint>

namespace relay {

/// Counted where they are lost, readable from any thread.
struct LostLines {
  std::atomic<std::uint64_t> displaced{0};  ///< by newer ones, while they waited
  std::atomic<std::uint64_t> refused{0};    ///< by what they were written to
  std::atomic<std::uint64_t> reported{0};   ///< of both, those that a line which reached its place has told of

  [[nodiscard]] std::uint64_t count() const noexcept { return displaced.load() + refused.load(); }
  [[nodiscard]] std::uint64_t unreported() const noexcept { return count() - reported.load(); }
};

}  // namespace relay
