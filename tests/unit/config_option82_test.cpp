// The flags that say what option 82 holds, and the rate limit: words in, a compact account or the error out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/config/configuration.h"

namespace relay {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

using Words = std::vector<std::string>;

/// `octets` with those that cannot be read as `\xff`.
std::string readable(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char octet : octets) {
    const auto value = static_cast<unsigned char>(octet);
    if (value > ' ' && value <= '~') {
      text += octet;
    } else {
      text += {'\\', 'x', digits[value >> 4U], digits[value & 0xfU]};
    }
  }
  return text;
}

/// What the template makes of an interface where each fact says what it is; `none` where it stands for nothing.
std::string text_of(const options82::Template& of) {
  options82::InterfaceFacts facts;
  facts.name = "<i>";
  facts.index = 1;
  facts.alias = "<d>";
  facts.host = "<h>";
  facts.vlan_id = std::uint16_t{2};
  std::string text;
  for (const auto& part : of.expand(facts)) {
    const auto* const known = std::get_if<std::string>(&part);
    text += known == nullptr ? "<blank>" : readable(*known);
  }
  return of.most_octets() == 0 ? "none" : text;
}

std::string text_of(const RateLimit& limit) {
  return std::to_string(limit.per_second) + "/" + std::to_string(limit.burst);
}

template <typename Value>
std::string text_of(std::string_view name, const std::vector<Setting<Value>>& settings) {
  std::string text;
  for (const Setting<Value>& each : settings) {
    text += " " + std::string(name) + ":" + each.pattern + "=" + text_of(each.value);
  }
  return text;
}

/// Everything of option 82 and of the rate limit that differs from the default.
std::string compact(const Configuration& configuration) {
  const InterfaceSettings& interfaces = configuration.interfaces;
  const AgentInformationSettings& own = interfaces.agent_information;
  std::string text = text_of("circuit", interfaces.circuit_ids) + text_of("remote", interfaces.remote_ids) +
                     text_of("subscriber", interfaces.subscriber_ids) + text_of("rate", interfaces.rate_limits);
  const auto add = [&text](bool is_other, const std::string& word) { text += is_other ? " " + word : ""; };
  add(configuration.policy.add_agent_information, "a");
  add(own.link_selection, "link");
  add(own.server_id_override, "override");
  add(own.source_port, "sub19");
  add(!own.relay_id.empty(), "id:" + readable(own.relay_id));
  add(!own.vss.empty(), "vss:" + readable(own.vss));
  add(!own.host_name.empty(), "host:" + own.host_name);
  for (const auto& [code, value] : own.sub_options) {
    text += " " + std::to_string(code) + ":" + readable(value);
  }
  return text.empty() ? text : text.substr(1);
}

std::string outcome(const Words& words) {
  try {
    return compact(std::get<Configuration>(read_configuration(words, "")));
  } catch (const UsageError& error) {
    return "error: " + std::string(error.what());
  }
}

/// The outcome of `words` behind `-id d1 -id vlan* 10.9.0.2 -a`, without the `a` of that.
std::string with_a(const Words& words) {
  Words all{"-id", "d1", "-id", "vlan*", "10.9.0.2", "-a"};
  all.insert(all.end(), words.begin(), words.end());
  std::string text = outcome(all);
  if (text == "a") {
    return "";
  }
  for (const std::string_view last : {" a ", " a"}) {
    if (const std::size_t at = text.rfind(last); at != std::string::npos && !text.starts_with("error")) {
      return text.erase(at, 2);
    }
  }
  return text.starts_with("a ") ? text.substr(2) : text;
}

struct Case {
  Words words;
  std::string_view expected;
};

void expect_with_a(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(with_a(words), expected) << testing::PrintToString(words);
  }
}

void expect_errors(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(with_a(words), "error: " + std::string(expected)) << testing::PrintToString(words);
  }
}

TEST(Option82Words, row_4A_01_everything_is_off_by_default) {
  EXPECT_EQ(outcome({"-id", "d1", "10.9.0.2"}), "");
  EXPECT_EQ(with_a({}), "") << "a circuit-id without a setting is the interface's name";
}

TEST(Option82Words, row_4A_01_each_sub_option_has_a_flag) {
  expect_with_a({
      {{"--circuit-id", "x%i"}, "circuit:*=x<i>"},
      {{"--remote-id", "%h"}, "remote:*=<h>"},
      {{"--subscriber-id", "cust-42"}, "subscriber:*=cust-42"},
      {{"-s", "cust-42"}, "subscriber:*=cust-42"},
      {{"--link-selection"}, "link"},
      {{"--server-id-override"}, "override"},
      {{"--relay-id", "r1"}, "id:r1"},
      {{"--vss", "red"}, "vss:\\x00red"},
      {{"--suboption", "4=0x00000001"}, R"(4:\x00\x00\x00\x01)"},
      {{"--circuit-id=c", "--remote-id=r", "--relay-id=i"}, "circuit:*=c remote:*=r id:i"},
  });
  EXPECT_EQ(outcome({"-id", "d1", "10.9.0.2", "-rp", "1067", "--relay-id", "x"}), "a sub19 id:x") << "-rp implies -a";
  EXPECT_EQ(outcome({"-id", "d1", "10.9.0.2", "-U", "lo", "--vss", "global"}), "a link vss:\\xff") << "and so does -U";
}

TEST(Option82Words, row_4S_18_templates) {
  expect_with_a({
      {{"--circuit-id", "%i %I %d %h %v%m%g%%"}, R"(circuit:*=<i>\x201\x20<d>\x20<h>\x202%)"},
      {{"--circuit-id", "%M%p"}, "circuit:*=<blank><blank>"},
      {{"--circuit-id", "0x00ff"}, "circuit:*=\\x00\\xff"},
      {{"--circuit-id", "tr101:AN1"}, "circuit:*=AN1\\x20eth\\x200/0:2"},
      {{"--circuit-id", "none", "--remote-id", "x"}, "circuit:*=none remote:*=x"},
      {{"--circuit-id", "None", "--remote-id", "none"}, "circuit:*=None remote:*=none"},
      {{"--circuit-id", "\xc3\xa4"}, "circuit:*=\\xc3\\xa4"},
      {{"--remote-id", "tr101:AN1"}, "remote:*=AN1\\x20eth\\x200/0:2"},
      {{"--subscriber-id", "none"}, "subscriber:*=none"},
      {{"--subscriber-id", "0x6162"}, "subscriber:*=ab"},
  });
}

TEST(Option82Words, interfaces_and_patterns) {
  expect_with_a({
      {{"--circuit-id", "d1=x"}, "circuit:d1=x"},
      {{"--circuit-id", "vlan*=x"}, "circuit:vlan*=x"},
      {{"--circuit-id", "d1=a=b"}, "circuit:d1=a=b"},
      {{"--circuit-id", "d1=="}, "circuit:d1=="},
      {{"--circuit-id", "d1=none", "--remote-id", "r"}, "circuit:d1=none remote:*=r"},
      {{"--circuit-id", "d1=x", "--circuit-id", "y"}, "circuit:*=y circuit:d1=x"},
      {{"--remote-id", "vlan*=x", "--remote-id", "vlan1=y", "--remote-id", "z"},
       "remote:*=z remote:vlan*=x remote:vlan1=y"},
      {{"-s", "d1=x", "-s", "y"}, "subscriber:*=y subscriber:d1=x"},
      {{"--rate-limit", "d1=5", "--rate-limit", "7/9"}, "rate:*=7/9 rate:d1=5/5"},
  });
  const std::string not_downstream = "expected a downstream interface, one that -id, -i or -l names";
  expect_errors({
      {{"--circuit-id", "d2=x"}, "--circuit-id 'd2=x': " + not_downstream},
      {{"--circuit-id", "a=b"}, "--circuit-id 'a=b': " + not_downstream},
      {{"--remote-id", "d2=x"}, "--remote-id 'd2=x': " + not_downstream},
      {{"-s", "d2=x"}, "-s 'd2=x': " + not_downstream},
      {{"--rate-limit", "d2=5"}, "--rate-limit 'd2=5': " + not_downstream},
      {{"--circuit-id", "=x"},
       "--circuit-id '=x': expected an interface's name of 1 to 15 octets without '/', ':' or white space"},
      {{"--circuit-id", "a/b=x"},
       "--circuit-id 'a/b=x': expected an interface's name of 1 to 15 octets without '/', ':' or white space"},
      {{"--circuit-id", "x", "--circuit-id", "y"}, "--circuit-id 'y': given twice for all interfaces"},
      {{"--remote-id", "d1=x", "--remote-id", "d1=y"}, "--remote-id 'd1=y': given twice for interface 'd1'"},
      {{"-s", "x", "--subscriber-id", "y"}, "--subscriber-id 'y': given twice for all interfaces"},
      {{"--rate-limit", "1", "--rate-limit", "1"}, "--rate-limit '1': given twice for all interfaces"},
  });
}

TEST(Option82Errors, row_4S_18_templates_that_are_none) {
  const std::string unknown = "expected %i, %I, %d, %h, %m, %M, %v, %p, %g or %% where a percent sign stands";
  for (const std::string flag : {"--circuit-id", "--remote-id", "--subscriber-id", "-s"}) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "expected a template, or none to leave the sub-option out"},
        {"d1=", "expected a template, or none to leave the sub-option out"},
        {"%", unknown},
        {"%x", unknown},
        {"d1=%i%", unknown},
        {"0x", "expected hexadecimal digits, an even number of them, behind 0x"},
        {"0x123", "expected hexadecimal digits, an even number of them, behind 0x"},
        {"0xgg", "expected hexadecimal digits, an even number of them, behind 0x"},
        {"tr101:", "expected a name without spaces and percent signs behind tr101:"},
        {"tr101:a b", "expected a name without spaces and percent signs behind tr101:"},
        {"tr101:" + std::string(39, 'a'), "too long: it could get more than 255 octets, or 63 with tr101:"},
        {std::string(241, 'a') + "%p", "too long: it could get more than 255 octets, or 63 with tr101:"},
    };
    for (const auto& [value, sentence] : cases) {
      const std::string shown = value.size() > 60 ? value.substr(0, 60) + "..." : value;
      EXPECT_EQ(with_a({flag, value}), "error: " + flag + " '" + shown + "': " + sentence) << flag << " " << value;
    }
  }
}

TEST(Option82Errors, row_4S_03_a_subscriber_id_is_printable_ascii) {
  const std::string sentence = "expected printable ASCII characters (RFC 3993 section 3)";
  expect_errors({
      {{"-s", "\xc3\xa4"}, "-s '\\xc3\\xa4': " + sentence},
      {{"-s", "a\tb"}, "-s 'a\\x09b': " + sentence},
      {{"-s", std::string("a\0", 2)}, "-s 'a\\x00': " + sentence},
      {{"-s", "\x7f"}, "-s '\\x7f': " + sentence},
      {{"-s", "0x6100"}, "-s '0x6100': " + sentence},
      {{"-s", "0x7f"}, "-s '0x7f': " + sentence},
      {{"-s", "0x61ff"}, "-s '0x61ff': " + sentence},
      {{"-s", "d1=0x0a"}, "-s 'd1=0x0a': " + sentence},
  });
  const std::string empty = "%M alone is empty for a client without a hardware address; expected other text beside it";
  expect_errors({
      {{"-s", "%M"}, "-s '%M': " + empty},
      {{"-s", "d1=%d%M"}, "-s 'd1=%d%M': " + empty},
  });
  EXPECT_EQ(with_a({"-s", " ~"}), "subscriber:*=\\x20~");
  EXPECT_EQ(with_a({"-s", "0x207e"}), "subscriber:*=\\x20~");
}

TEST(Option82Words, row_4S_13_relay_ids) {
  expect_with_a({
      {{"--relay-id", "0x00ff"}, "id:\\x00\\xff"},
      {{"--relay-id", "%i=none"}, "id:%i=none"},
      {{"--relay-id", "\xc3\xa4"}, "id:\\xc3\\xa4"},
      {{"--relay-id", "none"}, "id:none"},
  });
  expect_errors({
      {{"--relay-id", ""}, "--relay-id '': expected text, or 0x and hexadecimal digits"},
      {{"--relay-id", "0x"}, "--relay-id '0x': expected hexadecimal digits, an even number of them, behind 0x"},
      {{"--relay-id", "0x0"}, "--relay-id '0x0': expected hexadecimal digits, an even number of them, behind 0x"},
      {{"--relay-id", "a", "--relay-id", "a"}, "--relay-id 'a': given twice; expected once"},
  });
  EXPECT_THAT(with_a({"--relay-id", std::string(254, 'r')}),
              EndsWith("...': too long: a sub-option has at most 253 octets"));
  EXPECT_THAT(with_a({"--relay-id", std::string(253, 'r')}),
              EndsWith("octets with these templates and values; expected 255 at most"));
}

TEST(Option82Words, row_4S_10_virtual_subnets) {
  expect_with_a({
      {{"--vss", "red"}, "vss:\\x00red"},
      {{"--vss", "global"}, "vss:\\xff"},
      {{"--vss", "Global"}, "vss:\\x00Global"},
      {{"--vss", "0x00000100000002"}, R"(vss:\x01\x00\x00\x01\x00\x00\x00\x02)"},
      {{"--vss", "0Xff"}, "vss:\\x000Xff"},
      {{"--vss", "a b"}, "vss:\\x00a\\x20b"},
  });
  const std::string sentence =
      "expected a VRF's name in printable ASCII characters, 0x and 14 hexadecimal digits, or global";
  const std::string digits = "expected 14 hexadecimal digits behind 0x, a VPN-ID (RFC 2685)";
  expect_errors({
      {{"--vss", ""}, "--vss '': " + sentence},
      {{"--vss", "r\xc3\xa4"}, "--vss 'r\\xc3\\xa4': " + sentence},
      {{"--vss", std::string("red\0", 4)}, "--vss 'red\\x00': " + sentence},
      {{"--vss", "0x"}, "--vss '0x': " + digits},
      {{"--vss", "0x000001000000"}, "--vss '0x000001000000': " + digits},
      {{"--vss", "0x0000010000000203"}, "--vss '0x0000010000000203': " + digits},
      {{"--vss", "0x0000010000000g"},
       "--vss '0x0000010000000g': expected hexadecimal digits, an even number of them, behind 0x"},
      {{"--vss", "a", "--vss", "a"}, "--vss 'a': given twice; expected once"},
  });
  EXPECT_THAT(with_a({"--vss", std::string(253, 'v')}),
              EndsWith("...': too long: a VRF's name has at most 252 octets"));
  EXPECT_THAT(with_a({"--vss", std::string(252, 'v')}), HasSubstr("option 82 could get"));
}

TEST(Option82Words, further_sub_options) {
  expect_with_a({
      {{"--suboption", "200=text"}, "200:text"},
      {{"--suboption", "254=x", "--suboption", "7=y"}, "7:y 254:x"},
      {{"--suboption", "200=a=b"}, "200:a=b"},
      {{"--suboption", "200=%i"}, "200:%i"},
      {{"--suboption", "200=none"}, "200:none"},
      {{"--suboption", "007=y"}, "7:y"},
      {{"--suboption", "4=abcd"}, "4:abcd"},
  });
  const std::string form = "expected CODE=VALUE, a number from 1 to 254 and text or 0x and hexadecimal digits";
  const std::string reserved = "this code is reserved; expected another from 1 to 254";
  expect_errors({
      {{"--suboption", "200"}, "--suboption '200': " + form},
      {{"--suboption", ""}, "--suboption '': " + form},
      {{"--suboption", "=x"}, "--suboption '=x': " + form},
      {{"--suboption", "x=x"}, "--suboption 'x=x': " + form},
      {{"--suboption", "-1=x"}, "--suboption '-1=x': " + form},
      {{"--suboption", "+1=x"}, "--suboption '+1=x': " + form},
      {{"--suboption", " 200=x"}, "--suboption ' 200=x': " + form},
      {{"--suboption", "200 =x"}, "--suboption '200 =x': " + form},
      {{"--suboption", "0x10=x"}, "--suboption '0x10=x': " + form},
      {{"--suboption", "99999999999=x"}, "--suboption '99999999999=x': " + form},
      {{"--suboption", "256=x"}, "--suboption '256=x': expected a code from 1 to 254"},
      {{"--suboption", "4294967297=x"}, "--suboption '4294967297=x': " + form},
      {{"--suboption", "0=x"}, "--suboption '0=x': " + reserved},
      {{"--suboption", "3=x"}, "--suboption '3=x': " + reserved},
      {{"--suboption", "255=x"}, "--suboption '255=x': " + reserved},
      {{"--suboption", "1=x"}, "--suboption '1=x': sub-option 1 is --circuit-id's"},
      {{"--suboption", "2=x"}, "--suboption '2=x': sub-option 2 is --remote-id's"},
      {{"--suboption", "5=x"}, "--suboption '5=x': sub-option 5 is --link-selection's"},
      {{"--suboption", "6=x"}, "--suboption '6=x': sub-option 6 is --subscriber-id's"},
      {{"--suboption", "10=x"}, "--suboption '10=x': sub-options 10 and 11 are --server-id-override's"},
      {{"--suboption", "11=x"}, "--suboption '11=x': sub-options 10 and 11 are --server-id-override's"},
      {{"--suboption", "12=x"}, "--suboption '12=x': sub-option 12 is --relay-id's"},
      {{"--suboption", "19=x"}, "--suboption '19=x': sub-option 19 is --relay-port's"},
      {{"--suboption", "151=x"}, "--suboption '151=x': sub-options 151 and 152 are --vss's"},
      {{"--suboption", "152=x"}, "--suboption '152=x': sub-options 151 and 152 are --vss's"},
      {{"--suboption", "8=x"},
       "--suboption '8=x': sub-option 8 (RFC 4030) has to be computed for each message and is not sent by this "
       "version"},
      {{"--suboption", "200="}, "--suboption '200=': expected text, or 0x and hexadecimal digits"},
      {{"--suboption", "200=0x"},
       "--suboption '200=0x': expected hexadecimal digits, an even number of them, behind 0x"},
      {{"--suboption", "200=a", "--suboption", "0200=b"},
       "--suboption '0200=b': sub-option 200 is given twice; expected once"},
  });
  EXPECT_THAT(with_a({"--suboption", "200=" + std::string(254, 'x')}),
              EndsWith("...': too long: a sub-option has at most 253 octets"));
}

TEST(Option82Words, row_4S_17_a_device_class_has_4_octets) {
  const std::string sentence = "expected the 4 octets of a DOCSIS device class (RFC 3256 section 2)";
  expect_errors({{{"--suboption", "4=abc"}, "--suboption '4=abc': " + sentence},
                 {{"--suboption", "4=abcde"}, "--suboption '4=abcde': " + sentence},
                 {{"--suboption", "4=0x000001"}, "--suboption '4=0x000001': " + sentence}});
  EXPECT_EQ(with_a({"--suboption", "4=0x80000001"}), "4:\\x80\\x00\\x00\\x01");
}

TEST(Option82Words, row_4S_07_vendor_specific_information) {
  const std::string sentence =
      "expected enterprise numbers of 4 octets, each with a length octet and its data (RFC 4243 section 3)";
  for (const std::string good : {"0x0000000100", "0x000000010161", "0x0000000102616200000002026364"}) {
    EXPECT_THAT(with_a({"--suboption", "9=" + good}), testing::StartsWith("9:\\x00")) << good;
  }
  for (const std::string bad :
       {"0x00000001", "0x0000000101", "0x00000001016100", "0x000000010161000000", "0x00000001ff61", "0x00", "abc"}) {
    EXPECT_EQ(with_a({"--suboption", "9=" + bad}), "error: --suboption '9=" + bad + "': " + sentence);
  }
}

TEST(Option82Errors, row_4S_16_an_access_network_needs_its_type) {
  for (const int code : {14, 15, 16, 17, 18}) {
    const std::string number = std::to_string(code);
    EXPECT_EQ(with_a({"--suboption", number + "=x"}),
              "error: --suboption " + number +
                  " needs --suboption 13=VALUE, the access technology type (RFC 7839 section 6)");
    EXPECT_EQ(with_a({"--suboption", number + "=x", "--suboption", "13=t"}), "13:t " + number + ":x");
  }
  expect_with_a({{{"--suboption", "13=t"}, "13:t"},
                 {{"--suboption", "20=x"}, "20:x"},
                 {{"--suboption", "7=x"}, "7:x"},
                 {{"--suboption", "7=x", "--suboption", "20=x"}, "7:x 20:x"}});
}

TEST(Option82Errors, row_4A_01_each_needs_minus_a) {
  const std::vector<Words> cases{
      {"--circuit-id", "x"},    {"--remote-id", "x"},     {"--subscriber-id", "x"}, {"-s", "x"},
      {"--link-selection"},     {"--server-id-override"}, {"--relay-id", "x"},      {"--vss", "x"},
      {"--suboption", "200=x"}, {"--circuit-id", "none"}};
  for (const Words& words : cases) {
    Words all{"-id", "d1", "10.9.0.2"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(outcome(all), "error: " + words.front() + " needs -a, which adds option 82");
  }
  EXPECT_EQ(outcome({"-id", "d1", "10.9.0.2", "--rate-limit", "5"}), "rate:*=5/5") << "which has nothing to do with it";
}

TEST(Option82Errors, row_4A_13_more_than_255_octets_in_the_worst_case) {
  // An interface's name of 15 octets and link selection are counted in any case: 23 octets.
  EXPECT_EQ(with_a({"--relay-id", std::string(230, 'r')}), "id:" + std::string(230, 'r'));
  EXPECT_EQ(with_a({"--relay-id", std::string(231, 'r')}),
            "error: option 82 could get 256 octets with these templates and values; expected 255 at most");
  EXPECT_EQ(with_a({"--circuit-id", "%M%M%M", "--remote-id", "d1=%M%M1234567890A", "--remote-id", "x"}),
            "error: option 82 could get 256 octets with these templates and values; expected 255 at most")
      << "the longest of several";
  EXPECT_EQ(with_a({"--circuit-id", "%M%M%M", "--remote-id", "d1=%M%M1234567890", "--remote-id", "x"}),
            "circuit:*=<blank><blank><blank> remote:*=x remote:d1=<blank><blank>1234567890");
}

TEST(Option82Errors, row_4A_03_option_82_has_at_least_one_sub_option) {
  const std::string sentence = "leaves option 82 without any sub-option; expected another one as well";
  expect_errors({
      {{"--circuit-id", "none"}, "--circuit-id 'none': " + sentence},
      {{"--circuit-id", "d1=none"}, "--circuit-id 'd1=none': " + sentence},
      {{"--circuit-id", "vlan*=x", "--circuit-id", "d1=none"}, "--circuit-id 'd1=none': " + sentence},
      {{"--circuit-id", "none", "--remote-id", "none"}, "--circuit-id 'none': " + sentence},
      {{"--circuit-id", "none", "-s", "none"}, "--circuit-id 'none': " + sentence},
  });
  for (const Words& other : std::vector<Words>{{"--link-selection"},
                                               {"--server-id-override"},
                                               {"-rp", "1067"},
                                               {"--relay-id", "x"},
                                               {"--vss", "x"},
                                               {"--suboption", "200=x"},
                                               {"--remote-id", "x"},
                                               {"--remote-id", "d1=x"},
                                               {"-s", "x"}}) {
    Words words{"--circuit-id", "none"};
    words.insert(words.end(), other.begin(), other.end());
    EXPECT_THAT(with_a(words), testing::StartsWith("circuit:*=none")) << other.front();
  }
}

TEST(RateLimitWords, n_and_burst) {
  expect_with_a({
      {{"--rate-limit", "1"}, "rate:*=1/1"},
      {{"--rate-limit", "100"}, "rate:*=100/100"},
      {{"--rate-limit", "100/5"}, "rate:*=100/5"},
      {{"--rate-limit", "1/1000000"}, "rate:*=1/1000000"},
      {{"--rate-limit", "1000000"}, "rate:*=1000000/1000000"},
      {{"--rate-limit", "vlan*=3/4"}, "rate:vlan*=3/4"},
  });
  const std::string sentence = "expected N or N/BURST requests per second, each from 1 to 1000000";
  for (const std::string value :
       {"",      "0",   "1000001", "-1", "+1",   "1.5", "x",    "1/",    "/1",     "1/0", "1/1000001",
        "1/2/3", "1/x", " 1",      "1 ", "1 /2", "d1=", "d1=0", "d1=1/", "d1=1=2", "0x10"}) {
    EXPECT_EQ(with_a({"--rate-limit", value}), "error: --rate-limit '" + value + "': " + sentence);
  }
}

TEST(Option82Words, can_be_obeyed_by_a_running_relay) {
  const Configuration started = std::get<Configuration>(read_configuration({"-id", "d1", "10.9.0.2"}, ""));
  const Configuration now = std::get<Configuration>(
      read_configuration({"-id",          "d1", "10.9.0.2", "-a", "--circuit-id",     "x",
                          "--remote-id",  "x",  "-s",       "x",  "--link-selection", "--server-id-override",
                          "--relay-id",   "x",  "--vss",    "x",  "--suboption",      "200=x",
                          "--rate-limit", "5"},
                         ""));
  EXPECT_THAT(flags_for_next_start(started, now), IsEmpty());
  EXPECT_THAT(flags_for_next_start(now, started), IsEmpty());
}

/// A file of flags that lasts as long as the test.
class Option82File : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) /
                 (std::string("config_option82_test_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string outcome_of(std::string_view text, const Words& words = {}) const {
    const std::filesystem::path file = directory_ / "relay.conf";
    std::ofstream(file, std::ios::binary) << text;
    Words all{"-id", "d1", "-id", "vlan*", "10.9.0.2", "--config", file.string()};
    all.insert(all.end(), words.begin(), words.end());
    std::string result = outcome(all);
    if (const std::size_t at = result.find(directory_.string() + "/"); at != std::string::npos) {
      result.erase(at, directory_.string().size() + 1);
    }
    return result;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(Option82File, sets_every_flag) {
  EXPECT_EQ(outcome_of("relay-agent-information\n"
                       "circuit-id = %i:%v\n"
                       "circuit-id = d1=a=b c\n"
                       "circuit-id=vlan*=0x00ff # behind a name\n"
                       "remote-id = %h\n"
                       "subscriber-id = cust#42\n"
                       "link-selection = true\n"
                       "server-id-override\n"
                       "relay-id = 0x0102\n"
                       "vss = global\n"
                       "suboption = 200=x=y\n"
                       "suboption = 201=z\n"
                       "rate-limit = 10/20\n"
                       "rate-limit = d1=5\n"),
            "circuit:*=<i>:2 circuit:d1=a=b\\x20c circuit:vlan*=\\x00\\xff remote:*=<h> subscriber:*=cust#42 "
            "rate:*=10/20 rate:d1=5/5 a link override id:\\x01\\x02 vss:\\xff 200:x=y 201:z");
}

TEST_F(Option82File, the_command_line_wins) {
  const std::string text =
      "relay-agent-information\ncircuit-id = x\ncircuit-id = d1=y\nserver-id-override\nrelay-id = f\n"
      "suboption = 200=f\n";
  EXPECT_EQ(outcome_of(text), "circuit:*=x circuit:d1=y a override id:f 200:f");
  EXPECT_EQ(outcome_of(text, {"--circuit-id", "c"}), "circuit:*=c a override id:f 200:f");
  EXPECT_EQ(outcome_of(text, {"--suboption", "201=c", "--relay-id", "c"}),
            "circuit:*=x circuit:d1=y a override id:c 201:c");
  EXPECT_EQ(outcome_of("server-id-override = false\n"), "");
}

TEST_F(Option82File, errors_name_the_line) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"\nremote-id = x\n", "remote-id needs -a, which adds option 82"},
      {"relay-agent-information\nremote-id = %x\n",
       "remote-id '%x': expected %i, %I, %d, %h, %m, %M, %v, %p, %g or %% where a percent sign stands"},
      {"relay-agent-information\nserver-id-override = x\n", "server-id-override 'x': expected true or false"},
      {"relay-agent-information\nsuboption = 1=x\n", "suboption '1=x': sub-option 1 is --circuit-id's"},
      {"relay-agent-information\ncircuit-id = none\n",
       "circuit-id 'none': leaves option 82 without any sub-option; expected another one as well"},
      {"relay-agent-information\nrate-limit = 0\n",
       "rate-limit '0': expected N or N/BURST requests per second, each from 1 to 1000000"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(outcome_of(text), "error: relay.conf:2: " + std::string(expected)) << text;
  }
}

}  // namespace
}  // namespace relay
