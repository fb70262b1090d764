// How long ago a reply's request was relayed; compared with a map that forgets nothing and never mixes anything up.
#include "relay/core/response_times.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "relay/core/bootp.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way
using std::chrono::nanoseconds;

using Octets = std::array<std::uint8_t, bootp::header_size>;

[[nodiscard]] Octets header_of(std::uint32_t xid, std::uint8_t client = 1) {
  Octets octets{};
  octets[2] = 6;
  std::ranges::copy(Ipv4Address::from_host_order(xid).octets, octets.begin() + 4);
  octets[28] = 2;
  octets[33] = client;
  return octets;
}

class ResponseTimesTest : public ::testing::Test {
 protected:
  void ask(const Octets& octets, MessageKind kind, nanoseconds now) { times_.asked(bootp::Header{octets}, kind, now); }
  [[nodiscard]] std::optional<nanoseconds> answer(const Octets& octets, MessageKind kind, nanoseconds now) const {
    return times_.since_asked(bootp::Header{octets}, kind, now);
  }

  ResponseTimes times_{7};
};

TEST_F(ResponseTimesTest, from_request_to_reply) {
  ask(header_of(1), MessageKind::discover, 10s);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 10s + 1500us), 1500us);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 12s), 2s) << "another server's";
  EXPECT_EQ(answer(header_of(2), MessageKind::offer, 12s), std::nullopt);
  EXPECT_EQ(answer(header_of(1, 2), MessageKind::offer, 12s), std::nullopt) << "another client's";
}

TEST_F(ResponseTimesTest, a_late_offer_does_not_answer_the_request) {
  ask(header_of(1), MessageKind::discover, 10s);
  ask(header_of(1), MessageKind::request, 13s);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 14s), 4s);
  EXPECT_EQ(answer(header_of(1), MessageKind::ack, 14s), 1s);
  EXPECT_EQ(answer(header_of(1), MessageKind::nak, 14s), 1s);
}

TEST_F(ResponseTimesTest, of_requests_that_are_repeated_the_last_one_counts) {
  ask(header_of(1), MessageKind::bootp, 10s);
  ask(header_of(1), MessageKind::bootp, 14s);
  EXPECT_EQ(answer(header_of(1), MessageKind::bootp, 15s), 1s);
}

TEST_F(ResponseTimesTest, what_comes_too_late_answers_nothing) {
  ask(header_of(1), MessageKind::discover, 10s);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 70s), 60s);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 70s + 1ms), std::nullopt);
}

TEST_F(ResponseTimesTest, the_clock_may_be_of_any_age) {
  ask(header_of(1), MessageKind::discover, 24h * 400);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 24h * 400 + 20ms), 20ms);
}

TEST_F(ResponseTimesTest, only_the_octets_of_the_hardware_address_count) {
  Octets longer = header_of(1);
  longer[40] = 9;
  ask(longer, MessageKind::discover, 10s);
  EXPECT_EQ(answer(header_of(1), MessageKind::offer, 11s), 1s);
}

TEST_F(ResponseTimesTest, of_dhcpv6_by_transaction_and_client) {
  const auto message = [](std::uint8_t type, std::uint8_t xid) { return std::array<std::uint8_t, 4>{type, 9, 8, xid}; };
  constexpr Ipv6Address one{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  constexpr Ipv6Address other{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
  const auto asked = message(dhcpv6::message_type::solicit, 1);
  const auto answer = message(dhcpv6::message_type::reply, 1);
  const auto later = message(dhcpv6::message_type::reply, 2);
  times_.asked({asked, one}, 10s);
  EXPECT_EQ(times_.since_asked({answer, one}, 10s + 1500us), 1500us);
  EXPECT_EQ(times_.since_asked({answer, other}, 11s), std::nullopt);
  EXPECT_EQ(times_.since_asked({later, one}, 11s), std::nullopt);
  EXPECT_EQ(times_.since_asked({answer, one}, 70s + 1ms), std::nullopt) << "too late";
}

TEST_F(ResponseTimesTest, agrees_with_a_map_where_it_knows_anything) {
  std::map<std::pair<std::uint32_t, bool>, nanoseconds> twin;
  std::mt19937 random{1};
  std::size_t known = 0;
  std::size_t asked = 0;
  ResponseTimes small{random(), 256};
  nanoseconds now = 1s;
  for (int round = 0; round < 20'000; ++round) {
    const auto xid = static_cast<std::uint32_t>(random() % 64);
    const bool is_offer = random() % 2 == 0;
    const Octets octets = header_of(xid);
    now += std::chrono::microseconds{random() % 1000};
    if (random() % 2 == 0) {
      small.asked(bootp::Header{octets}, is_offer ? MessageKind::discover : MessageKind::request, now);
      twin[{xid, is_offer}] = now;
      continue;
    }
    const auto found = small.since_asked(bootp::Header{octets}, is_offer ? MessageKind::offer : MessageKind::ack, now);
    const auto expected = twin.find({xid, is_offer});
    if (found) {
      ASSERT_NE(expected, twin.end());
      ASSERT_EQ(*found, now - expected->second);
      ++known;
    }
    asked += expected != twin.end() ? 1U : 0U;
  }
  EXPECT_GT(known, asked / 2) << "though many share a place";
}

}  // namespace
}  // namespace relay
