// How many things are not over yet.
#include "relay/core/expiries.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

TEST(Expiries, what_is_over_no_longer_counts) {
  Expiries expiries;
  EXPECT_EQ(expiries.ahead(0s), 0U);
  expiries.add(61s);
  expiries.add(61s + 999ms);
  expiries.add(63s);
  EXPECT_EQ(expiries.ahead(1s), 3U);
  EXPECT_EQ(expiries.ahead(61s + 500ms), 3U) << "to the second";
  EXPECT_EQ(expiries.ahead(62s), 1U);
  EXPECT_EQ(expiries.ahead(64s), 0U);
}

TEST(Expiries, what_goes_before_its_time_does_not_count_either) {
  Expiries expiries;
  expiries.add(61s);
  expiries.add(61s);
  expiries.remove(61s);
  EXPECT_EQ(expiries.ahead(1s), 1U);
  expiries.remove(0s);
  expiries.remove(7s);
  EXPECT_EQ(expiries.ahead(0s), 1U) << "it was never there";
}

TEST(Expiries, places_are_used_again) {
  Expiries expiries;
  for (int second = 0; second < 1000; ++second) {
    expiries.add(std::chrono::seconds{second + 60});
    if (second >= 60) {
      EXPECT_EQ(expiries.ahead(std::chrono::seconds{second}), 61U);
    }
  }
  expiries.remove(60s);  // long over
  EXPECT_EQ(expiries.ahead(999s), 61U);
}

}  // namespace
}  // namespace relay
