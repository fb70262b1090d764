// What a message is, by option 53 or for want of it, and which requests go first by that.
#include "relay/core/message_kind.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/bootp.h"
#include "relay/core/urgency.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::joined;

Bytes message_with(const Bytes& options) {
  return joined({Bytes(bootp::header_size, 0), {99, 130, 83, 99}, options});
}

TEST(MessageKind, each_type_has_one) {
  const std::vector<std::pair<std::uint8_t, const char*>> expected{
      {0, "other"}, {1, "discover"}, {2, "offer"},  {3, "request"}, {4, "decline"}, {5, "ack"},
      {6, "nak"},   {7, "release"},  {8, "inform"}, {9, "other"},   {13, "other"},  {255, "other"}};
  for (const auto& [type, called] : expected) {
    EXPECT_EQ(name(kind_of(message_with({53, 1, type, 255}))), called) << int{type};
  }
}

TEST(MessageKind, the_type_may_stand_behind_other_options) {
  EXPECT_EQ(kind_of(message_with({0, 0, 61, 1, 0, 53, 1, 1, 255})), MessageKind::discover);
  EXPECT_EQ(kind_of(message_with({1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 53, 1, 8})), MessageKind::inform);
  EXPECT_EQ(kind_of(message_with({53, 1, 1, 53, 1, 3, 255})), MessageKind::discover) << "the first one counts";
}

TEST(MessageKind, without_a_type_it_is_bootp) {
  EXPECT_EQ(kind_of(Bytes(bootp::header_size, 0)), MessageKind::bootp) << "no options at all";
  EXPECT_EQ(kind_of(Bytes(300, 0)), MessageKind::bootp) << "no cookie";
  EXPECT_EQ(kind_of(message_with({})), MessageKind::bootp);
  EXPECT_EQ(kind_of(message_with({1, 0, 255, 53, 1, 1})), MessageKind::bootp) << "nothing counts behind END";
}

TEST(MessageKind, what_cannot_be_read_is_malformed) {
  EXPECT_EQ(kind_of({}), MessageKind::malformed);
  EXPECT_EQ(kind_of(Bytes(bootp::header_size - 1, 0)), MessageKind::malformed);
  EXPECT_EQ(kind_of(message_with({53})), MessageKind::malformed);
  EXPECT_EQ(kind_of(message_with({61, 9, 0})), MessageKind::malformed);
  EXPECT_EQ(kind_of(message_with({53, 0})), MessageKind::malformed) << "a type has one octet";
  EXPECT_EQ(kind_of(message_with({53, 2, 1, 1})), MessageKind::malformed);
}

TEST(MessageKind, a_type_is_not_looked_for_without_end) {
  const auto behind = [](std::size_t octets) { return message_with(joined({Bytes(octets, 0), {53, 1, 1, 255}})); };
  EXPECT_EQ(kind_of(behind(1021)), MessageKind::discover);
  EXPECT_EQ(kind_of(behind(1022)), MessageKind::other) << "the type is cut off there";
  EXPECT_EQ(kind_of(behind(60'000)), MessageKind::other);
}

TEST(MessageKind, every_kind_and_direction_has_a_name) {
  for (std::size_t kind = 0; kind < message_kind_count; ++kind) {
    EXPECT_FALSE(name(static_cast<MessageKind>(kind)).empty()) << kind;
  }
  EXPECT_EQ(name(Direction::request), "request");
  EXPECT_EQ(name(Direction::reply), "reply");
}

TEST(Urgency, all_but_a_discover_are_urgent) {
  for (std::size_t kind = 0; kind < message_kind_count; ++kind) {
    const auto expected = static_cast<MessageKind>(kind) == MessageKind::discover ? Urgency::common : Urgency::urgent;
    EXPECT_EQ(urgency_of(static_cast<MessageKind>(kind)), expected) << kind;
  }
}

}  // namespace
}  // namespace relay
