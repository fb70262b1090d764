// The log's lines on captures and on option 82, as text and JSON.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/log/log.h"
#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::discover;
using test_support::encoded;
using test_support::ip;
using test_support::text;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

class LogCaptureTest : public testing::Test {
 protected:
  LogCaptureTest() { point_.name = "d1"; }

  /// In both formats, without times.
  template <typename Tell>
  std::vector<std::string> lines(LogLevel threshold, Tell tell) const {
    std::vector<std::string> result;
    for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
      Log log{[&](std::string_view line) { result.emplace_back(line); }, format, threshold, Log::Clock{}};
      tell(log);
    }
    return result;
  }
  [[nodiscard]] std::vector<std::string> seen(const Bytes& message) const {
    capture::UdpDatagram datagram;
    datagram.source = ip(10, 101, 0, 9);
    datagram.destination = limited_broadcast;
    datagram.payload = message;
    // 2026-11-21 11:22:33.123456789 UTC
    const auto day = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
    const capture::Packet packet{.time = day.time_since_epoch() + std::chrono::hours{11} + std::chrono::minutes{22} +
                                         std::chrono::nanoseconds{33'123'456'789},
                                 .octets = {}};
    return lines(LogLevel::info, [&](Log& log) { log.seen({packet, point_, datagram}); });
  }

  capture::HostView::Point point_;
};

TEST_F(LogCaptureTest, a_message_that_was_seen_has_the_time_of_its_packet) {
  EXPECT_THAT(
      seen(discover().xid(0x12345678).agent_information(encoded(1, text("d1"))).octets()),
      ElementsAre(
          "2026-11-21T11:22:33.123Z INFO seen type=DISCOVER xid=0x12345678 chaddr=02:00:00:00:00:01 interface=d1 "
          "giaddr=0.0.0.0 source=10.101.0.9 destination=255.255.255.255 hops=0 secs=0 size=300 "
          "agent_information=\"circuit-id=d1\"",
          R"({"time":"2026-11-21T11:22:33.123Z","level":"info","event":"seen","type":"DISCOVER","xid":"0x12345678",)"
          R"("chaddr":"02:00:00:00:00:01","interface":"d1","giaddr":"0.0.0.0","source":"10.101.0.9",)"
          R"("destination":"255.255.255.255","hops":0,"secs":0,"size":300,"agent_information":"circuit-id=d1"})"));
}

TEST_F(LogCaptureTest, addresses_of_the_client_are_told_where_there_are_any) {
  EXPECT_THAT(seen(test_support::offer().ciaddr(ip(10, 1, 0, 9)).octets()).front(),
              HasSubstr(" giaddr=10.1.0.1 ciaddr=10.1.0.9 yiaddr=10.1.0.50 source="));
}

TEST_F(LogCaptureTest, what_is_shorter_than_a_header_has_a_size_alone) {
  point_.name = "d\n1";
  EXPECT_THAT(seen({1, 2, 3}).front(),
              EndsWith(R"( INFO seen interface=d\x0a1 source=10.101.0.9 destination=255.255.255.255 size=3)"));
}

TEST_F(LogCaptureTest, captures_begin_and_end) {
  EXPECT_THAT(lines(LogLevel::info,
                    [](Log& log) {
                      log.capture_started("/tmp/x.pcapng");
                      log.capture_ended({.file = "/tmp/x.pcapng", .why = "SIGUSR2", .packets = 12});
                    }),
              ElementsAre("INFO capture_started file=/tmp/x.pcapng",
                          "INFO capture_ended file=/tmp/x.pcapng why=SIGUSR2 packets=12 lost_packets=0 lost_verdicts=0",
                          R"({"level":"info","event":"capture_started","file":"/tmp/x.pcapng"})",
                          R"({"level":"info","event":"capture_ended","file":"/tmp/x.pcapng","why":"SIGUSR2",)"
                          R"("packets":12,"lost_packets":0,"lost_verdicts":0})"));
}

TEST_F(LogCaptureTest, a_capture_that_fails_is_a_warning) {
  const auto end = [](Log& log) {
    log.capture_started("x");
    log.capture_ended({"x", "cannot write x: No space left on device", true, 12, 3, 4});
  };
  EXPECT_THAT(lines(LogLevel::warning, end).front(),
              "WARNING capture_ended file=x why=\"cannot write x: No space left on device\" packets=12 lost_packets=3 "
              "lost_verdicts=4");
  EXPECT_THAT(lines(LogLevel::error, end), IsEmpty());
}

TEST_F(LogCaptureTest, option_82_stands_behind_the_size_of_each_message) {
  const Bytes message = discover().xid(1).agent_information(encoded(1, text("a b"))).octets();
  const Ingress ingress{7, {}, 68, limited_broadcast};
  const Decision request = ToServers{};
  const Decision drop = Drop{DropReason::rate_limited};
  const auto told = lines(LogLevel::debug, [&](Log& log) {
    log.message({MessageStage::received, ingress, nullptr, message, nullptr});
    log.message({MessageStage::forwarded, ingress, nullptr, message, &request});
    log.dropped({MessageStage::dropped, ingress, nullptr, message, &drop});
    log.dropped({MessageStage::dropped, ingress, nullptr, message, &drop});
  });
  const std::string in_text = R"( size=300 agent_information="circuit-id=a b")";
  const std::string in_json = R"(,"size":300,"agent_information":"circuit-id=a b")";
  EXPECT_THAT(told, ElementsAre(EndsWith(in_text), EndsWith(in_text), HasSubstr(in_text + " reason=rate_limited "),
                                EndsWith(in_text + " reason=rate_limited"), EndsWith(in_json + "}"),
                                EndsWith(in_json + "}"), HasSubstr(in_json + R"(,"reason":"rate_limited",)"),
                                EndsWith(in_json + R"(,"reason":"rate_limited"})")));
}

TEST_F(LogCaptureTest, hostile_octets_of_option_82_are_digits) {
  const auto told = seen(discover().agent_information({1, 3, '"', '\n', 0xff, 2}).octets());
  EXPECT_THAT(told.front(), EndsWith(R"( agent_information="circuit-id=0x220aff,damaged=0x02")"));
  EXPECT_THAT(told.back(), EndsWith(R"(,"agent_information":"circuit-id=0x220aff,damaged=0x02"})"));
}

TEST_F(LogCaptureTest, messages_of_dhcpv6_that_were_seen) {
  const auto seen6 = [this](const Bytes& message) {
    capture::UdpDatagram datagram;
    datagram.source = test_support::ip6("fe80::1");
    datagram.destination = all_dhcp_relay_agents_and_servers;
    datagram.payload = message;
    return lines(LogLevel::info, [&](Log& log) { log.seen({{}, point_, datagram}); }).front();
  };
  const std::string begin = "1970-01-01T00:00:00.000Z INFO seen ";
  EXPECT_EQ(seen6({1, 0x11, 0x22, 0x33}),
            begin + "type=SOLICIT xid=0x112233 interface=d1 source=fe80::1 destination=ff02::1:2 size=4");
  EXPECT_EQ(
      seen6(test_support::relay_message6(12, 1, test_support::ip6("2001:db8:1::1"), test_support::ip6("fe80::2"), {})),
      begin +
          "type=RELAY-FORW interface=d1 hops=1 link_address=2001:db8:1::1 peer_address=fe80::2 "
          "source=fe80::1 destination=ff02::1:2 size=34");
  EXPECT_EQ(seen6({13, 0, 0}), begin + "interface=d1 source=fe80::1 destination=ff02::1:2 size=3");
}

}  // namespace
}  // namespace relay
