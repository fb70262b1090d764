// Servers: what each was sent and answered, how fast, and when it counts as silent.
#include "relay/core/servers.h"

#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Ipv4Address one{{10, 9, 0, 2}};
constexpr Ipv4Address two{{10, 9, 0, 3}};
constexpr Ipv4Address three{{10, 9, 0, 4}};
constexpr Ipv4Address stranger{{10, 9, 0, 99}};

class ServersTest : public ::testing::Test {
 protected:
  ServersTest() { servers_.set({one, two}, false); }

  void ask(Ipv4Address server, std::uint64_t count, nanoseconds now, MessageKind kind = MessageKind::discover) {
    for (std::uint64_t number = 0; number < count; ++number) {
      servers_.sent(server, expects_answer(kind), true, now);
    }
  }
  void answer(Ipv4Address server, nanoseconds now) { servers_.answered(server, 1ms, now); }

  /// What is told when they are judged: `10.9.0.3 silent after 20 in 10 s, others answer`.
  std::vector<std::string> judge(nanoseconds now) {
    std::vector<std::string> told;
    is_in_doubt_ = servers_.judge(now, [&told](const ServerEvent& event) {
      const std::string server = "10.9.0." + std::to_string(std::get<Ipv4Address>(event.server).octets[3]);
      const std::string seconds = std::to_string(event.time.count()) + " s";
      if (event.is_answering) {
        told.push_back(server + " answers again after " + seconds);
      } else {
        told.push_back(server + (event.has_answered ? " silent after " : " never answered ") +
                       std::to_string(event.unanswered) + " in " + seconds +
                       (event.others_answer ? ", others answer" : ", nobody answers"));
      }
    });
    return told;
  }

  [[nodiscard]] const ServerCounters& counters(std::size_t place) const { return *servers_.all()[place].counters; }

  Servers servers_;
  bool is_in_doubt_ = false;
};

TEST_F(ServersTest, count_what_each_was_sent_and_answered) {
  ask(one, 3, 1s);
  servers_.sent(two, true, false, 1s);
  servers_.answered(one, 3ms, 2s);
  servers_.answered(one, std::nullopt, 3s);
  EXPECT_EQ(counters(0).requests.value(), 3U);
  EXPECT_EQ(counters(0).replies.value(), 2U);
  EXPECT_EQ(counters(0).last_reply.value(), 3'000'000'000U);
  EXPECT_EQ(counters(0).response_times.count(3), 1U) << "above 2 ms, up to 5 ms";
  EXPECT_EQ(counters(0).response_times.sum(), 3ms);
  EXPECT_EQ(counters(1).requests.value(), 0U);
  EXPECT_EQ(counters(1).requests_failed.value(), 1U);
  EXPECT_EQ(counters(1).last_reply.value(), 0U);
}

TEST_F(ServersTest, others_do_not_count) {
  ask(stranger, 1, 1s);
  answer(stranger, 2s);
  EXPECT_FALSE(servers_.has(stranger));
  EXPECT_FALSE(servers_.take_news());
  EXPECT_EQ(counters(0).requests.value() + counters(1).requests.value(), 0U);
}

TEST_F(ServersTest, keep_their_counts_when_others_are_named) {
  ask(one, 1, 1s);
  ask(two, 2, 1s);
  const auto of_two = servers_.all()[1].counters;
  servers_.set({three, two}, false);
  EXPECT_FALSE(servers_.has(one));
  EXPECT_EQ(servers_.all()[1].counters, of_two);
  EXPECT_EQ(counters(0).requests.value(), 0U);
  ask(two, 1, 2s);
  EXPECT_EQ(of_two->requests.value(), 3U);
}

TEST(ResponseHistogram, bounds_belong_to_their_bucket) {
  ResponseHistogram times;
  times.add(0ns);
  times.add(500us);
  times.add(500us + 1ns);
  times.add(10s);
  times.add(10s + 1ns);
  EXPECT_EQ(times.count(0), 2U);
  EXPECT_EQ(times.count(1), 1U);
  EXPECT_EQ(times.count(13), 1U);
  EXPECT_EQ(times.count(14), 1U);
}

TEST_F(ServersTest, one_that_stops_while_another_answers_is_told_once) {
  ask(two, 1, 1s);
  answer(two, 1s);
  ask(two, 19, 2s);
  answer(one, 3s);
  EXPECT_THAT(judge(12s), IsEmpty()) << "not often enough";
  ask(two, 1, 4s);
  EXPECT_THAT(judge(11s + 999ms), IsEmpty()) << "not long enough";
  EXPECT_THAT(judge(12s), ElementsAre("10.9.0.3 silent after 20 in 10 s, others answer"));
  EXPECT_EQ(counters(1).is_not_answering.value(), 1U);
  ask(two, 100, 13s);
  EXPECT_THAT(judge(100s), IsEmpty());
  answer(two, 101s);
  EXPECT_THAT(judge(102s), ElementsAre("10.9.0.3 answers again after 100 s"));
  EXPECT_EQ(counters(1).is_not_answering.value(), 0U);
  EXPECT_THAT(judge(103s), IsEmpty());
}

TEST_F(ServersTest, one_that_never_answered_is_told_too) {
  ask(one, 1, 1s);
  answer(one, 1s);
  ask(two, 20, 1s);
  answer(one, 5s);
  EXPECT_THAT(judge(11s), ElementsAre("10.9.0.3 never answered 20 in 10 s, others answer"));
}

TEST_F(ServersTest, where_others_may_reply_in_its_place_only_one_that_has_answered) {
  servers_.set({one, two}, true);
  ask(two, 100, 1s);
  answer(one, 5s);
  EXPECT_THAT(judge(60s), IsEmpty());
  answer(two, 61s);
  ask(two, 100, 62s);
  answer(one, 63s);
  EXPECT_THAT(judge(80s), ElementsAre("10.9.0.3 silent after 100 in 18 s, others answer"));
}

TEST_F(ServersTest, where_nobody_answers_a_few_requests_are_enough) {
  answer(one, 1s);
  ask(one, 5, 2s);
  ask(two, 4, 2s);
  EXPECT_THAT(judge(31s), IsEmpty());
  EXPECT_THAT(judge(32s), ElementsAre("10.9.0.2 silent after 5 in 30 s, nobody answers"));
}

TEST_F(ServersTest, a_question_of_long_ago_takes_no_time_from_those_of_now) {
  ask(one, 1, 1s);
  ask(two, 1, 1s);
  ask(one, 19, 300s);
  ask(two, 19, 300s);
  answer(one, 300s + 1ms);
  EXPECT_THAT(judge(304s + 999ms), IsEmpty());
  EXPECT_TRUE(is_in_doubt_);
  EXPECT_THAT(judge(305s), ElementsAre("10.9.0.3 never answered 20 in 304 s, others answer"));
}

TEST_F(ServersTest, nor_where_nobody_answers) {
  servers_.set({one}, false);
  ask(one, 4, 1s);
  ask(one, 1, 100s);
  EXPECT_THAT(judge(104s + 999ms), IsEmpty());
  EXPECT_TRUE(is_in_doubt_);
  EXPECT_THAT(judge(105s), ElementsAre("10.9.0.2 never answered 5 in 104 s, nobody answers"));
}

TEST_F(ServersTest, one_alone_is_told_of_as_well) {
  servers_.set({one}, false);
  ask(one, 5, 1s);
  EXPECT_THAT(judge(31s), ElementsAre("10.9.0.2 never answered 5 in 30 s, nobody answers"));
  answer(one, 40s);
  EXPECT_THAT(judge(41s), ElementsAre("10.9.0.2 answers again after 40 s"));
}

TEST_F(ServersTest, what_nobody_answers_is_no_question) {
  for (const MessageKind kind :
       {MessageKind::release, MessageKind::decline, MessageKind::malformed, MessageKind::bootp, MessageKind::other}) {
    ask(one, 100, 1s, kind);
  }
  EXPECT_THAT(judge(100s), IsEmpty());
  EXPECT_FALSE(is_in_doubt_);
  EXPECT_EQ(counters(0).requests.value(), 500U) << "but it is sent";
}

TEST_F(ServersTest, what_cannot_be_sent_is_unanswered) {
  for (int number = 0; number < 20; ++number) {
    servers_.sent(two, true, false, 1s);
  }
  answer(one, 2s);
  EXPECT_THAT(judge(11s), ElementsAre("10.9.0.3 never answered 20 in 10 s, others answer"));
}

TEST_F(ServersTest, an_answer_of_long_ago_says_nothing_of_others) {
  answer(one, 1s);
  ask(two, 20, 2s);
  EXPECT_THAT(judge(13s), IsEmpty()) << "nobody was asked but this one";
}

TEST_F(ServersTest, are_judged_again_for_as_long_as_time_can_tell) {
  EXPECT_FALSE(servers_.take_news());
  ask(one, 1, 1s);
  EXPECT_TRUE(servers_.take_news());
  EXPECT_FALSE(servers_.take_news());
  EXPECT_THAT(judge(2s), IsEmpty());
  EXPECT_TRUE(is_in_doubt_);
  EXPECT_THAT(judge(32s), IsEmpty());
  EXPECT_FALSE(is_in_doubt_) << "one question is no sign, however old";
  answer(one, 33s);
  EXPECT_TRUE(servers_.take_news());
  EXPECT_THAT(judge(34s), IsEmpty());
  EXPECT_FALSE(is_in_doubt_);
}

TEST(Servers6, are_asked_and_answer_as_those_of_ipv4) {
  constexpr Ipv6Address server{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53}};
  Servers6 servers;
  servers.set({server}, false, {"u0"});
  std::vector<ServerEvent> told;
  const auto tell = [&told](const ServerEvent& event) { told.push_back(event); };
  for (int number = 0; number < 5; ++number) {
    servers.sent(server, true, true, 1s);
  }
  EXPECT_TRUE(servers.judge(2s, tell));
  EXPECT_FALSE(servers.judge(31s, tell));
  servers.answered(server, 2ms, 40s);
  EXPECT_FALSE(servers.judge(41s, tell));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].server, IpAddress{server});
  EXPECT_EQ(told[0].zone, "u0");
  EXPECT_FALSE(told[0].is_answering);
  EXPECT_TRUE(told[1].is_answering);
  std::vector<ServerFigures> figures;
  servers.add_figures(figures);
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_EQ(figures[0].address, IpAddress{server});
  EXPECT_EQ(figures[0].zone, "u0");
  EXPECT_EQ(figures[0].counters->requests.value(), 5U);
  EXPECT_EQ(figures[0].counters->replies.value(), 1U);
}

TEST(Servers6, of_a_group_it_is_never_said_that_it_does_not_answer) {
  Servers6 servers;
  servers.set({all_dhcp_servers}, false, {"u0"});
  for (int number = 0; number < 100; ++number) {
    servers.sent(all_dhcp_servers, true, true, 1s);
  }
  const bool is_in_doubt = servers.judge(100s, [](const ServerEvent&) { ADD_FAILURE(); });
  EXPECT_FALSE(is_in_doubt);
  EXPECT_EQ(servers.all()[0].counters->requests.value(), 100U) << "but it is sent";
}

TEST(Liveness6, what_is_for_all_servers_is_a_question) {
  for (const MessageKind6 kind : {MessageKind6::solicit, MessageKind6::rebind, MessageKind6::information_request}) {
    EXPECT_TRUE(expects_answer(kind)) << name(kind);
  }
  for (const MessageKind6 kind :
       {MessageKind6::request, MessageKind6::confirm, MessageKind6::renew, MessageKind6::release, MessageKind6::decline,
        MessageKind6::relay_forward, MessageKind6::other, MessageKind6::malformed}) {
    EXPECT_FALSE(expects_answer(kind)) << name(kind);
  }
}

}  // namespace
}  // namespace relay
