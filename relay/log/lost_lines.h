// Lines of the log that did not reach their place.
#pragma once

#include <atomic>
#include <cstdint>

namespace relay {

/// Counted where they are lost, readable from any thread.
struct LostLines {
  std::atomic<std::uint64_t> displaced{0};  ///< by newer ones, while they waited
  std::atomic<std::uint64_t> refused{0};    ///< by what they were written to

  [[nodiscard]] std::uint64_t count() const noexcept { return displaced.load() + refused.load(); }
};

}  // namespace relay
