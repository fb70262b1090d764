// Where frames of DHCPv6 clients came from, in a namespace of the test's own.
#include "relay/io/link_sources.h"

#include <net/if.h>

#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "relay/core/dhcpv6.h"
#include "relay/io/socket_address.h"
#include "tests/support/message6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::ip6;

constexpr Ports6 ports{5470, {}};
constexpr MacAddress client_mac{{2, 0, 0, 0, 0, 1}};

/// c0 is the relay agent's interface, p0 its client's.
class LinkSourcesTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link set lo up", "link add c0 type veth peer name p0 address 02:00:00:00:00:01",
                    "link set c0 addrgenmode none", "link set p0 addrgenmode none", "link set c0 up", "link set p0 up",
                    "address add fe80::c0/64 dev c0 nodad", "address add fe80::1/64 dev p0 nodad"}));
    sources_.emplace(open_link_sources(ports), 7);
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

  std::optional<LinkSources> sources_;
};

TEST_F(LinkSourcesTest, are_known_of_the_message_itself) {
  const Bytes message = solicit(1, 2);
  EXPECT_EQ(sources_->of(ingress(), message), std::nullopt);
  send(message);
  EXPECT_EQ(sources_->of(ingress(), message), std::nullopt) << "not yet";
  sources_->take();
  EXPECT_EQ(sources_->of(ingress(), message), client_mac);
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
  sources_->take();
  EXPECT_EQ(sources_->of(ingress(), relayed), std::nullopt);
  EXPECT_EQ(sources_->of(ingress(), solicit(3, 4)), std::nullopt);
}

TEST_F(LinkSourcesTest, the_newest_frame_counts) {
  const Bytes message = solicit(1, 2);
  send(message);
  ASSERT_TRUE(ip({"link set p0 down", "link set p0 address 02:00:00:00:00:09", "link set p0 up",
                  "address replace fe80::1/64 dev p0 nodad"}));
  send(message);
  sources_->take();
  EXPECT_EQ(sources_->of(ingress(), message), (MacAddress{{2, 0, 0, 0, 0, 9}}));
}

TEST_F(LinkSourcesTest, an_answer_goes_where_its_question_came_from) {
  const auto asker = [this](const Bytes& answer, const char* interface = "c0", const std::string& client = "fe80::1") {
    return sources_->of_asker(::if_nametoindex(interface), ip6(client), answer);
  };
  Bytes answer = solicit(1, 2);
  answer[0] = dhcpv6::message_type::advertise;
  EXPECT_EQ(asker(answer), std::nullopt);
  send(solicit(1, 2));
  sources_->take();
  EXPECT_EQ(asker(answer), client_mac);
  EXPECT_EQ(asker(solicit(1, 3)), std::nullopt) << "to another question";
  EXPECT_EQ(asker(answer, "p0"), std::nullopt) << "on another interface";
  EXPECT_EQ(asker(answer, "c0", "fe80::2"), std::nullopt) << "to another client";
  EXPECT_EQ(asker({dhcpv6::message_type::advertise, 1, 2}), std::nullopt);
  EXPECT_EQ(asker({}), std::nullopt);

  Bytes request = solicit(1, 2);  // no client uses one transaction-id for two types, but the newest counts
  request[0] = 3;
  ASSERT_TRUE(ip({"link set p0 down", "link set p0 address 02:00:00:00:00:09", "link set p0 up",
                  "address replace fe80::1/64 dev p0 nodad"}));
  send(request);
  sources_->take();
  EXPECT_EQ(asker(answer), (MacAddress{{2, 0, 0, 0, 0, 9}}));
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
  sources_->learn_run(received);
  EXPECT_EQ(sources_->of(ingress(), solicit(9, 2)), std::nullopt) << "nor is the first one known";
  send(solicit(9, 1));
  sources_->take();
  sources_->learn_run(received);
  for (std::uint8_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(sources_->of(ingress(), solicit(9, number)), client_mac);
  }
  EXPECT_EQ(sources_->of(ingress(), solicit(9, 4)), std::nullopt);
}

TEST_F(LinkSourcesTest, of_a_burst_are_all_known) {
  for (int number = 0; number < 300; ++number) {
    send(solicit(static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number % 256)));
  }
  sources_->take();
  int known = 0;
  for (int number = 0; number < 300; ++number) {
    const Bytes message = solicit(static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number % 256));
    known += sources_->of(ingress(), message) == client_mac ? 1 : 0;
  }
  EXPECT_EQ(known, 300);
}

}  // namespace
}  // namespace relay::io
