// Fields of a message as text, and option 82 in words, whatever is in them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "relay/log/message_text.h"
#include "relay/log/verdict_text.h"
#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::discover;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::offer;
using test_support::text;

bool is_printable(std::string_view line) {
  return std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
}

bootp::Header header_of(const Bytes& message) {
  return std::span{message}.first<bootp::header_size>();
}

TEST(MessageText, addresses) {
  EXPECT_EQ(address_text(Ipv4Address{}), "0.0.0.0");
  EXPECT_EQ(address_text(limited_broadcast), "255.255.255.255");
  EXPECT_EQ(address_text(ip(10, 101, 0, 1)), "10.101.0.1");
  EXPECT_EQ(mac_text(MacAddress{{0, 1, 0x0a, 0xff, 0x10, 0}}), "00:01:0a:ff:10:00");
}

TEST(MessageText, ipv6_addresses_as_rfc_5952_has_them) {
  for (const char* const each :
       {"::", "::1", "1::", "fe80::1", "2001:db8::1", "2001:db8:0:1:1:1:1:1", "2001:db8::1:0:0:1", "2001:0:0:1::1",
        "1:2:3:4:5:6:7:8", "2001:db8:1:2:3:4:5:0", "1:0:2::", "::2:0:0:3:4:5", "ff02::1:2", "abcd:ef01::"}) {
    EXPECT_EQ(address_text(test_support::ip6(each)), each);
  }
  EXPECT_EQ(address_text(test_support::ip6("2001:0DB8:0:0:0:0:0:00A1")), "2001:db8::a1");
}

TEST(MessageText, fields_of_the_header) {
  EXPECT_EQ(xid_text(header_of(discover().xid(0x00ab01cd).octets())), "0x00ab01cd");
  EXPECT_EQ(chaddr_text(header_of(discover().hlen(6).octets())), "02:00:00:00:00:01");
  EXPECT_EQ(chaddr_text(header_of(discover().hlen(0).octets())), "");
  EXPECT_EQ(chaddr_text(header_of(discover().hlen(255).octets())), "02:00:00:00:00:01:00:00:00:00:00:00:00:00:00:00");
}

TEST(MessageText, what_is_not_printable_is_escaped) {
  EXPECT_EQ(printable_text("eth0 ~"), "eth0 ~");
  EXPECT_EQ(printable_text(std::string_view{"\0\n\x1b[2J\x7f\xff", 8}), R"(\x00\x0a\x1b[2J\x7f\xff)");
}

TEST(MessageText, option_82_in_words) {
  struct Case {
    Bytes content;
    std::string sentence;
    std::string field;
  };
  for (const auto& [content, sentence, field] : std::vector<Case>{
           {{}, "empty", ""},
           {encoded(1, text("d1")), R"(circuit-id "d1")", "circuit-id=d1"},
           {encoded(2, {1, 2}), "remote-id 0x0102", "remote-id=0x0102"},
           {encoded(5, {10, 1, 0, 0}), "link-selection 10.1.0.0", "link-selection=10.1.0.0"},
           {encoded(5, {10, 1, 0}), "link-selection 0x0a0100", "link-selection=0x0a0100"},
           {encoded(6, text("a b")), R"(subscriber-id "a b")", "subscriber-id=a b"},
           {encoded(10, {0x80}), "relay-flags 0x80", "relay-flags=0x80"},
           {encoded(10, text("A")), "relay-flags 0x41", "relay-flags=0x41"},
           {encoded(11, {10, 1, 0, 1}), "server-id-override 10.1.0.1", "server-id-override=10.1.0.1"},
           {encoded(12, {0}), "relay-id 0x00", "relay-id=0x00"},
           {encoded(19, {}), "relay-source-port 0x", "relay-source-port=0x"},
           {encoded(151, {255}), "vss 0xff", "vss=0xff"},
           {encoded(152, {}), "vss-control 0x", "vss-control=0x"},
           {encoded(77, text("x")), R"(sub-option-77 "x")", "sub-option-77=x"},
           {encoded(0, {}), "sub-option-0 0x", "sub-option-0=0x"},
           {joined({encoded(1, text("d1")), encoded(2, {1, 2}), encoded(5, {10, 1, 0, 0})}),
            R"(circuit-id "d1", remote-id 0x0102, link-selection 10.1.0.0)",
            "circuit-id=d1,remote-id=0x0102,link-selection=10.1.0.0"},
           // text that its surroundings would make another
           {encoded(1, text("a,remote-id=b")), R"(circuit-id "a,remote-id=b")",
            "circuit-id=0x612c72656d6f74652d69643d62"},
           {encoded(1, text("0x61")), R"(circuit-id "0x61")", "circuit-id=0x30783631"},
           {encoded(1, text("a\"b")), "circuit-id 0x612262", "circuit-id=0x612262"},
           {encoded(1, text("a\\b")), "circuit-id 0x615c62", "circuit-id=0x615c62"},
           {encoded(1, text("a\nb")), "circuit-id 0x610a62", "circuit-id=0x610a62"},
           {encoded(1, {0xc3, 0xa9}), "circuit-id 0xc3a9", "circuit-id=0xc3a9"},
           // damage
           {{1}, "damaged 0x01", "damaged=0x01"},
           {{1, 3, 'd', '1'}, "damaged 0x01036431", "damaged=0x01036431"},
           {joined({encoded(1, text("d1")), {2, 255, 0}}), R"(circuit-id "d1", damaged 0x02ff00)",
            "circuit-id=d1,damaged=0x02ff00"},
       }) {
    EXPECT_EQ(agent_information_sentence(content), sentence);
    EXPECT_EQ(agent_information_field(content), field);
  }
}

TEST(MessageText, the_longest_words_on_option_82_are_bounded) {
  const Bytes zeros(255, 0);  // 127 empty sub-options, and one octet
  std::string expected;
  for (int count = 0; count < 127; ++count) {
    expected += "sub-option-0 0x, ";
  }
  EXPECT_EQ(agent_information_sentence(zeros), expected + "damaged 0x00");
  for (unsigned octet = 0; octet < 256; ++octet) {
    const Bytes most(options82::max_joined_size, static_cast<std::uint8_t>(octet));
    EXPECT_LE(agent_information_sentence(most).size(), 12 * most.size()) << octet;
    EXPECT_LE(agent_information_field(most).size(), 12 * most.size()) << octet;
  }
  Bytes empty_ones;
  while (empty_ones.size() < options82::max_joined_size) {
    empty_ones.push_back(19);  // the one with the longest name
    empty_ones.push_back(0);
  }
  EXPECT_EQ(agent_information_sentence(empty_ones).size(), 512 * std::string_view{"relay-source-port 0x, "}.size() - 2);
}

TEST(MessageText, all_option_82s_of_a_message_are_one) {
  const auto content = [](const Bytes& message) { return agent_information_of(message); };
  EXPECT_EQ(content(discover().octets()), std::nullopt);
  EXPECT_EQ(content({}), std::nullopt);
  EXPECT_EQ(content(Bytes(236, 82)), std::nullopt);
  EXPECT_EQ(content(discover().agent_information({}).octets()), Bytes{});
  EXPECT_EQ(content(discover().agent_information({1, 4, 'a'}).agent_information({'b', 'c', 'd'}).octets()),
            (Bytes{1, 4, 'a', 'b', 'c', 'd'}));
  test_support::MessageBuilder many = discover();
  for (int count = 0; count < 5; ++count) {
    many.agent_information(Bytes(255, 7));
  }
  EXPECT_EQ(content(many.octets()), Bytes(options82::max_joined_size, 7));
}

TEST(MessageText, summaries) {
  struct Case {
    Bytes message;
    std::string summary;
  };
  const Bytes whole = discover().xid(0x12345678).octets();
  for (const auto& [message, summary] : std::vector<Case>{
           {discover().xid(0x12345678).giaddr(ip(10, 101, 0, 1)).agent_information(encoded(1, text("d1"))).octets(),
            R"(DISCOVER xid 0x12345678 chaddr 02:00:00:00:00:01 giaddr 10.101.0.1 option 82 circuit-id "d1")"},
           {whole, "DISCOVER xid 0x12345678 chaddr 02:00:00:00:00:01"},
           {offer().xid(1).ciaddr(ip(10, 1, 0, 9)).octets(),
            "OFFER xid 0x00000001 chaddr 02:00:00:00:00:01 ciaddr 10.1.0.9 yiaddr 10.1.0.50 giaddr 10.1.0.1"},
           {discover().xid(1).hlen(0).agent_information({}).octets(), "DISCOVER xid 0x00000001 option 82 empty"},
           {discover().xid(1).op(7).hlen(0).octets(), "op-7 xid 0x00000001"},
           {test_support::bootp_request().xid(1).hlen(0).octets(), "BOOTREQUEST xid 0x00000001"},
           {{}, "a message of 0 octets, too short for BOOTP"},
           {Bytes(whole.begin(), whole.begin() + 235), "a message of 235 octets, too short for BOOTP"},
           {Bytes(236, 0), "op-0 xid 0x00000000"},
       }) {
    EXPECT_EQ(message_summary(message), summary);
  }
}

TEST(MessageText, whatever_a_message_contains_is_printable) {
  std::mt19937 random{1};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same messages each time
  for (int round = 0; round < 5000; ++round) {
    Bytes message(random() % 600);
    std::ranges::generate(message, [&] { return static_cast<std::uint8_t>(random()); });
    if (message.size() > bootp::options_offset && round % 2 == 0) {
      message[0] = 1 + static_cast<std::uint8_t>(round / 2 % 2);
      std::ranges::copy(bootp::magic_cookie, message.begin() + bootp::header_size);
      message[bootp::options_offset] = options82::code::agent_information;
    }
    const std::string summary = message_summary(message);
    ASSERT_TRUE(is_printable(summary)) << round;
    ASSERT_LE(summary.size(), 13000U) << round;
    ASSERT_TRUE(is_printable(agent_information_sentence(message)) && is_printable(agent_information_field(message)))
        << round;
    ASSERT_TRUE(is_printable(client_text(message))) << round;
  }
}

}  // namespace
}  // namespace relay
