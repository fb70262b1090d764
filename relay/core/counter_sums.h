// What several interfaces, of either family, have counted together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "relay/core/counters.h"
#include "relay/core/drop_reason.h"
#include "relay/core/families.h"

namespace relay {

struct CounterSums {
  std::uint64_t requests_received = 0;
  std::uint64_t requests_relayed = 0;
  std::uint64_t request_copies = 0;
  std::uint64_t request_copies_failed = 0;
  std::uint64_t replies_received = 0;
  std::uint64_t replies_delivered = 0;
  std::uint64_t option82_omitted = 0;
  std::array<std::uint64_t, drop_reason_count> dropped{};  ///< by reason

  template <Family family>
  void add(const FamilyCounters<family>& counters) noexcept {
    requests_received += counters.requests.received();
    requests_relayed += counters.requests.forwarded();
    request_copies += counters.request_copies.value();
    request_copies_failed += counters.request_copies_failed.value();
    replies_received += counters.replies.received();
    replies_delivered += counters.replies.forwarded();
    option82_omitted += counters.option82_omitted.value();
    for (const DropReason reason : all_drop_reasons()) {
      dropped[static_cast<std::size_t>(reason)] += counters.dropped(reason);
    }
  }

  [[nodiscard]] std::uint64_t dropped_in_all() const noexcept {
    return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
  }

  friend bool operator==(const CounterSums&, const CounterSums&) = default;
};

/// Of counters or of nothing.
template <typename... Counted>
[[nodiscard]] CounterSums sums_of(const Counted&... counted) noexcept {
  CounterSums sums;
  (sums.add(counted), ...);
  return sums;
}

}  // namespace relay
