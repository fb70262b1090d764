// Which requests go first: all but a DHCPDISCOVER.
#include "relay/core/urgency.h"

#include <gtest/gtest.h>

#include "relay/core/bootp.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::joined;

Bytes request_with(const Bytes& options) {
  return joined({Bytes(bootp::header_size, 0), {99, 130, 83, 99}, options});
}

TEST(Urgency, a_discover_is_common) {
  EXPECT_EQ(urgency_of(request_with({53, 1, 1, 255})), Urgency::common);
  EXPECT_EQ(urgency_of(request_with({0, 0, 61, 1, 0, 53, 1, 1, 255})), Urgency::common);
}

TEST(Urgency, every_other_message_is_urgent) {
  for (const auto type : Bytes{0, 3, 4, 7, 8, 13, 255}) {
    EXPECT_EQ(urgency_of(request_with({53, 1, type, 255})), Urgency::urgent) << int{type};
  }
  EXPECT_EQ(urgency_of(request_with({53, 2, 1, 1, 255})), Urgency::urgent) << "of a wrong size";
  EXPECT_EQ(urgency_of(request_with({53})), Urgency::urgent) << "broken off";
  EXPECT_EQ(urgency_of(request_with({})), Urgency::urgent);
  EXPECT_EQ(urgency_of(Bytes(300, 0)), Urgency::urgent) << "BOOTP";
  EXPECT_EQ(urgency_of({}), Urgency::urgent);
}

TEST(Urgency, only_the_first_options_are_looked_at) {
  EXPECT_EQ(urgency_of(request_with({1, 0, 2, 0, 3, 0, 53, 1, 1, 255})), Urgency::common);
  EXPECT_EQ(urgency_of(request_with({1, 0, 2, 0, 3, 0, 4, 0, 53, 1, 1, 255})), Urgency::urgent);
}

}  // namespace
}  // namespace relay
