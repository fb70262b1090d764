// The data path of DHCPv6 with the kernel's sockets, in a namespace of the test's own: no allocation per message, and
// what becomes of messages that the kernel merged. Counts with the operator new of this executable (allocations.h).
#include "relay/io/data_path6.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/dhcpv6.h"
#include "relay/core/frame.h"
#include "relay/io/socket_address.h"
#include "tests/support/network_namespace.h"
#include "tests/support/test_network6.h"
#include "tests/unit/allocations.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::ip6;

constexpr Ports6 ports{5470, {}};
constexpr std::size_t udp_payload_offset = ipv6_header_size + udp_header_size;

[[nodiscard]] sockaddr_in6 at(const Ipv6Address& address, std::uint16_t port, const char* interface = nullptr) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  result.sin6_port = htons(port);
  result.sin6_addr = to_in_addr(address);
  result.sin6_scope_id = interface == nullptr ? 0 : ::if_nametoindex(interface);
  return result;
}

/// All packets that arrive at an interface, from the IPv6 header on.
class Tap {
 public:
  explicit Tap(const char* interface) : socket_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IPV6);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }

  /// What has come so far.
  [[nodiscard]] std::vector<Bytes> packets() {
    std::vector<Bytes> result;
    for (;;) {
      Bytes packet(65'536);
      sockaddr_ll from{};
      socklen_t size = sizeof(from);
      const ssize_t received = ::recvfrom(socket_.number(), packet.data(), packet.size(), MSG_DONTWAIT,
                                          reinterpret_cast<sockaddr*>(&from), &size);
      if (received < 0) {
        return result;
      }
      if (from.sll_pkttype != PACKET_OUTGOING) {
        packet.resize(static_cast<std::size_t>(received));
        result.push_back(std::move(packet));
      }
    }
  }

 private:
  Descriptor socket_;
};

/// The client fe80::1 is on p0, whose other end c0 is the relay agent's. Relay-forwards go over the loopback interface
/// and come back to us, where they are dropped; Relay-replies come from there.
class DataPath6Test : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up", "address add 2001:db8:53::10/128 dev lo",
                    "link add c0 address 02:00:00:00:00:c0 type veth peer name p0 address 02:00:00:00:00:01",
                    "link set c0 addrgenmode none", "link set p0 addrgenmode none", "link set c0 up", "link set p0 up",
                    "address add 2001:db8:1::1/64 dev c0 nodad", "address add fe80::c0/64 dev c0 nodad",
                    "address add fe80::1/64 dev p0 nodad"}));
    sockets_ = open_sockets(ports);
    sockets_.frames = open_frames();
    link_sources_.emplace(open_link_sources(ports), 7);
    for (Descriptor* socket : {&member_, &client_, &server_}) {
      *socket = Descriptor{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
      ASSERT_TRUE(socket->is_open());
    }
    ipv6_mreq member{to_in_addr(all_dhcp_relay_agents_and_servers), ::if_nametoindex("c0")};
    ASSERT_EQ(::setsockopt(member_.number(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &member, sizeof(member)), 0);
    const sockaddr_in6 own = at(ip6("2001:db8:53::10"), 0);
    ASSERT_EQ(::bind(server_.number(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);

    Interface clients = test_support::interface6(::if_nametoindex("c0"), "c0", {"2001:db8:1::1/64", "fe80::c0/64"});
    clients.is_downstream = clients.v6.is_relayed = true;
    clients.mac = {{2, 0, 0, 0, 0, 0xc0}};
    clients.v6.servers = {{ip6("2001:db8:53::10")}};
    table_.put(clients);
    Interface upstream = test_support::interface6(::if_nametoindex("lo"), "lo", {"2001:db8:53::10/128"});
    upstream.is_upstream = upstream.v6.is_relayed = true;
    table_.put(upstream);
    data_path_.emplace(sockets_, ports, table_, &*link_sources_, Listener{});
    data_path_->apply({});
  }

  [[nodiscard]] Counters6& counters(const char* name) { return *table_.find(::if_nametoindex(name))->v6.counters; }

  /// One datagram of the client, or several of `segment` octets.
  void ask(const Bytes& octets, std::uint16_t segment = 0) {
    const int value = segment;
    ASSERT_EQ(::setsockopt(client_.number(), IPPROTO_UDP, UDP_SEGMENT, &value, sizeof(value)), 0);
    send(client_, octets, at(all_dhcp_relay_agents_and_servers, ports.server, "p0"));
  }
  void answer(const Bytes& octets) { send(server_, octets, at(ip6("2001:db8:53::10"), ports.server)); }

  static void send(const Descriptor& socket, const Bytes& octets, const sockaddr_in6& to) {
    ASSERT_EQ(
        ::sendto(socket.number(), octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
        static_cast<ssize_t>(octets.size()));
  }

  void serve_all() {
    while (data_path_->serve() != Turn::idle) {
    }
  }

  /// A Solicit with this transaction-id, and the Relay-reply with the Advertise that answers it.
  [[nodiscard]] static Bytes solicit(std::uint8_t number) {
    Bytes message = test_support::solicit6();
    message[3] = number;
    return message;
  }
  [[nodiscard]] static Bytes reply(std::uint8_t number) {
    Bytes message = test_support::advertise6();
    message[3] = number;
    return test_support::relay_reply6(message);
  }

  InterfaceTable table_;
  Sockets sockets_;
  Descriptor member_;
  Descriptor client_;
  Descriptor server_;
  std::optional<LinkSources> link_sources_;
  std::optional<DataPath6> data_path_;
};

TEST_F(DataPath6Test, allocates_nothing_once_it_runs) {
  const Bytes question = solicit(1);
  const Bytes good = reply(1);
  const Bytes bad = test_support::forwarded6(0, question);
  std::uint64_t before = 0;
  for (int round = 0; round < 300; ++round) {
    if (round == 20) {
      before = test_support::allocations();
    }
    for (int number = 0; number < 10; ++number) {
      ask(question);
      ask(bad);
      answer(good);
    }
    serve_all();
  }
  EXPECT_EQ(test_support::allocations(), before);
  EXPECT_EQ(counters("c0").requests.forwarded(), 3000U);
  EXPECT_EQ(counters("c0").dropped(DropReason::relay_forward_untrusted), 3000U);
  EXPECT_EQ(counters("c0").replies.forwarded(), 3000U);
}

TEST_F(DataPath6Test, row_6D_09_an_answer_leaves_in_a_frame_to_where_the_question_came_from) {
  ASSERT_TRUE(ip({"address del fe80::1/64 dev p0"}));  // nobody answers for it
  const Descriptor tap{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IPV6);
  address.sll_ifindex = static_cast<int>(::if_nametoindex("p0"));
  ASSERT_EQ(::bind(tap.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const FrameAddresses6 asking{{{2, 0, 0, 0, 0, 0x77}}, {{0x33, 0x33, 0, 1, 0, 2}},
                               ip6("fe80::1"),          all_dhcp_relay_agents_and_servers,
                               ports.client(),          ports.server};
  const Bytes question = solicit(1);
  const auto headers = frame_headers(asking, question);
  Bytes frame(headers.begin(), headers.end());
  frame.insert(frame.end(), question.begin(), question.end());
  ASSERT_EQ(::send(tap.number(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  serve_all();
  ASSERT_EQ(counters("c0").requests.forwarded(), 1U);
  answer(reply(1));
  serve_all();
  EXPECT_EQ(counters("c0").replies.forwarded(), 1U);

  Bytes message = test_support::advertise6();
  message[3] = 1;
  const FrameAddresses6 answering{
      {{2, 0, 0, 0, 0, 0xc0}}, {{2, 0, 0, 0, 0, 0x77}}, ip6("fe80::c0"), ip6("fe80::1"), ports.server, ports.client()};
  const auto expected_headers = frame_headers(answering, message);
  Bytes expected(expected_headers.begin(), expected_headers.end());
  expected.insert(expected.end(), message.begin(), message.end());
  std::vector<Bytes> frames;
  for (;;) {
    Bytes came(2048);
    const ssize_t size = ::recv(tap.number(), came.data(), came.size(), MSG_DONTWAIT);
    if (size < 0) {
      break;
    }
    came.resize(static_cast<std::size_t>(size));
    frames.push_back(came);
  }
  EXPECT_EQ(std::ranges::count(frames, expected), 1);
}

TEST_F(DataPath6Test, row_6F_10_of_merged_messages_each_has_the_link_layer_address) {
  Bytes run;
  for (std::uint8_t number = 1; number <= 4; ++number) {
    const Bytes message = solicit(number);
    run.insert(run.end(), message.begin(), message.end());
  }
  Tap tap{"lo"};
  ask(run, static_cast<std::uint16_t>(solicit(1).size()));
  serve_all();
  EXPECT_EQ(counters("c0").requests.forwarded(), 4U);
  std::size_t with_address = 0;
  for (const Bytes& packet : tap.packets()) {
    ASSERT_GT(packet.size(), udp_payload_offset);
    const Bytes message(packet.begin() + udp_payload_offset, packet.end());
    if (message.front() == dhcpv6::message_type::relay_forward) {
      const auto value = test_support::parsed_relay_message6(message).options.find(79);
      with_address += value == Bytes{0, 1, 2, 0, 0, 0, 0, 1} ? 1U : 0U;
    }
  }
  EXPECT_EQ(with_address, 4U);
}

TEST_F(DataPath6Test, messages_that_are_told_are_neither_merged_nor_sent_in_runs) {
  const Bytes question = solicit(1);
  for (const bool per_message : {false, true}) {
    data_path_->tell_messages(per_message);
    data_path_->form_runs(true);
    Tap tap{"lo"};
    for (int number = 0; number < 10; ++number) {
      ask(question);
    }
    serve_all();
    std::size_t longest = 0;
    for (const Bytes& packet : tap.packets()) {
      longest = std::max(longest, packet.size());
    }
    EXPECT_GT(longest, question.size());
    EXPECT_EQ(longest > 4 * question.size(), !per_message) << longest;
  }
  EXPECT_EQ(counters("c0").requests.forwarded(), 20U);
}

}  // namespace
}  // namespace relay::io
