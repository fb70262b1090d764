// Datagrams of DHCPv6 to and from the kernel, in a namespace of the test's own: scopes, sources, hop limits, and runs.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/receive_batch.h"
#include "relay/io/request_queue.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"
#include "tests/support/message6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::described;
using test_support::ip;
using test_support::ip6;
using ::testing::ElementsAre;

constexpr Ports6 ports{5470, {}};
constexpr std::uint16_t peer_port = 5460;

/// c0 is the relay agent's interface, p0 that of its peer.
class Batches6 : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(
        ip({"link set lo up", "link add c0 type veth peer name p0", "link set c0 addrgenmode none",
            "link set p0 addrgenmode none", "link set c0 up", "link set p0 up", "address add fe80::c0/64 dev c0 nodad",
            "address add fe80::1/64 dev p0 nodad", "address add 2001:db8:1::1/64 dev c0 nodad"}));
    c0_ = ::if_nametoindex("c0");
    sockets_ = open_sockets(ports);
    open_peer();
  }

  void open_peer() {
    peer_ = Descriptor{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    constexpr int on = 1;
    ASSERT_EQ(::setsockopt(peer_.number(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)), 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(peer_port);
    ASSERT_EQ(::bind(peer_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ipv6_mreq membership{};
    membership.ipv6mr_multiaddr = to_in_addr(all_dhcp_servers);
    membership.ipv6mr_interface = ::if_nametoindex("p0");
    ASSERT_EQ(::setsockopt(peer_.number(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership, sizeof(membership)), 0);
  }

  struct AtPeer {
    std::string source;
    int hop_limit = 0;
    std::size_t size = 0;
  };

  /// The next datagram at the peer; nothing where none comes within 5 s.
  [[nodiscard]] std::optional<AtPeer> next_at_peer() const {
    pollfd waiting{peer_.number(), POLLIN, 0};
    if (::poll(&waiting, 1, 5000) != 1) {
      return std::nullopt;
    }
    std::array<std::uint8_t, 2048> octets{};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control{};
    sockaddr_in6 source{};
    iovec part{octets.data(), octets.size()};
    msghdr header{};
    header.msg_name = &source;
    header.msg_namelen = sizeof(source);
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(peer_.number(), &header, 0);
    AtPeer result{described(from_in_addr(source.sin6_addr)), 0, static_cast<std::size_t>(size)};
    const cmsghdr* const first = CMSG_FIRSTHDR(&header);
    if (first != nullptr && first->cmsg_type == IPV6_HOPLIMIT) {
      std::memcpy(&result.hop_limit, CMSG_DATA(first), sizeof(result.hop_limit));
    }
    return result;
  }

  /// The errors of all that is in the batch.
  [[nodiscard]] std::vector<int> sent() {
    std::vector<int> errors;
    batch_.send(sockets_.requests.number(), [&](const Sending6&, int error) { errors.push_back(error); });
    return errors;
  }

  std::uint32_t c0_ = 0;
  Sockets sockets_;
  Descriptor peer_;
  DatagramBatch6 batch_{8};
  Interface interface_;
};

TEST_F(Batches6, reach_a_link_local_peer_on_its_link) {
  const Bytes message = test_support::advertise6();
  batch_.add({&interface_, 0, ip6("fe80::1")}, message, ip6("fe80::c0"), peer_port, c0_);
  EXPECT_THAT(sent(), ElementsAre(0));
  const auto came = next_at_peer();
  ASSERT_TRUE(came);
  EXPECT_EQ(came->source, "fe80::c0");
  EXPECT_EQ(came->hop_limit, 64);
  EXPECT_EQ(came->size, message.size());
}

TEST_F(Batches6, reach_a_group_on_its_interface_eight_hops_far) {
  const Bytes message = test_support::solicit6();
  batch_.add({&interface_, 0, all_dhcp_servers}, message, ip6("2001:db8:1::1"), peer_port, c0_);
  EXPECT_THAT(sent(), ElementsAre(0));
  const auto came = next_at_peer();
  ASSERT_TRUE(came);
  EXPECT_EQ(came->source, "2001:db8:1::1");
  EXPECT_EQ(came->hop_limit, 8);
}

TEST_F(Batches6, leave_in_runs_that_arrive_as_single_messages) {
  const Bytes message = test_support::solicit6();
  batch_.form_runs(true);
  for (int count = 0; count < 5; ++count) {
    batch_.add({&interface_, 0, ip6("fe80::1")}, message, ip6("fe80::c0"), peer_port, c0_);
  }
  EXPECT_THAT(sent(), ElementsAre(0, 0, 0, 0, 0));
  for (int count = 0; count < 5; ++count) {
    const auto came = next_at_peer();
    ASSERT_TRUE(came) << count;
    EXPECT_EQ(came->size, message.size()) << count;
  }
}

TEST_F(Batches6, one_that_cannot_be_sent_keeps_none_back) {
  const Bytes message = test_support::advertise6();
  batch_.add({&interface_, 0, ip6("fe80::1")}, message, ip6("fe80::bad"), peer_port, c0_);
  batch_.add({&interface_, 0, ip6("fe80::1")}, message, ip6("fe80::c0"), peer_port, c0_);
  const auto errors = sent();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_NE(errors[0], 0) << "no address of ours";
  EXPECT_EQ(errors[1], 0);
}

TEST_F(Batches6, tell_where_a_message_came) {
  const Bytes message = test_support::solicit6();
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(ports.server);
  address.sin6_addr = to_in_addr(ip6("fe80::c0"));
  address.sin6_scope_id = ::if_nametoindex("p0");
  ASSERT_EQ(::sendto(peer_.number(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address)),
            static_cast<ssize_t>(message.size()));
  pollfd waiting{sockets_.requests.number(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
  ReceiveBatch6 batch{4};
  ASSERT_EQ(batch.receive(sockets_.requests.number()), 1U);
  const Received6 received = batch.received(0);
  EXPECT_EQ(received.ingress.interface_index, c0_);
  EXPECT_EQ(described(received.ingress.source), "fe80::1");
  EXPECT_EQ(received.ingress.source_port, peer_port);
  EXPECT_EQ(described(received.ingress.destination), "fe80::c0");
  EXPECT_EQ(Bytes(received.octets.begin(), received.octets.end()), message);
}

TEST(RequestQueue6, keeps_headroom_in_front_of_its_copies) {
  for (const std::size_t size : {0UL, 1UL, 300UL, 1664UL, 1665UL, 65527UL}) {
    RequestQueue6 queue;
    ASSERT_TRUE(queue.push({}, Bytes(size, 0x5a), MessageKind6::solicit, 3, 128)) << size;
    auto request = queue.pop();
    ASSERT_TRUE(request) << size;
    EXPECT_GE(request->buffer.headroom(), 128U) << size;
    const auto octets = request->buffer.octets();
    EXPECT_EQ(Bytes(octets.begin(), octets.end()), Bytes(size, 0x5a)) << size;
  }
}

TEST(RequestQueue6, gives_no_more_headroom_than_there_is) {
  RequestQueue6 queue;
  ASSERT_TRUE(queue.push({}, Bytes(65527, 1), MessageKind6::relay_forward, 0, 65536));
  EXPECT_EQ(queue.pop()->buffer.headroom(), 65536U + 512 - 65527);
}

}  // namespace
}  // namespace relay::io
