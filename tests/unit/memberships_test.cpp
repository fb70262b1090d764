// Sockets of DHCPv6 and their multicast groups against the kernel, in a namespace of the test's own.
#include "relay/io/memberships.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/socket_address.h"
#include "relay/io/socket_filters.h"
#include "relay/io/sockets.h"
#include "tests/support/message6.h"
#include "tests/support/network_namespace.h"
#include "tests/unit/waiting_datagrams.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;

constexpr Ports6 ports{5470, {}};
constexpr std::uint32_t all = Shedding::all;

/// How many interfaces are members of ff02::1:2.
[[nodiscard]] int member_count() {
  std::ifstream table{"/proc/thread-self/net/igmp6"};
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    count += line.find("ff020000000000000000000000010002") != std::string::npos ? 1 : 0;
  }
  return count;
}

/// c0 is the relay agent's interface, p0 its client's; both are up and need no waiting for their addresses.
class MembershipsTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up", "link add c0 type veth peer name p0", "link set c0 addrgenmode none",
                    "link set p0 addrgenmode none", "link set c0 up", "link set p0 up",
                    "address add fe80::c0/64 dev c0 nodad", "address add fe80::1/64 dev p0 nodad"}));
    c0_ = ::if_nametoindex("c0");
    sockets_ = open_sockets(ports);
    memberships_.emplace(open_membership_holders(), [this](std::uint32_t index, int error) {
      const std::lock_guard lock{mutex_};
      refused_.emplace_back(index, error);
    });
  }
  void TearDown() override {
    memberships_.reset();
    NetworkNamespaceTest::TearDown();
  }

  void want(std::uint32_t index, bool is_wanted = true) {
    memberships_->want(index, is_wanted);
    memberships_->settle();
  }

  /// From p0 to the group, or from this host to itself.
  static void send(const Bytes& message, bool is_multicast) {
    const Descriptor socket{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(ports.server);
    address.sin6_addr = is_multicast ? to_in_addr(all_dhcp_relay_agents_and_servers) : in6addr_loopback;
    address.sin6_scope_id = is_multicast ? ::if_nametoindex("p0") : 0;
    ASSERT_EQ(::sendto(socket.number(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(message.size()));
  }

  [[nodiscard]] std::vector<std::pair<std::uint32_t, int>> refused() {
    const std::lock_guard lock{mutex_};
    return refused_;
  }

  std::uint32_t c0_ = 0;
  Sockets sockets_;
  std::optional<Memberships> memberships_;

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::uint32_t, int>> refused_;
};

TEST_F(MembershipsTest, let_the_sockets_hear_the_group) {
  send(test_support::solicit6(), true);
  EXPECT_EQ(take_waiting(sockets_.requests), 0);
  want(c0_);
  send(test_support::solicit6(), true);
  EXPECT_EQ(take_waiting(sockets_.requests), 1);
  EXPECT_EQ(take_waiting(sockets_.replies), 0);
  want(c0_, false);
  send(test_support::solicit6(), true);
  EXPECT_EQ(take_waiting(sockets_.requests), 0);
}

TEST_F(MembershipsTest, sockets_sort_by_type) {
  want(c0_);
  const Bytes reply = test_support::relay_reply6(test_support::advertise6());
  for (const bool is_multicast : {false, true}) {
    for (const Bytes& request : {test_support::solicit6(), test_support::forwarded6(0, test_support::solicit6()),
                                 test_support::advertise6(), Bytes{}, Bytes{0xff}, Bytes{2}}) {
      send(request, is_multicast);
      EXPECT_EQ(take_waiting(sockets_.requests), 1) << is_multicast << request.size();
      EXPECT_EQ(take_waiting(sockets_.replies), 0) << is_multicast << request.size();
    }
    for (const Bytes& each : {reply, Bytes{13}}) {
      send(each, is_multicast);
      EXPECT_EQ(take_waiting(sockets_.requests), 0) << is_multicast << each.size();
      EXPECT_EQ(take_waiting(sockets_.replies), 1) << is_multicast << each.size();
    }
  }
}

TEST_F(MembershipsTest, sockets_turn_away_by_interface_and_kind) {
  const std::uint32_t lo = ::if_nametoindex("lo");
  const Bytes solicit = test_support::solicit6();
  const Bytes request = test_support::message6(3);
  const auto kept = [&](const Bytes& message) {
    send(message, false);
    return take_waiting(sockets_.requests);
  };
  ASSERT_EQ(accept_requests(sockets_.requests, Family::ipv6, std::vector<Shedding::Share>{{lo, {all, 0}}}), 0);
  EXPECT_EQ(kept(solicit), 0);
  EXPECT_EQ(kept({1}), 0) << "the first octet tells";
  EXPECT_EQ(kept(request), 1);
  EXPECT_EQ(kept({}), 1);
  ASSERT_EQ(accept_requests(sockets_.requests, Family::ipv6, std::vector<Shedding::Share>{{lo, {0, all}}}), 0);
  EXPECT_EQ(kept(solicit), 1);
  EXPECT_EQ(kept(request), 0);
  EXPECT_EQ(shed_kind_of(solicit, Family::ipv6), ShedKind::discover);
  EXPECT_EQ(shed_kind_of(request, Family::ipv6), ShedKind::other);
  EXPECT_EQ(shed_kind_of({}, Family::ipv6), ShedKind::other);
}

TEST_F(MembershipsTest, follow_an_interface_that_comes_back_under_its_index) {
  want(c0_);
  ASSERT_TRUE(ip({"link del c0", "link add c0 index " + std::to_string(c0_) + " type veth peer name p0"}));
  EXPECT_EQ(member_count(), 0) << "the kernel has forgotten";
  memberships_->want(c0_, false);
  want(c0_);
  EXPECT_EQ(member_count(), 1);
}

TEST_F(MembershipsTest, are_renewed_where_nobody_told_that_the_interface_was_gone) {
  want(c0_);
  ASSERT_TRUE(ip({"link del c0", "link add c0 index " + std::to_string(c0_) + " type veth peer name p0"}));
  want(c0_);
  EXPECT_EQ(member_count(), 0);
  memberships_->renew();
  memberships_->settle();
  EXPECT_EQ(member_count(), 1);
}

TEST_F(MembershipsTest, an_interface_that_has_gone_is_nobodys_fault) {
  want(c0_ + 1000);
  EXPECT_TRUE(refused().empty());
}

TEST_F(MembershipsTest, what_is_refused_is_told_and_tried_again) {
  ASSERT_TRUE(ip({"link set c0 mtu 1000"}));  // less than IPv6 needs
  want(c0_);
  ASSERT_EQ(refused().size(), 1U);
  EXPECT_EQ(refused().front(), (std::pair{c0_, EINVAL}));
  ASSERT_TRUE(ip({"link set c0 mtu 1500"}));
  want(c0_);
  EXPECT_EQ(member_count(), 1);
  EXPECT_EQ(refused().size(), 1U);
}

TEST_F(MembershipsTest, what_is_wanted_again_while_it_is_refused_is_tried_again) {
  ASSERT_TRUE(ip({"link set c0 mtu 1000"}));
  memberships_.emplace(open_membership_holders(), [this](std::uint32_t index, int) {
    EXPECT_TRUE(ip({"link set c0 mtu 1500"}));
    memberships_->want(index, true);  // as the interface view would, which has not heard of the refusal yet
  });
  want(c0_);
  EXPECT_EQ(member_count(), 1);
}

TEST_F(MembershipsTest, go_on_at_the_next_holder_where_one_is_full) {
  constexpr int more = 900;  // than one of 20 kB has room for
  std::vector<std::string> lines;
  for (int number = 0; number < more; number += 2) {
    lines.push_back("link add d" + std::to_string(number) + " type veth peer name d" + std::to_string(number + 1));
  }
  ASSERT_TRUE(ip(lines));
  for (int number = 0; number < more; ++number) {
    memberships_->want(::if_nametoindex(("d" + std::to_string(number)).c_str()), true);
  }
  memberships_->settle();
  EXPECT_EQ(member_count(), more);
  EXPECT_TRUE(refused().empty());
}

}  // namespace
}  // namespace relay::io
