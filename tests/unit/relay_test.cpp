// One message through the rate limit, the rules and the transactions, in this order.
#include "relay/core/relay.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::described;
using test_support::discover;
using test_support::drop;
using test_support::first_server;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::no_interface;
using test_support::offer;
using test_support::relayed;
using test_support::s0;
using test_support::TestNetwork;

const std::string no_answer = drop(DropReason::reply_ambiguous);
const std::string answer_to_c0 = "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.1.0.1";
constexpr RateLimit one_per_second{1, 1};

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() { relay_.apply(network_.policy); }

  std::string request(std::uint32_t index, std::chrono::nanoseconds now = 1s,
                      const Bytes& message = discover().octets()) {
    GuardedMessage guarded{message, 300};
    const Ingress ingress{index, ip(0, 0, 0, 0), 68, limited_broadcast, 0, now};
    std::string decision = described(relay_.request(ingress, guarded.buffer()));
    EXPECT_EQ(decision.starts_with("drop"), guarded.is_untouched());
    return decision;
  }
  std::string reply(std::chrono::nanoseconds now = 1s, const Bytes& message = offer().octets()) {
    GuardedMessage guarded{message, 300};
    const Ingress ingress{s0, first_server, 67, ip(10, 1, 0, 1), 0, now};
    return described(relay_.reply(ingress, guarded.buffer()));
  }
  void change(std::uint32_t index, const std::function<void(Interface&)>& edit) { network_.change(index, edit); }
  /// c1 has the giaddr of c0, too.
  void share_giaddr() {
    change(c1, [](Interface& interface) { interface.giaddr = ip(10, 1, 0, 1); });
  }

  TestNetwork network_;
  Relay relay_{network_.interfaces, 1};
};

TEST_F(RelayTest, decides_by_the_policy_that_was_applied) {
  EXPECT_EQ(request(c0), relayed());
  EXPECT_EQ(reply(), answer_to_c0);
  Policy policy;
  policy.add_agent_information = true;
  relay_.apply(policy);
  EXPECT_EQ(request(c0), relayed(AgentInformationOutcome::added));
}

TEST_F(RelayTest, the_rate_limit_comes_before_the_rules) {
  change(c0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  const Bytes too_far = discover().hops(17).octets();
  EXPECT_EQ(request(c0, 1s, too_far), drop(DropReason::hops_exceeded));
  EXPECT_EQ(request(c0, 1s, too_far), drop(DropReason::rate_limited)) << "what the rules drop has cost its share";
  EXPECT_EQ(request(c0, 1s), drop(DropReason::rate_limited));
  EXPECT_EQ(request(c0, 1s, {}), drop(DropReason::rate_limited)) << "of any size";
  EXPECT_EQ(request(c0, 2s), relayed());
  EXPECT_EQ(request(c0, 2s), drop(DropReason::rate_limited));
}

TEST_F(RelayTest, the_rate_limit_is_each_interfaces_own) {
  change(c0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(request(c1), drop(DropReason::rate_limited)) << "no limit";
  }
  change(c1, [](Interface& interface) { interface.rate_limit = one_per_second; });
  EXPECT_EQ(request(c0), relayed());
  EXPECT_EQ(request(c0), drop(DropReason::rate_limited));
  EXPECT_NE(request(c1), drop(DropReason::rate_limited)) << "c0's messages are not c1's";
  EXPECT_EQ(request(c1), drop(DropReason::rate_limited));
}

TEST_F(RelayTest, the_rate_limit_is_for_downstream_interfaces_and_requests) {
  change(s0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(request(s0), drop(DropReason::not_downstream));
    EXPECT_EQ(reply(), answer_to_c0);
  }
  EXPECT_EQ(request(no_interface), drop(DropReason::interface_unknown));
  change(c0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reply(), answer_to_c0) << "replies to it are not counted";
  }
}

TEST_F(RelayTest, a_changed_interface_keeps_its_rate_and_its_counters) {
  change(c0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  network_.interfaces.find(c0)->counters->requests.received(MessageKind::discover).add(3);
  EXPECT_EQ(request(c0), relayed());
  Interface other = *network_.interfaces.find(c0);
  other.alias = "changed";
  other.rate_meter = {};
  other.counters = {};
  network_.interfaces.put(std::move(other));
  EXPECT_EQ(request(c0), drop(DropReason::rate_limited));
  EXPECT_EQ(network_.interfaces.find(c0)->counters->requests.received(), 3U);
  EXPECT_EQ(request(c0, 2s), relayed());

  Interface again = *network_.interfaces.find(c0);
  network_.interfaces.remove(c0);
  again.rate_meter = {};
  network_.interfaces.put(std::move(again));
  EXPECT_EQ(request(c0, 2s), relayed()) << "one that comes back starts anew";
}

TEST_F(RelayTest, a_shared_giaddr_is_answered_where_the_request_came_from) {
  share_giaddr();
  EXPECT_EQ(reply(), no_answer);
  EXPECT_NE(request(c1), drop(DropReason::giaddr_own));
  EXPECT_EQ(reply(), "c1 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.2.0.1");
  EXPECT_EQ(reply(1s, offer().xid(1).octets()), no_answer) << "another transaction";
  EXPECT_EQ(request(c0, 2s), relayed());
  EXPECT_EQ(reply(2s), no_answer) << "seen on both";
}

TEST_F(RelayTest, the_lifetime_counts_from_the_messages_arrivals) {
  share_giaddr();
  EXPECT_EQ(request(c0, 100s), relayed());
  EXPECT_EQ(reply(100s + Transactions::lifetime - 1ns), answer_to_c0);
  EXPECT_EQ(reply(100s + Transactions::lifetime), no_answer);
}

TEST_F(RelayTest, what_was_dropped_is_not_remembered) {
  share_giaddr();
  EXPECT_EQ(request(c0, 1s, discover().hops(17).octets()), drop(DropReason::hops_exceeded));
  EXPECT_EQ(reply(), no_answer);
  change(c0, [](Interface& interface) { interface.rate_limit = one_per_second; });
  EXPECT_EQ(request(c0, 2s, discover().xid(9).octets()), relayed());
  EXPECT_EQ(request(c0, 2s), drop(DropReason::rate_limited));
  EXPECT_EQ(reply(2s), no_answer);
}

TEST_F(RelayTest, a_giaddr_of_one_interface_alone_is_not_remembered) {
  EXPECT_EQ(request(c0), relayed());
  share_giaddr();
  EXPECT_EQ(reply(), no_answer);
}

TEST_F(RelayTest, what_another_relay_agent_sent_is_not_remembered) {
  share_giaddr();
  EXPECT_EQ(request(c0, 1s, discover().giaddr(ip(10, 50, 0, 1)).octets()), relayed());
  EXPECT_EQ(reply(), no_answer) << "its answer goes to that relay agent";
}

TEST_F(RelayTest, an_interface_that_lost_the_giaddr_gets_no_answer) {
  share_giaddr();
  EXPECT_NE(request(c1), drop(DropReason::giaddr_own));
  change(c1, [](Interface& interface) { interface.giaddr = ip(10, 2, 0, 1); });
  EXPECT_EQ(reply(), answer_to_c0) << "giaddr is c0's alone now";
  network_.interfaces.remove(c1);
  EXPECT_EQ(reply(), answer_to_c0);
  Interface third = *network_.interfaces.find(c0);
  third.index = 50;
  third.name = "c50";
  network_.interfaces.put(std::move(third));
  EXPECT_EQ(reply(), no_answer) << "c1 is remembered and gone";
}

}  // namespace
}  // namespace relay
