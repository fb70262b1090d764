// When pages of metrics are made, and who shares them, by a clock of the test's own.
#include "relay/io/metrics_pages.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace relay::io {
namespace {

using namespace std::chrono_literals;

class MetricsPagesTest : public ::testing::Test {
 protected:
  [[nodiscard]] static MetricsPages::Time at(std::chrono::milliseconds time) { return MetricsPages::Time{time}; }

  /// What one who asked at `asked_at` has at `now`; empty: nothing yet.
  [[nodiscard]] std::string find(std::chrono::milliseconds asked_at, std::chrono::milliseconds now) {
    now_ = at(now);
    const MetricsPages::Page page = pages_.find(at(asked_at));
    return page ? *page : "";
  }

  MetricsPages::Time now_{};
  std::chrono::milliseconds takes_ = 10ms;
  int made_ = 0;
  MetricsPages pages_{[this] {
                        now_ += takes_;
                        return "page " + std::to_string(++made_);
                      },
                      [this] { return now_; }};
};

TEST_F(MetricsPagesTest, the_next_one_is_made_after_a_rest) {
  EXPECT_EQ(find(100ms, 100ms), "page 1");
  EXPECT_EQ(pages_.rested_at(), at(150ms));
  EXPECT_EQ(find(110ms, 149ms), "");
  EXPECT_EQ(find(110ms, 150ms), "page 2");
}

TEST_F(MetricsPagesTest, who_waited_meanwhile_shares_it) {
  EXPECT_EQ(find(100ms, 100ms), "page 1");
  EXPECT_EQ(find(110ms, 150ms), "page 2");
  EXPECT_EQ(find(120ms, 161ms), "page 2");
  EXPECT_EQ(find(150ms, 162ms), "page 2");
  EXPECT_EQ(find(151ms, 163ms), "") << "asked after that was begun";
  EXPECT_EQ(made_, 2);
}

TEST_F(MetricsPagesTest, few_are_held_for_those_who_take_them_slowly) {
  takes_ = 0ms;
  std::vector<MetricsPages::Page> held;
  for (const auto time : {1ms, 2ms, 3ms, 4ms, 5ms}) {
    now_ = at(time);
    held.push_back(pages_.find(at(time)));
  }
  EXPECT_EQ(*held.back(), "page 3") << "an older one";
  held.clear();
  EXPECT_EQ(find(6ms, 6ms), "page 4");
}

TEST_F(MetricsPagesTest, one_that_cannot_be_made_is_not_tried_at_once_again) {
  bool fails = true;
  MetricsPages pages{[&fails]() -> std::string {
                       if (fails) {
                         throw std::runtime_error("no memory");
                       }
                       return "page";
                     },
                     [this] { return now_; }};
  now_ = at(100ms);
  EXPECT_THROW(static_cast<void>(pages.find(at(100ms))), std::runtime_error);
  fails = false;
  EXPECT_EQ(pages.find(at(100ms)), nullptr);
  now_ = at(200ms);
  EXPECT_EQ(*pages.find(at(100ms)), "page");
}

}  // namespace
}  // namespace relay::io
