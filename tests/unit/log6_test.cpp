// Log lines of DHCPv6 messages.
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/core/dhcpv6.h"
#include "relay/log/log.h"
#include "tests/support/message6.h"
#include "tests/support/test_network6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::ip6;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Log6Test : public ::testing::Test {
 protected:
  Log6Test() { interface_.name = "vlan7"; }

  void tell(MessageStage stage, const Bytes& message, const Decision6* decision) {
    log_.message(MessageEvent6{stage, ingress_, &interface_, message, decision, 1});
  }

  /// Of a Solicit, as its octets have it.
  [[nodiscard]] static std::string xid() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "0x";
    const Bytes message = test_support::solicit6();
    for (std::size_t place = 1; place < dhcpv6::message_header_size; ++place) {
      text += digits[message[place] >> 4U];
      text += digits[message[place] & 0xfU];
    }
    return text;
  }

  std::vector<std::string> lines_;
  Log log_{[this](std::string_view line) { lines_.emplace_back(line); }, LogFormat::text, LogLevel::debug,
           Log::Clock{}};
  Interface interface_;
  Ingress6 ingress_ = test_support::from_client();
};

TEST_F(Log6Test, failure_for_want_of_room_among_the_neighbours) {
  log_.send_failed(SendFailure6{DropReason::send_failed, &interface_, ip6("fe80::c"), EINVAL});
  log_.send_failed(SendFailure6{DropReason::send_buffer_full, &interface_, ip6("fe80::c"), ENOBUFS});
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_THAT(lines_[0], HasSubstr("net.ipv6.neigh.default.gc_thresh3"));
  EXPECT_THAT(lines_[1], Not(HasSubstr("gc_thresh3")));
}

TEST_F(Log6Test, what_came_and_where_it_went) {
  const Bytes solicit = test_support::solicit6();
  const std::vector<Server6> servers{{ip6("2001:db8:53::10")}, {ip6("ff05::1:3"), 9}};
  const Decision6 decision = ToServers6{servers, ip6("2001:db8:1::1")};
  tell(MessageStage::received, solicit, nullptr);
  tell(MessageStage::forwarded, solicit, &decision);
  const std::string size = std::to_string(solicit.size());
  EXPECT_THAT(lines_,
              ElementsAre("DEBUG received type=SOLICIT xid=" + xid() +
                              " interface=vlan7 source=fe80::1 destination=ff02::1:2 size=" + size,
                          "DEBUG forwarded type=SOLICIT xid=" + xid() +
                              " interface=vlan7 servers=2001:db8:53::10,ff05::1:3 source=2001:db8:1::1 size=" + size));
}

TEST_F(Log6Test, what_a_relay_forward_says_of_the_clients_link) {
  using test_support::option6;
  const Bytes relay_forward = test_support::relay_message6(
      12, 0, ip6("2001:db8:1::1"), ip6("fe80::1"),
      {option6(18, test_support::text("d1")), option6(37, {0, 0, 0, 9, 'a', ','}), option6(38, Bytes(300, 'x')),
       option6(79, {0, 1, 2, 0, 0, 0, 0, 1}), option6(9, test_support::solicit6()), option6(53, {1})});
  const std::vector<Server6> servers{{ip6("2001:db8:53::10")}};
  const Decision6 decision = ToServers6{servers, ip6("2001:db8:1::1")};
  tell(MessageStage::forwarded, relay_forward, &decision);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr(" source=2001:db8:1::1 options=\"interface-id=d1,remote-id=9:0x612c,"
                                            "subscriber-id=300-octets,client-link-layer-address=0x0001020000000001\" "
                                            "size=")));
}

TEST_F(Log6Test, what_a_relay_message_says) {
  const Bytes reply = test_support::relay_reply6(test_support::advertise6());
  tell(MessageStage::received, reply, nullptr);
  EXPECT_THAT(lines_, ElementsAre(StartsWith("DEBUG received type=RELAY-REPL interface=vlan7 hops=0 "
                                             "link_address=2001:db8:1::1 peer_address=fe80::1 source=fe80::1 ")));
}

TEST_F(Log6Test, who_has_which_prefix_until_when) {
  const Bytes duid{0, 3, 0, 1, 0xab, 0, 0, 0, 0, 1};
  const Delegation delegation{{ip6("2001:db8:e1::"), 56}, 7, ip6("fe80::1"), 3000, 3600, std::chrono::nanoseconds{1}};
  using enum DelegationChange;
  for (const DelegationChange change : {delegated, renewed, moved, released, expired}) {
    log_.delegation_changed({change, duid, "vlan7", delegation});
  }
  const std::string fields =
      " prefix=2001:db8:e1::/56 client=00030001ab0000000001 iaid=7 interface=vlan7 next_hop=fe80::1 preferred=3000 "
      "valid=3600";
  EXPECT_THAT(lines_, ElementsAre("INFO prefix_delegated" + fields, "INFO prefix_renewed" + fields,
                                  "INFO prefix_moved" + fields, "INFO prefix_released" + fields,
                                  "INFO prefix_expired" + fields));
  lines_.clear();
  log_.delegation_changed({refused, duid, "vlan7", delegation, DelegationRefusal::client_limit, 3});
  EXPECT_THAT(lines_,
              ElementsAre(StartsWith("WARNING prefix_refused" + fields + " count=3 reason=client_limit hint=")));
}

TEST_F(Log6Test, routes_and_the_file_of_prefixes) {
  log_.route_refused({{ip6("2001:db8:e1::"), 56}, "vlan7", EEXIST, 3});
  log_.prefix_state({PrefixStateChange::taken_over, "/x", {}, 2});
  log_.prefix_state({PrefixStateChange::absent, "/x"});
  log_.prefix_state({PrefixStateChange::damaged, "/x\n"});
  log_.prefix_state({PrefixStateChange::not_written, "/x", "no room"});
  log_.prefix_state({PrefixStateChange::writable, "/x"});
  log_.prefix_state({PrefixStateChange::routes_left, "/x", {}, 2});
  EXPECT_THAT(lines_,
              ElementsAre(StartsWith("WARNING route_refused prefix=2001:db8:e1::/56 interface=vlan7 "
                                     R"(count=3 error="File exists" hint="Somebody else has a route)"),
                          R"(INFO note message="2 delegated prefixes are known from /x")",
                          R"(INFO note message="no delegated prefix is known from before, since there is no /x")",
                          HasSubstr(R"(WARNING note message="/x\\x0a is damaged)"),
                          R"(ERROR note message="delegated prefixes would not outlast a restart: no room")",
                          R"(INFO note message="delegated prefixes are kept in /x again")",
                          HasSubstr(R"(WARNING note message="routes of before stay that nothing is known of: 2 )")));
}

TEST_F(Log6Test, why_a_message_was_dropped) {
  const Decision6 decision = Drop{DropReason::header_too_short};
  tell(MessageStage::dropped, Bytes{1, 2}, &decision);
  tell(MessageStage::dropped, Bytes{1, 2}, &decision);
  EXPECT_THAT(lines_, ElementsAre(StartsWith("WARNING dropped interface=vlan7 source=fe80::1 destination=ff02::1:2 "
                                             "size=2 reason=header_too_short meaning="),
                                  "DEBUG dropped interface=vlan7 source=fe80::1 destination=ff02::1:2 size=2 "
                                  "reason=header_too_short"));
}

TEST_F(Log6Test, a_refused_membership) {
  log_.membership_refused({interface_, 22});
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("interface vlan7 hears no DHCPv6 client")));
}

TEST_F(Log6Test, an_interface_without_a_link_local_address) {
  interface_.name = "eth1.5";
  log_.interface_changed({InterfaceChange::no_link_local, interface_});
  log_.interface_changed({InterfaceChange::has_link_local, interface_});
  EXPECT_THAT(lines_, ElementsAre(testing::AllOf(StartsWith("WARNING interface_changed interface=eth1.5 "),
                                                 HasSubstr(" change=no_link_local state="),
                                                 HasSubstr("sysctl -w net/ipv6/conf/eth1.5/disable_ipv6=0; ")),
                                  testing::AllOf(StartsWith("INFO interface_changed interface=eth1.5 "),
                                                 HasSubstr(" change=has_link_local state="),
                                                 testing::Not(HasSubstr("hint=")))));
}

TEST_F(Log6Test, a_server_that_falls_silent) {
  ServerEvent event{ip6("fe80::53"), "u0", false, true, true, 20, std::chrono::seconds{12}};
  log_.server_changed(event);
  event.is_answering = true;
  event.server = ip6("2001:db8:9::2");
  log_.server_changed(event);
  EXPECT_THAT(lines_,
              ElementsAre("WARNING server_changed server=fe80::53%u0 change=stopped_answering unanswered=20 "
                          "seconds=12 others=answer hint=\"Look first whether a DHCP server runs there and "
                          "listens on UDP port 547 or that of -p: ICMPv6 port unreachable from it, in a tcpdump "
                          "of the servers' side, says that none does. Then look whether it has addresses for "
                          "these clients and a route back to the relay's address; requests are still sent to "
                          "it.\"",
                          "INFO server_changed server=2001:db8:9::2 change=answers_again silent_seconds=12"));
}

TEST_F(Log6Test, counters_of_both_families_and_their_sum) {
  InterfaceTable table;
  interface_.index = 7;
  interface_.is_downstream = interface_.v6.is_relayed = true;
  table.put(interface_);
  Interface& interface = *table.find(7);
  interface.counters->requests.received(MessageKind::discover).add(1);
  interface.v6.counters->requests.received(MessageKind6::solicit).add(2);
  interface.v6.counters->requests.dropped(MessageKind6::solicit, DropReason::no_server).add(2);
  table.unattributed6().lost_in_kernel.add(4);
  log_.counters(table, nullptr);
  const auto zeros = [](const std::string& received) {
    return "requests_received=" + received +
           " requests_relayed=0 request_copies=0 request_copies_failed=0 replies_received=0 replies_delivered=0 "
           "option82_omitted=0 ";
  };
  EXPECT_THAT(lines_, ElementsAre("INFO counters interface=vlan7 family=ipv4 " + zeros("1") + "dropped=0",
                                  "INFO counters interface=vlan7 family=ipv6 " + zeros("2") + "dropped=2 no_server=2",
                                  "INFO counters interface=(unattributed) family=ipv6 " + zeros("0") +
                                      "dropped=4 lost_in_kernel=4",
                                  "INFO counters_total interfaces=1 " + zeros("3") +
                                      "dropped=6 lost_in_kernel=4 no_server=2 log_lines_lost=0"));
}

TEST_F(Log6Test, counters_of_delegated_prefixes_where_somebody_looks_for_them) {
  DelegationCounters counters;
  counters.active.set(1);
  counters.delegated.add(2);
  counters.renewed.add(3);
  counters.released.add(4);
  counters.expired.add(5);
  counters.refused.add(6);
  counters.routes_refused.add(7);
  log_.counters(InterfaceTable{}, &counters);
  EXPECT_THAT(lines_, ElementsAre("INFO counters_total interfaces=0 requests_received=0 requests_relayed=0 "
                                  "request_copies=0 request_copies_failed=0 replies_received=0 replies_delivered=0 "
                                  "option82_omitted=0 dropped=0 prefixes=1 prefixes_delegated=2 prefixes_renewed=3 "
                                  "prefixes_released=4 prefixes_expired=5 prefixes_refused=6 routes_refused=7 "
                                  "log_lines_lost=0"));
}

}  // namespace
}  // namespace relay
