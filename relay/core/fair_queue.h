// Whose turn it is: places of a bounded store, in line by flow (an interface) and served round robin, so that a flow
// that floods fills its own line and nobody else's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/core/urgency.h"

namespace relay {

/// Places are numbers below `capacity`, in line at most once each; what they stand for belongs to the caller. One flow
/// may have all of them for as long as nobody else wants one; then the longest line gives up what it has had longest
/// (longest queue drop: Suter, Lakshman, Stiliadis and Choudhury, IEEE INFOCOM 1998). Allocates at construction alone;
/// every call costs the same however many flows and places there are.
class FairQueue {
 public:
  /// `capacity` is at least 1.
  explicit FairQueue(std::size_t capacity);

  [[nodiscard]] bool is_full() const noexcept { return size_ == capacity(); }

  /// Needs `!is_full()` and a `place` that is not in line.
  void push(std::uint32_t flow, Urgency urgency, std::uint32_t place) noexcept;

  /// The first place of the flow whose turn it is.
  [[nodiscard]] std::optional<std::uint32_t> pop() noexcept;

  /// Where all places are in line: which one is given up so that `flow` can have one more. Nothing if `flow` has a line
  /// that is as long as any, and nothing in it that is less urgent.
  [[nodiscard]] std::optional<std::uint32_t> give_up_for(std::uint32_t flow, Urgency urgency) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return next_.size(); }

 private:
  static constexpr std::uint32_t none = 0xffffffff;

  /// Places in order.
  struct Row {
    std::uint32_t first = none;
    std::uint32_t last = none;
  };
  /// A flow that has places in line. Lines are linked in three ways, each by their positions in `lines_`.
  struct Line {
    std::uint32_t flow = 0;
    std::uint32_t length = 0;
    std::array<Row, 2> rows;  // by urgency
    std::uint32_t next_in_bucket = none;
    std::uint32_t next_turn = none;
    std::uint32_t previous_turn = none;
    std::uint32_t next_as_long = none;
    std::uint32_t previous_as_long = none;
  };

  [[nodiscard]] std::uint32_t find(std::uint32_t flow) const noexcept;
  [[nodiscard]] std::uint32_t open_line(std::uint32_t flow) noexcept;
  void close_line(std::uint32_t number) noexcept;
  [[nodiscard]] std::uint32_t take_first(std::uint32_t number, Row& row) noexcept;
  void take_turn(std::uint32_t number) noexcept;
  void leave_turn(std::uint32_t number) noexcept;
  void change_length(std::uint32_t number, std::uint32_t length) noexcept;

  std::vector<std::uint32_t> next_;       // by place: the place behind it in its row
  std::vector<Line> lines_;               // as many as there can be flows with a place in line
  std::vector<std::uint32_t> unused_;     // lines
  std::vector<std::uint32_t> buckets_;    // a power of two of them: the first line of each
  std::vector<std::uint32_t> of_length_;  // by length: the first line that is so long
  std::uint32_t longest_ = 0;             // the length of the longest line
  std::uint32_t first_turn_ = none;       // lines
  std::uint32_t last_turn_ = none;
  std::size_t size_ = 0;
};

}  // namespace relay
