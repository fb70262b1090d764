// The text of DHCPv6 messages that cases are written in: it has to say all, and to be understood.
#include "tests/support/message_text6.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message6.h"

namespace test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MessageText6, SaysWhatIsInAMessage) {
  EXPECT_THAT(message6_text(message6(1, {option6(8, {0, 0}), option6(14, {})})),
              ElementsAre("type 1", "xid 123456", "8 0000", "14"));
  const Bytes inner = message6(1, {option6(8, {0, 1})});
  const Bytes wrapped =
      relay_message6(12, 3, ip6("2001:db8:1::1"), ip6("fe80::1"), {option6(18, text("c0")), option6(9, inner)});
  EXPECT_THAT(message6_text(wrapped), ElementsAre("type 12", "hops 3", "link 2001:db8:1::1", "peer fe80::1",
                                                  "18 \"c0\"", "9", "  type 1", "  xid 123456", "  8 0001"));
  EXPECT_THAT(message6_text(relay_message6(13, 0, {}, {}, {option6(9, wrapped)}), wrapped),
              ElementsAre("type 13", "9 as it came"));
}

TEST(MessageText6, SaysWhatIsWrongWithAMessage) {
  EXPECT_THAT(message6_text({}), IsEmpty());
  EXPECT_THAT(message6_text(Bytes{1, 2, 3}), ElementsAre("octets 010203"));
  EXPECT_THAT(message6_text(Bytes(33, 12)), ElementsAre("octets 0cx33"));
  EXPECT_THAT(message6_text(Bytes{1, 0, 0, 0, 0, 8, 0, 3, 1, 2}), ElementsAre("type 1", "octets 000800030102"));
  EXPECT_THAT(message6_text(relay_message6(12, 0, {}, {}, {option6(9, {1}), option6(9, {})})),
              ElementsAre("type 12", "9", "  octets 01", "9"));
}

TEST(MessageText6, NamesTheLineThatIsWrong) {
  const Lines good = {"type 12", "link 2001:db8:1::1", "", "# a comment", "18 \"c0\"", "9", "  type 1", "  xid 123456"};
  const auto fault_of = [&](std::size_t line, const std::string& text) -> std::string {
    Lines lines = good;
    lines[line] = text;
    try {
      (void)message6_octets(lines);
    } catch (const TextError& error) {
      return std::to_string(error.line()) + ": " + error.what();
    }
    return {};
  };
  EXPECT_EQ(fault_of(2, ""), "");
  struct Fault {
    std::size_t line;
    std::string text;
    std::string expected;
  };
  const std::vector<Fault> faults = {
      {0, "link ::", "0: expected type first"},
      {0, "type 1", "1: expected type first"},
      {1, "type 12", "1: expected type first"},
      {1, "xid 123456", "1: expected type first"},
      {1, "hops 256", "1: expected a number up to 255"},
      {1, "peer 10.1.0.1", "1: expected an address such as"},
      {4, "65536 01", "4: expected a number up to 65535"},
      {5, "8 0102", "6: expected a message behind"},
      {6, "  type 13", "7: expected type first"},
      {7, "  xid 12345", "7: expected 6 hexadecimal digits"},
      {7, "  8 00x40000 00x40000", "7: expected a value of at most 65535"},
      {7, "link ::", "7: expected type first"},
  };
  for (const Fault& each : faults) {
    EXPECT_THAT(fault_of(each.line, each.text), HasSubstr(each.expected)) << each.text;
  }
}

TEST(MessageText6, ReadsBackAsTheSameOctets) {
  std::mt19937 random{8415};  // NOLINT(cert-msc51-cpp): the same messages in every run
  const Bytes whole = relay_message6(
      12, 1, ip6("2001:db8:1::1"), ip6("fe80::1"),
      {option6(18, text("c0")),
       option6(9, forwarded6(0, message6(1, {option6(1, Bytes(40, 7)), option6(14, {}), option6(3, {1, 2, 3})}))),
       option6(38, text("a \"b\"")), option6(9, {})});
  for (int number = 0; number < 2000; ++number) {
    Bytes message = whole;
    for (std::size_t count = random() % 5; count > 0; --count) {
      message[random() % message.size()] = static_cast<std::uint8_t>(random() % 20);
    }
    if (random() % 4 == 0) {
      message.resize(random() % (message.size() + 1));
    }
    const Lines lines = message6_text(message);
    ASSERT_EQ(message6_octets(lines), message) << ::testing::PrintToString(lines);
  }
}

}  // namespace
}  // namespace test_support
