// What the data path's events become for a capture: one verdict for each message and each copy that could not be sent.
// Part of the hot path: allocates, locks and formats nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "relay/capture/verdict.h"
#include "relay/capture/verdict_queue.h"
#include "relay/core/events.h"
#include "relay/core/policy.h"

namespace relay::capture {

/// Used on the data path's thread, but for `open` and `close`.
class VerdictTap {
 public:
  /// `queue` must outlive the tap.
  explicit VerdictTap(VerdictQueue& queue) noexcept : queue_(queue) {}

  /// The policy that decides from now on.
  void apply(const Policy& policy) noexcept { policy_ = policy; }

  /// While it is closed, as at first, events leave no trace.
  void open() noexcept { is_open_.store(true, std::memory_order_relaxed); }
  void close() noexcept { is_open_.store(false, std::memory_order_relaxed); }
  [[nodiscard]] bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }

  /// `Listener::message`, `dropped` and `send_failed`.
  void message(const MessageEvent& event) noexcept;
  void dropped(const MessageEvent& event) noexcept;
  void send_failed(const SendFailure& failure) noexcept;

 private:
  void record(const MessageEvent& event) noexcept;

  VerdictQueue& queue_;
  Policy policy_;
  std::atomic<bool> is_open_{false};
  std::uint64_t received_serial_ = 0;  // of the last message that was told as received
  Fingerprint received_ = 0;           // and its fingerprint
};

}  // namespace relay::capture
