// What DHCPv6 messages are counted as.
#include "relay/core/message_kind6.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/counters.h"
#include "tests/support/message6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::message6;

TEST(MessageKind6, is_that_of_the_type) {
  const std::vector<MessageKind6> by_type{
      MessageKind6::other,   MessageKind6::solicit, MessageKind6::advertise,   MessageKind6::request,
      MessageKind6::confirm, MessageKind6::renew,   MessageKind6::rebind,      MessageKind6::reply,
      MessageKind6::release, MessageKind6::decline, MessageKind6::reconfigure, MessageKind6::information_request};
  for (std::size_t type = 0; type < by_type.size(); ++type) {
    EXPECT_EQ(kind6_of(message6(static_cast<std::uint8_t>(type))), by_type[type]) << type;
  }
  EXPECT_EQ(kind6_of(message6(255)), MessageKind6::other);
  EXPECT_EQ(kind6_of(test_support::forwarded6(0, test_support::solicit6())), MessageKind6::relay_forward);
}

TEST(MessageKind6, of_a_relay_reply_is_that_of_what_it_carries) {
  EXPECT_EQ(kind6_of(test_support::relay_reply6(test_support::advertise6())), MessageKind6::advertise);
  EXPECT_EQ(kind6_of(test_support::relay_reply6(message6(7))), MessageKind6::reply);
  EXPECT_EQ(kind6_of(test_support::relay_reply6(test_support::relay_reply6(message6(7)))), MessageKind6::relay_reply);
  EXPECT_EQ(kind6_of(test_support::relay_reply6({})), MessageKind6::malformed);
}

TEST(MessageKind6, of_what_is_shorter_than_its_header_is_malformed) {
  EXPECT_EQ(kind6_of({}), MessageKind6::malformed);
  EXPECT_EQ(kind6_of(Bytes{1, 2, 3}), MessageKind6::malformed);
  EXPECT_EQ(kind6_of(Bytes(33, 12)), MessageKind6::malformed);
  EXPECT_EQ(kind6_of(Bytes(33, 13)), MessageKind6::malformed);
  EXPECT_EQ(kind6_of(Bytes(34, 13)), MessageKind6::malformed) << "it carries nothing";
}

TEST(MessageKind6, has_counters_for_the_reasons_of_its_protocol) {
  using Requests = MessageCounters<Direction::request, Family::ipv6>;
  using Replies = MessageCounters<Direction::reply, Family::ipv6>;
  EXPECT_TRUE(Requests::can_have(DropReason::wrapped_too_large));
  EXPECT_TRUE(Requests::can_have(DropReason::queue_full));
  EXPECT_TRUE(Requests::can_have(DropReason::header_too_short));
  EXPECT_FALSE(Requests::can_have(DropReason::link_unnamed));
  EXPECT_FALSE(Requests::can_have(DropReason::giaddr_own));
  EXPECT_TRUE(Replies::can_have(DropReason::link_unnamed));
  EXPECT_TRUE(Replies::can_have(DropReason::vss_unknown));
  EXPECT_TRUE(Replies::can_have(DropReason::send_failed));
  EXPECT_FALSE(Replies::can_have(DropReason::wrapped_too_large));
  EXPECT_FALSE(Replies::can_have(DropReason::option82_unmatched));
  EXPECT_FALSE(Replies::can_have(DropReason::lost_in_kernel));
}

}  // namespace
}  // namespace relay
