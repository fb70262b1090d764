// What was dropped and not written, so that a flood costs the log a few lines an interval. Of bounded size.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/core/drop_reason.h"
#include "relay/core/interface_table.h"
#include "relay/log/line.h"

namespace relay {

inline constexpr std::size_t tracked_interfaces_max = 8192;  // with drops of their own; further ones share one tally
inline constexpr std::size_t report_lines_max = 256;         // of one `report`
inline constexpr std::string_view shared_label = "(others)";

using ReasonSet = std::bitset<drop_reason_count>;

/// What was dropped on one interface and not written.
struct Tally {
  std::string label;
  std::array<std::uint64_t, drop_reason_count> suppressed{};
  ReasonSet announced{};  // the first one was written
  ReasonSet recent{};     // occurred since the last report
  int last_error = 0;     // errno of the last `send_failed`

  /// Whether this is the first `reason`, so that it is to be announced.
  bool is_first(DropReason reason) {
    const auto at = static_cast<std::size_t>(reason);
    const bool is_new = !announced[at];
    announced[at] = true;
    recent[at] = true;
    return is_new;
  }
  void suppress(DropReason reason, std::uint64_t count = 1) { suppressed[static_cast<std::size_t>(reason)] += count; }
};

/// The tallies of all interfaces with drops, of bounded size.
class Tallies {
 public:
  Tallies() { shared_.label = shared_label; }

  Tally& of(const Interface* interface, std::uint32_t index) {
    if (const auto found = by_index_.find(index); found != by_index_.end()) {
      Tally& tally = found->second;
      if (interface != nullptr && tally.label != interface->name) {
        retire(tally);
        tally.label = interface->name;
      }
      return tally;
    }
    if (by_index_.size() == tracked_interfaces_max) {
      return shared_;
    }
    Tally& added = by_index_[index];
    added.label = interface_label(interface, index);
    return added;
  }

  [[nodiscard]] bool empty() const noexcept {
    return by_index_.empty() && renamed_.empty() && shared_.announced.none();
  }

  /// Calls `write(tally, reason, count)` for what was suppressed, at most `report_lines_max` times for single
  /// interfaces, in order of index; forgets what did not occur since the last report.
  template <typename Write>
  void report(Write write) {
    std::vector<std::uint32_t> indices;
    indices.reserve(by_index_.size());
    for (const auto& entry : by_index_) {
      indices.push_back(entry.first);
    }
    std::ranges::sort(indices);
    std::size_t lines_left = report_lines_max;
    for (Tally& tally : renamed_) {
      report_one(tally, lines_left, write);
    }
    renamed_.clear();
    for (const std::uint32_t index : indices) {
      Tally& tally = by_index_.at(index);
      report_one(tally, lines_left, write);
      forget_past(tally);
      if (tally.announced.none()) {
        by_index_.erase(index);
      }
    }
    report_shared(write);
  }

 private:
  /// What was suppressed stays with the name that the interface had; under another one it begins anew.
  void retire(Tally& tally) {
    const bool has_counts = std::ranges::any_of(tally.suppressed, [](std::uint64_t count) { return count != 0; });
    if (has_counts && renamed_.size() < tracked_interfaces_max) {
      renamed_.push_back(tally);
    } else if (has_counts) {
      add_to_shared(tally);
    }
    tally = {};
  }

  void add_to_shared(const Tally& tally) {
    for (std::size_t at = 0; at < tally.suppressed.size(); ++at) {
      shared_.suppressed[at] += tally.suppressed[at];
    }
  }

  template <typename Write>
  void report_one(Tally& tally, std::size_t& lines_left, Write write) {
    for (const DropReason reason : all_drop_reasons()) {
      std::uint64_t& count = tally.suppressed[static_cast<std::size_t>(reason)];
      if (count != 0 && lines_left != 0) {
        --lines_left;
        write(tally, reason, count);
      } else {
        shared_.suppressed[static_cast<std::size_t>(reason)] += count;
      }
      count = 0;
    }
  }

  template <typename Write>
  void report_shared(Write write) {
    for (const DropReason reason : all_drop_reasons()) {
      std::uint64_t& count = shared_.suppressed[static_cast<std::size_t>(reason)];
      if (count != 0) {
        write(shared_, reason, count);
        count = 0;
      }
    }
    forget_past(shared_);
  }

  static void forget_past(Tally& tally) {
    tally.announced &= tally.recent;
    tally.recent.reset();
  }

  std::unordered_map<std::uint32_t, Tally> by_index_;
  std::vector<Tally> renamed_;  // of names that interfaces no longer have
  Tally shared_;
};

}  // namespace relay
