// Events of messages in their stages, and the verdicts that they leave in the queue.
#include "relay/capture/verdict_tap.h"

#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network6.h"

namespace relay::capture {
namespace {

using test_support::Bytes;
using test_support::discover;
using test_support::ip;

class VerdictTapTest : public testing::Test {
 protected:
  void receive(std::uint64_t serial, const Bytes& message) {
    tap_.message({MessageStage::received, ingress_, nullptr, message, nullptr, serial});
  }
  void forward(std::uint64_t serial, const Bytes& message) {
    const Decision decision = ToServers{servers_, {}, AgentInformationOutcome::added};
    tap_.message({MessageStage::forwarded, ingress_, nullptr, message, &decision, serial});
  }
  void drop(std::uint64_t serial, const Bytes& message, DropReason reason = DropReason::hops_exceeded) {
    const Decision decision = Drop{reason};
    tap_.dropped({MessageStage::dropped, ingress_, nullptr, message, &decision, serial});
  }
  std::optional<Verdict> take() {
    const Verdict* const front = queue_.front();
    if (front == nullptr) {
      return std::nullopt;
    }
    const Verdict verdict = *front;
    queue_.pop();
    return verdict;
  }

  const Bytes received_ = discover().octets();
  const Bytes sent_ = discover().giaddr(ip(10, 1, 0, 1)).agent_information({1, 1, 7}).octets();
  const Ingress ingress_{2, ip(10, 1, 0, 7), 68, limited_broadcast};
  const std::vector<Ipv4Address> servers_{ip(10, 9, 0, 2)};
  VerdictQueue queue_{4};
  VerdictTap tap_{queue_};
};

TEST_F(VerdictTapTest, a_closed_tap_leaves_nothing) {
  EXPECT_FALSE(tap_.is_open());
  receive(1, received_);
  forward(1, sent_);
  drop(2, received_);
  tap_.send_failed({DropReason::send_failed, nullptr, ip(10, 9, 0, 2), 101, 1});
  EXPECT_FALSE(take());
  EXPECT_EQ(queue_.lost(), 0U);
}

TEST_F(VerdictTapTest, a_message_has_its_verdict_when_it_is_forwarded) {
  tap_.open();
  receive(7, received_);
  EXPECT_FALSE(take());
  forward(7, sent_);
  const auto verdict = take();
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->serial, 7U);
  EXPECT_EQ(verdict->kind, VerdictKind::to_servers);
  EXPECT_EQ(verdict->received, fingerprint(received_));
  EXPECT_EQ(verdict->sent, fingerprint(sent_));
  EXPECT_FALSE(take());
}

TEST_F(VerdictTapTest, a_message_that_is_dropped_may_not_have_been_told_before) {
  tap_.open();
  receive(1, received_);
  drop(1, received_);
  drop(2, sent_);
  const auto told = take();
  const auto untold = take();
  ASSERT_TRUE(told && untold);
  EXPECT_EQ(told->serial, 1U);
  EXPECT_EQ(told->received, fingerprint(received_));
  EXPECT_EQ(untold->serial, 2U);
  EXPECT_EQ(untold->received, fingerprint(sent_));
}

TEST_F(VerdictTapTest, the_policy_is_the_last_that_was_applied) {
  tap_.open();
  for (const std::uint8_t hops : std::vector<std::uint8_t>{9, 5}) {
    Policy policy;
    policy.max_hops = hops;
    tap_.apply(policy);
    drop(hops, received_);
    EXPECT_EQ(take()->limit, hops);
  }
}

TEST_F(VerdictTapTest, a_tap_that_is_opened_between_the_stages_of_a_message_leaves_that_out) {
  receive(1, received_);
  tap_.open();
  forward(1, sent_);
  EXPECT_FALSE(take());
  receive(2, received_);
  forward(2, sent_);
  EXPECT_EQ(take()->serial, 2U);
}

TEST_F(VerdictTapTest, a_tap_that_was_closed_for_a_while_mistakes_no_message_for_an_earlier_one) {
  tap_.open();
  receive(1, received_);
  tap_.close();
  forward(1, sent_);
  receive(2, sent_);
  tap_.open();
  forward(2, sent_);
  EXPECT_FALSE(take());
}

TEST_F(VerdictTapTest, a_copy_that_could_not_be_sent) {
  tap_.open();
  for (int round = 0; round < 4; ++round) {  // so that each place of the queue has held something
    receive(1, received_);
    forward(1, sent_);
    ASSERT_TRUE(take());
  }
  tap_.send_failed({DropReason::send_buffer_full, nullptr, ip(10, 9, 0, 2), 105, 1});
  const auto verdict = take();
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->serial, 1U);
  EXPECT_EQ(verdict->kind, VerdictKind::send_failed);
  EXPECT_EQ(verdict->reason, DropReason::send_buffer_full);
  EXPECT_EQ(verdict->destination, ip(10, 9, 0, 2));
  EXPECT_EQ(verdict->error, 105);
  EXPECT_EQ(verdict->received, 0U);
  EXPECT_EQ(verdict->server_count, 0U);
  EXPECT_TRUE(verdict->option82_content().empty());
}

TEST_F(VerdictTapTest, what_finds_no_place_is_counted) {
  tap_.open();
  for (std::uint64_t serial = 1; serial <= 4; ++serial) {
    drop(serial, received_);
  }
  drop(5, received_);
  receive(6, received_);
  forward(6, sent_);
  tap_.send_failed({DropReason::send_failed, nullptr, ip(10, 9, 0, 2), 101, 6});
  EXPECT_EQ(queue_.lost(), 3U);
  EXPECT_EQ(take()->serial, 1U);
}

TEST_F(VerdictTapTest, each_protocol_has_a_tap_and_serials_of_its_own) {
  VerdictTap6 tap6{queue_};
  tap_.open();
  tap6.open();
  const Bytes solicit = test_support::solicit6();
  const Ingress6 ingress = test_support::from_client();
  const Decision6 decision = Drop{DropReason::no_server};
  receive(1, received_);
  tap6.dropped({MessageStage::dropped, ingress, nullptr, solicit, &decision, 1});
  forward(1, sent_);
  const auto of_dhcpv6 = take();
  const auto of_dhcpv4 = take();
  ASSERT_TRUE(of_dhcpv6 && of_dhcpv4);
  EXPECT_EQ(of_dhcpv6->family(), Family::ipv6);
  EXPECT_EQ(of_dhcpv6->received, fingerprint(solicit));
  EXPECT_EQ(of_dhcpv4->family(), Family::ipv4);
  EXPECT_EQ(of_dhcpv4->received, fingerprint(received_));
  tap6.send_failed({DropReason::send_failed, nullptr, test_support::ip6("2001:db8:53::10"), 101, 2});
  EXPECT_EQ(take()->destination, test_support::ip6("2001:db8:53::10"));
}

}  // namespace
}  // namespace relay::capture
