// The text of messages that cases and failures are written in: it has to say all, and to be understood.
#include "tests/support/message_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message_builder.h"
#include "tests/support/value_text.h"

namespace test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The line that is wrong and why, "2: expected ..."; empty where none is.
std::string fault_of(const Lines& lines) {
  try {
    (void)message_octets(lines);
  } catch (const TextError& error) {
    return std::to_string(error.line()) + ": " + error.what();
  }
  return {};
}

/// What a message becomes by way of text.
Bytes there_and_back(const Bytes& message) {
  return message_octets(message_text(message).lines());
}

TEST(MessageText, SaysWhatIsInAMessage) {
  const Bytes message =
      offer().option(60, text("a \"b\"")).agent_information({1, 2, 'c', '0', 5, 4, 10, 1, 0, 0}).octets();
  const MessageText result = message_text(message);
  EXPECT_THAT(result.header, ElementsAre("op 2  # BOOTREPLY", "xid 11223344", "yiaddr 10.1.0.50", "giaddr 10.1.0.1",
                                         "chaddr 02:00:00:00:00:01"));
  EXPECT_THAT(result.body,
              ElementsAre("cookie", "53 02  # OFFER", "54 198.51.100.10  # server", "51 00000e10  # lease time",
                          "1 255.255.255.0  # subnet mask", "60 \"a \\\"b\\\"\"  # vendor class", "82",
                          "  1 \"c0\"  # circuit-id", "  5 10.1.0.0  # link selection", "end", "pad to 300"));
}

TEST(MessageText, SaysWhatIsWrongWithAMessage) {
  MessageBuilder builder = bootp_request();
  EXPECT_THAT(message_text({}).lines(), IsEmpty());
  EXPECT_THAT(message_text(Bytes(235, 7)).lines(), ElementsAre("octets 07x235"));
  EXPECT_THAT(message_text(builder.octets()).body, ElementsAre("pad to 300"));
  EXPECT_THAT(
      message_text(discover().without_end().padded_to(0).agent_information({1}).raw({12, 9, 'x'}).octets()).body,
      ElementsAre("cookie", "53 01  # DISCOVER", "61 01020000000001  # client-id", "55 0103060f  # parameter list",
                  "82 01  # option 82", "octets 0c0978"));
  EXPECT_THAT(message_text(MessageBuilder{}.cookie({99, 134, 83, 99}).padded_to(0).octets()).body,
              ElementsAre("octets 63865363ff"));
}

TEST(MessageText, LeavesOutWhatIsUsual) {
  const Bytes message = message_octets(Lines{"op 1"});
  EXPECT_EQ(message.size(), 236U);
  EXPECT_EQ(message[1], 1);
  EXPECT_EQ(message[2], 6);
  EXPECT_THAT(message_text(message).lines(), ElementsAre("op 1  # BOOTREQUEST"));
  EXPECT_THAT(message_text(Bytes(236, 0)).lines(), ElementsAre("op 0", "htype 0", "hlen 0"));
}

TEST(MessageText, ReadsEveryFormOfAValue) {
  EXPECT_EQ(value_octets(R"(0aFF "a#\"\\\x00" 10.1.0.1 07x3  # "comment)"),
            (Bytes{0x0a, 0xff, 'a', '#', '"', '\\', 0, 10, 1, 0, 1, 7, 7, 7}));
  for (const char* wrong : {"0", "0g", "\"a", "\"a\"b", "10.1.0", "10.1.0.256", "10.1.0.1.2", "7x3", "07x", "07x70000",
                            R"("\x0")", "-1", "+1"}) {
    EXPECT_THROW((void)value_octets(wrong), TextError) << wrong;
  }
}

TEST(MessageText, WritesValuesShort) {
  EXPECT_EQ(value_text(joined({{1, 2}, Bytes(20, 'a'), text("bc")}), ValueForm::octets), "0102 61x20 6263");
  EXPECT_EQ(value_text(joined({text("\"\\"), Bytes(20, 'a')}), ValueForm::text), R"("\"\\" 61x20)");
  EXPECT_EQ(value_text(Bytes(15, 7), ValueForm::octets), "070707070707070707070707070707");
  EXPECT_EQ(value_text(Bytes{10, 1, 0, 1, 10, 1, 0, 2}, ValueForm::addresses), "10.1.0.1 10.1.0.2");
  EXPECT_EQ(value_text(Bytes{10, 1, 0}, ValueForm::addresses), "0a0100");
}

TEST(MessageText, NamesTheLineThatIsWrong) {
  const Lines good = {"op 1", "xid 11223344", "", "# a comment", "cookie", "82", "  1 \"c0\"", "end", "pad to 300"};
  EXPECT_EQ(fault_of(good), "");
  struct Fault {
    std::size_t line;
    std::string text;
    std::string expected;
  };
  const std::vector<Fault> faults = {
      {0, "xid 11223344", "0: expected op first"},
      {1, "xid 1122334", "1: expected 8 hexadecimal digits"},
      {1, "hops 256", "1: expected a number up to 255"},
      {1, "op 1", "1: expected op first"},
      {1, "chaddr " + std::string("00") + std::string(48, ':'), "1: expected 2 hexadecimal digits"},
      {1, "sname 41x65", "1: sname has no more than 64 octets"},
      {1, "giaddr 10.1.0.1/24", "1: expected a number up to 255"},
      {4, "cookies", "4: expected a field's name"},
      {5, "83", "6: expected sub-options behind"},
      {5, "82 0102", "6: expected sub-options behind"},
      {6, "  1 41x254", "6: expected at most 255 octets in option 82"},
      {7, "256", "7: expected a number up to 255"},
      {7, "43 41x256", "7: expected a value of at most 255"},
      {7, "siaddr 10.1.0.1", "7: expected op first"},
      {8, "pad to 200", "8: the message has 247 octets already"},
      {8, "octets 00x65535", "8: expected at most 65535 octets in all"},
  };
  for (const Fault& each : faults) {
    Lines lines = good;
    lines[each.line] = each.text;
    EXPECT_THAT(fault_of(lines), HasSubstr(each.expected)) << each.text;
  }
}

// --- whatever the octets are, their text says them all
// -----------------------------------------------------------------

class MessageTextProperty : public ::testing::Test {
 protected:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_); }

  /// Octets of which many are what options and texts are made of.
  std::uint8_t octet() {
    constexpr std::array<std::uint8_t, 12> frequent{0, 0, 1, 2, 4, 53, 82, 255, '"', '\\', '#', ' '};
    return static_cast<std::uint8_t>(below(2) == 0 ? frequent.at(below(frequent.size())) : below(256));
  }

  Bytes octets(std::size_t size) {
    Bytes result(size);
    const bool is_run = below(4) == 0;
    const std::uint8_t run = octet();
    std::ranges::generate(result, [&] { return is_run && below(50) != 0 ? run : octet(); });
    return result;
  }

  /// A message of random fields and options, some of them broken.
  Bytes message() {
    MessageBuilder builder;
    for (std::size_t count = below(8); count > 0; --count) {
      const Bytes value = octets(below(40));
      switch (below(5)) {
        case 0:
          builder.pad(1 + below(4));
          break;
        case 1:
          builder.raw(value);
          break;
        case 2:
          builder.agent_information(joined({encoded(octet(), value), encoded(octet(), octets(below(30)))}));
          break;
        default:
          builder.option(octet(), value);
      }
    }
    builder.tail(octets(below(3) == 0 ? below(60) : 0)).padded_to(below(400));
    Bytes result = builder.octets();
    for (std::size_t count = below(3) == 0 ? below(300) : below(12); count > 0; --count) {
      result[below(result.size())] = octet();
    }
    result.resize(below(4) == 0 ? below(result.size() + 1) : result.size());
    return result;
  }

  std::mt19937 random_{82};  // NOLINT(cert-msc51-cpp): the same messages in every run
};

TEST_F(MessageTextProperty, ReadsBackAsTheSameOctets) {
  std::size_t with_sub_options = 0;
  std::size_t broken = 0;
  for (int number = 0; number < 8000; ++number) {
    const Bytes original = below(10) == 0 ? octets(below(600)) : message();
    const Lines lines = message_text(original).lines();
    ASSERT_EQ(there_and_back(original), original) << ::testing::PrintToString(lines);
    with_sub_options += std::ranges::count(lines, "82") > 0 ? 1U : 0U;
    broken += std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("octets"); }) ? 1U : 0U;
  }
  EXPECT_GT(with_sub_options, 1000U) << "too few of the messages are well-formed to tell anything";
  EXPECT_GT(broken, 1000U);
}

TEST_F(MessageTextProperty, IsOneTextPerMessage) {
  for (int number = 0; number < 2000; ++number) {
    Bytes changed = message();
    const Lines before = message_text(changed).lines();
    if (changed.empty()) {
      continue;
    }
    changed[below(changed.size())] ^= static_cast<std::uint8_t>(1U << below(8));
    ASSERT_NE(message_text(changed).lines(), before);
  }
}

}  // namespace
}  // namespace test_support
