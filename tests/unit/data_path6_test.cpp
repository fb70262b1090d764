// The data path of DHCPv6 with the kernel's sockets, in a namespace of the test's own: no allocation per message, and
// what becomes of messages that the kernel merged. Counts with the operator new of this executable (allocations.h).
#include "relay/io/data_path6.h"

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
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/dhcpv6.h"
#include "relay/core/frame.h"
#include "relay/io/socket_address.h"
#include "tests/support/network_namespace.h"
#include "tests/support/test_network6.h"
#include "tests/unit/allocations.h"
#include "tests/unit/serve_until.h"
#include "tests/unit/tap.h"

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

/// The client fe80::1 is on p0, whose other end c0 is the relay agent's. Relay-forwards go over the loopback interface
/// and come back to us, where they are dropped; Relay-replies come from there.
class DataPath6Test : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up", "address add 2001:db8:53::10/128 dev lo nodad",
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

  template <typename Condition>
  [[nodiscard]] bool comes_true(Condition condition) {
    return serve_until(*data_path_, condition);
  }
  [[nodiscard]] bool forwards_requests(std::uint64_t count) {
    return comes_true([this, count] { return counters("c0").requests.forwarded() >= count; });
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

  /// A client that nobody knows asks from 02:00:00:00:00:77 and is answered: the frame that the answer would leave in,
  /// which `tap_` may see on p0.
  Bytes answer_to_a_stranger() {
    static_cast<void>(test_support::try_ip({"address del fe80::1/64 dev p0"}));  // nobody answers for it
    if (!tap_) {
      tap_.emplace("p0", ETH_P_IPV6, SOCK_RAW);
    }
    const MacAddress stranger{{2, 0, 0, 0, 0, 0x77}};
    tap_->send(frame_of({stranger,
                         {{0x33, 0x33, 0, 1, 0, 2}},
                         ip6("fe80::1"),
                         all_dhcp_relay_agents_and_servers,
                         ports.client(),
                         ports.server},
                        solicit(1)));
    EXPECT_TRUE(forwards_requests(counters("c0").requests.forwarded() + 1));
    answer(reply(1));
    const std::uint64_t answered = counters("c0").replies.forwarded() + 1;
    EXPECT_TRUE(comes_true([&] { return counters("c0").replies.forwarded() >= answered; }));
    Bytes message = test_support::advertise6();
    message[3] = 1;
    return frame_of({{{2, 0, 0, 0, 0, 0xc0}}, stranger, ip6("fe80::c0"), ip6("fe80::1"), ports.server, ports.client()},
                    message);
  }
  [[nodiscard]] static Bytes frame_of(const FrameAddresses6& addresses, const Bytes& message) {
    const auto headers = frame_headers(addresses, message);
    Bytes frame(headers.begin(), headers.end());
    frame.insert(frame.end(), message.begin(), message.end());
    return frame;
  }
  [[nodiscard]] static bool is_neighbour_solicitation(const Bytes& frame) {
    constexpr std::size_t next_header = ethernet_header_size + 6;
    constexpr std::size_t icmp_type = ethernet_header_size + ipv6_header_size;
    return frame.size() > icmp_type && frame[next_header] == IPPROTO_ICMPV6 && frame[icmp_type] == 135;
  }

  InterfaceTable table_;
  Sockets sockets_;
  Descriptor member_;
  Descriptor client_;
  Descriptor server_;
  std::optional<LinkSources> link_sources_;
  std::optional<DataPath6> data_path_;
  std::optional<Tap> tap_;
};

/// With what the kernel merged, and what leaves merged, or without.
TEST_F(DataPath6Test, allocates_nothing_once_it_runs) {
  constexpr std::uint16_t run_length = 5;
  const Bytes question = solicit(1);
  Bytes run;
  for (std::uint8_t number = 1; number <= run_length; ++number) {
    const Bytes message = solicit(number);
    run.insert(run.end(), message.begin(), message.end());
  }
  const Bytes good = reply(1);
  const Bytes bad = test_support::forwarded6(0, question);
  Counters6& of_clients = counters("c0");
  std::uint64_t sent = 0;
  for (const bool in_runs : {false, true}) {
    data_path_->form_runs(in_runs);
    std::uint64_t before = 0;
    for (int round = 0; round < 300; ++round) {
      if (round == 20) {
        before = test_support::allocations();
      }
      for (int number = 0; number < (in_runs ? 2 : 10); ++number) {
        in_runs ? ask(run, static_cast<std::uint16_t>(question.size())) : ask(question);
      }
      for (int number = 0; number < 10; ++number) {
        ask(bad);
        answer(good);
      }
      sent += 10;
      ASSERT_TRUE(comes_true([&of_clients, sent] {
        return of_clients.requests.forwarded() >= sent && of_clients.replies.forwarded() >= sent &&
               of_clients.dropped(DropReason::relay_forward_untrusted) >= sent;
      }));
    }
    EXPECT_EQ(test_support::allocations(), before) << (in_runs ? "in runs" : "one by one");
  }
  EXPECT_EQ(of_clients.requests.forwarded(), 6000U);
  EXPECT_EQ(of_clients.dropped(DropReason::relay_forward_untrusted), 6000U);
  EXPECT_EQ(of_clients.replies.forwarded(), 6000U);
}

TEST_F(DataPath6Test, row_6D_09_an_answer_leaves_in_a_frame_to_where_the_question_came_from) {
  const Bytes expected = answer_to_a_stranger();
  EXPECT_TRUE(comes_true([&] { return std::ranges::count(tap_->packets(), expected) != 0; }));
  EXPECT_EQ(counters("c0").replies.forwarded(), 1U);
}

/// The kernel does, or asks its neighbours: no frame with the whole answer in it leaves by itself.
TEST_F(DataPath6Test, row_6D_09_what_takes_fragments_of_ipv6_is_left_to_the_kernel) {
  Interface narrow = *table_.find(::if_nametoindex("c0"));
  narrow.v6.mtu = static_cast<std::uint32_t>(udp_payload_offset + test_support::advertise6().size());
  table_.put(narrow);
  const Bytes whole = answer_to_a_stranger();
  EXPECT_TRUE(comes_true([&] { return std::ranges::count(tap_->packets(), whole) != 0; })) << "it just fits";
  --narrow.v6.mtu;
  table_.put(narrow);
  static_cast<void>(answer_to_a_stranger());
  ASSERT_TRUE(comes_true([&] { return std::ranges::any_of(tap_->packets(), is_neighbour_solicitation); }));
  EXPECT_EQ(std::ranges::count(tap_->packets(), whole), 1);
}

TEST_F(DataPath6Test, row_6F_10_of_merged_messages_each_has_the_link_layer_address) {
  Bytes run;
  for (std::uint8_t number = 1; number <= 4; ++number) {
    const Bytes message = solicit(number);
    run.insert(run.end(), message.begin(), message.end());
  }
  Tap tap{"lo", ETH_P_IPV6};
  ask(run, static_cast<std::uint16_t>(solicit(1).size()));
  const auto relay_forwards = [&tap] {
    std::vector<Bytes> result;
    for (const Bytes& packet : tap.packets()) {
      Bytes message(packet.begin() + udp_payload_offset, packet.end());
      if (message.front() == dhcpv6::message_type::relay_forward) {
        result.push_back(std::move(message));
      }
    }
    return result;
  };
  ASSERT_TRUE(comes_true([&] { return relay_forwards().size() >= 4; }));
  EXPECT_EQ(counters("c0").requests.forwarded(), 4U);
  for (const Bytes& message : relay_forwards()) {
    EXPECT_EQ(test_support::parsed_relay_message6(message).options.find(79), (Bytes{0, 1, 2, 0, 0, 0, 0, 1}));
  }
}

TEST_F(DataPath6Test, messages_that_are_told_are_neither_merged_nor_sent_in_runs) {
  const Bytes question = solicit(1);
  std::uint64_t sent = 0;
  for (const bool per_message : {false, true}) {
    data_path_->tell_messages(per_message);
    data_path_->form_runs(true);
    Tap tap{"lo", ETH_P_IPV6};
    for (int number = 0; number < 10; ++number) {
      ask(question);
    }
    sent += 10;
    ASSERT_TRUE(forwards_requests(sent));
    std::size_t longest = 0;
    const auto all_came = [&] {
      std::size_t octets = 0;
      for (const Bytes& packet : tap.packets()) {
        octets += packet.size();
        longest = std::max(longest, packet.size());
      }
      return octets > 10 * question.size();
    };
    EXPECT_TRUE(comes_true(all_came));
    EXPECT_GT(longest, question.size());
    EXPECT_EQ(longest > 4 * question.size(), !per_message) << longest;
  }
  EXPECT_EQ(counters("c0").requests.forwarded(), sent);
}

}  // namespace
}  // namespace relay::io
