// What the kernel sorts and turns away, with its own sockets in a namespace of the test's own.
#include "relay/io/socket_filters.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/sockets.h"
#include "tests/support/message_builder.h"
#include "tests/support/network_namespace.h"
#include "tests/unit/waiting_datagrams.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::MessageBuilder;

constexpr Ports ports{6767, {}};
constexpr std::uint32_t all = Shedding::all;

class SocketFilters : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up"}));
    lo_ = ::if_nametoindex("lo");
    sockets_ = open_sockets(ports);
    sender_ = Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    constexpr int on = 1;
    ASSERT_EQ(::setsockopt(sender_.number(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
  }

  void send(const Bytes& message, const char* destination = "127.0.0.1") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(ports.server);
    ASSERT_EQ(::inet_pton(AF_INET, destination, &address.sin_addr), 1);
    ASSERT_EQ(::sendto(sender_.number(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(message.size()));
  }

  /// Of so many.
  [[nodiscard]] int kept(const Bytes& message, int of = 1, const char* destination = "127.0.0.1") {
    for (int number = 0; number < of; ++number) {
      send(message, destination);
    }
    return take_waiting(sockets_.requests);
  }

  void shed(const std::vector<Shedding::Share>& shares) const {
    ASSERT_EQ(accept_requests(sockets_.requests, Family::ipv4, shares), 0);
  }

  std::uint32_t lo_ = 0;
  Sockets sockets_;
  Descriptor sender_;
  const Bytes discover_ = MessageBuilder{}.message_type(1).octets();
  const Bytes request_ = MessageBuilder{}.message_type(3).octets();
  const Bytes reply_ = MessageBuilder{}.op(2).message_type(2).octets();
};

TEST_F(SocketFilters, sort_by_op) {
  for (const char* destination : {"127.0.0.1", "127.255.255.255"}) {
    EXPECT_EQ(kept(discover_, 1, destination), 1) << destination;
    EXPECT_EQ(kept({}, 1, destination), 1) << destination;
    EXPECT_EQ(kept({1}, 1, destination), 1) << destination;
    EXPECT_EQ(kept({0xff}, 1, destination), 1) << destination;
    EXPECT_EQ(take_waiting(sockets_.replies), 0) << destination;
    EXPECT_EQ(kept(reply_, 1, destination), 0) << destination;
    EXPECT_EQ(take_waiting(sockets_.replies), 1) << destination;
    EXPECT_EQ(kept({2}, 1, destination), 0) << destination;
    EXPECT_EQ(take_waiting(sockets_.replies), 1) << destination;
  }
}

TEST_F(SocketFilters, turn_away_by_interface_and_kind) {
  shed({{lo_, {all, 0}}});
  EXPECT_EQ(kept(discover_, 20), 0);
  EXPECT_EQ(kept(request_, 20), 20);
  EXPECT_EQ(kept({}, 20), 20) << "whatever is no DHCPDISCOVER";
  EXPECT_EQ(kept({discover_.begin(), discover_.begin() + 242}, 20), 20) << "also one that ends too early";
  EXPECT_EQ(kept({discover_.begin(), discover_.begin() + 243}, 20), 0);
  EXPECT_EQ(kept(reply_, 20), 0);
  EXPECT_EQ(take_waiting(sockets_.replies), 20) << "replies are never turned away";
  shed({{lo_, {0, all}}});
  EXPECT_EQ(kept(discover_, 20), 20);
  EXPECT_EQ(kept(request_, 20), 0);
  EXPECT_EQ(kept({}, 20), 0);
  shed({{lo_ + 1, {0, 0}}});
  EXPECT_EQ(kept(discover_, 20), 20) << "another interface";
  EXPECT_EQ(kept(request_, 20), 20);
  shed({});
  EXPECT_EQ(kept(discover_, 20), 20);
}

TEST_F(SocketFilters, tell_kinds_apart_as_shed_kind_of_does) {
  shed({{lo_, {all, 0}}});
  Bytes padded = discover_;
  padded.insert(padded.begin() + 240, 0);
  Bytes without_cookie = discover_;
  without_cookie[239] = 0;
  for (const Bytes& each : {discover_, request_, padded, without_cookie, Bytes{}, Bytes(242, 1),
                            Bytes(discover_.begin(), discover_.begin() + 243)}) {
    EXPECT_EQ(kept(each) == 1, shed_kind_of(each, Family::ipv4) == ShedKind::other) << each.size();
  }
  EXPECT_EQ(shed_kind_of(discover_, Family::ipv4), ShedKind::discover);
  EXPECT_EQ(shed_kind_of(padded, Family::ipv4), ShedKind::other);
}

TEST_F(SocketFilters, keep_a_share) {
  shed({{lo_, {all, all / 4}}});
  const int count = kept(discover_, 4000);  // 1000, and a standard deviation of 27
  EXPECT_GT(count, 700);
  EXPECT_LT(count, 1300);
}

TEST_F(SocketFilters, hold_as_many_shares_as_there_can_be) {
  std::vector<Shedding::Share> shares;
  for (std::uint32_t number = 1; number < Shedding::max_flows; ++number) {
    shares.push_back({lo_ + number, {0, 0}});
  }
  shares.insert(shares.begin() + 7, {lo_, {all, 0}});
  shed(shares);
  EXPECT_EQ(kept(discover_, 20), 0);
  EXPECT_EQ(kept(request_, 20), 20);
}

}  // namespace
}  // namespace relay::io
