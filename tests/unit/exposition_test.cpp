// The text of metrics, to the octet.
#include "relay/metrics/exposition.h"

#include <algorithm>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace relay::metrics {
namespace {

TEST(Exposition, families_with_their_values) {
  Exposition exposition;
  exposition.family("first_total", Type::counter, "What it counts.");
  exposition.value({{"interface", "d1"}, {"type", "offer"}}, 3);
  exposition.value({}, 12345678901234);
  exposition.family("second", Type::gauge, "What it is.");
  exposition.value({}, 0);
  EXPECT_EQ(exposition.finish(),
            "# HELP first_total What it counts.\n"
            "# TYPE first_total counter\n"
            "first_total{interface=\"d1\",type=\"offer\"} 3\n"
            "first_total 12345678901234\n"
            "# HELP second What it is.\n"
            "# TYPE second gauge\n"
            "second 0\n");
}

TEST(Exposition, a_family_without_values_is_left_out) {
  Exposition exposition;
  exposition.family("first_total", Type::counter, "Nothing.");
  exposition.family("second_total", Type::counter, "Nothing either.");
  EXPECT_EQ(exposition.finish(), "");
}

TEST(Exposition, names_are_escaped) {
  Exposition exposition;
  exposition.family("x", Type::gauge, "X.");
  exposition.value({{"interface", "a\"b\\c\nd\xff\xc3\xa4"}}, 1);
  EXPECT_EQ(exposition.finish(),
            "# HELP x X.\n"
            "# TYPE x gauge\n"
            "x{interface=\"a\\\"b\\\\c\\\\x0ad\\\\xff\\\\xc3\\\\xa4\"} 1\n");
}

TEST(Exposition, a_histogram) {
  Exposition exposition;
  exposition.family("time_seconds", Type::histogram, "A time.");
  exposition.histogram({{"server", "10.9.0.2"}},
                       {{{0.005, 2}, {0.01, 2}, {std::numeric_limits<double>::infinity(), 3}}, 1.25});
  EXPECT_EQ(exposition.finish(),
            "# HELP time_seconds A time.\n"
            "# TYPE time_seconds histogram\n"
            "time_seconds_count{server=\"10.9.0.2\"} 3\n"
            "time_seconds_sum{server=\"10.9.0.2\"} 1.25\n"
            "time_seconds_bucket{server=\"10.9.0.2\",le=\"0.005\"} 2\n"
            "time_seconds_bucket{server=\"10.9.0.2\",le=\"0.01\"} 2\n"
            "time_seconds_bucket{server=\"10.9.0.2\",le=\"+Inf\"} 3\n");
}

TEST(Exposition, a_family_of_many_values_has_one_head) {
  Exposition exposition;
  exposition.family("many", Type::gauge, "Many.");
  for (int number = 0; number < 5000; ++number) {
    exposition.value({{"number", std::to_string(number)}}, number);
  }
  exposition.family("next", Type::gauge, "Next.");
  exposition.value({}, 1);
  const std::string text = exposition.finish();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5000 + 2 + 3);
  EXPECT_EQ(std::count(text.begin(), text.end(), '#'), 4);
  EXPECT_NE(text.find("many{number=\"4999\"} 4999\n# HELP next"), std::string::npos);
}

}  // namespace
}  // namespace relay::metrics
