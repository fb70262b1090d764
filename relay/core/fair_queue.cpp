#include "relay/core/fair_queue.h"

#include <bit>
#include <cassert>
#include <utility>

namespace relay {

FairQueue::FairQueue(std::size_t capacity)
    : next_(capacity, none), lines_(capacity), buckets_(std::bit_ceil(capacity), none), of_length_(capacity + 1, none) {
  assert(capacity > 0);
  unused_.reserve(capacity);
  for (std::size_t number = capacity; number > 0; --number) {
    unused_.push_back(static_cast<std::uint32_t>(number - 1));
  }
}

void FairQueue::push(std::uint32_t flow, Urgency urgency, std::uint32_t place) noexcept {
  assert(!is_full());
  std::uint32_t number = find(flow);
  if (number == none) {
    number = open_line(flow);
    take_turn(number);
  }
  Row& row = lines_[number].rows[static_cast<std::size_t>(urgency)];
  (row.first == none ? row.first : next_[row.last]) = place;
  row.last = place;
  next_[place] = none;
  change_length(number, lines_[number].length + 1);
  ++size_;
}

std::optional<std::uint32_t> FairQueue::pop() noexcept {
  if (first_turn_ == none) {
    return std::nullopt;
  }
  const std::uint32_t number = first_turn_;
  auto& [urgent, common] = lines_[number].rows;
  const std::uint32_t place = take_first(number, urgent.first != none ? urgent : common);
  if (lines_[number].length != 0 && first_turn_ != last_turn_) {
    leave_turn(number);
    take_turn(number);
  }
  return place;
}

std::optional<std::uint32_t> FairQueue::give_up_for(std::uint32_t flow, Urgency urgency) noexcept {
  std::uint32_t number = find(flow);
  const bool is_longest = number != none && lines_[number].length == longest_;
  if (!is_longest) {
    number = of_length_[longest_];
  }
  auto& [urgent, common] = lines_[number].rows;
  if (common.first != none && !(is_longest && urgency == Urgency::common)) {
    return take_first(number, common);
  }
  return is_longest ? std::nullopt : std::optional{take_first(number, urgent)};
}

/// Interfaces are numbered one after the other, so their numbers spread by themselves.
std::uint32_t FairQueue::find(std::uint32_t flow) const noexcept {
  std::uint32_t number = buckets_[flow & (buckets_.size() - 1)];
  while (number != none && lines_[number].flow != flow) {
    number = lines_[number].next_in_bucket;
  }
  return number;
}

std::uint32_t FairQueue::open_line(std::uint32_t flow) noexcept {
  const std::uint32_t number = unused_.back();  // each line that is in use has a place, and one place is free
  unused_.pop_back();
  lines_[number] = {};
  lines_[number].flow = flow;
  lines_[number].next_in_bucket = std::exchange(buckets_[flow & (buckets_.size() - 1)], number);
  return number;
}

void FairQueue::close_line(std::uint32_t number) noexcept {
  std::uint32_t* link = &buckets_[lines_[number].flow & (buckets_.size() - 1)];
  while (*link != number) {
    link = &lines_[*link].next_in_bucket;
  }
  *link = lines_[number].next_in_bucket;
  leave_turn(number);
  unused_.push_back(number);
}

/// The first place of `row`, which is one of the line's and has one.
std::uint32_t FairQueue::take_first(std::uint32_t number, Row& row) noexcept {
  const std::uint32_t place = row.first;
  row.first = next_[place];
  --size_;
  change_length(number, lines_[number].length - 1);
  if (lines_[number].length == 0) {
    close_line(number);
  }
  return place;
}

void FairQueue::take_turn(std::uint32_t number) noexcept {
  lines_[number].next_turn = none;
  lines_[number].previous_turn = last_turn_;
  (last_turn_ == none ? first_turn_ : lines_[last_turn_].next_turn) = number;
  last_turn_ = number;
}

void FairQueue::leave_turn(std::uint32_t number) noexcept {
  const Line& line = lines_[number];
  (line.previous_turn == none ? first_turn_ : lines_[line.previous_turn].next_turn) = line.next_turn;
  (line.next_turn == none ? last_turn_ : lines_[line.next_turn].previous_turn) = line.previous_turn;
}

/// Keeps lines by length, of which no more than one can be missing below the longest when it becomes shorter.
void FairQueue::change_length(std::uint32_t number, std::uint32_t length) noexcept {
  Line& line = lines_[number];
  if (line.length != 0) {
    (line.previous_as_long == none ? of_length_[line.length] : lines_[line.previous_as_long].next_as_long) =
        line.next_as_long;
    if (line.next_as_long != none) {
      lines_[line.next_as_long].previous_as_long = line.previous_as_long;
    }
  }
  const bool was_longest = line.length == longest_;
  line.length = length;
  if (length != 0) {
    line.previous_as_long = none;
    line.next_as_long = std::exchange(of_length_[length], number);
    if (line.next_as_long != none) {
      lines_[line.next_as_long].previous_as_long = number;
    }
  }
  if (length > longest_ || (was_longest && of_length_[longest_] == none)) {
    longest_ = length;
  }
}

}  // namespace relay
