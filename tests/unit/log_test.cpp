#include "relay/log/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/core/bootp.h"
#include "relay/log/line.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// A slow reader of JSON that accepts what RFC 8259 does, without looking at what it means.
class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool is_valid() { return value() && rest_.empty(); }

 private:
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  bool value() {
    if (rest_.starts_with('{')) {
      return list('{', '}', [this] { return string() && take(":") && value(); });
    }
    if (rest_.starts_with('[')) {
      return list('[', ']', [this] { return value(); });
    }
    return rest_.starts_with('"') ? string() : number();
  }
  template <typename Item>
  bool list(char open, char close, Item item) {
    if (!take({&open, 1})) {
      return false;
    }
    if (take({&close, 1})) {
      return true;
    }
    do {
      if (!item()) {
        return false;
      }
    } while (take(","));
    return take({&close, 1});
  }
  bool number() {
    const std::size_t size = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const bool is_valid = size == 1 || (size > 1 && rest_.front() != '0');
    rest_.remove_prefix(size);
    return is_valid;
  }
  bool string() {
    if (!take("\"")) {
      return false;
    }
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() < ' ' || rest_.front() > '~') {
        return false;
      }
      if (take("\\u")) {
        if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdef") != std::string_view::npos) {
          return false;
        }
        rest_.remove_prefix(4);
      } else if (take("\\")) {
        if (rest_.find_first_of("\"\\/bfnrt") != 0) {
          return false;
        }
        rest_.remove_prefix(1);
      } else {
        rest_.remove_prefix(1);
      }
    }
    return take("\"");
  }

  std::string_view rest_;
};

bool is_json(std::string_view line) {
  return line.starts_with('{') && JsonChecker{line}.is_valid();
}

bool is_printable(std::string_view line) {
  return std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
}

/// 2024-02-29 12:34:56.007 UTC.
std::chrono::system_clock::time_point leap_day() {
  return std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + std::chrono::hours{12} + std::chrono::minutes{34} +
         std::chrono::seconds{56} + std::chrono::milliseconds{7};
}

using Message = std::vector<std::uint8_t>;

/// A message of 300 octets from 02:00:00:00:00:0a with xid 0x0123abcd, and option 53 where `type` is given.
Message make_message(std::uint8_t op, std::optional<std::uint8_t> type) {
  Message message(300, 0);
  const std::array<std::uint8_t, 8> head{op, 1, 6, 0, 0x01, 0x23, 0xab, 0xcd};
  std::ranges::copy(head, message.begin());
  message[9] = 3;   // secs
  message[28] = 2;  // chaddr
  message[33] = 10;
  if (type) {
    std::ranges::copy(bootp::magic_cookie, message.begin() + bootp::header_size);
    const std::array<std::uint8_t, 4> options{53, 1, *type, 255};
    std::ranges::copy(options, message.begin() + bootp::options_offset);
  }
  return message;
}

Message discover() {
  return make_message(bootp::op_request, bootp::message_type::discover);
}

/// A log into a vector of lines, and events to feed it.
class LogTest : public testing::Test {
 protected:
  LogTest() {
    clients_.index = 7;
    clients_.name = "vlan7";
    clients_.is_downstream = true;
    clients_.is_up = true;
    clients_.giaddr = Ipv4Address{{10, 1, 0, 1}};
    servers_.index = 2;
    servers_.name = "uplink";
    servers_.is_upstream = true;
    servers_.is_up = true;
    ingress_ = {7, Ipv4Address{}, 68, limited_broadcast};
  }

  [[nodiscard]] Log make_log(LogFormat format, LogLevel threshold, Log::Clock clock = {}) {
    return Log{[this](std::string_view line) { lines_.emplace_back(line); }, format, threshold, std::move(clock)};
  }
  [[nodiscard]] MessageEvent received(const Message& message) const {
    return {MessageStage::received, ingress_, &clients_, message, nullptr};
  }
  [[nodiscard]] MessageEvent forwarded(const Message& message, const Decision& decision) const {
    return {MessageStage::forwarded, ingress_, &clients_, message, &decision};
  }
  [[nodiscard]] MessageEvent dropped(const Message& message, const Decision& decision) const {
    return {MessageStage::dropped, ingress_, &clients_, message, &decision};
  }
  void drop(Log& log, DropReason reason, std::uint32_t index) {
    const Decision decision = Drop{reason};
    const Ingress ingress{index, {}, 68, limited_broadcast};
    log.dropped({MessageStage::dropped, ingress, nullptr, message_, &decision});
  }
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }

  Interface clients_;
  Interface servers_;
  Ingress ingress_;
  Message message_ = discover();
  std::vector<std::string> lines_;
};

TEST_F(LogTest, LinesBeginWithTimeLevelAndEvent) {
  Log log = make_log(LogFormat::text, LogLevel::info, leap_day);
  log.started("0.1.0", "192.0.2.1,192.0.2.2", "vlan7");
  log.stopped("SIGTERM");
  log.note(LogLevel::error, "cannot read \"/etc/relay\"");
  EXPECT_THAT(
      take_lines(),
      ElementsAre("2024-02-29T12:34:56.007Z INFO started version=0.1.0 servers=192.0.2.1,192.0.2.2 interfaces=vlan7",
                  "2024-02-29T12:34:56.007Z INFO stopped why=SIGTERM",
                  R"(2024-02-29T12:34:56.007Z ERROR note message="cannot read \"/etc/relay\"")"));
}

TEST_F(LogTest, JsonHasTheSameKeys) {
  Log log = make_log(LogFormat::json, LogLevel::info, leap_day);
  log.started("0.1.0", "192.0.2.1", "vlan7");
  log.note(LogLevel::warning, R"(a "b" \)");
  EXPECT_THAT(
      lines_,
      ElementsAre(
          R"({"time":"2024-02-29T12:34:56.007Z","level":"info","event":"started","version":"0.1.0","servers":"192.0.2.1",)"
          R"("interfaces":"vlan7"})",
          R"({"time":"2024-02-29T12:34:56.007Z","level":"warning","event":"note","message":"a \"b\" \\"})"));
  EXPECT_THAT(lines_, testing::Each(testing::ResultOf(is_json, true)));
}

TEST_F(LogTest, AnEmptyClockLeavesTheTimeOut) {
  Log log = make_log(LogFormat::json, LogLevel::info);
  log.stopped("");
  EXPECT_THAT(lines_, ElementsAre(R"({"level":"info","event":"stopped","why":""})"));
}

TEST_F(LogTest, ReceivedMessage) {
  const std::string_view text =
      "DEBUG received type=DISCOVER xid=0x0123abcd chaddr=02:00:00:00:00:0a interface=vlan7 giaddr=0.0.0.0 "
      "source=0.0.0.0 destination=255.255.255.255 hops=0 secs=3 size=300";
  const std::string_view json =
      R"({"level":"debug","event":"received","type":"DISCOVER","xid":"0x0123abcd","chaddr":"02:00:00:00:00:0a",)"
      R"("interface":"vlan7","giaddr":"0.0.0.0","source":"0.0.0.0","destination":"255.255.255.255","hops":0,"secs":3,)"
      R"("size":300})";
  make_log(LogFormat::text, LogLevel::debug).message(received(message_));
  make_log(LogFormat::json, LogLevel::debug).message(received(message_));
  EXPECT_THAT(lines_, ElementsAre(text, json));
  EXPECT_TRUE(is_json(lines_[1]));
}

TEST_F(LogTest, ForwardedRequest) {
  const std::vector<Ipv4Address> servers{{{192, 0, 2, 1}}, {{192, 0, 2, 2}}};
  const Decision decision = ToServers{servers, Ipv4Address{{10, 1, 0, 1}}, AgentInformationOutcome::added};
  bootp::set_hops(bootp::MutableHeader{message_.data(), bootp::header_size}, 1);
  bootp::set_giaddr(bootp::MutableHeader{message_.data(), bootp::header_size}, Ipv4Address{{10, 1, 0, 1}});
  make_log(LogFormat::text, LogLevel::debug).message(forwarded(message_, decision));
  make_log(LogFormat::json, LogLevel::debug).message(forwarded(message_, decision));
  EXPECT_THAT(
      lines_,
      ElementsAre(
          "DEBUG forwarded type=DISCOVER xid=0x0123abcd chaddr=02:00:00:00:00:0a interface=vlan7 giaddr=10.1.0.1 "
          "servers=192.0.2.1,192.0.2.2 source=10.1.0.1 hops=1 option82=added size=300",
          R"({"level":"debug","event":"forwarded","type":"DISCOVER","xid":"0x0123abcd","chaddr":"02:00:00:00:00:0a",)"
          R"("interface":"vlan7","giaddr":"10.1.0.1","servers":["192.0.2.1","192.0.2.2"],"source":"10.1.0.1",)"
          R"("hops":1,"option82":"added","size":300})"));
  EXPECT_TRUE(is_json(lines_[1]));
}

TEST_F(LogTest, OutcomesOfOption82) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  for (const auto outcome :
       {AgentInformationOutcome::untouched, AgentInformationOutcome::added, AgentInformationOutcome::appended,
        AgentInformationOutcome::replaced, AgentInformationOutcome::did_not_fit}) {
    log.message(forwarded(message_, ToServers{{}, {}, outcome}));
  }
  EXPECT_THAT(lines_, ElementsAre(HasSubstr(" servers=\"\" source=0.0.0.0 hops=0 option82=untouched "),
                                  HasSubstr("option82=added "), HasSubstr("option82=appended "),
                                  HasSubstr("option82=replaced "), HasSubstr("option82=did_not_fit ")));
  make_log(LogFormat::json, LogLevel::debug).message(forwarded(message_, ToServers{}));
  EXPECT_THAT(lines_.back(), HasSubstr(R"("servers":[],)"));
  EXPECT_TRUE(is_json(lines_.back()));
}

TEST_F(LogTest, DeliveredReply) {
  Message offer = make_message(bootp::op_reply, bootp::message_type::offer);
  offer[16] = 10;
  offer[19] = 50;
  const Ingress from_server{2, Ipv4Address{{192, 0, 2, 1}}, 67, Ipv4Address{{10, 1, 0, 1}}};
  const Decision decision =
      ToClient{&clients_, Delivery::link_unicast, Ipv4Address{{10, 1, 0, 1}}, Ipv4Address{{10, 0, 0, 50}}, {}};
  const MessageEvent event{MessageStage::forwarded, from_server, &servers_, offer, &decision};
  make_log(LogFormat::text, LogLevel::debug).message(event);
  make_log(LogFormat::json, LogLevel::debug).message(event);
  EXPECT_THAT(
      lines_,
      ElementsAre(
          "DEBUG forwarded type=OFFER xid=0x0123abcd chaddr=02:00:00:00:00:0a interface=uplink giaddr=0.0.0.0 "
          "server=192.0.2.1 egress=vlan7 delivery=link_unicast destination=10.0.0.50 yiaddr=10.0.0.50 size=300",
          R"({"level":"debug","event":"forwarded","type":"OFFER","xid":"0x0123abcd","chaddr":"02:00:00:00:00:0a",)"
          R"("interface":"uplink","giaddr":"0.0.0.0","server":"192.0.2.1","egress":"vlan7",)"
          R"("delivery":"link_unicast","destination":"10.0.0.50","yiaddr":"10.0.0.50","size":300})"));
  EXPECT_TRUE(is_json(lines_[1]));
}

TEST_F(LogTest, DeliveriesAndAReplyWithoutEgress) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  log.message(forwarded(message_, ToClient{&clients_, Delivery::link_broadcast, {}, limited_broadcast, {}}));
  log.message(forwarded(message_, ToClient{&clients_, Delivery::routed, {}, {{10, 1, 0, 9}}, {}}));
  log.message(forwarded(message_, ToClient{}));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr(" delivery=link_broadcast destination=255.255.255.255 "),
                                  HasSubstr(" delivery=routed destination=10.1.0.9 "), Not(HasSubstr("egress"))));
}

TEST_F(LogTest, DroppedMessageSaysWhatItMeansAndWhatToDo) {
  make_log(LogFormat::text, LogLevel::info).dropped(dropped(message_, Drop{DropReason::no_server}));
  make_log(LogFormat::json, LogLevel::info).dropped(dropped(message_, Drop{DropReason::no_server}));
  EXPECT_THAT(
      lines_,
      ElementsAre(
          "WARNING dropped type=DISCOVER xid=0x0123abcd chaddr=02:00:00:00:00:0a interface=vlan7 giaddr=0.0.0.0 "
          "source=0.0.0.0 destination=255.255.255.255 hops=0 secs=3 size=300 reason=no_server "
          "meaning=\"no server is configured for requests of this interface\" "
          "hint=\"Name a server on the command line, or one for this interface with --server IF=ADDR.\"",
          R"({"level":"warning","event":"dropped","type":"DISCOVER","xid":"0x0123abcd",)"
          R"("chaddr":"02:00:00:00:00:0a","interface":"vlan7","giaddr":"0.0.0.0","source":"0.0.0.0",)"
          R"("destination":"255.255.255.255","hops":0,"secs":3,"size":300,"reason":"no_server",)"
          R"("meaning":"no server is configured for requests of this interface",)"
          R"("hint":"Name a server on the command line, or one for this interface with --server IF=ADDR."})"));
  EXPECT_TRUE(is_json(lines_[1]));
}

TEST_F(LogTest, EveryReasonMakesOneValidLine) {
  Log text_log = make_log(LogFormat::text, LogLevel::info);
  Log json_log = make_log(LogFormat::json, LogLevel::info);
  for (const DropReason reason : all_drop_reasons()) {
    text_log.dropped(dropped(message_, Drop{reason}));
    json_log.dropped(dropped(message_, Drop{reason}));
    ASSERT_THAT(lines_, SizeIs(2));
    EXPECT_THAT(lines_[0], HasSubstr(" reason=" + std::string{text(reason).name} + " meaning=\""));
    EXPECT_TRUE(is_json(lines_[1])) << lines_[1];
    lines_.clear();
  }
}

TEST_F(LogTest, TypesOfMessages) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  struct Case {
    std::uint8_t op;
    std::optional<std::uint8_t> type;
    std::string_view name;
  };
  const std::vector<Case> cases{
      {1, 1, "DISCOVER"},      {2, 2, "OFFER"},       {1, 3, "REQUEST"},      {1, 4, "DECLINE"},
      {2, 5, "ACK"},           {2, 6, "NAK"},         {1, 7, "RELEASE"},      {1, 8, "INFORM"},
      {2, 9, "FORCERENEW"},    {1, 10, "LEASEQUERY"}, {2, 13, "LEASEACTIVE"}, {2, 11, "LEASEUNASSIGNED"},
      {2, 12, "LEASEUNKNOWN"}, {1, 14, "type-14"},    {1, 0, "type-0"},       {1, 200, "type-200"},
      {1, {}, "BOOTREQUEST"},  {2, {}, "BOOTREPLY"},  {0, 1, "op-0"},         {255, {}, "op-255"}};
  for (const auto& [op, type, name] : cases) {
    const Message message = make_message(op, type);
    log.message(received(message));
    EXPECT_THAT(take_lines(), ElementsAre(StartsWith("DEBUG received type=" + std::string{name} + " xid=")));
  }
}

TEST_F(LogTest, HardwareAddressesOfAnyLength) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  message_[2] = 0;
  log.message(received(message_));
  message_[2] = 1;
  log.message(received(message_));
  message_[2] = 255;
  log.message(received(message_));
  EXPECT_THAT(lines_,
              ElementsAre(HasSubstr(" xid=0x0123abcd interface=vlan7 "), HasSubstr(" chaddr=02 interface=vlan7 "),
                          HasSubstr(" chaddr=02:00:00:00:00:0a:00:00:00:00:00:00:00:00:00:00 interface=")));
}

/// Messages of every size, each in storage of exactly that size, so that the sanitizer sees a read past the end.
TEST_F(LogTest, MessagesOfAnySize) {
  Log text_log = make_log(LogFormat::text, LogLevel::debug);
  Log json_log = make_log(LogFormat::json, LogLevel::debug);
  const Message whole = discover();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Message message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    message.shrink_to_fit();
    text_log.message(received(message));
    json_log.message(forwarded(message, ToServers{}));
    json_log.message(forwarded(message, ToClient{&clients_, Delivery::routed, {}, {}, {}}));
    text_log.dropped(dropped(message, Drop{DropReason::too_short}));
    ASSERT_THAT(lines_, SizeIs(4));
    EXPECT_THAT(lines_[0], testing::EndsWith(" size=" + std::to_string(size)));
    EXPECT_TRUE(is_json(lines_[1])) << lines_[1];
    EXPECT_TRUE(is_json(lines_[2])) << lines_[2];
    lines_.clear();
  }
}

TEST_F(LogTest, MessagesAroundTheEndsOfHeaderAndCookie) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  const Message whole = discover();
  const auto line_of = [&](std::ptrdiff_t size) {
    const Message message(whole.begin(), whole.begin() + size);
    log.message(received(message));
    return take_lines().at(0);
  };
  const std::string no_header = "DEBUG received interface=vlan7 source=0.0.0.0 destination=255.255.255.255 size=";
  EXPECT_EQ(line_of(0), no_header + "0");
  EXPECT_EQ(line_of(1), no_header + "1");
  EXPECT_EQ(line_of(235), no_header + "235");
  EXPECT_THAT(line_of(236), StartsWith("DEBUG received type=BOOTREQUEST xid=0x0123abcd chaddr="));
  EXPECT_THAT(line_of(239), StartsWith("DEBUG received type=BOOTREQUEST "));
  EXPECT_THAT(line_of(240), StartsWith("DEBUG received type=BOOTREQUEST "));
  EXPECT_THAT(line_of(242), StartsWith("DEBUG received type=BOOTREQUEST "));
  EXPECT_THAT(line_of(243), StartsWith("DEBUG received type=DISCOVER "));
}

TEST_F(LogTest, HostileOctetsAreEscaped) {
  clients_.name = std::string{"a\nb\x1b[2J\0\xff", 9} + "\x7f";
  clients_.alias = "x\" reason=none \\";
  Log text_log = make_log(LogFormat::text, LogLevel::info);
  Log json_log = make_log(LogFormat::json, LogLevel::info);
  text_log.interface_changed({InterfaceChange::renamed, clients_, "\r"});
  json_log.interface_changed({InterfaceChange::renamed, clients_, "\r"});
  EXPECT_THAT(
      lines_,
      ElementsAre(
          R"(INFO interface_changed interface=a\x0ab\x1b[2J\x00\xff\x7f alias="x\" reason=none \\" change=renamed )"
          R"(previous_name=\x0d state=up giaddr=10.1.0.1)",
          R"({"level":"info","event":"interface_changed","interface":"a\u000ab\u001b[2J\u0000\u00ff\u007f",)"
          R"("alias":"x\" reason=none \\","change":"renamed","previous_name":"\u000d","state":"up",)"
          R"("giaddr":"10.1.0.1"})"));
  EXPECT_TRUE(is_json(lines_[1]));
}

TEST_F(LogTest, EveryOctetInEveryPlaceMakesOnePrintableLine) {
  Log text_log = make_log(LogFormat::text, LogLevel::debug);
  Log json_log = make_log(LogFormat::json, LogLevel::debug);
  for (unsigned octet = 0; octet < 256; ++octet) {
    const Message message(300, static_cast<std::uint8_t>(octet));
    clients_.name.assign(15, static_cast<char>(octet));
    for (Log* log : {&text_log, &json_log}) {
      log->message(received(message));
      log->note(LogLevel::error, clients_.name);
      log->started(clients_.name, clients_.name, clients_.name);
    }
    ASSERT_THAT(lines_, SizeIs(6));
    EXPECT_THAT(lines_, testing::Each(testing::ResultOf(is_printable, true)));
    for (std::size_t i = 3; i < lines_.size(); ++i) {
      EXPECT_TRUE(is_json(lines_[i])) << lines_[i];
    }
    lines_.clear();
  }
}

TEST_F(LogTest, TextQuotesWhatAReaderCouldSplit) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  for (const std::string_view why : {"plain", "", "two words", "a=b", "say \"x\"", "back\\slash", "tab\t"}) {
    log.stopped(why);
  }
  EXPECT_THAT(lines_, ElementsAre("INFO stopped why=plain", "INFO stopped why=\"\"", "INFO stopped why=\"two words\"",
                                  "INFO stopped why=\"a=b\"", R"(INFO stopped why="say \"x\"")",
                                  R"(INFO stopped why=back\\slash)", R"(INFO stopped why=tab\x09)"));
}

TEST_F(LogTest, UnknownInterfacesHaveTheirIndex) {
  drop(*std::make_unique<Log>([this](std::string_view line) { lines_.emplace_back(line); }, LogFormat::text,
                              LogLevel::info, Log::Clock{}),
       DropReason::interface_unknown, 4094);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr(" interface=index-4094 ")));
}

TEST_F(LogTest, InterfaceChanges) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  log.interface_changed({InterfaceChange::appeared, clients_});
  log.interface_changed({InterfaceChange::became_passive, clients_});
  log.interface_changed({InterfaceChange::became_active, clients_});
  log.interface_changed({InterfaceChange::giaddr_changed, clients_});
  clients_.giaddr.reset();
  log.interface_changed({InterfaceChange::giaddr_changed, clients_});
  log.interface_changed({InterfaceChange::came_up, servers_});
  servers_.is_up = false;
  log.interface_changed({InterfaceChange::went_down, servers_});
  log.interface_changed({InterfaceChange::vanished, servers_});
  log.interface_changed({.change = InterfaceChange::released, .interface = servers_, .new_name = "x 1"});
  log.interface_changed({InterfaceChange::released, servers_});
  EXPECT_THAT(lines_,
              ElementsAre("INFO interface_changed interface=vlan7 change=appeared state=up giaddr=10.1.0.1",
                          "INFO interface_changed interface=vlan7 change=became_passive state=up giaddr=10.1.0.1",
                          "INFO interface_changed interface=vlan7 change=became_active state=up giaddr=10.1.0.1",
                          "INFO interface_changed interface=vlan7 change=giaddr_changed state=up giaddr=10.1.0.1",
                          "WARNING interface_changed interface=vlan7 change=giaddr_changed state=up giaddr=none",
                          "INFO interface_changed interface=uplink change=came_up state=up",
                          "WARNING interface_changed interface=uplink change=went_down state=down",
                          "WARNING interface_changed interface=uplink change=vanished state=down",
                          "WARNING interface_changed interface=uplink change=released renamed_to=\"x 1\" state=down",
                          "WARNING interface_changed interface=uplink change=released state=down"));
}

TEST_F(LogTest, FailuresToSend) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  const SendFailure failure{DropReason::send_failed, &clients_, Ipv4Address{{192, 0, 2, 1}}, ENETUNREACH};
  log.send_failed(failure);
  log.send_failed(failure);
  log.send_failed({DropReason::send_failed, &clients_, Ipv4Address{{192, 0, 2, 2}}, EPERM});
  log.report_suppressed();
  EXPECT_THAT(
      lines_,
      ElementsAre("WARNING send_failed interface=vlan7 destination=192.0.2.1 error=\"Network is unreachable\" "
                  "reason=send_failed meaning=\"the kernel refused to send the message\" hint=\"Check the route, "
                  "--source-address (this host has to hold it) and the firewall's output rules.\"",
                  "WARNING send_failed interface=vlan7 error=\"Operation not permitted\" reason=send_failed "
                  "suppressed=2"));
}

TEST_F(LogTest, FailuresToSendWithoutInterfaceOrAtDebugLevel) {
  Log log = make_log(LogFormat::json, LogLevel::debug);
  const SendFailure failure{DropReason::send_buffer_full, nullptr, Ipv4Address{{192, 0, 2, 1}}, ENOBUFS};
  log.send_failed(failure);
  log.send_failed(failure);
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[0], HasSubstr(R"("reason":"send_buffer_full","meaning":)"));
  EXPECT_EQ(lines_[1], R"({"level":"debug","event":"send_failed","interface":"index-0","destination":"192.0.2.1",)"
                       R"("error":"No buffer space available","reason":"send_buffer_full"})");
  EXPECT_TRUE(is_json(lines_[0]));
}

TEST_F(LogTest, FurtherDropsAreCounted) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  EXPECT_FALSE(log.has_suppressed());
  for (int i = 0; i < 5; ++i) {
    drop(log, DropReason::hops_exceeded, 7);
    drop(log, DropReason::no_server, 7);
  }
  drop(log, DropReason::hops_exceeded, 3);
  drop(log, DropReason::hops_exceeded, 3);
  EXPECT_THAT(take_lines(), ElementsAre(HasSubstr("reason=hops_exceeded"), HasSubstr("reason=no_server"),
                                        HasSubstr("reason=hops_exceeded")));
  EXPECT_TRUE(log.has_suppressed());
  log.report_suppressed();
  EXPECT_THAT(take_lines(), ElementsAre("WARNING dropped interface=index-3 reason=hops_exceeded suppressed=1",
                                        "WARNING dropped interface=index-7 reason=hops_exceeded suppressed=4",
                                        "WARNING dropped interface=index-7 reason=no_server suppressed=4"));
}

TEST_F(LogTest, CountsBeginAnewAfterAReportAndTheReasonIsNotAnnouncedAgain) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  drop(log, DropReason::no_server, 7);
  drop(log, DropReason::no_server, 7);
  log.report_suppressed();
  take_lines();
  drop(log, DropReason::no_server, 7);
  EXPECT_THAT(lines_, IsEmpty());
  log.report_suppressed();
  EXPECT_THAT(take_lines(), ElementsAre("WARNING dropped interface=index-7 reason=no_server suppressed=1"));
}

TEST_F(LogTest, AReasonIsForgottenAfterAnIntervalWithoutIt) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  drop(log, DropReason::no_server, 7);
  drop(log, DropReason::no_server, 3);
  log.report_suppressed();  // ends the interval in which it occurred
  EXPECT_TRUE(log.has_suppressed());
  drop(log, DropReason::no_server, 3);
  take_lines();
  log.report_suppressed();
  EXPECT_THAT(take_lines(), ElementsAre("WARNING dropped interface=index-3 reason=no_server suppressed=1"));
  drop(log, DropReason::no_server, 7);
  EXPECT_THAT(take_lines(), ElementsAre(HasSubstr("meaning=")));
  log.report_suppressed();
  log.report_suppressed();
  EXPECT_FALSE(log.has_suppressed());
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(LogTest, WhatWasSuppressedBelongsToTheNameUnderWhichItCame) {
  Log log = make_log(LogFormat::text, LogLevel::error);
  log.set_threshold(LogLevel::warning);
  const Decision decision = Drop{DropReason::no_address};
  log.dropped(dropped(message_, decision));
  log.dropped(dropped(message_, decision));
  clients_.name = "guests";
  log.interface_changed({InterfaceChange::renamed, clients_, "vlan7"});
  take_lines();
  log.dropped(dropped(message_, decision));
  EXPECT_THAT(take_lines(), ElementsAre(HasSubstr(" interface=guests "))) << "the first under this name";
  log.dropped(dropped(message_, decision));
  log.report_suppressed();
  EXPECT_THAT(take_lines(), ElementsAre("WARNING dropped interface=vlan7 reason=no_address suppressed=1",
                                        "WARNING dropped interface=guests reason=no_address suppressed=1"));
  log.report_suppressed();
  EXPECT_FALSE(log.has_suppressed());
}

TEST_F(LogTest, AtDebugLevelEveryDropHasItsLine) {
  Log log = make_log(LogFormat::text, LogLevel::debug);
  drop(log, DropReason::no_server, 7);
  drop(log, DropReason::no_server, 7);
  log.report_suppressed();
  EXPECT_THAT(lines_, ElementsAre(testing::AllOf(StartsWith("WARNING dropped "), HasSubstr("hint=")),
                                  "DEBUG dropped type=DISCOVER xid=0x0123abcd chaddr=02:00:00:00:00:0a "
                                  "interface=index-7 giaddr=0.0.0.0 source=0.0.0.0 destination=255.255.255.255 hops=0 "
                                  "secs=3 size=300 reason=no_server"));
}

TEST_F(LogTest, AReportIsBoundedAndLosesNoCount) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  for (std::uint32_t index = 1; index <= 300; ++index) {
    drop(log, DropReason::no_server, index);
    drop(log, DropReason::no_server, index);
    drop(log, DropReason::no_server, index);
  }
  EXPECT_THAT(take_lines(), SizeIs(300));
  log.report_suppressed();
  ASSERT_THAT(lines_, SizeIs(257));
  EXPECT_EQ(lines_[255], "WARNING dropped interface=index-256 reason=no_server suppressed=2");
  EXPECT_EQ(lines_[256], "WARNING dropped interface=(others) reason=no_server suppressed=88");
}

TEST_F(LogTest, InterfacesBeyondTheLimitAreCountedTogether) {
  Log log = make_log(LogFormat::text, LogLevel::warning);
  for (std::uint32_t index = 1; index <= 8192; ++index) {
    drop(log, DropReason::no_server, index);
  }
  EXPECT_THAT(take_lines(), SizeIs(8192));
  drop(log, DropReason::no_server, 10'000);
  drop(log, DropReason::no_server, 20'000);
  drop(log, DropReason::no_server, 30'000);
  EXPECT_THAT(take_lines(), ElementsAre(HasSubstr(" interface=index-10000 ")));
  log.report_suppressed();
  EXPECT_THAT(take_lines(), ElementsAre("WARNING dropped interface=(others) reason=no_server suppressed=2"));
  log.report_suppressed();
  EXPECT_FALSE(log.has_suppressed());
}

TEST_F(LogTest, ServersThatFallSilentAndAnswerAgain) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  ServerEvent event{Ipv4Address{{10, 9, 0, 3}}, {}, false, true, true, 20, std::chrono::seconds{12}};
  log.server_changed(event);
  event.others_answer = event.has_answered = false;
  log.server_changed(event);
  event.is_answering = true;
  log.server_changed(event);
  EXPECT_THAT(
      take_lines(),
      ElementsAre("WARNING server_changed server=10.9.0.3 change=stopped_answering unanswered=20 seconds=12 "
                  "others=answer hint=\"Look first whether a DHCP server runs there and listens on UDP port 67 or "
                  "that of -p: ICMP port unreachable from it, in a tcpdump of the servers' side, says that none does. "
                  "Then look whether it has addresses for these clients and a route back to giaddr; requests are "
                  "still sent to it.\"",
                  "WARNING server_changed server=10.9.0.3 change=never_answered unanswered=20 seconds=12 "
                  "others=silent hint=\"None that was asked since has answered. Look first whether a DHCP server "
                  "runs there and listens on UDP port 67 or that of -p: ICMP port unreachable from it, in a tcpdump of "
                  "the servers' side, says that none does. Then look at the route to this server, its route back to "
                  "giaddr, and the firewalls between; requests are still sent to it.\"",
                  "INFO server_changed server=10.9.0.3 change=answers_again silent_seconds=12"));
  log.set_threshold(LogLevel::warning);
  log.server_changed(event);
  EXPECT_THAT(take_lines(), IsEmpty());
}

TEST_F(LogTest, CountersOfInterfacesInUseAndTheirSum) {
  InterfaceTable table;
  Interface unused;
  unused.index = 1;
  unused.name = "lo";
  Interface odd;
  odd.index = 3;
  odd.name = "odd";
  for (const Interface* interface : {&clients_, &servers_, &unused, &odd}) {
    table.put(*interface);
  }
  Counters& of_clients = *table.find(clients_.index)->counters;
  of_clients.requests.received(MessageKind::discover).add(2);
  of_clients.requests.received(MessageKind::bootp).add(3);
  of_clients.requests.dropped(MessageKind::bootp, DropReason::hops_exceeded).add(2);
  table.find(odd.index)->counters->requests.dropped(MessageKind::request, DropReason::not_downstream).add();
  make_log(LogFormat::text, LogLevel::error).counters(table, nullptr);
  EXPECT_THAT(
      take_lines(),
      ElementsAre("INFO counters interface=uplink family=ipv4 requests_received=0 requests_relayed=0 request_copies=0 "
                  "request_copies_failed=0 "
                  "replies_received=0 replies_delivered=0 option82_omitted=0 dropped=0",
                  "INFO counters interface=odd family=ipv4 requests_received=0 requests_relayed=0 request_copies=0 "
                  "request_copies_failed=0 "
                  "replies_received=0 replies_delivered=0 option82_omitted=0 dropped=1 not_downstream=1",
                  "INFO counters interface=vlan7 family=ipv4 requests_received=5 requests_relayed=0 request_copies=0 "
                  "request_copies_failed=0 "
                  "replies_received=0 replies_delivered=0 option82_omitted=0 dropped=2 hops_exceeded=2",
                  "INFO counters_total interfaces=3 requests_received=5 requests_relayed=0 request_copies=0 "
                  "request_copies_failed=0 "
                  "replies_received=0 replies_delivered=0 option82_omitted=0 dropped=3 not_downstream=1 "
                  "hops_exceeded=2 log_lines_lost=0"));
  make_log(LogFormat::json, LogLevel::error).counters(table, nullptr);
  EXPECT_THAT(lines_, testing::Each(testing::ResultOf(is_json, true)));
}

TEST_F(LogTest, CountersOfNoInterface) {
  InterfaceTable table;
  table.unattributed().replies.dropped(MessageKind::offer, DropReason::interface_unknown).add(9);
  make_log(LogFormat::text, LogLevel::info).counters(table, nullptr);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr(" interface=(unattributed) family=ipv4 requests_received=0 "),
                                  HasSubstr(" dropped=9 interface_unknown=9 log_lines_lost=0")));
}

TEST_F(LogTest, ThresholdsHoldBackWhatIsBelow) {
  Log log = make_log(LogFormat::text, LogLevel::info);
  EXPECT_FALSE(log.wants_messages());
  log.message(received(message_));
  log.message(forwarded(message_, ToServers{}));
  log.note(LogLevel::debug, "quiet");
  EXPECT_THAT(lines_, IsEmpty());
  log.set_threshold(LogLevel::error);
  log.started("0.1.0", "", "");
  log.stopped("SIGTERM");
  log.note(LogLevel::warning, "quiet");
  log.interface_changed({InterfaceChange::vanished, clients_});
  drop(log, DropReason::no_server, 7);
  log.send_failed({DropReason::send_failed, &clients_, Ipv4Address{}, EPERM});
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_FALSE(log.has_suppressed());
  log.note(LogLevel::error, "loud");
  EXPECT_THAT(take_lines(), ElementsAre("ERROR note message=loud"));
  log.set_threshold(LogLevel::trace);
  EXPECT_TRUE(log.wants_messages());
  log.note(LogLevel::trace, "detail");
  EXPECT_THAT(lines_, ElementsAre("TRACE note message=detail"));
}

/// Puts a pipe in the place of standard error.
class StandardErrorPipe {
 public:
  StandardErrorPipe() : saved_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    if (saved_ < 0 || ::pipe(ends.data()) != 0 || ::dup2(ends[1], STDERR_FILENO) < 0) {
      std::abort();
    }
    ::close(ends[1]);
    read_end_ = ends[0];
  }
  ~StandardErrorPipe() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    close_read_end();
  }
  StandardErrorPipe(const StandardErrorPipe&) = delete;
  StandardErrorPipe& operator=(const StandardErrorPipe&) = delete;

  void close_read_end() {
    if (read_end_ >= 0) {
      ::close(std::exchange(read_end_, -1));
    }
  }

  [[nodiscard]] bool has_something() const {
    pollfd waiting{read_end_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) > 0;
  }

  /// What was written and not yet read, up to 64 KiB.
  [[nodiscard]] std::string read() const {
    std::string text(std::size_t{1} << 16U, '\0');
    const ssize_t size = ::read(read_end_, text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
  }

 private:
  int saved_;
  int read_end_ = -1;
};

TEST(LogToStandardError, WritesWholeLinesBeforeItIsGone) {
  const StandardErrorPipe pipe;
  {
    Log log{Log::Sink::standard_error, LogFormat::text, LogLevel::info};
    for (int i = 0; i < 100; ++i) {
      log.note(LogLevel::info, "line {} %s " + std::to_string(i));
    }
  }
  const std::string written = pipe.read();
  EXPECT_EQ(std::ranges::count(written, '\n'), 100);
  EXPECT_THAT(written, testing::EndsWith("Z INFO note message=\"line {} %s 99\"\n"));
}

TEST(LogToStandardError, SaysHowManyLinesWereLost) {
  const StandardErrorPipe pipe;
  Log log{Log::Sink::standard_error, LogFormat::text, LogLevel::info};
  const std::string sentence(100, 'x');
  constexpr std::size_t count = 20'000;
  for (std::size_t i = 0; i < count; ++i) {
    log.note(LogLevel::info, sentence);
  }
  ASSERT_TRUE(log.has_suppressed());
  EXPECT_GT(log.lost_lines()->displaced.load(), 0U);
  log.report_suppressed();
  std::string written;
  while (written.find("log_lines_lost=") == std::string::npos || written.back() != '\n') {
    written += pipe.read();
  }
  const auto lines = static_cast<std::size_t>(std::ranges::count(written, '\n')) - 1;
  const std::string last = written.substr(written.rfind('\n', written.size() - 2) + 1);
  // The report may itself have displaced one more line, after the count was taken.
  EXPECT_THAT(last, testing::AnyOf(HasSubstr("Z WARNING log_overrun lost=" + std::to_string(count - lines) + " log_"),
                                   HasSubstr("Z WARNING log_overrun lost=" + std::to_string(count - lines - 1) + " ")));
}

/// What each report of lost lines says: how many more, and how many at all.
std::vector<std::pair<std::uint64_t, std::uint64_t>> overruns(const std::string& written) {
  static const std::regex form{" log_overrun lost=([0-9]+) log_lines_lost=([0-9]+)\n"};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
  for (std::sregex_iterator match{written.begin(), written.end(), form}; match != std::sregex_iterator{}; ++match) {
    found.emplace_back(std::stoull((*match)[1]), std::stoull((*match)[2]));
  }
  return found;
}

TEST(LogToStandardError, RepeatsAReportThatNobodyTook) {
  StandardErrorPipe gone;
  gone.close_read_end();
  Log log{Log::Sink::standard_error, LogFormat::text, LogLevel::info};
  log.note(LogLevel::info, "nobody reads this");
  for (std::uint64_t lost = 1; lost < 5; ++lost) {
    while (log.lost_lines()->count() < lost) {
      std::this_thread::yield();
    }
    log.report_suppressed();
    EXPECT_TRUE(log.has_suppressed());
    log.note(LogLevel::info, "nor this");
  }
  while (log.lost_lines()->count() < 5) {
    std::this_thread::yield();
  }
  const StandardErrorPipe pipe;
  log.report_suppressed();
  EXPECT_THAT(overruns(pipe.read()), ElementsAre(std::pair{5U, 5U})) << "reports that nobody took are not lost lines";
  while (log.has_suppressed()) {
    std::this_thread::yield();
  }
  log.report_suppressed();
  EXPECT_FALSE(pipe.has_something());
}

TEST(LogToStandardError, RepeatsAReportThatWasDisplaced) {
  const StandardErrorPipe pipe;
  Log log{Log::Sink::standard_error, LogFormat::text, LogLevel::info};
  const std::string sentence(100, 'x');
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      log.note(LogLevel::info, sentence);
    }
    log.report_suppressed();  // of the second round: not while nobody knows of the first
  }
  std::string written;
  while (log.has_suppressed()) {
    while (pipe.has_something()) {
      written += pipe.read();
    }
    log.report_suppressed();
  }
  written += pipe.has_something() ? pipe.read() : "";
  std::uint64_t told = 0;
  for (const auto& [more, total] : overruns(written)) {
    told += more;
    EXPECT_EQ(told, total);
  }
  EXPECT_EQ(told, log.lost_lines()->count());
  EXPECT_EQ(told + static_cast<std::uint64_t>(std::ranges::count(written, '\n')) - overruns(written).size(),
            40'000U + 1U)
      << "one report was displaced";
}

TEST(LogToStandardErrorDeathTest, OutlivesItsReader) {
  const auto log_to_nobody = [] {
    StandardErrorPipe pipe;
    pipe.close_read_end();
    {
      Log log{Log::Sink::standard_error, LogFormat::text, LogLevel::info};
      log.note(LogLevel::info, "nobody reads this");
      while (!log.has_suppressed()) {
        std::this_thread::yield();
      }
    }
    std::exit(0);  // NOLINT
  };
  EXPECT_EXIT(log_to_nobody(), testing::ExitedWithCode(0), "");
}

TEST(LogToStandardErrorDeathTest, NeverWaitsForABlockedReaderAndLetsTheProcessEnd) {
  const auto log_into_a_full_pipe = [] {
    const StandardErrorPipe pipe;  // nobody reads it, and 64 KiB fit
    {
      Log log{Log::Sink::standard_error, LogFormat::json, LogLevel::info};
      const std::string sentence(1000, 'x');
      for (int i = 0; i < 10'000; ++i) {
        log.note(LogLevel::info, sentence);
      }
      if (!log.has_suppressed()) {
        std::_Exit(1);  // lines must have been lost
      }
    }
    std::exit(0);  // NOLINT: with the pipe still in place, as at the end of main
  };
  EXPECT_EXIT(log_into_a_full_pipe(), testing::ExitedWithCode(0), "");
}

TEST(LogToSyslog, TakesLinesWithOrWithoutADaemon) {
  Log log{Log::Sink::syslog, LogFormat::text, LogLevel::error};
  log.note(LogLevel::info, "below the threshold");
  EXPECT_FALSE(log.has_suppressed());
}

}  // namespace
}  // namespace relay
