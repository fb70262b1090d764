// How much of what a flow (an interface) sends is not even taken from the kernel: where lines overflow, more is turned
// away before it has cost anything, and what others sent does not wait behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "relay/core/fair_queue.h"

namespace relay {

/// Learns from what a `FairQueue` gives up. Of a flow whose line overflows, and of each urgency by itself, so much is
/// kept that a little more comes than its line can take: the overflow that is left tells how the flood goes on. Only
/// the flows that overflow first are seen to; the others wait their turn.
class Shedding {
 public:
  static constexpr std::size_t max_flows = 16;
  static constexpr std::uint32_t all = std::numeric_limits<std::uint32_t>::max();

  /// Of a flow: how many of 2^32 messages are kept, by urgency.
  struct Share {
    std::uint32_t flow = 0;
    std::array<std::uint32_t, 2> kept{all, all};
  };

  /// A message was taken from the kernel, into its line or not.
  void took(std::uint32_t flow, Urgency urgency) noexcept;

  /// One of those was given up.
  void gave_up(std::uint32_t flow, Urgency urgency) noexcept;

  /// Draws conclusions from what was taken and given up since the last call, which is some hundredths of a second ago.
  /// Whether `shares` have changed by enough to matter.
  [[nodiscard]] bool adjust() noexcept;

  /// No line overflows any more: everything is kept. Whether `shares` have changed.
  [[nodiscard]] bool lift() noexcept;

  /// Of flows of which not all is kept; valid until `adjust` or `lift`.
  [[nodiscard]] std::span<const Share> shares() const noexcept { return {shares_.data(), share_count_}; }

  /// Splits `count` messages that the kernel turned away since the last call among the flows, as they are likely to
  /// have sent them, and calls `tell(flow, part)` for each. False if none was to be turned away.
  template <typename Tell>
  [[nodiscard]] bool split(std::uint64_t count, Tell&& tell) {
    double total = 0;
    for (const Flow& each : flows()) {
      total += each.turned_away;
    }
    if (total <= 0) {
      return false;
    }
    std::uint64_t left = count;
    double weight_left = total;
    for (Flow& each : flows()) {
      const double weight = std::exchange(each.turned_away, 0);
      const std::uint64_t part = weight >= weight_left ? left : part_of(left, weight / weight_left);
      weight_left -= weight;
      left -= part;
      if (part != 0) {
        tell(each.number, part);
      }
    }
    forget_calm();
    return true;
  }

 private:
  /// What happened since the last adjustment, and what is kept.
  struct Kind {
    std::uint64_t taken = 0;
    std::uint64_t given_up = 0;
    std::uint32_t kept = all;
  };
  struct Flow {
    std::uint32_t number = 0;
    std::array<Kind, 2> kinds{};  // by urgency
    double turned_away = 0;       // by the kernel, an estimate, since the last `split`
  };

  [[nodiscard]] std::span<Flow> flows() noexcept { return {flows_.data(), flow_count_}; }
  [[nodiscard]] Flow* find(std::uint32_t flow) noexcept;
  [[nodiscard]] bool publish() noexcept;
  void forget_calm() noexcept;
  [[nodiscard]] static std::uint64_t part_of(std::uint64_t count, double weight) noexcept;

  std::array<Flow, max_flows> flows_{};
  std::size_t flow_count_ = 0;
  std::array<Share, max_flows> shares_{};
  std::size_t share_count_ = 0;
};

}  // namespace relay
