#include "relay/io/firewall.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/message_on_way.h"

namespace relay::io {
namespace {

using check::MessageOnWay;
using check::Passage;
using test_support::relay_reply_on_way;
using test_support::reply_on_way;
using test_support::request_on_way;
using test_support::solicit_on_way;

/// What nft 1.0.6 prints of one chain of input with these rules' expressions.
std::string printed(const std::string& policy, const std::vector<std::string>& rules) {
  std::string text = R"({"nftables":[{"metainfo":{"version":"1.0.6","json_schema_version":1}},)"
                     R"({"table":{"family":"inet","name":"filter","handle":1}},)"
                     R"({"set":{"family":"inet","name":"dhcp","table":"filter","type":"inet_service","handle":3,)"
                     R"("flags":["interval"],"elem":[{"range":[67,68]},70]}},)"
                     R"({"map":{"family":"inet","name":"services","table":"filter","type":"inet_service","handle":4,)"
                     R"("map":"verdict","elem":[[53,{"drop":null}],[67,{"accept":null}]]}},)"
                     R"({"chain":{"family":"inet","table":"filter","name":"other","handle":1}},)"
                     R"({"rule":{"family":"inet","table":"filter","chain":"other","handle":2,"expr":[{"drop":null}]}},)"
                     R"({"chain":{"family":"inet","table":"filter","name":"input","handle":3,"type":"filter",)"
                     R"("hook":"input","prio":0,"policy":")" +
                     policy + R"("}})";
  for (const std::string& rule : rules) {
    text += R"(,{"rule":{"family":"inet","table":"filter","chain":"input","handle":9,"expr":[)" + rule + "]}}";
  }
  return text + "]}";
}

Passage passage(const std::string& policy, const std::vector<std::string>& rules,
                const MessageOnWay& message = request_on_way()) {
  const Firewall firewall = firewall_in(printed(policy, rules));
  EXPECT_EQ(firewall.fault, "");
  return check::ask_firewall(firewall.ruleset, "input", message).passage;
}

/// What a rule with this condition that drops does to a request.
Passage dropping(const std::string& condition, const MessageOnWay& message = request_on_way()) {
  return passage("accept", {condition + R"(,{"counter":{"packets":0,"bytes":0}},{"drop":null})"}, message);
}

std::string payload(const std::string& protocol, const std::string& field, const std::string& right,
                    const std::string& op = "==") {
  return R"({"match":{"op":")" + op + R"(","left":{"payload":{"protocol":")" + protocol + R"(","field":")" + field +
         R"("}},"right":)" + right + "}}";
}

std::string meta(const std::string& key, const std::string& right) {
  return R"({"match":{"op":"==","left":{"meta":{"key":")" + key + R"("}},"right":)" + right + "}}";
}

TEST(Firewall, PoliciesAreRead) {
  EXPECT_EQ(passage("drop", {}), Passage::is_dropped);
  EXPECT_EQ(passage("accept", {}), Passage::passes);
}

TEST(Firewall, PortsAreReadAsNumbersRangesAndSets) {
  EXPECT_EQ(dropping(payload("udp", "dport", "67")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("udp", "dport", "68")), Passage::passes);
  EXPECT_EQ(dropping(payload("udp", "dport", R"({"range":[60,70]})")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("th", "dport", R"({"set":[53,{"range":[67,68]}]})")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("udp", "dport", R"("@dhcp")")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("udp", "dport", R"("@nosuch")")), Passage::may_be_dropped);
  EXPECT_EQ(dropping(payload("udp", "dport", R"({"set":[67,68]})", "!=")), Passage::passes);
  EXPECT_EQ(dropping(payload("udp", "length", "100", ">")), Passage::may_be_dropped);
}

TEST(Firewall, AddressesAreReadAsPrefixesAndRanges) {
  EXPECT_EQ(dropping(payload("ip", "saddr", R"({"prefix":{"addr":"10.0.0.0","len":8}})"), reply_on_way()),
            Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip", "saddr", R"({"prefix":{"addr":"10.0.0.0","len":8}})")), Passage::passes);
  EXPECT_EQ(dropping(payload("ip", "daddr", R"({"set":["192.0.2.1",{"range":["10.101.0.1","10.101.0.9"]}]})"),
                     reply_on_way()),
            Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip", "daddr", R"("255.255.255.255")")), Passage::is_dropped);
}

TEST(Firewall, InterfacesProtocolsAndKindsOfPacketsAreRead) {
  EXPECT_EQ(dropping(meta("iifname", R"({"set":["d2","d1"]})")), Passage::is_dropped);
  EXPECT_EQ(dropping(meta("iif", R"("lo")")), Passage::passes);
  EXPECT_EQ(dropping(meta("l4proto", R"({"set":["tcp","udp"]})")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip", "protocol", R"("icmp")")), Passage::passes);
  EXPECT_EQ(dropping(meta("nfproto", R"("ipv4")")), Passage::is_dropped);
  EXPECT_EQ(dropping(meta("protocol", R"("ip")")), Passage::is_dropped);
  EXPECT_EQ(dropping(meta("pkttype", R"("broadcast")")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("tcp", "dport", "67")), Passage::passes);
  EXPECT_EQ(dropping(payload("ip6", "saddr", R"("::1")")), Passage::passes);
  EXPECT_EQ(dropping(meta("mark", "1")), Passage::may_be_dropped);
  EXPECT_EQ(dropping(R"({"match":{"op":"==","left":{"fib":{"result":"type","flags":["daddr"]}},"right":"broadcast"}})"),
            Passage::is_dropped);
  EXPECT_EQ(dropping(R"({"match":{"op":"==","left":{"fib":{"result":"oif","flags":["saddr","iif"]}},"right":false}})"),
            Passage::may_be_dropped);
}

TEST(Firewall, AddressesOfIpv6AreReadAsPrefixesAndRanges) {
  EXPECT_EQ(dropping(payload("ip6", "saddr", R"({"prefix":{"addr":"fe80::","len":10}})"), solicit_on_way()),
            Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip6", "saddr", R"({"prefix":{"addr":"fe80::","len":10}})"), relay_reply_on_way()),
            Passage::passes);
  EXPECT_EQ(dropping(payload("ip6", "daddr", R"("ff02::1:2")"), solicit_on_way()), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip6", "daddr", R"({"set":["::1",{"range":["2001:db8:101::","2001:db8:101::ff"]}]})"),
                     relay_reply_on_way()),
            Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip6", "nexthdr", R"("udp")"), solicit_on_way()), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip6", "hoplimit", "1"), solicit_on_way()), Passage::may_be_dropped);
  EXPECT_EQ(dropping(payload("ip6", "saddr", R"({"prefix":{"addr":"fe80::","len":129}})"), solicit_on_way()),
            Passage::may_be_dropped);
  EXPECT_EQ(dropping(meta("protocol", R"("ip6")"), solicit_on_way()), Passage::is_dropped);
}

TEST(Firewall, WhatLooksAtOneFamilySaysNothingOfTheOther) {
  EXPECT_EQ(dropping(payload("ip", "saddr", R"("192.0.2.1")", "!="), solicit_on_way()), Passage::passes);
  EXPECT_EQ(dropping(payload("ip6", "saddr", R"("2001:db8::1")", "!=")), Passage::passes);
  EXPECT_EQ(dropping(payload("ip", "saddr", R"("192.0.2.1")", "!=")), Passage::is_dropped);
  EXPECT_EQ(dropping(payload("ip6", "hoplimit", "1")), Passage::passes);
  const std::string by_source = R"({"vmap":{"key":{"payload":{"protocol":"ip6","field":"saddr"}},"data":{"set":)"
                                R"([[{"prefix":{"addr":"fe80::","len":10}},{"drop":null}]]}}})";
  EXPECT_EQ(passage("accept", {by_source}, solicit_on_way()), Passage::is_dropped);
  EXPECT_EQ(passage("accept", {by_source}), Passage::passes);
}

TEST(Firewall, AnInterfaceMayBeCalledByANumber) {
  MessageOnWay message = request_on_way();
  message.ingress = "100";
  EXPECT_EQ(dropping(meta("iifname", R"("100")"), message), Passage::is_dropped);
  EXPECT_EQ(dropping(meta("iifname", R"("101")"), message), Passage::passes);
}

TEST(Firewall, ConnectionsAreRead) {
  const std::string accept =
      R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null})";
  EXPECT_EQ(passage("drop", {accept}), Passage::is_dropped);
  EXPECT_EQ(passage("drop", {accept}, reply_on_way()), Passage::passes);
}

TEST(Firewall, MapsOfVerdictsAreRulesOfTheirOwn) {
  const std::string ports = R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":{"set":)"
                            R"([[53,{"accept":null}],[67,{"goto":{"target":"other"}}]]}}})";
  EXPECT_EQ(passage("accept", {ports}), Passage::is_dropped);
  const std::string states = R"({"vmap":{"key":{"ct":{"key":"state"}},"data":{"set":)"
                             R"([["invalid",{"drop":null}],["established",{"accept":null}]]}}})";
  EXPECT_EQ(passage("drop", {states}, reply_on_way()), Passage::passes);
  EXPECT_EQ(passage("accept", {states}), Passage::passes);
}

TEST(Firewall, NamedMapsOfVerdictsAreLookedUp) {
  const auto by_map = [](const std::string& name) {
    return R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":"@)" + name + R"("}})";
  };
  EXPECT_EQ(passage("drop", {by_map("services")}), Passage::passes);
  EXPECT_EQ(passage("accept", {by_map("services")}), Passage::passes);
  MessageOnWay other = request_on_way();
  other.destination_port = 53;
  EXPECT_EQ(passage("accept", {by_map("services")}, other), Passage::is_dropped);
  EXPECT_EQ(passage("drop", {by_map("nosuch")}), Passage::may_be_dropped);
  EXPECT_EQ(passage("accept", {by_map("nosuch")}), Passage::may_be_dropped);
}

TEST(Firewall, ChainsThatSeeFramesAreTold) {
  const Firewall firewall = firewall_in(
      R"({"nftables":[{"chain":{"family":"netdev","table":"t","name":"c","hook":"ingress","prio":0,"dev":"d1"}},)"
      R"({"chain":{"family":"bridge","table":"t","name":"b","hook":"input","prio":0,"policy":"drop"}},)"
      R"({"chain":{"family":"bridge","table":"t","name":"called"}},)"
      R"({"chain":{"family":"inet","table":"t","name":"i","hook":"ingress","prio":0,"dev":"d1","policy":"drop"}}]})");
  EXPECT_EQ(firewall.fault, "");
  EXPECT_TRUE(firewall.ruleset.empty());
  EXPECT_EQ(firewall.early_chains, (std::vector<std::string>{"netdev t c", "bridge t b", "inet t i"}));
}

TEST(Firewall, JumpsRejectsAndLimitsAreRead) {
  EXPECT_EQ(passage("accept", {R"({"jump":{"target":"other"}})"}), Passage::is_dropped);
  EXPECT_EQ(passage("accept", {R"({"reject":{"type":"icmpx","expr":"port-unreachable"}})"}), Passage::is_dropped);
  EXPECT_EQ(passage("drop", {R"({"limit":{"rate":10,"burst":5,"per":"second"}},{"accept":null})"}),
            Passage::may_be_dropped);
  EXPECT_EQ(passage("accept", {R"({"log":{"prefix":"x"}})"}), Passage::passes);
}

TEST(Firewall, RulesOfIptablesAreRead) {
  const std::string conntrack = R"({"xt":{"type":"match","name":"conntrack"}},{"accept":null})";
  EXPECT_EQ(passage("drop", {conntrack}), Passage::may_be_dropped) << "the states are not told, and may be NEW";
  EXPECT_EQ(passage("drop", {conntrack}, reply_on_way()), Passage::may_be_dropped);
  EXPECT_EQ(dropping(R"({"xt":{"type":"match","name":"state"}})"), Passage::may_be_dropped);
  EXPECT_EQ(passage("accept", {R"({"xt":{"type":"match","name":"comment"}},{"xt":{"type":"target","name":"REJECT"}})"}),
            Passage::is_dropped);
  EXPECT_EQ(dropping(R"({"xt":{"type":"match","name":"multiport"}})"), Passage::may_be_dropped);
}

TEST(Firewall, ChainsOfIpv6AreRead) {
  const Firewall firewall = firewall_in(
      R"({"nftables":[{"chain":{"family":"ip6","table":"t","name":"c","hook":"input","prio":0,"policy":"drop"}}]})");
  EXPECT_EQ(firewall.fault, "");
  EXPECT_EQ(check::ask_firewall(firewall.ruleset, "input", solicit_on_way()).passage, Passage::is_dropped);
  EXPECT_EQ(check::ask_firewall(firewall.ruleset, "input", request_on_way()).passage, Passage::passes);
}

TEST(Firewall, ChainsOfOtherFamiliesAreLeftOut) {
  const Firewall firewall = firewall_in(
      R"({"nftables":[{"chain":{"family":"arp","table":"t","name":"c","hook":"input","prio":0,"policy":"drop"}},)"
      R"({"rule":{"family":"arp","table":"t","chain":"c","handle":1,"expr":[{"drop":null}]}}]})");
  EXPECT_EQ(firewall.fault, "");
  EXPECT_TRUE(firewall.ruleset.empty());
}

TEST(Firewall, WhatIsNoRulesetIsAFault) {
  EXPECT_EQ(firewall_in("").fault.find("nft prints what is no JSON: "), 0U);
  EXPECT_EQ(firewall_in(R"({"nftables":)").fault.find("nft prints what is no JSON: "), 0U);
  EXPECT_EQ(firewall_in(R"({"iptables":[]})").fault, "nft prints JSON of another kind");
}

TEST(Firewall, PartsThatAreNotUnderstoodDoNoHarm) {
  for (const char* const rule :
       {"", "null", "[]", "{}", R"({"match":null})", R"({"match":{"op":"==","left":{},"right":{}}})",
        R"({"match":{"op":"==","left":{"meta":{"key":"iif"}},"right":{"prefix":{"addr":"10.0.0.0","len":99}}}})",
        R"({"match":{"op":"==","left":{"meta":{"key":"iif"}},"right":{"range":[1]}}})", R"({"xt":null})"}) {
    EXPECT_EQ(passage("accept", {rule}), Passage::passes) << rule;
  }
  for (const char* const map :
       {R"({"vmap":{"key":{}}})", R"({"vmap":{"key":{"meta":{"key":"iif"}},"data":{"set":[[1],[1,2],[[],{}]]}}})"}) {
    EXPECT_EQ(passage("accept", {map}), Passage::may_be_dropped) << map;
    EXPECT_EQ(passage("drop", {map}), Passage::may_be_dropped) << map;
  }
}

}  // namespace
}  // namespace relay::io
