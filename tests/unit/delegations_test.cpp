// Which prefixes are delegated to whom, row by row of RFC 8987 section 4.
#include "relay/core/delegations.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/delegation6.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

using std::chrono::nanoseconds;
using test_support::Bytes;
using test_support::client_id6;
using test_support::described;
using test_support::ia_pd6;
using test_support::ia_pd6_of;
using test_support::ia_prefix6;
using test_support::ip6;
using test_support::message6;
using test_support::name;
using test_support::prefix6;
using test_support::status6;
using testing::ElementsAre;
using testing::IsEmpty;

const Bytes one{0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
const Bytes other{0, 3, 0, 1, 2, 0, 0, 0, 0, 2};

const char* name(DelegationRefusal refusal) {
  switch (refusal) {
    case DelegationRefusal::client_limit:
      return "client limit";
    case DelegationRefusal::interface_limit:
      return "interface limit";
    case DelegationRefusal::limit_in_all:
      return "limit in all";
    case DelegationRefusal::unroutable:
      return "unroutable";
  }
  return "?";
}

std::string shown(std::span<const std::uint8_t> duid, std::string_view interface, const Delegation& delegation) {
  std::ostringstream text;
  text << described(delegation.prefix.address) << '/' << int{delegation.prefix.length} << " of "
       << int{duid.empty() ? std::uint8_t{0} : duid.back()} << '.' << delegation.iaid << " via "
       << described(delegation.next_hop) << ' ' << interface;
  return text.str();
}

/// The table, and what it tells.
class DelegationsTest : public testing::Test {
 protected:
  /// What was told since the last call: `delegated 2001:db8:e1::/56 of 1.7 via fe80::1 c0`.
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  void reply(const Bytes& message, const char* interface = "c0", const char* next_hop = "fe80::1") {
    table_.reply_passes(interface, ip6(next_hop), message, now_);
  }
  /// A Reply to client `one` on c0 that delegates these prefixes for an hour, in IA_PD 7.
  void delegate(std::initializer_list<const char*> prefixes, const Bytes& duid = one, const char* interface = "c0",
                const char* next_hop = "fe80::1", std::uint32_t iaid = 7, std::uint32_t valid = 3600) {
    std::vector<Bytes> options;
    for (const char* const prefix : prefixes) {
      options.push_back(ia_prefix6(prefix, 0, valid));
    }
    reply(message6(7, {client_id6(duid), ia_pd6_of(iaid, options)}), interface, next_hop);
  }
  /// A Release of client `one` with these IA_PDs.
  void release(std::initializer_list<Bytes> associations, const char* interface = "c0") {
    Bytes message = message6(8, {client_id6(one)});
    for (const Bytes& association : associations) {
      message.insert(message.end(), association.begin(), association.end());
    }
    table_.release_passes(interface, message);
  }

  std::vector<std::string> known() const {
    std::vector<std::string> lines;
    table_.for_each([&](std::span<const std::uint8_t> duid, std::string_view interface, const Delegation& delegation) {
      lines.push_back(shown(duid, interface, delegation));
    });
    return lines;
  }

  nanoseconds now_ = 1000s;
  std::vector<std::string> told_;
  Delegations table_{{}, [this](const DelegationEvent& event) {
                       std::string line = name(event.change);
                       line += ' ' + shown(event.duid, event.interface, event.delegation);
                       if (event.refusal) {
                         line += std::string{": "} + name(*event.refusal) + ", " + std::to_string(event.count);
                       }
                       told_.push_back(line);
                     }};
};

// G-2 and G-3: several prefixes

TEST_F(DelegationsTest, row_G_02_several_prefixes_of_one_association_with_lifetimes_of_their_own) {
  reply(message6(7, {client_id6(one),
                     ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 10, 60), ia_prefix6("2001:db8:e2::/48", 10, 120)})}));
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:e1::/56 of 1.7 via fe80::1 c0",
                                  "delegated 2001:db8:e2::/48 of 1.7 via fe80::1 c0"));
  table_.expire(now_ + 60s);
  EXPECT_THAT(told(), ElementsAre("expired 2001:db8:e1::/56 of 1.7 via fe80::1 c0"));
  table_.expire(now_ + 120s);
  EXPECT_THAT(told(), ElementsAre("expired 2001:db8:e2::/48 of 1.7 via fe80::1 c0"));
}

TEST_F(DelegationsTest, row_G_03_two_associations_with_two_prefixes_each) {
  reply(message6(
      7, {client_id6(one), ia_pd6(1, {ia_prefix6("2001:db8:e1::/56", 1, 2), ia_prefix6("2001:db8:e2::/56", 1, 2)}),
          ia_pd6(2, {ia_prefix6("2001:db8:e3::/56", 1, 2), ia_prefix6("2001:db8:e4::/56", 1, 2)})}));
  EXPECT_THAT(known(), ElementsAre("2001:db8:e1::/56 of 1.1 via fe80::1 c0", "2001:db8:e2::/56 of 1.1 via fe80::1 c0",
                                   "2001:db8:e3::/56 of 1.2 via fe80::1 c0", "2001:db8:e4::/56 of 1.2 via fe80::1 c0"));
}

// G-4: the same DUID on several interfaces

TEST_F(DelegationsTest, row_G_04_one_duid_on_two_interfaces_is_two_clients) {
  delegate({"2001:db8:e1::/56"});
  delegate({"2001:db8:e2::/56"}, one, "c1", "fe80::9");
  EXPECT_THAT(known(), ElementsAre("2001:db8:e1::/56 of 1.7 via fe80::1 c0", "2001:db8:e2::/56 of 1.7 via fe80::9 c1"));
  release({ia_pd6(7, {})});
  EXPECT_THAT(known(), ElementsAre("2001:db8:e2::/56 of 1.7 via fe80::9 c1"));
}

TEST_F(DelegationsTest, row_G_04_limits_of_a_client_are_those_of_one_interface) {
  table_.limit({.per_client = 1});
  delegate({"2001:db8:e1::/56"});
  delegate({"2001:db8:e2::/56"}, one, "c1");
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(DelegationsTest, row_G_04_what_one_interface_has_can_be_asked_for) {
  delegate({"2001:db8:e1::/56"}, one, "c");
  delegate({"2001:db8:e2::/56"}, one, "c0");
  delegate({"2001:db8:e3::/56"}, other, "c0");
  delegate({"2001:db8:e4::/56"}, one, "c1");
  std::vector<std::string> lines;
  table_.for_each_on("c0", [&](std::span<const std::uint8_t> duid, std::string_view interface,
                               const Delegation& delegation) { lines.push_back(shown(duid, interface, delegation)); });
  EXPECT_THAT(lines, ElementsAre("2001:db8:e2::/56 of 1.7 via fe80::1 c0", "2001:db8:e3::/56 of 2.7 via fe80::1 c0"));
}

// G-5 to G-7: limits

TEST_F(DelegationsTest, row_G_05_and_row_G_07_a_client_has_at_most_eight_prefixes) {
  delegate({"2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:3::/48", "2001:db8:4::/48", "2001:db8:5::/48",
            "2001:db8:6::/48", "2001:db8:7::/48", "2001:db8:8::/48"});
  EXPECT_EQ(table_.size(), 8U);
  told_.clear();
  delegate({"2001:db8:9::/48"});
  EXPECT_THAT(told(), ElementsAre("refused 2001:db8:9::/48 of 1.7 via fe80::1 c0: client limit, 1"));
  delegate({"2001:db8:9::/48"}, other);
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:9::/48 of 2.7 via fe80::1 c0")) << "another client has its own";
  delegate({"2001:db8:8::/48"});
  EXPECT_THAT(told(), ElementsAre("renewed 2001:db8:8::/48 of 1.7 via fe80::1 c0")) << "what there is goes on";
}

TEST_F(DelegationsTest, row_G_05_the_limit_of_a_client_can_be_chosen) {
  table_.limit({.per_client = 2});
  delegate({"2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:3::/48", "2001:db8:4::/48"});
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:1::/48 of 1.7 via fe80::1 c0",
                                  "delegated 2001:db8:2::/48 of 1.7 via fe80::1 c0",
                                  "refused 2001:db8:3::/48 of 1.7 via fe80::1 c0: client limit, 2"));
}

TEST_F(DelegationsTest, row_G_06_the_limit_of_an_interface_is_that_of_all_its_clients) {
  table_.limit({.per_client = 8, .per_interface = 2});
  delegate({"2001:db8:1::/48"});
  delegate({"2001:db8:2::/48"}, other);
  told_.clear();
  delegate({"2001:db8:3::/48"}, other);
  EXPECT_THAT(told(), ElementsAre("refused 2001:db8:3::/48 of 2.7 via fe80::1 c0: interface limit, 1"));
  delegate({"2001:db8:3::/48"}, other, "c1");
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:3::/48 of 2.7 via fe80::1 c1"));
}

TEST_F(DelegationsTest, row_G_06_memory_is_bounded_over_all_interfaces) {
  table_.limit({.in_all = 1});
  delegate({"2001:db8:1::/48"});
  told_.clear();
  delegate({"2001:db8:2::/48"}, one, "c1");
  EXPECT_THAT(told(), ElementsAre("refused 2001:db8:2::/48 of 1.7 via fe80::1 c1: limit in all, 1"));
}

TEST_F(DelegationsTest, what_a_message_takes_back_makes_room_for_what_it_gives) {
  table_.limit({.per_client = 1});
  delegate({"2001:db8:1::/48"});
  told_.clear();
  reply(message6(
      7, {client_id6(one), ia_pd6(7, {ia_prefix6("2001:db8:2::/48", 1, 2), ia_prefix6("2001:db8:1::/48", 0, 0)})}));
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:1::/48 of 1.7 via fe80::1 c0",
                                  "delegated 2001:db8:2::/48 of 1.7 via fe80::1 c0"));
}

// G-8: lifetimes

TEST_F(DelegationsTest, row_G_08_a_delegation_is_over_when_its_valid_lifetime_is_and_not_before) {
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 60);
  EXPECT_EQ(table_.next_expiry(), std::optional<nanoseconds>{now_ + 60s});
  table_.expire(now_ + 60s - 1ns);
  EXPECT_EQ(table_.size(), 1U);
  table_.expire(now_ + 60s);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(table_.next_expiry(), std::nullopt);
}

TEST_F(DelegationsTest, row_G_08_each_reply_sets_the_lifetime_anew_also_to_a_shorter_one) {
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 60);
  now_ += 50s;
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 60);
  EXPECT_EQ(table_.next_expiry(), std::optional<nanoseconds>{now_ + 60s});
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 5);
  EXPECT_EQ(table_.next_expiry(), std::optional<nanoseconds>{now_ + 5s});
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:e1::/56 of 1.7 via fe80::1 c0",
                                  "renewed 2001:db8:e1::/56 of 1.7 via fe80::1 c0",
                                  "renewed 2001:db8:e1::/56 of 1.7 via fe80::1 c0"));
}

TEST_F(DelegationsTest, row_G_08_an_infinite_lifetime_is_never_over) {
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 0xffffffffU);
  EXPECT_EQ(table_.next_expiry(), std::nullopt);
  table_.expire(nanoseconds::max());
  EXPECT_EQ(table_.size(), 1U);
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 60);
  EXPECT_EQ(table_.next_expiry(), std::optional<nanoseconds>{now_ + 60s});
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::1", 7, 0xffffffffU);
  EXPECT_EQ(table_.next_expiry(), std::nullopt);
}

TEST_F(DelegationsTest, row_G_08_a_prefix_that_a_reply_does_not_mention_stays) {
  delegate({"2001:db8:e1::/56"});
  told_.clear();
  reply(message6(7, {client_id6(one), ia_pd6(7, {})}));
  reply(message6(7, {client_id6(one), ia_pd6(7, {status6(6)})}));
  reply(message6(7, {client_id6(one)}));
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(DelegationsTest, row_G_08_lifetimes_of_0_and_NoBinding_take_it_back) {
  delegate({"2001:db8:e1::/56", "2001:db8:e2::/56"});
  told_.clear();
  reply(message6(7, {client_id6(one), ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 0, 0)})}));
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:e1::/56 of 1.7 via fe80::1 c0"));
  reply(message6(7, {client_id6(one), ia_pd6(8, {status6(3)})}));
  EXPECT_THAT(told(), IsEmpty()) << "another association";
  reply(message6(7, {client_id6(one), ia_pd6(7, {status6(3)})}));
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:e2::/56 of 1.7 via fe80::1 c0"));
}

TEST_F(DelegationsTest, nobody_takes_back_what_another_client_has) {
  delegate({"2001:db8:e1::/56"});
  told_.clear();
  reply(message6(7, {client_id6(other), ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 0, 0)})}));
  reply(message6(7, {client_id6(one), ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 0, 0)})}), "c1");
  EXPECT_THAT(told(), IsEmpty());
}

// G-9: Release

TEST_F(DelegationsTest, row_G_09_a_release_ends_all_of_its_associations_at_once) {
  delegate({"2001:db8:e1::/56", "2001:db8:e2::/56"});
  delegate({"2001:db8:e3::/56"}, one, "c0", "fe80::1", 8);
  delegate({"2001:db8:e4::/56"}, one, "c0", "fe80::1", 9);
  told_.clear();
  release({ia_pd6(7, {ia_prefix6("2001:db8:e2::/56", 0, 0)}), ia_pd6(8, {})});
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:e1::/56 of 1.7 via fe80::1 c0",
                                  "released 2001:db8:e2::/56 of 1.7 via fe80::1 c0",
                                  "released 2001:db8:e3::/56 of 1.8 via fe80::1 c0"));
  EXPECT_THAT(known(), ElementsAre("2001:db8:e4::/56 of 1.9 via fe80::1 c0"));
}

TEST_F(DelegationsTest, row_G_09_what_a_release_says_of_prefixes_does_not_matter) {
  delegate({"2001:db8:e1::/56"});
  release({ia_pd6(7, {ia_prefix6("2001:db8:e9::/56", 9, 0)})});
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(DelegationsTest, row_G_09_a_release_of_another_client_or_of_what_it_does_not_have_changes_nothing) {
  delegate({"2001:db8:e1::/56"});
  told_.clear();
  release({ia_pd6(7, {})}, "c1");
  release({ia_pd6(8, {ia_prefix6("2001:db8:e1::/56", 0, 0)})});
  release({});
  table_.release_passes("c0", message6(8, {client_id6(other), ia_pd6(7, {})}));
  table_.release_passes("c0", message6(9, {client_id6(one), ia_pd6(7, {})}));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(DelegationsTest, row_G_09_the_answer_to_a_release_is_no_news) {
  delegate({"2001:db8:e1::/56"});
  release({ia_pd6(7, {})});
  told_.clear();
  reply(message6(7, {client_id6(one), status6(0), ia_pd6(7, {status6(3)})}));
  EXPECT_THAT(told(), IsEmpty());
}

// Next hops and places

TEST_F(DelegationsTest, row_R_01_the_next_hop_is_where_the_last_reply_went) {
  delegate({"2001:db8:e1::/56"});
  told_.clear();
  delegate({"2001:db8:e1::/56"}, one, "c0", "fe80::2");
  EXPECT_THAT(told(), ElementsAre("moved 2001:db8:e1::/56 of 1.7 via fe80::2 c0"));
}

TEST_F(DelegationsTest, row_R_01_a_prefix_is_of_the_client_and_interface_that_got_it_last) {
  delegate({"2001:db8:e1::/56"});
  told_.clear();
  delegate({"2001:db8:e1::/56"}, one, "c1", "fe80::9");
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:e1::/56 of 1.7 via fe80::1 c0",
                                  "delegated 2001:db8:e1::/56 of 1.7 via fe80::9 c1"));
  delegate({"2001:db8:e1::/56"}, other, "c1", "fe80::9");
  EXPECT_THAT(told(), ElementsAre("released 2001:db8:e1::/56 of 1.7 via fe80::9 c1",
                                  "delegated 2001:db8:e1::/56 of 2.7 via fe80::9 c1"));
}

TEST_F(DelegationsTest, row_R_02_prefixes_are_told_apart_by_their_length) {
  delegate({"2001:db8:e1::/56", "2001:db8:e1::/57"});
  EXPECT_THAT(known(), ElementsAre("2001:db8:e1::/56 of 1.7 via fe80::1 c0", "2001:db8:e1::/57 of 1.7 via fe80::1 c0"));
}

TEST_F(DelegationsTest, what_cannot_be_a_clients_is_refused) {
  for (const char* const prefix : {"::/0", "2000::/3", "2000::/15", "fe80::/64", "ff00::/16"}) {
    delegate({prefix});
    EXPECT_THAT(told(), ElementsAre(std::string{"refused "} + prefix + " of 1.7 via fe80::1 c0: unroutable, 1"));
  }
  delegate({"fd00::/16", "2001:db8::1/128"});
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(DelegationsTest, an_interface_takes_what_it_has_along_under_its_new_name) {
  delegate({"2001:db8:e1::/56", "2001:db8:e2::/56"});
  delegate({"2001:db8:e3::/56"}, other);
  delegate({"2001:db8:e4::/56"}, one, "c1");
  told_.clear();
  table_.rename("c0", "c1");
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(known(), ElementsAre("2001:db8:e4::/56 of 1.7 via fe80::1 c1", "2001:db8:e1::/56 of 1.7 via fe80::1 c1",
                                   "2001:db8:e2::/56 of 1.7 via fe80::1 c1", "2001:db8:e3::/56 of 2.7 via fe80::1 c1"));
  table_.limit({.per_interface = 4});
  delegate({"2001:db8:e5::/56"}, other, "c1");
  EXPECT_THAT(told(), ElementsAre("refused 2001:db8:e5::/56 of 2.7 via fe80::1 c1: interface limit, 1"));
  table_.expire(now_ + 3600s);
  EXPECT_EQ(table_.size(), 0U);
}

// S-1: what is known from before

TEST_F(DelegationsTest, row_S_01_what_was_known_before_is_taken_in_again) {
  const Delegation before{prefix6("2001:db8:e1::/56"), 7, ip6("fe80::1"), 30, 60, now_ + 20s};
  table_.restore({one, "c0", before}, now_);
  EXPECT_THAT(told(), ElementsAre("delegated 2001:db8:e1::/56 of 1.7 via fe80::1 c0"));
  EXPECT_EQ(table_.next_expiry(), std::optional<nanoseconds>{now_ + 20s});
  table_.restore({other, "c1", before}, now_);
  table_.restore({one, "c0", {prefix6("2001:db8:e2::/56"), 7, ip6("fe80::1"), 30, 60, now_}}, now_);
  table_.restore({one, "c0", {prefix6("::/0"), 7, ip6("fe80::1"), 30, 60, now_ + 1s}}, now_);
  EXPECT_THAT(told(), IsEmpty()) << "known, over, or no client's";
  delegate({"2001:db8:e1::/56"});
  EXPECT_THAT(told(), ElementsAre("renewed 2001:db8:e1::/56 of 1.7 via fe80::1 c0"));
}

// What is not a Reply to a client

TEST_F(DelegationsTest, other_messages_and_damaged_ones_change_nothing) {
  for (int type = 0; type < 256; ++type) {
    reply(message6(static_cast<std::uint8_t>(type),
                   {client_id6(one), ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 1, 2)})}));
    EXPECT_EQ(told().size(), type == 7 ? 1U : 0U) << type;
  }
  Bytes damaged = message6(7, {client_id6(one), ia_pd6(7, {ia_prefix6("2001:db8:e2::/56", 1, 2)})});
  damaged.push_back(0);
  reply(damaged);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(DelegationsTest, a_message_full_of_prefixes_is_told_of_once) {
  std::vector<Bytes> leases(2000, ia_prefix6("fe80::/64", 1, 2));
  reply(message6(7, {client_id6(one), ia_pd6_of(7, leases)}));
  EXPECT_THAT(told(), ElementsAre("refused fe80::/64 of 1.7 via fe80::1 c0: unroutable, 2000"));
}

}  // namespace
}  // namespace relay
