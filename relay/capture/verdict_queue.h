// Verdicts on their way from the data path to the thread that writes a capture: a ring of fixed size with one writer
// and one reader, neither of which ever waits. What does not fit is counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "relay/capture/verdict.h"

namespace relay::capture {

class VerdictQueue {
 public:
  /// Allocates all it ever will. `capacity` is a power of two.
  explicit VerdictQueue(std::size_t capacity);

  /// The writer's: a place for the next verdict, which `publish` hands over; null where there is none, which is
  /// counted.
  [[nodiscard]] Verdict* claim() noexcept;
  void publish() noexcept { written_.store(written_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// The reader's: the oldest verdict, valid until `pop`; null where there is none.
  [[nodiscard]] const Verdict* front() const noexcept;
  void pop() noexcept { read_.store(read_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// How many verdicts found no place, ever.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t line_size = 64;  // of a processor's cache: each side's number in one of its own

  [[nodiscard]] std::size_t place(std::uint64_t number) const noexcept { return number & (ring_.size() - 1); }

  alignas(line_size) std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t read_before_ = 0;  // the writer's last look at `read_`
  std::vector<Verdict> ring_;
  alignas(line_size) std::atomic<std::uint64_t> read_{0};
};

}  // namespace relay::capture
