// Each kind of verdict in words, exactly.
#include "relay/log/verdict_text.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using capture::FailedCopy;
using capture::Verdict;
using capture::VerdictKind;
using test_support::Bytes;
using test_support::discover;
using test_support::encoded;
using test_support::ip;
using test_support::ip6;
using test_support::text;

Verdict to_servers(std::uint8_t count, AgentInformationOutcome outcome = AgentInformationOutcome::untouched,
                   const Bytes& option82 = {}) {
  Verdict verdict;
  verdict.kind = VerdictKind::to_servers;
  verdict.giaddr = ip(10, 101, 0, 1);
  verdict.server_count = count;
  for (std::size_t number = 0; number < verdict.told_servers().size(); ++number) {
    verdict.told4().servers.at(number) = ip(10, 9, 0, static_cast<std::uint8_t>(2 + number));
  }
  verdict.agent_information = outcome;
  verdict.told4().option82_size = static_cast<std::uint8_t>(option82.size());
  std::ranges::copy(option82, verdict.told4().option82.begin());
  return verdict;
}

Verdict dropped(DropReason reason, std::uint32_t limit = 0) {
  Verdict verdict;
  verdict.reason = reason;
  verdict.limit = limit;
  verdict.source = ip(10, 9, 0, 66);
  verdict.giaddr = ip(10, 7, 7, 7);
  return verdict;
}

TEST(VerdictText, servers) {
  const Bytes message = discover().octets();
  const auto said = [&](std::uint8_t count) { return verdict_text(to_servers(count), message, {}); };
  EXPECT_EQ(said(1), "forwarded to 10.9.0.2, giaddr 10.101.0.1");
  EXPECT_EQ(said(2), "forwarded to 10.9.0.2 and 10.9.0.3, giaddr 10.101.0.1");
  EXPECT_EQ(said(3), "forwarded to 10.9.0.2, 10.9.0.3 and 10.9.0.4, giaddr 10.101.0.1");
  const std::string seven = "forwarded to 10.9.0.2, 10.9.0.3, 10.9.0.4, 10.9.0.5, 10.9.0.6, 10.9.0.7, 10.9.0.8";
  EXPECT_EQ(said(8), seven + " and 10.9.0.9, giaddr 10.101.0.1");
  EXPECT_EQ(said(9), seven + ", 10.9.0.9 and 1 more, giaddr 10.101.0.1");
  EXPECT_EQ(said(48), seven + ", 10.9.0.9 and 40 more, giaddr 10.101.0.1");
}

TEST(VerdictText, outcomes_of_option_82) {
  const Bytes ours = encoded(1, text("d1"));
  struct Case {
    AgentInformationOutcome outcome;
    std::string expected;
  };
  for (const auto& [outcome, expected] : std::vector<Case>{
           {AgentInformationOutcome::untouched, ""},
           {AgentInformationOutcome::added, R"(, option 82 circuit-id "d1")"},
           {AgentInformationOutcome::appended, R"(, option 82 appended circuit-id "d1")"},
           {AgentInformationOutcome::replaced, R"(, option 82 replaced by circuit-id "d1")"},
           {AgentInformationOutcome::did_not_fit, ", option 82 left out: it would not fit"},
       }) {
    EXPECT_EQ(verdict_text(to_servers(1, outcome, ours), discover().octets(), {}),
              "forwarded to 10.9.0.2, giaddr 10.101.0.1" + expected);
  }
}

TEST(VerdictText, deliveries) {
  Verdict verdict;
  verdict.kind = VerdictKind::to_client;
  verdict.destination = ip(10, 101, 0, 5);
  const auto said = [&](Delivery delivery, const Bytes& message, std::string_view egress) {
    verdict.delivery = delivery;
    return verdict_text(verdict, message, egress);
  };
  const Bytes offer = test_support::offer().octets();
  EXPECT_EQ(said(Delivery::link_broadcast, offer, "d1"), "reply to 02:00:00:00:00:01 on d1 by broadcast");
  EXPECT_EQ(said(Delivery::link_unicast, offer, "d1"), "reply to 02:00:00:00:00:01 on d1 by unicast to 10.101.0.5");
  EXPECT_EQ(said(Delivery::routed, offer, "d1"), "reply to 02:00:00:00:00:01 on d1 by datagram to 10.101.0.5");
  EXPECT_EQ(said(Delivery::link_broadcast, test_support::offer().hlen(0).octets(), "d\n1"),
            R"(reply to a client without a hardware address on d\x0a1 by broadcast)");
  EXPECT_EQ(said(Delivery::link_broadcast, {}, "d1"),
            "reply to a client without a hardware address on d1 by broadcast");
}

TEST(VerdictText, what_dropped_messages_went_beyond_and_whom_they_name) {
  const Bytes message = discover().hops(17).secs(3).giaddr(ip(10, 1, 1, 1)).octets();
  struct Case {
    DropReason reason;
    std::uint32_t limit;
    std::string expected;
  };
  for (const auto& [reason, limit, expected] : std::vector<Case>{
           {DropReason::hops_exceeded, 4, "dropped: hops_exceeded (17 > 4)"},
           {DropReason::below_min_secs, 10, "dropped: below_min_secs (3 < 10)"},
           {DropReason::too_short, 600, "dropped: too_short (300 < 600)"},
           {DropReason::server_unknown, 0, "dropped: server_unknown (10.9.0.66)"},
           {DropReason::giaddr_own, 0, "dropped: giaddr_own (10.7.7.7)"},
           {DropReason::giaddr_invalid, 0, "dropped: giaddr_invalid (10.7.7.7)"},
           {DropReason::giaddr_refused, 0, "dropped: giaddr_refused (10.7.7.7)"},
           {DropReason::reply_giaddr_unknown, 0, "dropped: reply_giaddr_unknown (10.7.7.7)"},
           {DropReason::reply_ambiguous, 0, "dropped: reply_ambiguous (10.7.7.7)"},
           {DropReason::option82_untrusted, 0,
            "dropped: option82_untrusted (giaddr is zero and option 82 is there on an untrusted circuit (RFC 3046 "
            "section 2.1))"},
       }) {
    EXPECT_EQ(verdict_text(dropped(reason, limit), message, {}), expected);
  }
  EXPECT_EQ(verdict_text(dropped(DropReason::too_short, 236), Bytes(235, 1), {}), "dropped: too_short (235 < 236)");
}

TEST(VerdictText, every_reason_has_its_words_however_short_the_message) {
  for (const DropReason reason : all_drop_reasons()) {
    for (const std::size_t size : {0U, 235U, 236U}) {
      const std::string said = verdict_text(dropped(reason), Bytes(size, 0xff), {});
      const std::string begin = "dropped: " + std::string{relay::text(reason).name} + " (";
      EXPECT_TRUE(said.starts_with(begin) && said.ends_with(')') && said.size() > begin.size() + 1) << said;
    }
  }
}

TEST(VerdictText, what_could_not_be_sent) {
  Verdict verdict;
  verdict.kind = VerdictKind::send_failed;
  verdict.reason = DropReason::send_failed;
  verdict.destination = ip(10, 9, 0, 3);
  verdict.error = ENETUNREACH;
  const FailedCopy copy{verdict.destination, verdict.reason, verdict.error};
  EXPECT_EQ(failed_copy_text(copy), "not sent to 10.9.0.3: Network is unreachable");
  EXPECT_EQ(unsent_text(copy), "dropped: send_failed (to 10.9.0.3: Network is unreachable)");
  EXPECT_EQ(verdict_text(verdict, {}, {}), "dropped: send_failed (to 10.9.0.3: Network is unreachable)");
  verdict.reason = DropReason::send_buffer_full;
  verdict.error = ENOBUFS;
  EXPECT_EQ(verdict_text(verdict, {}, {}), "dropped: send_buffer_full (to 10.9.0.3: No buffer space available)");
}

TEST(VerdictText, an_option_82_of_zero_octets) {
  const std::string said =
      verdict_text(to_servers(1, AgentInformationOutcome::replaced, Bytes(255, 0)), discover().octets(), {});
  EXPECT_TRUE(said.ends_with(" sub-option-0 0x, damaged 0x00"));
  EXPECT_LT(said.size(), 2400U);
}

// DHCPv6

Verdict to_servers6(std::initializer_list<Bytes> options = {}) {
  Verdict verdict;
  verdict.kind = VerdictKind::to_servers;
  verdict.server_count = 2;
  capture::Told6& told = verdict.told6();
  told.servers = {ip6("2001:db8:53::10"), ip6("ff05::1:3")};
  told.link_address = ip6("2001:db8:1::1");
  for (const Bytes& option : options) {
    std::ranges::copy(option, told.options.begin() + told.options_size);
    told.options_size = static_cast<std::uint16_t>(told.options_size + option.size());
  }
  return verdict;
}

TEST(VerdictText6, servers) {
  using test_support::option6;
  const std::string forwarded = "forwarded to 2001:db8:53::10 and ff05::1:3, link-address 2001:db8:1::1";
  const auto said = [](const Verdict& verdict) { return verdict_text(verdict, test_support::solicit6(), {}); };
  EXPECT_EQ(said(to_servers6()), forwarded);
  EXPECT_EQ(said(to_servers6({option6(18, text("d1"))})), forwarded + ", interface-id \"d1\"");
  EXPECT_EQ(said(to_servers6({option6(18, text("\n\""))})), forwarded + ", interface-id 0x0a22");
  EXPECT_EQ(said(to_servers6({option6(37, {0, 0, 0, 9, 1, 2}), option6(38, text("s 1")), option6(53, {0, 3, 0, 1}),
                              option6(68, {255}), option6(66, {}), option6(135, {2, 34}), option6(777, text("x"))})),
            forwarded +
                ", remote-id 0x0102 of enterprise 9, subscriber-id \"s 1\", relay-id 0x00030001, vss 0xff, "
                "relay-supplied-options empty, relay-source-port 546, option-777 \"x\"");
  EXPECT_EQ(said(to_servers6({option6(37, {0, 0, 0, 9}), option6(135, {1})})),
            forwarded + ", remote-id 0x00000009, relay-source-port 0x01")
      << "too short for what it should be";
}

TEST(VerdictText6, options_that_a_verdict_has_no_room_for) {
  Verdict verdict = to_servers6({test_support::option6(18, text("d1"))});
  capture::Told6& told = verdict.told6();
  told.left_out_count = 1;
  told.left_out_code = 38;
  told.left_out_size = 300;
  const auto said = [&] { return verdict_text(verdict, test_support::solicit6(), {}); };
  EXPECT_TRUE(said().ends_with(", interface-id \"d1\", subscriber-id of 300 octets")) << said();
  told.left_out_count = 3;
  EXPECT_TRUE(said().ends_with(", subscriber-id of 300 octets, and 2 more")) << said();
}

TEST(VerdictText6, deliveries) {
  Verdict verdict;
  verdict.kind = VerdictKind::to_client;
  verdict.destination = ip6("fe80::1");
  verdict.egress_index = 2;
  verdict.told6().port = 546;
  EXPECT_EQ(verdict_text(verdict, {}, "d\n1"), R"(reply to fe80::1 port 546 on d\x0a1)");
  verdict.egress_index = 0;
  EXPECT_EQ(verdict_text(verdict, {}, {}), "reply to fe80::1 port 546, where routes lead");
}

TEST(VerdictText6, what_dropped_messages_went_beyond_and_whom_they_name) {
  using test_support::option6;
  const Bytes relayed = test_support::relay_message6(13, 8, ip6("2001:db8:1::9"), ip6("ff02::1"),
                                                     {option6(18, text("x1")), option6(9, {})});
  struct Case {
    DropReason reason;
    Bytes message;
    std::string expected;
  };
  for (const auto& [reason, message, expected] : std::vector<Case>{
           {DropReason::hop_count_reached, relayed, "hop_count_reached (8 >= 8)"},
           {DropReason::server_unknown, relayed, "server_unknown (fe80::66)"},
           {DropReason::source_invalid, {1}, "source_invalid (fe80::66)"},
           {DropReason::header_too_short, {1, 2, 3}, "header_too_short (3 < 4)"},
           {DropReason::header_too_short, {12, 0, 0, 0}, "header_too_short (4 < 34)"},
           {DropReason::server_message, test_support::advertise6(), "server_message (ADVERTISE)"},
           {DropReason::not_relay_reply, test_support::solicit6(), "not_relay_reply (SOLICIT)"},
           {DropReason::peer_address_invalid, relayed, "peer_address_invalid (ff02::1)"},
           {DropReason::link_address_unknown, relayed, "link_address_unknown (2001:db8:1::9)"},
           {DropReason::link_address_ambiguous, relayed, "link_address_ambiguous (2001:db8:1::9)"},
           {DropReason::interface_id_unknown, relayed, "interface_id_unknown (\"x1\")"},
           {DropReason::interface_id_ambiguous, relayed, "interface_id_ambiguous (\"x1\")"},
       }) {
    Verdict verdict;
    verdict.reason = reason;
    verdict.limit = 8;
    verdict.source = ip6("fe80::66");
    static_cast<void>(verdict.told6());
    EXPECT_EQ(verdict_text(verdict, message, {}), "dropped: " + expected);
  }
}

TEST(VerdictText6, every_reason_is_told_of_messages_of_any_size) {
  const Bytes whole = test_support::relay_reply6(test_support::advertise6(), {test_support::option6(18, text("d1"))});
  for (const DropReason reason : all_drop_reasons()) {
    Verdict verdict;
    verdict.reason = reason;
    static_cast<void>(verdict.told6());
    const std::string begin = "dropped: " + std::string{relay::text(reason).name} + " (";
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string said = verdict_text(verdict, std::span{whole}.first(size), {});
      EXPECT_TRUE(said.starts_with(begin) && said.size() > begin.size() + 1) << said;
    }
  }
}

TEST(MessageSummary6, messages_of_clients_servers_and_relay_agents) {
  using test_support::option6;
  const auto said = [](const Bytes& message) { return message_summary(message, Family::ipv6); };
  const Bytes solicit{1, 0x11, 0x22, 0x33};
  EXPECT_EQ(said(solicit), "SOLICIT xid 0x112233");
  const Bytes once = test_support::relay_message6(12, 0, ip6("2001:db8:1::1"), ip6("fe80::1"),
                                                  {option6(9, solicit), option6(18, text("d1"))});
  const std::string first =
      "RELAY-FORW hops 0 link-address 2001:db8:1::1 peer-address fe80::1 interface-id \"d1\" with SOLICIT xid 0x112233";
  EXPECT_EQ(said(once), first);
  const Bytes twice = test_support::relay_message6(12, 1, {}, ip6("2001:db8:1::1"), {option6(9, once)});
  EXPECT_EQ(said(twice), "RELAY-FORW hops 1 link-address :: peer-address 2001:db8:1::1 with " + first);
}

TEST(MessageSummary6, what_is_damaged_or_without_end) {
  using test_support::option6;
  const auto said = [](const Bytes& message) { return message_summary(message, Family::ipv6); };
  EXPECT_EQ(said({1, 2}), "a message of 2 octets, too short for DHCPv6");
  EXPECT_EQ(said({77, 1, 2, 3}), "type-77 xid 0x010203");
  const std::string outer = "RELAY-REPL hops 0 link-address :: peer-address :: with ";
  EXPECT_EQ(said(test_support::relay_message6(13, 0, {}, {}, {})), outer + "no message");
  EXPECT_EQ(said(test_support::relay_message6(13, 0, {}, {}, {{0, 9, 0xff, 0xff, 1}})), outer + "no message");
  EXPECT_EQ(said(test_support::relay_message6(13, 0, {}, {}, {option6(9, {13, 0, 0})})),
            outer + "a message of 3 octets, too short for DHCPv6");
  Bytes nested = test_support::solicit6();
  for (int level = 0; level < 100; ++level) {
    nested = test_support::relay_message6(12, 0, {}, {}, {option6(9, nested)});
  }
  EXPECT_TRUE(said(nested).ends_with(" with more of them"));
  EXPECT_LT(said(nested).size(), 600U);
}

}  // namespace
}  // namespace relay
