// The data path with the kernel's sockets, in a namespace of the test's own: no allocation per message, and what
// becomes of messages that the kernel merged or could not keep. Counts with the operator new of this executable
// (allocations.h).
#include "relay/io/data_path.h"

#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "options82/edit.h"
#include "relay/core/bootp.h"
#include "relay/core/frame.h"
#include "tests/support/network_namespace.h"
#include "tests/unit/allocations.h"
#include "tests/unit/serve_until.h"
#include "tests/unit/tap.h"

namespace relay::io {
namespace {

using test_support::ip;

constexpr Ipv4Address here{{10, 2, 0, 1}};
constexpr Ipv4Address server{{127, 0, 0, 5}};
constexpr Ipv4Address gateway{{10, 1, 0, 1}};
constexpr Ports ports{6767, 6768};
constexpr std::size_t message_size = 300;

using Octets = std::array<std::uint8_t, message_size>;

[[nodiscard]] Octets message_with(std::uint8_t op, Ipv4Address giaddr) {
  Octets message{};
  message[0] = op;
  message[1] = bootp::htype_ethernet;
  message[2] = 6;
  std::ranges::copy(giaddr.octets, message.begin() + 24);
  message[28] = 2;
  std::ranges::copy(bootp::magic_cookie, message.begin() + bootp::header_size);
  std::ranges::copy(std::array<std::uint8_t, 4>{53, 1, 3, 255}, message.begin() + bootp::options_offset);
  return message;
}

/// Requests come from the loopback interface and go back to it, where they are dropped, since they have come round;
/// replies come from there too, for clients on c0.
class DataPathTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up", "addr add 10.2.0.1/32 dev lo", "link add c0 type veth peer name p0",
                    "link set p0 up", "addr add 10.1.0.1/24 dev c0", "link set c0 up"}));
    sockets_ = open_sockets(ports);
    sender_ = Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ASSERT_TRUE(sender_.is_open());
    add_interface("lo", here);
    add_interface("c0", gateway);
    Listener listener;
    listener.dropped = [this](const MessageEvent& event) { last_drop_ = std::get_if<Drop>(event.decision)->reason; };
    listener.kernel_lost = [this](const KernelLoss& loss) {
      (loss.reason == DropReason::queue_full ? turned_away_ : lost_) += loss.count;
    };
    data_path_.emplace(sockets_, ports, table_,
                       LinkNews{[] { return false; }, [] {}, [] { return false; }, [](Ipv4Address) { return true; }},
                       listener);
    Policy policy;
    policy.add_agent_information = true;
    policy.replies_from_anyone = true;
    data_path_->apply(policy);
  }

  void add_interface(const char* name, Ipv4Address address) {
    Interface interface;
    interface.index = ::if_nametoindex(name);
    interface.name = name;
    interface.is_up = interface.is_downstream = interface.is_upstream = true;
    interface.is_ethernet = address == gateway;
    interface.addresses = {{address, 24}};
    interface.giaddr = address;
    interface.servers = {server};
    ASSERT_TRUE(interface.agent_information.add(options82::SubOption::circuit_id, {interface.name}));
    table_.put(interface);
  }

  [[nodiscard]] Counters& counters(const char* name) { return *table_.find(::if_nametoindex(name))->counters; }

  /// One datagram, or several of `segment` octets.
  void send(std::span<const std::uint8_t> octets, std::uint16_t segment = 0, std::uint16_t port = ports.server) {
    const int value = segment;
    ASSERT_EQ(::setsockopt(sender_.number(), IPPROTO_UDP, UDP_SEGMENT, &value, sizeof(value)), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::sendto(sender_.number(), octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(octets.size()));
  }

  template <typename Condition>
  [[nodiscard]] bool comes_true(Condition condition) {
    return serve_until(*data_path_, condition);
  }
  /// With what was relayed come round.
  [[nodiscard]] bool forwards(std::uint64_t requests, std::uint64_t replies) {
    return comes_true([this, requests, replies] {
      return counters("lo").requests.forwarded() >= requests &&
             counters("lo").dropped(DropReason::giaddr_own) >= requests &&
             counters("c0").replies.forwarded() >= replies;
    });
  }

  InterfaceTable table_;
  Sockets sockets_;
  Descriptor sender_;
  std::optional<DropReason> last_drop_;
  std::uint64_t lost_ = 0;
  std::uint64_t turned_away_ = 0;
  std::optional<DataPath> data_path_;
};

/// With what the kernel merged, and what leaves merged, or without.
TEST_F(DataPathTest, allocates_nothing_once_it_runs) {
  constexpr int run_length = 5;
  const Octets request = message_with(bootp::op_request, {});
  const Octets reply = message_with(bootp::op_reply, gateway);
  const Octets bad = message_with(9, {});
  std::vector<std::uint8_t> run;
  for (int number = 0; number < run_length; ++number) {
    run.insert(run.end(), request.begin(), request.end());
  }
  std::uint64_t sent = 0;
  for (const bool in_runs : {false, true}) {
    data_path_->form_runs(in_runs);
    std::uint64_t before = 0;
    for (int round = 0; round < 300; ++round) {
      if (round == 20) {
        before = test_support::allocations();
      }
      for (int number = 0; number < (in_runs ? 2 : 10); ++number) {
        in_runs ? send(run, message_size) : send(request);
      }
      for (int number = 0; number < 10; ++number) {
        send(reply);
        send(bad);
      }
      sent += 10;
      ASSERT_TRUE(forwards(sent, sent));
      ASSERT_TRUE(comes_true([this, sent] { return counters("lo").dropped(DropReason::bad_op) >= sent; }));
    }
    EXPECT_EQ(test_support::allocations(), before) << (in_runs ? "in runs" : "one by one");
  }
  EXPECT_EQ(counters("lo").requests.forwarded(), 6000U);
  EXPECT_EQ(counters("lo").dropped(DropReason::bad_op), 6000U);
  EXPECT_EQ(counters("lo").dropped(DropReason::giaddr_own), 6000U) << "which have come round";
  EXPECT_EQ(counters("c0").replies.forwarded(), 6000U);
}

TEST_F(DataPathTest, of_merged_messages_each_goes_by_its_own_op) {
  const Octets request = message_with(bootp::op_request, {});
  const Octets reply = message_with(bootp::op_reply, gateway);
  std::uint64_t sent = 0;
  for (const bool reply_first : {true, false}) {
    std::vector<std::uint8_t> run;
    for (int number = 0; number < 3; ++number) {
      const Octets& first = reply_first ? reply : request;
      const Octets& second = reply_first ? request : reply;
      run.insert(run.end(), first.begin(), first.end());
      run.insert(run.end(), second.begin(), second.end());
    }
    send(run, message_size);
    sent += 3;
    ASSERT_TRUE(forwards(sent, sent));
  }
  EXPECT_EQ(counters("lo").requests.forwarded(), 6U);
  EXPECT_EQ(counters("c0").replies.forwarded(), 6U);
}

TEST_F(DataPathTest, the_relay_port_takes_replies_alone) {
  send(message_with(bootp::op_request, {}), 0, *ports.relay);
  send(message_with(bootp::op_reply, gateway), 0, *ports.relay);
  ASSERT_TRUE(forwards(0, 1));
  ASSERT_TRUE(comes_true([this] { return counters("lo").dropped(DropReason::bad_op) >= 1; }));
  EXPECT_EQ(counters("lo").requests.forwarded(), 0U);
  EXPECT_EQ(counters("lo").dropped(DropReason::bad_op), 1U);
  EXPECT_EQ(counters("c0").replies.forwarded(), 1U);
}

TEST_F(DataPathTest, messages_that_are_told_are_neither_merged_nor_sent_in_runs) {
  const Octets request = message_with(bootp::op_request, {});
  std::uint64_t sent = 0;
  for (const bool per_message : {false, true}) {
    data_path_->tell_messages(per_message);
    data_path_->form_runs(true);
    Tap tap{"lo", ETH_P_IP};
    for (int number = 0; number < 10; ++number) {
      send(request);
    }
    sent += 10;
    ASSERT_TRUE(forwards(sent, 0));
    std::size_t longest = 0;
    for (const auto& packet : tap.packets()) {
      longest = std::max(longest, packet.size());
    }
    EXPECT_GT(longest, message_size);
    EXPECT_EQ(longest > 2 * message_size, !per_message) << longest;
  }
  EXPECT_EQ(counters("lo").requests.forwarded(), sent);
}

TEST_F(DataPathTest, what_was_merged_before_messages_are_told_is_told_apart) {
  const Octets request = message_with(bootp::op_request, {});
  const Octets reply = message_with(bootp::op_reply, gateway);
  for (const Octets& message : {request, reply}) {
    std::vector<std::uint8_t> run;
    for (int number = 0; number < 5; ++number) {
      run.insert(run.end(), message.begin(), message.end());
    }
    send(run, message_size);
  }
  data_path_->tell_messages(true);
  ASSERT_TRUE(forwards(5, 5));
  EXPECT_EQ(counters("lo").requests.forwarded(), 5U);
  EXPECT_EQ(counters("c0").replies.forwarded(), 5U);
}

/// As they would be alone: RFC 1542 section 2.1 asks for 300 octets.
TEST_F(DataPathTest, short_replies_that_were_merged_are_padded_without_harm_to_the_next) {
  constexpr std::uint16_t size = 280;
  constexpr std::size_t count = 5;
  Octets reply = message_with(bootp::op_reply, gateway);
  std::ranges::copy(std::array<std::uint8_t, 10>{53, 1, 5, 82, 4, 1, 2, 'c', '0', 255},
                    reply.begin() + bootp::options_offset);
  std::vector<std::uint8_t> run;
  for (std::size_t number = 0; number < count; ++number) {
    reply[33] = static_cast<std::uint8_t>(number);
    run.insert(run.end(), reply.begin(), reply.begin() + size);
  }
  Tap tap{"p0", ETH_P_IP, SOCK_RAW};
  send(run, size);
  ASSERT_TRUE(comes_true([&] { return tap.packets().size() >= count; }));
  EXPECT_EQ(counters("c0").replies.forwarded(), count);
  ASSERT_EQ(tap.packets().size(), count);
  for (std::size_t number = 0; number < count; ++number) {
    const auto& frame = tap.packets()[number];
    ASSERT_EQ(frame.size(), frame_headers_size + options82::min_message_size);
    const auto message = std::span{frame}.subspan<frame_headers_size>();
    EXPECT_EQ(message[0], bootp::op_reply);
    EXPECT_EQ(message[33], number);
    EXPECT_EQ(message[bootp::options_offset + 3], 255) << "option 82 is gone";
    EXPECT_EQ(std::ranges::count(message.subspan(bootp::options_offset + 4), 0), 56);
  }
}

/// Every request is relayed, given up or lost, and each of these is counted.
TEST_F(DataPathTest, counts_what_a_burst_was_too_large_for) {
  constexpr std::uint64_t sent = 40'000;
  data_path_->tell_messages(true);  // of merged messages the kernel counts one
  const Octets request = message_with(bootp::op_request, {});
  for (std::uint64_t number = 0; number < sent; ++number) {
    send(request);
  }
  const Counters& of_lo = counters("lo");
  EXPECT_TRUE(comes_true([&] {
    return !data_path_->has_open_question() && of_lo.requests.received() + lost_ >= sent + of_lo.requests.forwarded();
  }));
  const std::uint64_t relayed = of_lo.requests.forwarded();
  const std::uint64_t received = of_lo.requests.received();
  EXPECT_GT(relayed, 1000U);
  EXPECT_GT(lost_, 0U);
  EXPECT_EQ(received, relayed + of_lo.dropped(DropReason::giaddr_own) + of_lo.dropped(DropReason::queue_full));
  EXPECT_EQ(received + lost_, sent + relayed) << "what was relayed has come round";
  EXPECT_EQ(table_.unattributed().dropped(DropReason::lost_in_kernel), lost_);
}

/// The kernel turns some of it away when it has lasted, all when it is over is as before, and each is counted.
TEST_F(DataPathTest, a_flood_that_lasts_is_turned_away_in_the_kernel) {
  const Octets request = message_with(bootp::op_request, {});
  std::uint64_t sent = 0;
  for (int turn = 0; turn < 20'000 && turned_away_ == 0; ++turn) {
    for (int number = 0; number < 500; ++number, ++sent) {
      send(request);
    }
    static_cast<void>(data_path_->serve());
  }
  EXPECT_GT(turned_away_, 0U);
  EXPECT_EQ(lost_, 0U) << "the socket had room, so that everything else was turned away too";
  const Counters& of_lo = counters("lo");
  const auto relayed = [&of_lo] { return of_lo.requests.forwarded(); };
  const auto settles = [&] {
    return comes_true(
        [&] { return !data_path_->has_open_question() && of_lo.requests.received() + lost_ >= sent + relayed(); });
  };
  ASSERT_TRUE(settles());
  EXPECT_EQ(lost_, 0U);
  EXPECT_GE(of_lo.dropped(DropReason::queue_full), turned_away_);
  EXPECT_EQ(of_lo.requests.received(),
            relayed() + of_lo.dropped(DropReason::giaddr_own) + of_lo.dropped(DropReason::queue_full));
  EXPECT_EQ(of_lo.requests.received() + lost_, sent + relayed()) << "what was relayed has come round";

  const std::uint64_t before = relayed();
  for (int number = 0; number < 100; ++number, ++sent) {
    send(request);
  }
  ASSERT_TRUE(settles());
  EXPECT_EQ(relayed(), before + 100);
}

TEST_F(DataPathTest, what_is_over_the_rate_limit_takes_no_place_in_the_queue) {
  constexpr std::uint64_t sent = 9'000;  // more than there are places, and less than the kernel keeps
  const std::uint32_t lo = ::if_nametoindex("lo");
  Interface limited = *table_.find(lo);
  limited.rate_limit = RateLimit{1, 10};
  table_.put(limited);
  data_path_->tell_messages(true);  // each message is a datagram of its own
  const Octets request = message_with(bootp::op_request, {});
  for (std::uint64_t number = 0; number < sent; ++number) {
    send(request);
  }
  const Counters& of_lo = counters("lo");
  ASSERT_TRUE(comes_true([&of_lo] { return of_lo.requests.received() >= sent + of_lo.requests.forwarded(); }));
  EXPECT_GE(of_lo.requests.forwarded(), 10U);
  EXPECT_GT(of_lo.dropped(DropReason::rate_limited), sent / 2);
  EXPECT_EQ(of_lo.dropped(DropReason::queue_full), 0U);
  EXPECT_EQ(of_lo.requests.received(), of_lo.requests.forwarded() + of_lo.dropped(DropReason::giaddr_own) +
                                           of_lo.dropped(DropReason::rate_limited));
}

}  // namespace
}  // namespace relay::io
