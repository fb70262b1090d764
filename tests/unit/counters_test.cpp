// Counters by kind and reason: each pair by itself, and sums.
#include "relay/core/counters.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using enum MessageKind;

TEST(Counters, of_each_kind_by_itself) {
  Counters counters;
  counters.requests.received(discover).add(2);
  counters.requests.received(bootp).add();
  counters.requests.forwarded(discover).add();
  counters.replies.received(offer).add(4);
  counters.replies.forwarded(nak).add(3);
  EXPECT_EQ(counters.requests.received(discover).value(), 2U);
  EXPECT_EQ(counters.requests.received(bootp).value(), 1U);
  EXPECT_EQ(counters.requests.received(request).value(), 0U);
  EXPECT_EQ(counters.requests.received(), 3U);
  EXPECT_EQ(counters.requests.forwarded(), 1U);
  EXPECT_EQ(counters.replies.received(), 4U);
  EXPECT_EQ(counters.replies.forwarded(), 3U);
}

TEST(Counters, a_type_of_the_other_direction_is_other) {
  Counters counters;
  counters.requests.received(offer).add();
  counters.requests.received(ack).add();
  counters.replies.received(release).add();
  EXPECT_EQ(counters.requests.received(other).value(), 2U);
  EXPECT_EQ(counters.replies.received(other).value(), 1U);
}

TEST(Counters, of_each_kind_and_reason_by_itself) {
  Counters counters;
  std::uint64_t count = 0;
  const auto fill = [&](auto& direction) {
    for (const DropReason reason : all_drop_reasons()) {
      for (const MessageKind kind : direction.kinds()) {
        if (direction.can_have(reason)) {
          direction.dropped(kind, reason).add(++count);
        }
      }
    }
  };
  fill(counters.requests);
  fill(counters.replies);
  std::uint64_t expected = 0;
  std::uint64_t sum = 0;
  const auto check = [&](const auto& direction) {
    for (const DropReason reason : all_drop_reasons()) {
      for (const MessageKind kind : direction.kinds()) {
        if (direction.can_have(reason)) {
          EXPECT_EQ(direction.dropped(kind, reason).value(), ++expected) << name(kind) << ' ' << text(reason).name;
          sum += expected;
        }
      }
    }
  };
  check(counters.requests);
  check(counters.replies);
  std::uint64_t of_all_reasons = 0;
  for (const DropReason reason : all_drop_reasons()) {
    of_all_reasons += counters.dropped(reason);
  }
  EXPECT_EQ(of_all_reasons, sum);
}

TEST(Counters, each_direction_has_its_reasons) {
  using Requests = MessageCounters<Direction::request>;
  using Replies = MessageCounters<Direction::reply>;
  EXPECT_TRUE(Requests::can_have(DropReason::too_short));
  EXPECT_TRUE(Replies::can_have(DropReason::too_short));
  EXPECT_TRUE(Requests::can_have(DropReason::queue_full));
  EXPECT_FALSE(Replies::can_have(DropReason::no_server));
  EXPECT_FALSE(Requests::can_have(DropReason::not_upstream));
  EXPECT_TRUE(Replies::can_have(DropReason::interface_down));
  EXPECT_TRUE(Requests::can_have(DropReason::send_failed));
  EXPECT_FALSE(Requests::can_have(DropReason::relay_forward_untrusted)) << "of DHCPv6";
  EXPECT_FALSE(Replies::can_have(DropReason::not_relay_reply));
  EXPECT_TRUE(Replies::can_have(DropReason::send_failed));
  EXPECT_FALSE(Requests::can_have(DropReason::lost_in_kernel)) << "nobody saw what it was";
  EXPECT_FALSE(Replies::can_have(DropReason::lost_in_kernel));
}

TEST(Counters, are_added_one_by_one) {
  Counters one;
  one.requests.received(inform).add(3);
  one.replies.dropped(ack, DropReason::server_unknown).add(4);
  one.request_copies.add(5);
  one.lost_in_kernel.add(6);
  Counters sum = one;
  sum.add(one);
  EXPECT_EQ(sum.requests.received(inform).value(), 6U);
  EXPECT_EQ(sum.replies.dropped(ack, DropReason::server_unknown).value(), 8U);
  EXPECT_EQ(sum.request_copies.value(), 10U);
  EXPECT_EQ(sum.dropped(DropReason::lost_in_kernel), 12U);
}

TEST(Counters, what_is_written_for_requests_is_in_one_line_of_the_cache) {
  Counters counters;
  const auto line_of = [](const auto& what) { return reinterpret_cast<std::uintptr_t>(&what) / 64; };
  EXPECT_EQ(line_of(counters.requests.forwarded(discover)), line_of(counters.request_copies));
  EXPECT_EQ(line_of(counters.requests.forwarded(request)), line_of(counters.request_copies));
  EXPECT_LE(sizeof(Counters), 3072U) << "4,000 interfaces have them";
}

}  // namespace
}  // namespace relay
