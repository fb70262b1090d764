// Where frames of DHCPv6 clients came from, in a namespace of the test's own.
#include "relay/io/link_sources.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "relay/core/dhcpv6.h"
#include "relay/core/frame.h"
#include "relay/io/socket_address.h"
#include "tests/support/message6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::ip6;
using namespace std::chrono_literals;

constexpr Ports6 ports{5470, {}};
constexpr MacAddress client_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress other_mac{{2, 0, 0, 0, 0, 9}};
constexpr MacAddress own_mac{{2, 0, 0, 0, 0, 0xc0}};

/// c0 is the relay agent's interface, p0 its client's.
class LinkSourcesTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(
        ip({"link set lo up", "link add c0 address 02:00:00:00:00:c0 type veth peer name p0 address 02:00:00:00:00:01",
            "link set c0 addrgenmode none", "link set p0 addrgenmode none", "link set c0 up", "link set p0 up",
            "address add fe80::c0/64 dev c0 nodad", "address add fe80::1/64 dev p0 nodad"}));
    sources_.emplace(open_link_sources(ports), 7);
    frames_ = Descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    ASSERT_TRUE(frames_.is_open());
  }

  /// From p0 to the group.
  static void send(const Bytes& message, std::uint16_t port = ports.server) {
    const Descriptor socket{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = to_in_addr(all_dhcp_relay_agents_and_servers);
    address.sin6_scope_id = ::if_nametoindex("p0");
    ASSERT_EQ(::sendto(socket.number(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(message.size()));
  }

  /// The same in a frame of anybody's making, by default with the client's address.
  void send_from(const MacAddress& mac, const Bytes& message, const Ipv6Address& source = ip6("fe80::1"),
                 const MacAddress& to_mac = {{0x33, 0x33, 0, 1, 0, 2}},
                 const Ipv6Address& to = all_dhcp_relay_agents_and_servers) const {
    const auto headers = frame_headers(FrameAddresses6{mac, to_mac, source, to, 546, ports.server}, message);
    Bytes frame(headers.begin(), headers.end());
    frame.insert(frame.end(), message.begin(), message.end());
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IPV6);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("p0"));
    ASSERT_EQ(::sendto(frames_.number(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(frame.size()));
  }

  [[nodiscard]] static Ingress6 ingress(const char* interface = "c0", const std::string& source = "fe80::1") {
    Ingress6 result;
    result.interface_index = ::if_nametoindex(interface);
    result.source = ip6(source);
    return result;
  }

  /// A Solicit with this transaction-id.
  [[nodiscard]] static Bytes solicit(std::uint8_t high, std::uint8_t low) {
    Bytes message = test_support::solicit6();
    message[2] = high;
    message[3] = low;
    return message;
  }
  /// That of another type.
  [[nodiscard]] static Bytes with_type(std::uint8_t type, Bytes message) {
    message[0] = type;
    return message;
  }

  /// Whether it does, after what has been sent arrived.
  [[nodiscard]] bool comes_true(const std::function<bool()>& condition) {
    for (int attempt = 0; attempt < 10'000; ++attempt) {
      sources_->take(now_);
      if (condition()) {
        return true;
      }
      static_cast<void>(::poll(nullptr, 0, 1));
    }
    return false;
  }
  [[nodiscard]] bool becomes(const Bytes& message, const std::optional<MacAddress>& mac) {
    return comes_true([&] { return sources_->of(ingress(), message) == mac; });
  }
  /// Everything that was sent before has arrived then.
  [[nodiscard]] bool settle() {
    const Bytes last = solicit(0xff, ++settled_);
    send(last);
    return becomes(last, client_mac);
  }

  void relay(const Bytes& message) {
    Ingress6 of_message = ingress();
    of_message.link_source = sources_->of(of_message, message);
    sources_->relayed(of_message, message);
  }
  [[nodiscard]] std::optional<MacAddress> asker(const Bytes& answer, const char* interface = "c0",
                                                const std::string& client = "fe80::1") const {
    return sources_->of_asker(::if_nametoindex(interface), ip6(client), answer, now_);
  }

  std::optional<LinkSources> sources_;
  Descriptor frames_;
  std::chrono::nanoseconds now_ = 1s;
  std::uint8_t settled_ = 0;
};

TEST_F(LinkSourcesTest, are_known_of_the_message_itself) {
  const Bytes message = solicit(1, 2);
  EXPECT_EQ(sources_->of(ingress(), message), std::nullopt);
  send(message);
  EXPECT_EQ(sources_->of(ingress(), message), std::nullopt) << "not yet";
  EXPECT_TRUE(becomes(message, client_mac));
  EXPECT_EQ(sources_->of(ingress(), solicit(1, 3)), std::nullopt) << "another message";
  EXPECT_EQ(sources_->of(ingress("p0"), message), std::nullopt) << "another interface";
  EXPECT_EQ(sources_->of(ingress("c0", "fe80::2"), message), std::nullopt) << "another client";
  EXPECT_EQ(sources_->of(ingress(), Bytes{1, 2, 3}), std::nullopt);
  EXPECT_EQ(sources_->of(ingress(), {}), std::nullopt);
}

TEST_F(LinkSourcesTest, are_of_what_clients_send_to_the_port) {
  const Bytes relayed = test_support::forwarded6(0, solicit(1, 2));
  send(relayed);
  send(Bytes{1, 2, 3});
  send(solicit(3, 4), ports.server - 1);
  ASSERT_TRUE(settle());
  EXPECT_EQ(sources_->of(ingress(), relayed), std::nullopt);
  EXPECT_EQ(sources_->of(ingress(), solicit(3, 4)), std::nullopt);
}

TEST_F(LinkSourcesTest, are_not_of_what_crosses_the_router) {
  const Ipv6Address elsewhere = ip6("2001:db8:9::9");
  send_from(client_mac, solicit(1, 1), ip6("2001:db8:1::50"), own_mac, elsewhere);
  send_from(client_mac, solicit(1, 2), ip6("fec0::1"), own_mac, elsewhere);
  send_from(client_mac, solicit(1, 3), ip6("fe80::1"), {{2, 0, 0, 0, 0, 0x33}}, ip6("fe80::33"));
  ASSERT_TRUE(settle());
  EXPECT_EQ(sources_->of(ingress("c0", "2001:db8:1::50"), solicit(1, 1)), std::nullopt);
  EXPECT_EQ(sources_->of(ingress("c0", "fec0::1"), solicit(1, 2)), std::nullopt);
  EXPECT_EQ(sources_->of(ingress(), solicit(1, 3)), std::nullopt) << "nor of what is another station's";
}

TEST_F(LinkSourcesTest, are_of_what_clients_send_to_the_relay_agent_alone) {
  send_from(client_mac, solicit(1, 4), ip6("fe80::1"), own_mac, ip6("fe80::c0"));
  EXPECT_TRUE(becomes(solicit(1, 4), client_mac));
  send_from(client_mac, solicit(1, 5), ip6("2001:db8:1::50"));
  EXPECT_TRUE(comes_true([&] { return sources_->of(ingress("c0", "2001:db8:1::50"), solicit(1, 5)) == client_mac; }))
      << "nor of everything else with a global source";
}

TEST_F(LinkSourcesTest, of_two_stations_with_one_transaction_neither_is_told) {
  const Bytes question = solicit(1, 2);
  const Bytes answer = with_type(dhcpv6::message_type::advertise, question);
  for (const std::uint8_t type : {question[0], std::uint8_t{3}, std::uint8_t{99}}) {
    now_ += 2 * LinkSources::lifetime;
    send(question);
    ASSERT_TRUE(becomes(question, client_mac));
    relay(question);
    EXPECT_EQ(asker(answer), client_mac);
    send_from(other_mac, with_type(type, question));
    EXPECT_TRUE(becomes(question, std::nullopt)) << "a frame of type " << int{type};
    EXPECT_EQ(asker(answer), std::nullopt);
  }
}

TEST_F(LinkSourcesTest, neither_is_told_until_one_is_silent_for_long) {
  const Bytes question = solicit(1, 2);
  const Bytes answer = with_type(dhcpv6::message_type::advertise, question);
  send(question);
  ASSERT_TRUE(becomes(question, client_mac));
  relay(question);
  now_ += LinkSources::lifetime;
  send_from(other_mac, question);
  ASSERT_TRUE(becomes(question, std::nullopt));
  now_ += LinkSources::lifetime;
  for (int number = 0; number < 9; ++number) {  // more than a place has room for
    send_from(other_mac, with_type(static_cast<std::uint8_t>(20 + number), question));
  }
  ASSERT_TRUE(settle());
  EXPECT_EQ(sources_->of(ingress(), question), std::nullopt);
  relay(question);
  EXPECT_EQ(asker(answer), std::nullopt);
  now_ += 1ns;
  send_from(other_mac, question);
  EXPECT_TRUE(becomes(question, other_mac)) << "as of a client that has another card";
  EXPECT_EQ(asker(answer), std::nullopt) << "which has not been relayed yet";
  relay(question);
  EXPECT_EQ(asker(answer), other_mac);
}

TEST_F(LinkSourcesTest, an_answer_goes_where_its_question_came_from) {
  const Bytes question = solicit(1, 2);
  const Bytes answer = with_type(dhcpv6::message_type::advertise, question);
  EXPECT_EQ(asker(answer), std::nullopt);
  send(question);
  ASSERT_TRUE(becomes(question, client_mac));
  EXPECT_EQ(asker(answer), std::nullopt) << "no server was asked yet";
  relay(question);
  EXPECT_EQ(asker(answer), client_mac);
  EXPECT_EQ(asker(solicit(1, 3)), std::nullopt) << "to another question";
  EXPECT_EQ(asker(answer, "p0"), std::nullopt) << "on another interface";
  EXPECT_EQ(asker(answer, "c0", "fe80::2"), std::nullopt) << "to another client";
  EXPECT_EQ(asker({dhcpv6::message_type::advertise, 1, 2}), std::nullopt);
  EXPECT_EQ(asker({}), std::nullopt);
  now_ += LinkSources::lifetime;
  EXPECT_EQ(asker(answer), client_mac);
  now_ += 1ns;
  EXPECT_EQ(asker(answer), std::nullopt) << "too late";
}

TEST_F(LinkSourcesTest, nobody_asked_for_a_reconfigure) {
  Bytes question = solicit(0, 0);
  question[1] = 0;
  send(question);
  ASSERT_TRUE(becomes(question, client_mac));
  relay(question);
  EXPECT_EQ(asker(with_type(dhcpv6::message_type::reply, question)), client_mac);
  EXPECT_EQ(asker(with_type(dhcpv6::message_type::reconfigure, question)), std::nullopt);
}

TEST_F(LinkSourcesTest, nobody_chooses_what_is_forgotten) {
  const Bytes question = solicit(1, 2);
  send(question);
  for (std::uint8_t number = 1; number <= 64; ++number) {  // what one changes in the hash, the other changes back
    Bytes other = solicit(1, 2);
    other[3] = static_cast<std::uint8_t>(other[3] ^ number);
    Ipv6Address source = ip6("fe80::1");
    source.octets[8] = number;
    send_from(client_mac, other, source);
  }
  ASSERT_TRUE(settle());
  EXPECT_EQ(sources_->of(ingress(), question), client_mac);
}

TEST_F(LinkSourcesTest, are_known_of_all_that_the_kernel_merged) {
  Bytes run;
  for (std::uint8_t number = 1; number <= 3; ++number) {
    const Bytes message = solicit(9, number);
    run.insert(run.end(), message.begin(), message.end());
  }
  run.resize(run.size() + 2);  // a last one that is too short to be any
  Received6 received;
  received.ingress = ingress();
  received.octets = run;
  received.message_size = solicit(9, 1).size();
  sources_->learn_run(received, now_);
  EXPECT_EQ(sources_->of(ingress(), solicit(9, 2)), std::nullopt) << "nor is the first one known";
  send(solicit(9, 1));
  ASSERT_TRUE(becomes(solicit(9, 1), client_mac));
  sources_->learn_run(received, now_);
  for (std::uint8_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(sources_->of(ingress(), solicit(9, number)), client_mac);
  }
  EXPECT_EQ(sources_->of(ingress(), solicit(9, 4)), std::nullopt);
}

TEST_F(LinkSourcesTest, of_a_burst_are_all_known) {
  const auto of_burst = [](int number) {
    return solicit(static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number % 256));
  };
  for (int number = 0; number < 300; ++number) {
    send(of_burst(number));
  }
  EXPECT_TRUE(comes_true([&] {
    int known = 0;
    for (int number = 0; number < 300; ++number) {
      known += sources_->of(ingress(), of_burst(number)) == client_mac ? 1 : 0;
    }
    return known == 300;
  }));
}

}  // namespace
}  // namespace relay::io
