// Counters of one interface, written by the data path alone and readable from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "relay/core/drop_reason.h"

namespace relay {

/// A count with one writer: adding is a plain load and store, reading from elsewhere is never torn.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) noexcept : value_(other.value()) {}
  Counter& operator=(const Counter& other) noexcept {
    value_.store(other.value(), std::memory_order_relaxed);
    return *this;
  }
  ~Counter() = default;

  void add(std::uint64_t count = 1) noexcept { value_.store(value() + count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Messages of one interface. A request counts where it arrived; a reply counts as received and dropped where it
/// arrived, and as delivered, or as dropped because it could not be sent, on its client's interface.
struct Counters {
  Counter requests_received;
  Counter requests_relayed;       ///< requests that were sent to at least one server
  Counter request_copies;         ///< copies sent, one per server
  Counter request_copies_failed;  ///< copies that could not be sent; a request of which none could be is dropped too
  Counter replies_received;
  Counter replies_delivered;
  Counter option82_omitted;  ///< relayed without option 82 because it would not have fitted (RFC 3046 section 2.1)
  std::array<Counter, drop_reason_count> dropped;

  /// Adds what `other` counted.
  void add(const Counters& other) noexcept;

  [[nodiscard]] Counter& of(DropReason reason) noexcept { return dropped[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] const Counter& of(DropReason reason) const noexcept {
    return dropped[static_cast<std::size_t>(reason)];
  }
};

inline void Counters::add(const Counters& other) noexcept {
  requests_received.add(other.requests_received.value());
  requests_relayed.add(other.requests_relayed.value());
  request_copies.add(other.request_copies.value());
  request_copies_failed.add(other.request_copies_failed.value());
  replies_received.add(other.replies_received.value());
  replies_delivered.add(other.replies_delivered.value());
  option82_omitted.add(other.option82_omitted.value());
  for (std::size_t reason = 0; reason < dropped.size(); ++reason) {
    dropped[reason].add(other.dropped[reason].value());
  }
}

}  // namespace relay
