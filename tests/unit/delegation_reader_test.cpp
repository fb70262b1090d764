// What messages between client and server say of delegated prefixes, well-formed or not.
#include "relay/core/delegation_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/delegation6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::client_id6;
using test_support::described;
using test_support::ia_pd6;
using test_support::ia_pd6_of;
using test_support::ia_prefix6;
using test_support::message6;
using test_support::option6;
using test_support::status6;

const Bytes duid{0, 3, 0, 1, 2, 0, 0, 0, 0, 1};

/// All that is read, in one line: `type 7; ia 1 status 0: 2001:db8:e1::/56 3000 3600`.
std::string read(const Bytes& message) {
  const auto found = dhcpv6::read_client_message(message);
  if (!found) {
    return "nothing";
  }
  std::ostringstream text;
  text << "type " << int{found->type};
  dhcpv6::AssociationReader associations{*found};
  while (const auto association = associations.next()) {
    text << "; ia " << association->iaid << " status " << association->status << ':';
    dhcpv6::PrefixReader leases{*association};
    while (const auto lease = leases.next()) {
      text << ' ' << described(lease->prefix.address) << '/' << int{lease->prefix.length} << ' '
           << lease->preferred_lifetime << ' ' << lease->valid_lifetime;
    }
  }
  return text.str();
}

Bytes cut(const Bytes& message, std::size_t size) {
  return {message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(DelegationReader, reads_who_gets_what_for_how_long) {
  EXPECT_EQ(read(message6(7, {client_id6(duid), ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 3000, 3600)})})),
            "type 7; ia 1 status 0: 2001:db8:e1::/56 3000 3600");
  const Bytes message = message6(7, {client_id6(duid)});
  const auto found = dhcpv6::read_client_message(message);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(Bytes(found->client_duid.begin(), found->client_duid.end()), duid);
}

TEST(DelegationReader, several_prefixes_of_several_associations_in_whatever_order) {
  EXPECT_EQ(read(message6(7, {ia_pd6(4294967295, {ia_prefix6("2001:db8:e1::/56", 1, 2), status6(0),
                                                  ia_prefix6("2001:db8:e2::/48", 3, 4)}),
                              option6(3, Bytes(12, 0)), status6(0), option6(65000, {1, 2, 3}), client_id6(duid),
                              ia_pd6(0, {ia_prefix6("fd00:1::/64", 0, 4294967295)}), ia_pd6(7, {})})),
            "type 7; ia 4294967295 status 0: 2001:db8:e1::/56 1 2 2001:db8:e2::/48 3 4; ia 0 status 0: "
            "fd00:1::/64 0 4294967295; ia 7 status 0:");
}

TEST(DelegationReader, a_release_is_read_in_the_same_way) {
  EXPECT_EQ(read(message6(8, {client_id6(duid), ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 0, 0)})})),
            "type 8; ia 1 status 0: 2001:db8:e1::/56 0 0");
}

TEST(DelegationReader, status_codes_of_the_message_and_of_each_association) {
  EXPECT_EQ(read(message6(7, {client_id6(duid), status6(1), ia_pd6(1, {status6(3)}), ia_pd6(2, {status6(6)})})),
            "type 7; ia 1 status 3:; ia 2 status 6:");
  EXPECT_EQ(read(message6(7, {client_id6(duid), option6(13, {0})})), "nothing") << "a status code that is cut";
}

TEST(DelegationReader, prefixes_that_no_client_uses_are_passed_over) {
  const auto of = [](const Bytes& lease) {
    return read(message6(7, {client_id6(duid), ia_pd6(1, {lease, ia_prefix6("2001:db8:e2::/56", 1, 1)})}));
  };
  const std::string other = "type 7; ia 1 status 0: 2001:db8:e2::/56 1 1";
  EXPECT_EQ(of(ia_prefix6("2001:db8:e1::/56", 2, 1)), other) << "preferred for longer than valid";
  EXPECT_EQ(of(ia_prefix6("2001:db8:e1::/129", 1, 2)), other) << "longer than an address";
  EXPECT_EQ(of(ia_prefix6("2001:db8:e1::/255", 1, 2)), other);
  EXPECT_EQ(of(ia_prefix6("2001:db8:e1::/56", 1, 2, status6(6))), other) << "a status of its own";
  EXPECT_EQ(of(ia_prefix6("2001:db8:e1::/56", 1, 2, {0, 13, 0, 9})), other) << "options that end behind it";
  EXPECT_EQ(of(option6(26, Bytes(24, 1))), other) << "too short";
  EXPECT_EQ(of(option6(26, {})), other);
}

TEST(DelegationReader, associations_that_clients_discard_are_passed_over_in_replies_alone) {
  const auto of = [](std::uint8_t type, std::uint32_t t1, std::uint32_t t2) {
    return read(message6(
        type, {client_id6(duid), ia_pd6_of(1, std::vector<Bytes>{ia_prefix6("2001:db8:e1::/56", 1, 2)}, t1, t2),
               ia_pd6(2, {})}));
  };
  const std::string both = "; ia 1 status 0: 2001:db8:e1::/56 1 2; ia 2 status 0:";
  EXPECT_EQ(of(7, 2, 1), "type 7; ia 2 status 0:") << "T1 is greater than T2";
  EXPECT_EQ(of(7, 0xffffffff, 0xfffffffe), "type 7; ia 2 status 0:");
  EXPECT_EQ(of(7, 2, 2), "type 7" + both);
  EXPECT_EQ(of(7, 2, 0), "type 7" + both) << "the client chooses";
  EXPECT_EQ(of(7, 0, 0), "type 7" + both);
  EXPECT_EQ(of(8, 2, 1), "type 8" + both) << "what clients say of times means nothing";
}

TEST(DelegationReader, what_stands_behind_the_length_of_a_prefix_is_nothing) {
  EXPECT_EQ(read(message6(7, {client_id6(duid),
                              ia_pd6(1, {ia_prefix6("2001:db8:e1:ff77::1/57", 1, 2), ia_prefix6("2001:db8::1/0", 1, 2),
                                         ia_prefix6("2001:db8::1/128", 1, 2, status6(0))})})),
            "type 7; ia 1 status 0: 2001:db8:e1:ff00::/57 1 2 ::/0 1 2 2001:db8::1/128 1 2");
}

TEST(DelegationReader, an_association_that_is_damaged_is_passed_over_and_the_next_one_read) {
  const std::string second = "type 7; ia 2 status 0: 2001:db8:e2::/56 1 1";
  for (const Bytes& damage : std::vector<Bytes>{{},
                                                Bytes(11, 0),
                                                {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                                {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 1},
                                                {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 0, 1, 0}}) {
    EXPECT_EQ(
        read(message6(7, {client_id6(duid), option6(25, damage), ia_pd6(2, {ia_prefix6("2001:db8:e2::/56", 1, 1)})})),
        second)
        << damage.size();
  }
}

TEST(DelegationReader, a_message_has_to_name_one_client_by_a_duid) {
  const Bytes lease = ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 1, 2)});
  EXPECT_EQ(read(message6(7, {lease})), "nothing");
  EXPECT_EQ(read(message6(7, {client_id6(duid), lease, client_id6(duid)})), "nothing");
  EXPECT_EQ(read(message6(7, {client_id6({0, 3}), lease})), "nothing");
  EXPECT_EQ(read(message6(7, {client_id6(Bytes(131, 1)), lease})), "nothing");
  EXPECT_NE(read(message6(7, {client_id6({0, 4, 1}), lease})), "nothing");
  EXPECT_NE(read(message6(7, {client_id6(Bytes(130, 1)), lease})), "nothing");
}

TEST(DelegationReader, messages_of_relay_agents_are_not_clients) {
  for (const std::uint8_t type : {std::uint8_t{12}, std::uint8_t{13}}) {
    EXPECT_EQ(read(message6(type, {client_id6(duid)})), "nothing");
  }
}

TEST(DelegationReader, a_message_cut_at_every_octet_tells_nothing_but_what_is_whole) {
  const Bytes head = message6(7, {client_id6(duid)});
  const Bytes lease = ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 1, 2)});
  Bytes whole = head;
  whole.insert(whole.end(), lease.begin(), lease.end());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read(cut(whole, size)), size == head.size() ? "type 7" : "nothing") << size;
  }
}

TEST(DelegationReader, random_octets_are_read_within_their_bounds) {
  std::mt19937 random{8987};
  const Bytes good =
      message6(7, {client_id6(duid),
                   ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 1, 2), status6(0), ia_prefix6("2001:db8:e2::/56", 1, 2)}),
                   ia_pd6(2, {status6(3)})});
  for (int round = 0; round < 20000; ++round) {
    Bytes message = cut(good, random() % (good.size() + 1));
    for (std::size_t change = random() % 4; change != 0 && !message.empty(); --change) {
      message[random() % message.size()] = static_cast<std::uint8_t>(random());
    }
    static_cast<void>(read(message));
  }
}

}  // namespace
}  // namespace relay
