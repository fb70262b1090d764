// Turns, shares and what is given up, against a slow twin that keeps lists.
#include "relay/core/fair_queue.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace relay {
namespace {

using enum Urgency;

std::vector<std::uint32_t> popped(FairQueue& queue) {
  std::vector<std::uint32_t> places;
  while (const auto place = queue.pop()) {
    places.push_back(*place);
  }
  return places;
}

TEST(FairQueue, nothing_is_in_line_at_first) {
  FairQueue queue{1};
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_FALSE(queue.is_full());
}

TEST(FairQueue, flows_take_turns) {
  FairQueue queue{8};
  for (const std::uint32_t place : {0U, 1U, 2U, 3U}) {
    queue.push(7, common, place);
  }
  queue.push(8, common, 4);
  queue.push(9, common, 5);
  queue.push(8, common, 6);
  EXPECT_EQ(popped(queue), (std::vector<std::uint32_t>{0, 4, 5, 1, 6, 2, 3}));
}

TEST(FairQueue, what_is_urgent_goes_first_within_its_flow) {
  FairQueue queue{8};
  queue.push(7, common, 0);
  queue.push(7, urgent, 1);
  queue.push(8, common, 2);
  queue.push(7, urgent, 3);
  EXPECT_EQ(popped(queue), (std::vector<std::uint32_t>{1, 2, 3, 0}));
}

TEST(FairQueue, one_flow_may_have_every_place) {
  FairQueue queue{4};
  for (std::uint32_t place = 0; place < 4; ++place) {
    ASSERT_FALSE(queue.is_full());
    queue.push(7, common, place);
  }
  EXPECT_TRUE(queue.is_full());
  EXPECT_EQ(queue.give_up_for(7, common), std::nullopt);
  EXPECT_EQ(popped(queue), (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(FairQueue, the_longest_line_gives_up_what_waited_longest) {
  FairQueue queue{5};
  queue.push(8, common, 0);
  for (const std::uint32_t place : {1U, 2U, 3U}) {
    queue.push(7, common, place);
  }
  queue.push(8, common, 4);
  EXPECT_EQ(queue.give_up_for(9, common), 1U);
  queue.push(9, common, 1);
  EXPECT_EQ(queue.give_up_for(7, common), std::nullopt);  // 7 and 8 are as long as each other
  EXPECT_EQ(queue.give_up_for(8, common), std::nullopt);
  EXPECT_EQ(popped(queue), (std::vector<std::uint32_t>{0, 2, 1, 4, 3}));
}

TEST(FairQueue, what_is_urgent_is_given_up_last) {
  FairQueue queue{4};
  queue.push(7, urgent, 0);
  queue.push(7, common, 1);
  queue.push(7, urgent, 2);
  queue.push(7, urgent, 3);
  EXPECT_EQ(queue.give_up_for(7, common), std::nullopt);
  EXPECT_EQ(queue.give_up_for(7, urgent), 1U);
  queue.push(7, urgent, 1);
  EXPECT_EQ(queue.give_up_for(7, urgent), std::nullopt);
  EXPECT_EQ(queue.give_up_for(8, common), 0U);  // another flow's share comes before urgency
}

TEST(FairQueue, a_flow_that_gave_up_all_is_forgotten) {
  FairQueue queue{1};
  queue.push(7, common, 0);
  EXPECT_EQ(queue.give_up_for(8, common), 0U);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.pop(), std::nullopt);
  queue.push(8, common, 0);
  EXPECT_EQ(popped(queue), (std::vector<std::uint32_t>{0}));
}

/// The same, with lists that are searched.
class SlowQueue {
 public:
  void push(std::uint32_t flow, Urgency urgency, std::uint32_t place) {
    auto line = find(flow);
    if (line == lines_.end()) {
      line = lines_.insert(lines_.end(), Line{flow, {}, {}});
    }
    (urgency == urgent ? line->urgent : line->common).push_back(place);
  }

  std::optional<std::uint32_t> pop() {
    if (lines_.empty()) {
      return std::nullopt;
    }
    const std::uint32_t place = take(lines_.begin(), !lines_.front().urgent.empty());
    std::rotate(lines_.begin(), lines_.begin() + 1, lines_.end());
    forget_empty();
    return place;
  }

  /// Whether giving up `place` is right, and gives it up: of lines that are as long as each other, any will do.
  bool may_give_up(std::uint32_t flow, Urgency urgency, std::optional<std::uint32_t> place) {
    const std::size_t longest = std::ranges::max(lines_, {}, &Line::length).length();
    const auto own = find(flow);
    const bool is_longest = own != lines_.end() && own->length() == longest;
    if (!place) {
      return is_longest && (urgency == common || own->common.empty());
    }
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      const bool is_urgent = line->common.empty();
      const auto& row = is_urgent ? line->urgent : line->common;
      if (line->length() == longest && row.front() == *place && (!is_longest || (line == own && urgency == urgent))) {
        static_cast<void>(take(line, is_urgent));
        forget_empty();
        return !(is_longest && is_urgent);
      }
    }
    return false;
  }

 private:
  struct Line {
    std::uint32_t flow;
    std::deque<std::uint32_t> urgent;
    std::deque<std::uint32_t> common;
    [[nodiscard]] std::size_t length() const { return urgent.size() + common.size(); }
  };
  using Lines = std::vector<Line>;

  Lines::iterator find(std::uint32_t flow) { return std::ranges::find(lines_, flow, &Line::flow); }

  static std::uint32_t take(Lines::iterator line, bool is_urgent) {
    auto& row = is_urgent ? line->urgent : line->common;
    const std::uint32_t place = row.front();
    row.pop_front();
    return place;
  }

  void forget_empty() {
    std::erase_if(lines_, [](const Line& line) { return line.length() == 0; });
  }

  Lines lines_;  // the first one has its turn
};

TEST(FairQueue, agrees_with_its_slow_twin) {
  std::mt19937 random{20261121};
  const auto below = [&random](std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>{0, bound - 1}(random);
  };
  for (const std::uint32_t capacity : {1U, 2U, 3U, 7U, 16U}) {
    FairQueue queue{capacity};
    SlowQueue twin;
    std::vector<std::uint32_t> free;
    for (std::uint32_t place = 0; place < capacity; ++place) {
      free.push_back(place);
    }
    for (int step = 0; step < 20'000; ++step) {
      const std::uint32_t flow = below(2) == 0 ? 100 : 100 + below(capacity + 4);
      const Urgency urgency = below(3) == 0 ? urgent : common;
      if (below(5) < 2) {
        const auto place = queue.pop();
        ASSERT_EQ(place, twin.pop());
        if (place) {
          free.push_back(*place);
        }
      } else {
        if (queue.is_full()) {
          const auto place = queue.give_up_for(flow, urgency);
          ASSERT_TRUE(twin.may_give_up(flow, urgency, place)) << "capacity " << capacity << ", step " << step;
          if (!place) {
            continue;
          }
          free.push_back(*place);
        }
        queue.push(flow, urgency, free.back());
        twin.push(flow, urgency, free.back());
        free.pop_back();
      }
      ASSERT_EQ(queue.size(), capacity - free.size());
    }
  }
}

}  // namespace
}  // namespace relay
