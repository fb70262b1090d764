// What the data path's events become for a capture: one verdict for each message and each copy that could not be sent.
// Part of the hot path: allocates, locks and formats nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "relay/capture/verdict.h"
#include "relay/capture/verdict_queue.h"
#include "relay/core/events.h"
#include "relay/core/protocols.h"

namespace relay::capture {

/// Of one protocol. Used on the data paths' thread, but for `open` and `close`.
template <typename Protocol>
class VerdictTapOf {
 public:
  using Policy = typename Protocol::Policy;

  /// `queue` must outlive the tap; that of the other protocol may write to the same one.
  explicit VerdictTapOf(VerdictQueue& queue) noexcept : queue_(queue) {}

  /// The policy that decides from now on.
  void apply(const Policy& policy) noexcept { policy_ = policy; }

  /// While it is closed, as at first, events leave no trace.
  void open() noexcept { is_open_.store(true, std::memory_order_relaxed); }
  void close() noexcept { is_open_.store(false, std::memory_order_relaxed); }
  [[nodiscard]] bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }

  /// `Listener::message`, `dropped` and `send_failed`.
  void message(const MessageEventOf<Protocol>& event) noexcept;
  void dropped(const MessageEventOf<Protocol>& event) noexcept;
  void send_failed(const SendFailureOf<Protocol>& failure) noexcept;

 private:
  void record(const MessageEventOf<Protocol>& event) noexcept;

  VerdictQueue& queue_;
  Policy policy_;
  std::atomic<bool> is_open_{false};
  std::uint64_t received_serial_ = 0;  // of the last message that was told as received
  Fingerprint received_ = 0;           // and its fingerprint
};

extern template class VerdictTapOf<Dhcpv4>;
extern template class VerdictTapOf<Dhcpv6>;
using VerdictTap = VerdictTapOf<Dhcpv4>;
using VerdictTap6 = VerdictTapOf<Dhcpv6>;

}  // namespace relay::capture
