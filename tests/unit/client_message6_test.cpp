// The client's message, however often it was relayed.
#include "relay/core/client_message6.h"

#include <gtest/gtest.h>

#include "relay/core/options6.h"
#include "tests/support/message6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::ip6;
using test_support::option6;
using test_support::relay_message6;
using test_support::solicit6;

const Ipv6Address sender = test_support::ip6("fe80::5");

[[nodiscard]] Bytes wrapped(std::uint8_t type, const std::string& peer, const Bytes& message) {
  return relay_message6(type, 0, ip6("2001:db8:1::1"), ip6(peer),
                        {option6(18, Bytes{1, 2}), option6(dhcpv6::code::relay_message, message)});
}

[[nodiscard]] Bytes octets_of(const std::optional<ClientMessage6>& found) {
  return found ? Bytes(found->octets.begin(), found->octets.end()) : Bytes{};
}

TEST(ClientMessage6, of_a_client_itself_is_the_message) {
  const Bytes message = solicit6();
  const auto found = client_message_in(message, sender);
  EXPECT_EQ(octets_of(found), message);
  EXPECT_EQ(found->client, sender);
}

TEST(ClientMessage6, is_at_the_bottom_and_its_client_known_by_the_relay_agent_there) {
  const Bytes message = solicit6();
  const Bytes twice = wrapped(12, "2001:db8:2::1", wrapped(12, "fe80::c", message));
  const auto found = client_message_in(twice, sender);
  EXPECT_EQ(octets_of(found), message);
  EXPECT_EQ(found->client, ip6("fe80::c"));
  const Bytes answer = wrapped(13, "2001:db8:2::1", wrapped(13, "fe80::c", message));
  EXPECT_EQ(octets_of(client_message_in(answer, sender)), message);
}

TEST(ClientMessage6, is_not_there_where_a_level_is_broken_off_or_carries_nothing) {
  const Bytes whole = wrapped(13, "fe80::b", wrapped(13, "fe80::c", Bytes{7, 1, 2, 3}));
  EXPECT_TRUE(client_message_in(whole, sender).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(client_message_in(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), sender))
        << size;
  }
  EXPECT_FALSE(client_message_in(wrapped(13, "fe80::c", {}), sender));
  EXPECT_FALSE(client_message_in(wrapped(13, "fe80::c", Bytes{7, 1, 2}), sender));
  EXPECT_FALSE(client_message_in(relay_message6(12, 0, {}, {}, {}), sender));
}

}  // namespace
}  // namespace relay
