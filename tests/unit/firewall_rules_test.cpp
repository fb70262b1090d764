#include "relay/check/firewall_rules.h"

#include <gtest/gtest.h>

#include "tests/support/message_on_way.h"

namespace relay::check {
namespace {

using test_support::relay_reply_on_way;
using test_support::reply_on_way;
using test_support::request_on_way;
using test_support::solicit_on_way;

Condition ingress(const std::string& name) {
  return {PacketField::ingress, false, {{name, 0, 0}}};
}

Condition port(std::uint64_t first, std::uint64_t last) {
  return {PacketField::destination_port, false, {{{}, first, last}}};
}

Condition connection(const std::string& state) {
  return {PacketField::connection, false, {{state, 0, 0}}};
}

Rule rule(std::vector<Condition> conditions, RuleVerdict verdict, std::string target = {}) {
  return {std::move(conditions), verdict, std::move(target), 7};
}

Chain base(bool drops_by_policy, std::vector<Rule> rules) {
  return {"inet", "filter", "input", "input", 0, drops_by_policy, std::move(rules)};
}

Chain called(const std::string& name, std::vector<Rule> rules) {
  return {"inet", "filter", name, {}, 0, false, std::move(rules)};
}

Passage passage(const Ruleset& ruleset, const MessageOnWay& message = request_on_way()) {
  return ask_firewall(ruleset, "input", message).passage;
}

const Condition no_idea{};

TEST(Firewall, WithoutRulesEverythingPasses) {
  EXPECT_EQ(passage({}), Passage::passes);
  EXPECT_EQ(passage({base(false, {})}), Passage::passes);
}

TEST(Firewall, ThePolicyDropsWhatNoRuleAccepts) {
  const Ruleset ruleset{base(true, {rule({port(22, 22)}, RuleVerdict::accept)})};
  const FirewallAnswer answer = ask_firewall(ruleset, "input", request_on_way());
  EXPECT_EQ(answer.passage, Passage::is_dropped);
  EXPECT_EQ(answer.chain, ruleset.data());
  EXPECT_EQ(answer.rule, nullptr);
}

TEST(Firewall, TheFirstRuleThatHoldsDecides) {
  EXPECT_EQ(passage({base(true, {rule({port(67, 68)}, RuleVerdict::accept), rule({}, RuleVerdict::drop)})}),
            Passage::passes);
  const Ruleset ruleset{base(false, {rule({ingress("d1"), port(67, 67)}, RuleVerdict::drop)})};
  const FirewallAnswer answer = ask_firewall(ruleset, "input", request_on_way());
  EXPECT_EQ(answer.passage, Passage::is_dropped);
  EXPECT_EQ(answer.rule, ruleset.front().rules.data());
  EXPECT_EQ(passage(ruleset, reply_on_way()), Passage::passes);
}

TEST(Firewall, AnAsteriskStandsForTheRestOfAName) {
  EXPECT_EQ(passage({base(false, {rule({ingress("d*")}, RuleVerdict::drop)})}), Passage::is_dropped);
  EXPECT_EQ(passage({base(false, {rule({ingress("u*")}, RuleVerdict::drop)})}), Passage::passes);
}

TEST(Firewall, ANegatedConditionHoldsWhereNoneOfItsValuesDoes) {
  Condition not_there = ingress("d2");
  not_there.is_negated = true;
  EXPECT_EQ(passage({base(false, {rule({not_there}, RuleVerdict::drop)})}), Passage::is_dropped);
  not_there.values.push_back({"d1", 0, 0});
  EXPECT_EQ(passage({base(false, {rule({not_there}, RuleVerdict::drop)})}), Passage::passes);
}

TEST(Firewall, RequestsAreNewAndRepliesAreAnswers) {
  const Ruleset ruleset{base(true, {rule({connection("established")}, RuleVerdict::accept)})};
  EXPECT_EQ(passage(ruleset), Passage::is_dropped);
  EXPECT_EQ(passage(ruleset, reply_on_way()), Passage::passes);
  EXPECT_EQ(passage({base(false, {rule({connection("invalid")}, RuleVerdict::drop)})}), Passage::passes);
}

TEST(Firewall, EveryFieldOfAMessageIsTold) {
  const MessageOnWay message = reply_on_way();
  const auto drops = [&message](PacketField field, FieldValue value) {
    return passage({base(false, {rule({{field, false, {std::move(value)}}}, RuleVerdict::drop)})}, message) ==
           Passage::is_dropped;
  };
  EXPECT_TRUE(drops(PacketField::ingress, {"u0", 0, 0}));
  EXPECT_FALSE(drops(PacketField::egress, {"u0", 0, 0}));
  EXPECT_TRUE(drops(PacketField::source, {{}, 0x0a090000, 0x0a0900ff}));
  EXPECT_TRUE(drops(PacketField::destination, {{}, 0x0a650001, 0x0a650001}));
  EXPECT_TRUE(drops(PacketField::source_port, {{}, 67, 67}));
  EXPECT_TRUE(drops(PacketField::network_protocol, {"ipv4", 0, 0}));
  EXPECT_TRUE(drops(PacketField::transport_protocol, {"udp", 0, 0}));
  EXPECT_TRUE(drops(PacketField::transport_protocol, {{}, 17, 17}));
  EXPECT_TRUE(drops(PacketField::packet_type, {"host", 0, 0}));
  EXPECT_TRUE(drops(PacketField::destination_type, {"local", 0, 0}));
}

/// The addresses that begin with so many octets of this one.
FieldValue beginning(const Ipv6Address& address, std::uint8_t octets) {
  const Ipv6Prefix prefix{address, static_cast<std::uint8_t>(8 * octets)};
  return {{}, 0, 0, Ipv6Range{prefix.network().address, prefix.last()}};
}

TEST(Firewall, EveryFieldOfAMessageOfDhcpv6IsTold) {
  const auto drops = [](PacketField field, FieldValue value, const MessageOnWay& message) {
    return passage({base(false, {rule({{field, false, {std::move(value)}}}, RuleVerdict::drop)})}, message) ==
           Passage::is_dropped;
  };
  const MessageOnWay solicit = solicit_on_way();
  const MessageOnWay reply = relay_reply_on_way();
  EXPECT_TRUE(drops(PacketField::network_protocol, {"ipv6", 0, 0}, solicit));
  EXPECT_FALSE(drops(PacketField::network_protocol, {"ipv4", 0, 0}, solicit));
  EXPECT_TRUE(drops(PacketField::source, beginning(Ipv6Address{{0xfe, 0x80}}, 2), solicit));
  EXPECT_FALSE(drops(PacketField::source, beginning(Ipv6Address{{0xfe, 0x80}}, 2), reply));
  EXPECT_TRUE(drops(PacketField::destination, beginning(all_dhcp_relay_agents_and_servers, 16), solicit));
  EXPECT_FALSE(drops(PacketField::destination, beginning(all_dhcp_servers, 16), solicit));
  EXPECT_TRUE(drops(PacketField::packet_type, {"multicast", 0, 0}, solicit));
  EXPECT_TRUE(drops(PacketField::packet_type, {"host", 0, 0}, reply));
  EXPECT_TRUE(drops(PacketField::destination_type, {"multicast", 0, 0}, solicit));
  EXPECT_TRUE(drops(PacketField::destination_type, {"local", 0, 0}, reply));
  EXPECT_TRUE(drops(PacketField::destination_port, {{}, 547, 547}, solicit));
}

TEST(Firewall, AddressesOfOneFamilyAreNoneOfTheOther) {
  const auto drops = [](FieldValue value, const MessageOnWay& message) {
    return passage({base(false, {rule({{PacketField::source, false, {std::move(value)}}}, RuleVerdict::drop)})},
                   message) == Passage::is_dropped;
  };
  EXPECT_TRUE(drops({{}, 0, 0xffffffff}, reply_on_way()));
  EXPECT_FALSE(drops({{}, 0, 0xffffffff}, relay_reply_on_way()));
  EXPECT_TRUE(drops(beginning({}, 0), relay_reply_on_way()));
  EXPECT_FALSE(drops(beginning({}, 0), reply_on_way()));
}

TEST(Firewall, AChainOfOneFamilySeesNothingOfTheOther) {
  Chain chain = base(true, {});
  chain.family = "ip";
  EXPECT_EQ(passage({chain}, request_on_way()), Passage::is_dropped);
  EXPECT_EQ(passage({chain}, solicit_on_way()), Passage::passes);
  chain.family = "ip6";
  EXPECT_EQ(passage({chain}, request_on_way()), Passage::passes);
  EXPECT_EQ(passage({chain}, solicit_on_way()), Passage::is_dropped);
}

TEST(Firewall, AConditionThatCannotBeJudgedMakesADoubt) {
  const Rule may_drop = rule({no_idea}, RuleVerdict::drop);
  const Rule may_accept = rule({no_idea}, RuleVerdict::accept);
  EXPECT_EQ(passage({base(false, {may_drop})}), Passage::may_be_dropped);
  EXPECT_EQ(passage({base(true, {may_accept})}), Passage::may_be_dropped);
  EXPECT_EQ(passage({base(false, {may_accept})}), Passage::passes);
  EXPECT_EQ(passage({base(true, {may_drop})}), Passage::is_dropped);
  EXPECT_EQ(passage({base(false, {rule({port(1, 1), no_idea}, RuleVerdict::drop)})}), Passage::passes);
}

TEST(Firewall, JumpsComeBackAndGotosDoNot) {
  const Chain empty = called("other", {});
  const Rule drop = rule({}, RuleVerdict::drop);
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::jump, "other"), drop}), empty}), Passage::is_dropped);
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::go_to, "other"), drop}), empty}), Passage::passes);
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::go_back), drop})}), Passage::passes);
  const Chain dropping = called("other", {drop});
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::jump, "other")}), dropping}), Passage::is_dropped);
  EXPECT_EQ(passage({base(false, {rule({no_idea}, RuleVerdict::jump, "other")}), dropping}), Passage::may_be_dropped);
  EXPECT_EQ(passage({base(true, {rule({no_idea}, RuleVerdict::go_back)})}), Passage::may_be_dropped);
}

TEST(Firewall, ChainsThatCallEachOtherForEverComeToAnEnd) {
  const Chain loop = called("loop", {rule({}, RuleVerdict::jump, "loop")});
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::jump, "loop")}), loop}), Passage::passes);
  EXPECT_EQ(passage({base(false, {rule({}, RuleVerdict::jump, "nowhere")})}), Passage::passes);
}

TEST(Firewall, EveryChainOfTheHookIsAsked) {
  Chain early = base(false, {rule({no_idea}, RuleVerdict::drop)});
  early.priority = -300;
  const Chain late = base(true, {});
  EXPECT_EQ(ask_firewall({early, late}, "input", request_on_way()).passage, Passage::is_dropped);
  EXPECT_EQ(ask_firewall({early}, "input", request_on_way()).passage, Passage::may_be_dropped);
  EXPECT_EQ(ask_firewall({late}, "output", request_on_way()).passage, Passage::passes);
}

}  // namespace
}  // namespace relay::check
