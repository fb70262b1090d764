// The lines of a replay, as text and as JSON.
#include "relay/log/replay_report.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using capture::NotRun;
using capture::ReplayedMessage;
using capture::Verdict;
using capture::VerdictKind;
using test_support::Bytes;
using test_support::ip;
using testing::ElementsAre;

class ReplayReportTest : public testing::Test {
 protected:
  ReplayReportTest() {
    message_.frame = 12;
    message_.time = std::chrono::milliseconds{1500};
    message_.octets = octets_;
    message_.size = octets_.size();
    message_.interface = "d1";
    message_.destination = limited_broadcast;
    message_.destination_port = 67;
    message_.verdict = &verdict_;
    verdict_.kind = VerdictKind::to_servers;
    verdict_.told4().servers[0] = ip(10, 9, 0, 2);
    verdict_.server_count = 1;
    verdict_.giaddr = ip(10, 1, 0, 1);
  }

  ReplayReport report(LogFormat format) {
    return ReplayReport{format, [this](std::string_view line) { lines_.emplace_back(line); }};
  }

  Bytes octets_ = test_support::discover().xid(0x12345678).octets();
  Verdict verdict_;
  ReplayedMessage message_;
  std::vector<std::string> lines_;
};

TEST_F(ReplayReportTest, Text) {
  ReplayReport report = this->report(LogFormat::text);
  report.message(message_);
  report.summary(20);
  EXPECT_THAT(lines_, ElementsAre("1970-01-01T00:00:01.500Z INFO replay frame=12 type=DISCOVER xid=0x12345678 "
                                  "chaddr=02:00:00:00:00:01 interface=d1 giaddr=0.0.0.0 source=0.0.0.0 "
                                  R"(destination=255.255.255.255 verdict="forwarded to 10.9.0.2, giaddr 10.1.0.1")",
                                  "INFO replay_count verdict=relayed count=1",
                                  "INFO replay_total packets=20 messages=1 unfinished=0"));
}

TEST_F(ReplayReportTest, Option82IsInWords) {
  ReplayReport report = this->report(LogFormat::text);
  const Bytes octets = test_support::discover().option(82, {1, 2, 'd', '1'}).octets();
  message_.octets = octets;
  report.message(message_);
  EXPECT_THAT(lines_, ElementsAre(testing::HasSubstr(
                          R"( destination=255.255.255.255 agent_information="circuit-id=d1" verdict="forwarded)")));
}

TEST_F(ReplayReportTest, Json) {
  ReplayReport report = this->report(LogFormat::json);
  message_.octets = message_.octets.first(10);
  message_.interface = {};
  message_.not_run = NotRun::to_clients;
  message_.destination_port = 68;
  report.message(message_);
  report.summary(1);
  EXPECT_THAT(
      lines_,
      ElementsAre(R"({"time":"1970-01-01T00:00:01.500Z","level":"info","event":"replay","frame":12,"source":"0.0.0.0",)"
                  R"("destination":"255.255.255.255","verdict":"not run: to port 68, which is the clients'"})",
                  R"({"level":"info","event":"replay_count","verdict":"not_run","reason":"to_clients","count":1})",
                  R"({"level":"info","event":"replay_total","packets":1,"messages":1,"unfinished":0})"));
}

TEST_F(ReplayReportTest, CountsEachVerdict) {
  ReplayReport report = this->report(LogFormat::text);
  report.message(message_);
  verdict_.kind = VerdictKind::to_client;
  report.message(message_);
  verdict_.kind = VerdictKind::dropped;
  for (const DropReason reason : {DropReason::no_server, DropReason::too_short, DropReason::no_server}) {
    verdict_.reason = reason;
    report.message(message_);
  }
  message_.not_run = NotRun::fragment;
  report.unfinished(message_);
  report.message(message_);
  lines_.clear();
  report.summary(9);
  EXPECT_THAT(lines_,
              ElementsAre("INFO replay_count verdict=relayed count=1", "INFO replay_count verdict=delivered count=1",
                          "INFO replay_count verdict=dropped reason=too_short count=1",
                          "INFO replay_count verdict=dropped reason=no_server count=2",
                          "INFO replay_count verdict=not_run reason=fragment count=1",
                          "INFO replay_total packets=9 messages=6 unfinished=1"));
}

TEST_F(ReplayReportTest, WhyAMessageIsNotRun) {
  message_.destination = ip(10, 9, 0, 7);
  message_.destination_port = 4011;
  message_.vlan_id = 100;
  message_.size = 400;
  std::vector<std::string> texts;
  std::vector<std::string> names;
  for (std::size_t number = 0; number < capture::not_run_count; ++number) {
    message_.not_run = static_cast<NotRun>(number);
    texts.push_back(replay_verdict_text(message_));
    names.emplace_back(reason_name(*message_.not_run));
  }
  EXPECT_THAT(texts, ElementsAre("not run: sent by this host", "not run: in VLAN 100, which is another interface",
                                 "not run: only a fragment, and the rest of the datagram is not there",
                                 "not run: only 300 of its 400 octets were captured",
                                 "not run: its UDP header says 400 octets of payload, and there are 300",
                                 "not run: to port 4011, which is the clients'",
                                 "not run: to port 4011, on which the relay does not listen",
                                 "not run: to 10.9.0.7, which is not an address of this host",
                                 "not run: bad IP header checksum", "not run: bad UDP checksum"));
  EXPECT_THAT(names, ElementsAre("sent_by_us", "other_vlan", "fragment", "incomplete", "bad_length", "to_clients",
                                 "other_port", "other_host", "bad_ip_checksum", "bad_udp_checksum"));
}

TEST_F(ReplayReportTest, Dhcpv6) {
  ReplayReport report = this->report(LogFormat::text);
  const Bytes octets{1, 0x11, 0x22, 0x33};
  message_.octets = octets;
  message_.source = test_support::ip6("fe80::1");
  message_.destination = all_dhcp_relay_agents_and_servers;
  verdict_.told6().servers[0] = test_support::ip6("2001:db8:53::10");
  report.message(message_);
  EXPECT_THAT(lines_,
              ElementsAre("1970-01-01T00:00:01.500Z INFO replay frame=12 type=SOLICIT xid=0x112233 interface=d1 "
                          "source=fe80::1 destination=ff02::1:2 "
                          R"(verdict="forwarded to 2001:db8:53::10, link-address ::")"));
}

}  // namespace
}  // namespace relay
