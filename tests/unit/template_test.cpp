// Templates: text and facts in, the value with its blanks or the fault out.
#include "options82/template.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace options82 {
namespace {

InterfaceFacts usual_facts() {
  InterfaceFacts facts;
  facts.name = "eth1.100";
  facts.index = 7;
  facts.alias = "customers";
  facts.host = "relay.example";
  facts.mac = std::array<std::uint8_t, 6>{0x02, 0, 0xab, 0xcd, 0xef, 0x09};
  facts.vlan_id = std::uint16_t{100};
  facts.giaddr = std::array<std::uint8_t, 4>{10, 1, 0, 254};
  return facts;
}

std::string text_of(TemplateFault fault) {
  switch (fault) {
    case TemplateFault::empty:
      return "!empty";
    case TemplateFault::unknown_token:
      return "!unknown_token";
    case TemplateFault::broken_octets:
      return "!broken_octets";
    case TemplateFault::bad_access_node:
      return "!bad_access_node";
    case TemplateFault::too_long:
      return "!too_long";
  }
  return "?";
}

std::string text_of(const FormValue& value) {
  std::string text;
  bool was_known = false;
  for (const auto& part : value) {
    if (const auto* const known = std::get_if<std::string>(&part)) {
      EXPECT_FALSE(known->empty() || was_known) << "known text in one piece, and none that is empty";
      was_known = true;
      text += *known;
    } else {
      was_known = false;
      text += std::get<Blank>(part) == Blank::client_port ? "<port>" : "<mac>";
      EXPECT_NE(std::get<Blank>(part), Blank::relay_flags);
    }
  }
  return text;
}

/// The value, or `!` and the fault.
std::string expanded(std::string_view text, const InterfaceFacts& facts = usual_facts()) {
  const auto read = Template::parse(text);
  const auto* const fault = std::get_if<TemplateFault>(&read);
  return fault != nullptr ? text_of(*fault) : text_of(std::get<Template>(read).expand(facts));
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

void expect_expanded(const std::vector<Case>& cases, const InterfaceFacts& facts = usual_facts()) {
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(expanded(text, facts), expected) << text;
  }
}

TEST(Template, every_token) {
  expect_expanded({
      {"%i", "eth1.100"},
      {"%I", "7"},
      {"%d", "customers"},
      {"%h", "relay.example"},
      {"%m", "02:00:ab:cd:ef:09"},
      {"%M", "<mac>"},
      {"%v", "100"},
      {"%p", "<port>"},
      {"%g", "10.1.0.254"},
      {"%%", "%"},
  });
}

TEST(Template, row_4S_18_text_and_tokens_mix) {
  expect_expanded({
      {"c0", "c0"},
      {"%i:%v", "eth1.100:100"},
      {"<%p>", "<<port>>"},
      {"%p%M%p", "<port><mac><port>"},
      {"%i%p%I", "eth1.100<port>7"},
      {"100%%", "100%"},
      {"%%i", "%i"},
      {"%%%i", "%eth1.100"},
      {"%%%%", "%%"},
      {"#.,;/ ", "#.,;/ "},
      {"%h#%i.%I,%d;%g/%v ", "relay.example#eth1.100.7,customers;10.1.0.254/100 "},
      {"none", "none"},
      {"0", "0"},
      {"0X41", "0X41"},
      {"x0x41", "x0x41"},
      {"TR101:a", "TR101:a"},
      {"tr101", "tr101"},
      {"=", "="},
      {std::string_view{"a\0b", 3}, std::string_view{"a\0b", 3}},
      {"\xff\xc3\xa4\x01", "\xff\xc3\xa4\x01"},
  });
}

TEST(Template, what_is_not_known_is_nothing) {
  InterfaceFacts facts;
  facts.name = "c0";
  expect_expanded({{"%d", ""}, {"%h", ""}, {"%m", ""}, {"%v", ""}, {"%g", ""}, {"<%d%h%m%v%g>", "<>"}, {"%I", "0"}},
                  facts);
  const auto read = Template::parse("%d%v");
  EXPECT_TRUE(std::get<Template>(read).expand(facts).empty());
  EXPECT_TRUE(Template{}.expand(usual_facts()).empty());
  EXPECT_EQ(Template{}.most_octets(), 0U);
}

TEST(Template, facts_of_their_largest_size) {
  InterfaceFacts facts = usual_facts();
  const std::string text_of_65 = std::string(64, 'a') + "b";
  facts.alias = text_of_65;
  facts.host = text_of_65;
  facts.name = "e23456789012345";
  facts.index = std::numeric_limits<std::uint32_t>::max();
  facts.vlan_id = std::uint16_t{4095};
  facts.giaddr = std::array<std::uint8_t, 4>{223, 255, 255, 255};
  const std::string text_of_64(64, 'a');
  expect_expanded({{"%d", text_of_64},
                   {"%h", text_of_64},
                   {"%i", "e23456789012345"},
                   {"%I", "4294967295"},
                   {"%v", "4095"},
                   {"%g", "223.255.255.255"}},
                  facts);
  facts.name = "e234567890123456";
  expect_expanded({{"%i", "e23456789012345"}}, facts);
}

TEST(Template, octets) {
  expect_expanded({
      {"0x41", "A"},
      {"0x6162FfFe", "ab\xff\xfe"},
      {"0x00", std::string_view{"\0", 1}},
      {"0x2569", "%i"},
      {"0x", "!broken_octets"},
      {"0x4", "!broken_octets"},
      {"0x414", "!broken_octets"},
      {"0x4g", "!broken_octets"},
      {"0xg4", "!broken_octets"},
      {"0x41 ", "!broken_octets"},
      {"0x 41", "!broken_octets"},
      {"0x4/", "!broken_octets"},
      {"0x4:", "!broken_octets"},
      {"0x4@", "!broken_octets"},
      {"0x4G", "!broken_octets"},
      {"0x4`", "!broken_octets"},
      {"0x4\xff", "!broken_octets"},
      {"0x%i", "!broken_octets"},
  });
}

TEST(Template, faults) {
  expect_expanded({
      {"", "!empty"},
      {"%", "!unknown_token"},
      {"c0%", "!unknown_token"},
      {"%%%", "!unknown_token"},
      {"%x", "!unknown_token"},
      {"%a", "!unknown_token"},
      {"%V", "!unknown_token"},
      {"%P", "!unknown_token"},
      {"%G", "!unknown_token"},
      {"% i", "!unknown_token"},
      {"%i%", "!unknown_token"},
      {std::string_view{"%\0", 2}, "!unknown_token"},
      {"%\xff", "!unknown_token"},
  });
}

TEST(Template, row_4S_18_tr101) {
  struct Name {
    std::string_view name;
    std::string_view expected;
  };
  InterfaceFacts facts;
  for (const auto& [name, expected] : std::vector<Name>{
           {"eth1", "AN1 eth 0/1"},
           {"eth1.100", "AN1 eth 0/1"},
           {"eth1.100.200", "AN1 eth 0/1"},
           {"swp1s2", "AN1 eth 1/2"},
           {"swp1s2.7", "AN1 eth 1/2"},
           {"enp3s0", "AN1 eth 3/0"},
           {"enp3s0f1", "AN1 eth 0/1"},
           {"lan", "AN1 eth 0/0"},
           {"lan.5", "AN1 eth 0/0"},
           {"7", "AN1 eth 0/7"},
           {"123456789012345", "AN1 eth 0/1234567"},
           {"1234567a1234567", "AN1 eth 1234567/1234567"},
           {".5", "AN1 eth 0/0"},
           {"007", "AN1 eth 0/007"},
           {"", "AN1 eth 0/0"},
       }) {
    facts.name = name;
    EXPECT_EQ(expanded("tr101:AN1", facts), expected) << name;
  }
  expect_expanded({
      {"tr101:AN1", "AN1 eth 0/1:100"},
      {"tr101:a%i", "!bad_access_node"},
      {"tr101:!~", "!~ eth 0/1:100"},
      {"tr101:", "!bad_access_node"},
      {"tr101: ", "!bad_access_node"},
      {"tr101:a b", "!bad_access_node"},
      {"tr101:a ", "!bad_access_node"},
      {"tr101: a", "!bad_access_node"},
      {"tr101:a\tb", "!bad_access_node"},
      {"tr101:\x7f", "!bad_access_node"},
      {"tr101:\xc3\xa4", "!bad_access_node"},
      {std::string_view{"tr101:a\0", 8}, "!bad_access_node"},
  });
}

TEST(Template, row_4S_18_tr101_has_at_most_63_octets) {
  // " eth " and slot, port and VLAN as long as they can get: 25 octets.
  const std::string longest(63 - 25, 'n');
  EXPECT_EQ(expanded("tr101:" + longest), longest + " eth 0/1:100");
  EXPECT_EQ(expanded("tr101:" + longest + "n"), "!too_long");
  InterfaceFacts facts;
  facts.name = "1234567a1234567";
  facts.vlan_id = std::uint16_t{4094};
  EXPECT_EQ(expanded("tr101:" + longest, facts).size(), 63U);
  EXPECT_EQ(expanded("tr101:" + std::string(300, 'n')), "!too_long");
}

TEST(Template, row_4A_13_at_most_255_octets_in_the_worst_case) {
  struct Token {
    std::string_view text;
    std::size_t most;
  };
  for (const auto& [token, most] : std::vector<Token>{{"%i", 15},
                                                      {"%I", 10},
                                                      {"%d", 64},
                                                      {"%h", 64},
                                                      {"%m", 17},
                                                      {"%M", 47},
                                                      {"%v", 4},
                                                      {"%p", 15},
                                                      {"%g", 15},
                                                      {"%%", 1}}) {
    const std::string fits = std::string(token) + std::string(255 - most, 'x');
    const auto read = Template::parse(fits);
    ASSERT_TRUE(std::holds_alternative<Template>(read)) << token;
    EXPECT_EQ(std::get<Template>(read).most_octets(), 255U) << token;
    EXPECT_EQ(expanded(fits + "x"), "!too_long") << token;
    EXPECT_EQ(expanded("x" + fits), "!too_long") << token;
  }
  EXPECT_EQ(expanded(std::string(255, 'x')).size(), 255U);
  EXPECT_EQ(expanded(std::string(256, 'x')), "!too_long");
  std::string digits = "0x";
  for (int i = 0; i < 255; ++i) {
    digits += "41";
  }
  EXPECT_EQ(expanded(digits), std::string(255, 'A'));
  EXPECT_EQ(expanded(digits + "41"), "!too_long");
  EXPECT_EQ(expanded(std::string(100'000, '%')), "!too_long");
}

/// Octets that `value` has at most, whatever the client.
std::size_t most_octets_of(const FormValue& value) {
  std::size_t most = 0;
  for (const auto& part : value) {
    const auto* const known = std::get_if<std::string>(&part);
    most += known != nullptr ? known->size() : max_size(std::get<Blank>(part));
  }
  return most;
}

TEST(TemplateProperties, row_4A_13_no_facts_make_more_than_the_worst_case) {
  std::mt19937 random{4361};  // the same templates in every run
  const std::vector<std::string> pieces{"%i", "%I", "%d", "%h", "%m",     "%M", "%v",
                                        "%p", "%g", "%%", "x",  "tr101:", "0x4"};
  std::size_t templates = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 6; i > 0; --i) {
      text += pieces[random() % pieces.size()];
    }
    const std::string name(random() % 20, random() % 2 == 0 ? '9' : 'n');
    const std::string alias(random() % 300, 'a');
    InterfaceFacts facts;
    facts.name = name;
    facts.alias = alias;
    facts.host = alias;
    facts.index = static_cast<std::uint32_t>(random());
    if (random() % 2 == 0) {
      facts.mac = std::array<std::uint8_t, 6>{255, 255, 255, 255, 255, 255};
      facts.vlan_id = static_cast<std::uint16_t>(random() % 4096);
      facts.giaddr = std::array<std::uint8_t, 4>{255, 255, 255, 255};
    }
    const auto read = Template::parse(text);
    if (const auto* const found = std::get_if<Template>(&read)) {
      ++templates;
      ASSERT_LE(found->most_octets(), 255U) << text;
      ASSERT_LE(most_octets_of(found->expand(facts)), found->most_octets()) << text;
    }
  }
  EXPECT_GT(templates, 1'000U);
}

}  // namespace
}  // namespace options82
