// Messages that an edit changes, measured honestly: a batch of fresh copies is made outside the measurement, as the
// kernel makes them for the data path, and the processor's time for the batch alone is what counts.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "relay/core/message_buffer.h"
#include "tests/support/message_builder.h"

#include <benchmark/benchmark.h>

namespace bench {

inline constexpr std::size_t batch_size = 256;

/// Copies of messages in a batch's buffers, each with room for options behind it and for a header in front of it.
class Batch {
 public:
  /// Needs messages of at most 576 octets.
  explicit Batch(std::vector<test_support::Bytes> originals) : originals_(std::move(originals)) {}

  /// Copies the next messages, in turn.
  void refill() {
    for (Buffer& buffer : buffers_) {
      const test_support::Bytes& original = originals_[next_];
      next_ = next_ + 1 == originals_.size() ? 0 : next_ + 1;
      std::copy(original.begin(), original.end(), buffer.octets.begin() + headroom);
      buffer.size = original.size();
    }
  }

  [[nodiscard]] relay::MessageBuffer message(std::size_t number) noexcept {
    Buffer& buffer = buffers_[number];
    return {buffer.octets, buffer.size, headroom};
  }

  /// Which of the originals the next `refill` begins with.
  [[nodiscard]] std::size_t next() const noexcept { return next_; }

 private:
  static constexpr std::size_t headroom = 128;
  struct alignas(64) Buffer {
    std::array<std::uint8_t, headroom + 576 + 257> octets{};
    std::size_t size = 0;
  };

  std::vector<test_support::Bytes> originals_;
  std::vector<Buffer> buffers_ = std::vector<Buffer>(batch_size);
  std::size_t next_ = 0;
};

/// What this thread has used of a processor: what others do meanwhile does not count.
[[nodiscard]] inline double processor_seconds() noexcept {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

/// Measures `use(number)` for the messages of batch after batch, each after a `prepare()` that does not count. For
/// benchmarks with `UseManualTime`.
template <typename Prepare, typename Use>
void measure(benchmark::State& state, Prepare prepare, Use use) {
  while (state.KeepRunningBatch(batch_size)) {
    prepare();
    const double begin = processor_seconds();
    for (std::size_t number = 0; number < batch_size; ++number) {
      use(number);
    }
    state.SetIterationTime(processor_seconds() - begin);
  }
}

}  // namespace bench
