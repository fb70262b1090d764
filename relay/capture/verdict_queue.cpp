#include "relay/capture/verdict_queue.h"

#include <bit>
#include <cassert>

namespace relay::capture {

VerdictQueue::VerdictQueue(std::size_t capacity) : ring_(capacity) {
  assert(std::has_single_bit(capacity));
}

Verdict* VerdictQueue::claim() noexcept {
  const std::uint64_t written = written_.load(std::memory_order_relaxed);
  if (written - read_before_ == ring_.size()) {
    read_before_ = read_.load(std::memory_order_acquire);
    if (written - read_before_ == ring_.size()) {
      lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return nullptr;
    }
  }
  return &ring_[place(written)];
}

const Verdict* VerdictQueue::front() const noexcept {
  const std::uint64_t read = read_.load(std::memory_order_relaxed);
  return read == written_.load(std::memory_order_acquire) ? nullptr : &ring_[place(read)];
}

}  // namespace relay::capture
