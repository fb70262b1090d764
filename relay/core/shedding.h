// How much of what a flow (an interface) sends is not even taken from the kernel: where lines overflow, more is turned
// away before it has cost anything, and what others sent does not wait behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace relay {

/// What the kernel can tell apart.
enum class ShedKind : std::uint8_t {
  other,
  discover,  ///< or a Solicit: it begins a handshake
};

/// Learns from what a `FairQueue` gives up. Of a flow whose line overflows, and of each kind by itself, so much is kept
/// that a little more comes than is served: the overflow that is left tells how the flood goes on. Only the flows that
/// overflow first are seen to; others, as long as there is room.
class Shedding {
 public:
  static constexpr std::size_t max_flows = 16;
  static constexpr std::uint32_t all = std::numeric_limits<std::uint32_t>::max();

  /// Of a flow: how many of 2^32 messages are kept, by kind.
  struct Share {
    std::uint32_t flow = 0;
    std::array<std::uint32_t, 2> kept{all, all};
  };

  /// Whether a line overflowed of late, or a flow is remembered for `split`.
  [[nodiscard]] bool has_flows() const noexcept { return flow_count_ != 0; }

  /// A message was taken from the kernel; it had its turn; it was given up.
  void took(std::uint32_t flow, ShedKind kind) noexcept;
  void served(std::uint32_t flow, ShedKind kind) noexcept;
  void gave_up(std::uint32_t flow, ShedKind kind) noexcept;

  /// Draws conclusions from what happened since the last call, or since there are flows, which is some hundredths of a
  /// second ago. Whether `shares` have changed by enough to matter.
  [[nodiscard]] bool adjust() noexcept;

  /// No line overflows any more: everything is kept. Whether `shares` have changed.
  [[nodiscard]] bool lift() noexcept;

  /// Of flows of which not all is kept; valid until `adjust` or `lift`.
  [[nodiscard]] std::span<const Share> shares() const noexcept { return {shares_.data(), share_count_}; }

  /// Splits `count` messages that the kernel turned away since the last call among the flows, as they are likely to
  /// have sent them, and calls `tell(flow, part)` for each. False if none was to be turned away since `all_told`.
  template <typename Tell>
  [[nodiscard]] bool split(std::uint64_t count, Tell&& tell) {
    const double total = weigh();
    if (total <= 0) {
      return false;
    }
    double reached = 0;
    std::uint64_t told = 0;
    for (std::size_t number = 0; number < flow_count_; ++number) {
      reached += flows_[number].turned_away;
      const std::uint64_t upto = number + 1 == flow_count_ ? count : part_of(count, reached / total);
      if (upto > told) {
        tell(flows_[number].number, upto - told);
        told = upto;
      }
      flows_[number].turned_away = 0;
    }
    return true;
  }

  /// Nothing that was turned away is left to be split.
  void all_told() noexcept;

 private:
  /// What happened since the last adjustment, what is kept, and how many were turned away for each one that was.
  struct Kind {
    std::uint64_t taken = 0;
    std::uint64_t served = 0;
    std::uint64_t given_up = 0;
    std::uint32_t kept = all;
    double turned_away_each = 0;
  };
  struct Flow {
    std::uint32_t number = 0;
    std::array<Kind, 2> kinds{};
    double turned_away = 0;      // by the kernel, an estimate, since the last `split`
    bool is_to_be_told = false;  // it had a share since `all_told`
  };

  [[nodiscard]] static bool has_all(const Flow& flow) noexcept;
  [[nodiscard]] static std::uint64_t part_of(std::uint64_t count, double share) noexcept;
  [[nodiscard]] std::span<Flow> flows() noexcept { return {flows_.data(), flow_count_}; }
  [[nodiscard]] Flow* find(std::uint32_t flow) noexcept;
  [[nodiscard]] Flow* add(std::uint32_t flow) noexcept;
  [[nodiscard]] double weigh() noexcept;
  [[nodiscard]] bool publish() noexcept;
  void forget_calm() noexcept;

  std::array<Flow, max_flows> flows_{};
  std::size_t flow_count_ = 0;
  std::array<Share, max_flows> shares_{};
  std::size_t share_count_ = 0;
};

}  // namespace relay
