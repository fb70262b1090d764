// The form of our option 82: what fits, what the blanks become, and which echoes are ours. The twin enumerates every
// filling that there can be.
#include "options82/agent_information_form.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"

namespace options82 {
namespace {

using test_support::Bytes;
using test_support::encoded;
using test_support::joined;
using test_support::text;

constexpr Blank mac = Blank::client_hardware_address;
constexpr Blank port = Blank::client_port;
constexpr Blank flags = Blank::relay_flags;

const Bytes client{2, 0, 0, 0, 0, 1};
const std::string client_text = "02:00:00:00:00:01";
const std::vector<std::string> ports{"swp1", "swp10", "swp2"};

struct Part {
  SubOption code;
  FormValue value;
};
using Parts = std::vector<Part>;

AgentInformationForm form_of(const Parts& parts) {
  AgentInformationForm form;
  for (const auto& [code, value] : parts) {
    EXPECT_TRUE(form.add(code, value)) << "sub-option " << static_cast<int>(code);
  }
  return form;
}

/// Filled in into storage with nothing behind it.
Bytes filled(const AgentInformationForm& form, const ClientFacts& facts) {
  Bytes storage(max_option_value_size, 0xa5);
  const Octets octets = form.filled(facts, std::span<std::uint8_t, max_option_value_size>{storage});
  return {octets.begin(), octets.end()};
}

bool matches(const AgentInformationForm& form, const Bytes& content, const Bytes& hardware_address = client) {
  return form.matches(content, {hardware_address, "br0", ports});
}

Bytes circuit_id(std::string_view value) {
  return encoded(1, text(value));
}

// What fits

TEST(AgentInformationForm, row_4A_03_is_empty_at_first) {
  const AgentInformationForm form;
  EXPECT_TRUE(form.empty());
  EXPECT_TRUE(form.octets().empty());
  EXPECT_TRUE(filled(form, {client, "swp1", true}).empty());
  EXPECT_FALSE(form.find(SubOption::circuit_id).has_value());
  for (const Blank blank : {mac, port, flags}) {
    EXPECT_FALSE(form.has(blank));
  }
}

TEST(AgentInformationForm, row_4A_13_takes_up_to_255_octets_in_the_worst_case) {
  struct Case {
    const char* description;
    FormValue blanks;
    std::size_t most;  ///< octets of known text beside the blanks
  };
  const std::vector<Case> cases{
      {"no blank", {}, 253},
      {"a hardware address of 16 octets", {mac}, 253 - 47},
      {"a port's name of 15", {port}, 253 - 15},
      {"flags", {flags}, 252},
      {"all of them, one twice", {mac, port, flags, port}, 253 - 47 - 15 - 1 - 15},
  };
  for (const auto& [description, blanks, most] : cases) {
    const auto value_with = [&rest = blanks](std::size_t size) {
      FormValue value{std::string(size, 'x')};
      value.insert(value.end(), rest.begin(), rest.end());
      return value;
    };
    for (const std::size_t size : {most - 1, most}) {
      AgentInformationForm form;
      EXPECT_TRUE(form.add(SubOption::circuit_id, value_with(size))) << description;
      EXPECT_EQ(filled(form, {Bytes(16, 0xff), "swp345678901234", true}).size(), size + 255 - most) << description;
    }
    for (const std::size_t size : {most + 1, most + 2, std::size_t{254}, std::size_t{255}, std::size_t{300}}) {
      AgentInformationForm form;
      EXPECT_FALSE(form.add(SubOption::circuit_id, value_with(size))) << description << " " << size;
      EXPECT_TRUE(form.empty()) << description;
      EXPECT_FALSE(form.has(mac) || form.has(port) || form.has(flags)) << description;
    }
  }
}

TEST(AgentInformationForm, row_4A_13_counts_what_is_there_already) {
  AgentInformationForm form = form_of({{SubOption::circuit_id, {mac}}, {SubOption::remote_id, {"r"}}});
  const std::size_t used = 2 + 47 + 2 + 1;
  EXPECT_FALSE(form.add(SubOption::subscriber_id, {std::string(255 - used - 2 + 1, 's')}));
  EXPECT_FALSE(form.add(SubOption::subscriber_id, {std::string(255 - used - 2, 's'), flags}));
  EXPECT_EQ(filled(form, {client, {}, false}), joined({circuit_id(client_text), encoded(2, text("r"))}))
      << "what did not fit has left nothing";
  EXPECT_FALSE(form.has(flags));
  EXPECT_TRUE(form.add(SubOption::subscriber_id, {std::string(255 - used - 2, 's')}));
  EXPECT_FALSE(form.add(SubOption::vss_control, FormValue{})) << "not even an empty one";
  EXPECT_EQ(filled(form, {Bytes(16, 1), {}, false}).size(), 255U);
}

TEST(AgentInformationForm, row_4A_13_counts_what_it_is_made_from) {
  AgentInformation content;
  ASSERT_TRUE(content.add(SubOption::circuit_id, Bytes(200, 'x')));
  AgentInformationForm form{content};
  EXPECT_FALSE(form.add(SubOption::remote_id, {std::string(52, 'x')}));
  EXPECT_FALSE(form.add(SubOption::remote_id, {mac, std::string(5, 'x')}));
  EXPECT_TRUE(form.add(SubOption::remote_id, {mac, std::string(4, 'x')}));
}

/// "front|back" of the circuit-id; "none" where it has no ends.
std::string ends_of(const FormValue& circuit_id) {
  const AgentInformationForm form = form_of({{SubOption::remote_id, {"r", mac}}, {SubOption::circuit_id, circuit_id}});
  const auto ends = form.ends(SubOption::circuit_id);
  return ends ? std::string{ends->front.begin(), ends->front.end()} + "|" +
                    std::string{ends->back.begin(), ends->back.end()}
              : "none";
}

TEST(AgentInformationForm, a_value_ends_with_what_stands_around_all_its_blanks) {
  EXPECT_EQ(ends_of({"known"}), "none");
  EXPECT_EQ(ends_of({mac}), "|");
  EXPECT_EQ(ends_of({"a:", mac}), "a:|");
  EXPECT_EQ(ends_of({mac, ":b"}), "|:b");
  EXPECT_EQ(ends_of({"a:", port, "/", mac, ":b"}), "a:|:b");
}

TEST(AgentInformationForm, knows_its_blanks) {
  const AgentInformationForm form =
      form_of({{SubOption::circuit_id, {"a", port}}, {SubOption::remote_id, {"b"}}, {SubOption::relay_flags, {flags}}});
  EXPECT_TRUE(form.has(port));
  EXPECT_TRUE(form.has(flags));
  EXPECT_FALSE(form.has(mac));
  EXPECT_TRUE(form.has_blanks(SubOption::circuit_id));
  EXPECT_FALSE(form.has_blanks(SubOption::remote_id));
  EXPECT_TRUE(form.has_blanks(SubOption::relay_flags));
  EXPECT_FALSE(form.has_blanks(SubOption::subscriber_id));
  EXPECT_EQ(form.find(SubOption::circuit_id)->size(), 1U);
  EXPECT_EQ(form.find(SubOption::remote_id)->front(), 'b');
}

// What the blanks become

TEST(AgentInformationForm, row_4A_03_filled_in) {
  struct Case {
    const char* description;
    Parts parts;
    ClientFacts facts;
    Bytes expected;
  };
  constexpr auto circuit = SubOption::circuit_id;
  const Bytes longest(16, 0xab);
  std::string longest_text = "ab";
  for (int i = 1; i < 16; ++i) {
    longest_text += ":ab";
  }
  const Bytes too_long(17, 0xab);
  const std::vector<Case> cases{
      {"no blank", {{circuit, {"c0"}}}, {client, "swp1", true}, circuit_id("c0")},
      {"known text in pieces", {{circuit, {"c", "0"}}}, {client, "swp1", true}, circuit_id("c0")},
      {"a blank alone", {{circuit, {mac}}}, {client, "swp1", false}, circuit_id(client_text)},
      {"at the start", {{circuit, {port, "/x"}}}, {client, "swp1", false}, circuit_id("swp1/x")},
      {"in the middle", {{circuit, {"a/", port, "/x"}}}, {client, "swp1", false}, circuit_id("a/swp1/x")},
      {"at the end", {{circuit, {"a/", port}}}, {client, "swp1", false}, circuit_id("a/swp1")},
      {"side by side", {{circuit, {port, mac, port}}}, {{client}, "p", false}, circuit_id("p" + client_text + "p")},
      {"flags of a broadcast", {{SubOption::relay_flags, {flags}}}, {client, "swp1", false}, {10, 1, 0}},
      {"flags of a unicast", {{SubOption::relay_flags, {flags}}}, {client, "swp1", true}, {10, 1, 0x80}},
      {"an empty hardware address", {{circuit, {"<", mac, ">"}}}, {{}, "swp1", false}, circuit_id("<>")},
      {"nothing but an empty one", {{circuit, {mac}}}, {{}, "swp1", false}, {1, 0}},
      {"a hardware address of one octet", {{circuit, {mac}}}, {Octets{client}.first(1), "", false}, circuit_id("02")},
      {"of 16", {{circuit, {mac, "!"}}}, {longest, "", false}, circuit_id(longest_text + "!")},
      {"more than 16 is cut", {{circuit, {mac, "!"}}}, {too_long, "", false}, circuit_id(longest_text + "!")},
      {"a port of one octet", {{circuit, {port}}}, {client, "p", false}, circuit_id("p")},
      {"of 15", {{circuit, {port, "!"}}}, {client, "p23456789012345", false}, circuit_id("p23456789012345!")},
      {"more is cut", {{circuit, {port, "!"}}}, {client, "p234567890123456", false}, circuit_id("p23456789012345!")},
      {"an empty port", {{circuit, {"<", port, ">"}}}, {client, "", false}, circuit_id("<>")},
      {"several sub-options, with blanks and without",
       {{circuit, {"a", port}},
        {SubOption::remote_id, {"known"}},
        {SubOption::subscriber_id, {mac, "-", port, "-"}},
        {SubOption::relay_flags, {flags}},
        {SubOption::source_port, {}}},
       {client, "swp2", true},
       joined({circuit_id("aswp2"),
               encoded(2, text("known")),
               encoded(6, text(client_text + "-swp2-")),
               {10, 1, 0x80},
               {19, 0}})},
      {"known octets first",
       {{circuit, {"known"}}, {SubOption::remote_id, {mac}}},
       {client, "swp2", true},
       joined({circuit_id("known"), encoded(2, text(client_text))})},
  };
  for (const auto& [description, parts, facts, expected] : cases) {
    EXPECT_EQ(filled(form_of(parts), facts), expected) << description;
  }
}

TEST(AgentInformationForm, without_blanks_it_is_its_own_octets) {
  const AgentInformationForm form = form_of({{SubOption::circuit_id, {"c0"}}});
  std::array<std::uint8_t, max_option_value_size> storage{};
  EXPECT_EQ(form.filled({client, "swp1", false}, storage).data(), form.octets().data());
}

TEST(AgentInformationForm, the_same_storage_serves_again) {
  const AgentInformationForm form = form_of({{SubOption::circuit_id, {port, "x"}}, {SubOption::remote_id, {mac}}});
  std::array<std::uint8_t, max_option_value_size> storage{};
  (void)form.filled({Bytes(16, 1), "p23456789012345", false}, storage);
  const Octets again = form.filled({client, "p", false}, storage);
  EXPECT_EQ(Bytes(again.begin(), again.end()), joined({circuit_id("px"), encoded(2, text(client_text))}));
}

// Which echoes are ours

TEST(AgentInformationForm, row_4A_09_an_exact_echo_is_ours) {
  const AgentInformationForm form = form_of(
      {{SubOption::circuit_id, {"c0"}}, {SubOption::remote_id, {"relay"}}, {SubOption::link_selection, {"abcd"}}});
  const Bytes content = joined({circuit_id("c0"), encoded(2, text("relay")), encoded(5, text("abcd"))});
  EXPECT_TRUE(matches(form, content));
  for (std::size_t at = 0; at < content.size(); ++at) {
    Bytes changed = content;
    changed[at] ^= 1U;
    EXPECT_FALSE(matches(form, changed)) << at;
    EXPECT_FALSE(matches(form, Bytes(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(at)))) << at;
  }
  EXPECT_FALSE(matches(form, joined({content, {0}})));
  EXPECT_FALSE(matches(form, joined({content, {19, 0}})));
  EXPECT_FALSE(matches(form, joined({encoded(2, text("relay")), circuit_id("c0"), encoded(5, text("abcd"))})));
  EXPECT_FALSE(matches(form, {}));
}

TEST(AgentInformationForm, row_4A_09_and_4A_10_each_blank) {
  struct Case {
    const char* description;
    Parts parts;
    Bytes content;
    bool is_ours;
  };
  constexpr auto circuit = SubOption::circuit_id;
  const std::string other_text = "02:00:00:00:00:02";
  const std::vector<Case> cases{
      {"the client's address", {{circuit, {"a", mac, "z"}}}, circuit_id("a" + client_text + "z"), true},
      {"another client's", {{circuit, {"a", mac, "z"}}}, circuit_id("a" + other_text + "z"), false},
      {"in capitals", {{circuit, {mac}}}, circuit_id("02:00:00:00:00:0A"), false},
      {"cut", {{circuit, {mac}}}, circuit_id("02:00:00:00:00"), false},
      {"none", {{circuit, {"a", mac, "z"}}}, circuit_id("az"), false},
      {"a port", {{circuit, {port}}}, circuit_id("swp1"), true},
      {"one whose name starts with another's", {{circuit, {port}}}, circuit_id("swp10"), true},
      {"the same with text behind it", {{circuit, {port, "0"}}}, circuit_id("swp10"), true},
      {"and both", {{circuit, {port, "0"}}}, circuit_id("swp100"), true},
      {"the last port", {{circuit, {port}}}, circuit_id("swp2"), true},
      {"the interface in the place of a port", {{circuit, {port, "!"}}}, circuit_id("br0!"), true},
      {"no port of ours", {{circuit, {port}}}, circuit_id("swp3"), false},
      {"a part of a name", {{circuit, {port}}}, circuit_id("swp"), false},
      {"an empty port", {{circuit, {port}}}, {1, 0}, false},
      {"one port twice", {{circuit, {port, "/", port}}}, circuit_id("swp2/swp2"), true},
      {"two ports", {{circuit, {port, "/", port}}}, circuit_id("swp1/swp2"), false},
      {"a port and the interface", {{circuit, {port, "/", port}}}, circuit_id("swp1/br0"), false},
      {"the interface twice", {{circuit, {port, "/", port}}}, circuit_id("br0/br0"), true},
      {"one port twice without anything between", {{circuit, {port, port}}}, circuit_id("swp10swp10"), true},
      {"two", {{circuit, {port, port}}}, circuit_id("swp1swp10"), false},
      {"one port three times where it stands twice", {{circuit, {port, port}}}, circuit_id("swp1swp1swp1"), false},
      {"one port in two sub-options",
       {{circuit, {port}}, {SubOption::remote_id, {port}}},
       joined({circuit_id("swp2"), encoded(2, text("swp2"))}),
       true},
      {"two ports in two sub-options",
       {{circuit, {port}}, {SubOption::remote_id, {port}}},
       joined({circuit_id("swp2"), encoded(2, text("swp1"))}),
       false},
      {"flags of a broadcast", {{SubOption::relay_flags, {flags}}}, {10, 1, 0x00}, true},
      {"flags of a unicast", {{SubOption::relay_flags, {flags}}}, {10, 1, 0x80}, true},
      {"a reserved flag", {{SubOption::relay_flags, {flags}}}, {10, 1, 0x01}, false},
      {"every flag", {{SubOption::relay_flags, {flags}}}, {10, 1, 0xff}, false},
      {"no flags", {{SubOption::relay_flags, {flags}}}, {10, 0}, false},
      {"too many flags", {{SubOption::relay_flags, {flags}}}, {10, 2, 0, 0}, false},
      {"text behind a blank is missing", {{circuit, {port, "x"}}}, circuit_id("swp1"), false},
      {"text behind a blank is longer", {{circuit, {port, "x"}}}, circuit_id("swp1xx"), false},
  };
  for (const auto& [description, parts, content, is_ours] : cases) {
    EXPECT_EQ(matches(form_of(parts), content), is_ours) << description;
  }
  const AgentInformationForm form = form_of({{circuit, {"<", mac, ">"}}});
  EXPECT_TRUE(matches(form, circuit_id("<>"), {})) << "of a client without a hardware address";
  EXPECT_FALSE(matches(form, circuit_id("<>")));
  EXPECT_FALSE(form.matches(circuit_id("<" + client_text + ">"), {}));
  EXPECT_TRUE(form_of({{circuit, {"p", port}}}).matches(circuit_id("peth0"), {client, "eth0", {}})) << "no bridge";
}

TEST(AgentInformationForm, row_4S_10_and_4S_11_sub_option_152_may_be_missing) {
  const Bytes vss = encoded(151, text(std::string("\0red", 4)));
  const Parts parts{
      {SubOption::circuit_id, {"c0"}}, {SubOption::vss, {std::string("\0red", 4)}}, {SubOption::vss_control, {}}};
  const AgentInformationForm form = form_of(parts);
  const Bytes circuit = circuit_id("c0");
  EXPECT_TRUE(matches(form, joined({circuit, vss, {152, 0}}))) << "a server that copies";
  EXPECT_TRUE(matches(form, joined({circuit, vss}))) << "a server that honours sub-option 151";
  EXPECT_FALSE(matches(form, joined({circuit, vss, {152, 1, 0}})));
  EXPECT_FALSE(matches(form, joined({circuit, vss, {152, 0, 152, 0}})));
  EXPECT_FALSE(matches(form, joined({circuit, vss, {152}})));
  EXPECT_FALSE(matches(form, joined({circuit, encoded(151, text(std::string("\0reb", 4)))})));
  EXPECT_FALSE(matches(form, joined({circuit, encoded(151, text(std::string("\1red", 4)))})));
  EXPECT_FALSE(matches(form, joined({circuit, {152, 0}})));
  EXPECT_FALSE(matches(form, circuit));
  EXPECT_FALSE(matches(form, joined({circuit, {152, 0}, vss})));

  AgentInformationForm longer = form;
  ASSERT_TRUE(longer.add(static_cast<SubOption>(200), {"x", mac}));
  const Bytes last = encoded(200, text("x" + client_text));
  EXPECT_TRUE(matches(longer, joined({circuit, vss, last}))) << "in the middle";
  EXPECT_TRUE(matches(longer, joined({circuit, vss, {152, 0}, last})));
  EXPECT_FALSE(matches(form_of({{SubOption::circuit_id, {"c0"}}, {SubOption::vss, {"x"}}}),
                       joined({circuit, encoded(151, text("x")), {152, 0}})))
      << "which we did not send";
}

TEST(AgentInformationForm, row_4A_10_damaged_content_is_nobodys) {
  const AgentInformationForm form = form_of({{SubOption::circuit_id, {port}}, {SubOption::relay_flags, {flags}}});
  const Bytes whole = joined({circuit_id("swp1"), {10, 1, 0}});
  ASSERT_TRUE(matches(form, whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(matches(form, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
  for (const Bytes& behind : {Bytes{0}, Bytes{255}, Bytes{1}, Bytes{2, 1}, Bytes{0, 0}}) {
    EXPECT_FALSE(matches(form, joined({whole, behind}))) << testing::PrintToString(behind);
  }
}

TEST(AgentInformationForm, row_4A_14_circuit_ids) {
  const auto is_circuit_id = [](const Parts& parts, std::string_view value) {
    return form_of(parts).matches_circuit_id(text(value), {client, "br0", ports});
  };
  constexpr auto circuit = SubOption::circuit_id;
  EXPECT_TRUE(is_circuit_id({{circuit, {"c0"}}}, "c0"));
  EXPECT_FALSE(is_circuit_id({{circuit, {"c0"}}}, "c1"));
  EXPECT_FALSE(is_circuit_id({{circuit, {"c0"}}}, "c00"));
  EXPECT_FALSE(is_circuit_id({{circuit, {"c0"}}}, "c"));
  EXPECT_FALSE(is_circuit_id({{circuit, {"c0"}}}, ""));
  EXPECT_TRUE(is_circuit_id({{circuit, {"c0:", port, "/", mac}}}, "c0:swp2/" + client_text));
  EXPECT_TRUE(is_circuit_id({{circuit, {"c0:", port}}}, "c0:br0"));
  EXPECT_FALSE(is_circuit_id({{circuit, {"c0:", port}}}, "c0:swp3"));
  EXPECT_TRUE(is_circuit_id({{circuit, {port, "/", port}}}, "swp2/swp2"));
  EXPECT_FALSE(is_circuit_id({{circuit, {port, "/", port}}}, "swp2/swp1"));
  EXPECT_TRUE(is_circuit_id({{SubOption{4}, {port, "long"}}, {circuit, {port}}}, "swp1")) << "behind another one";
  EXPECT_FALSE(is_circuit_id({{SubOption::remote_id, {"c0"}}}, "c0"));
  EXPECT_FALSE(is_circuit_id({}, ""));
}

/// `a`, `aa` and so on as long as the name of a port can be, and names that begin with one of these.
std::vector<std::string> names_that_begin_alike(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t size = 1; size <= max_port_name_size; ++size) {
    names.emplace_back(size, 'a');
  }
  while (names.size() < count) {
    names.push_back(std::string(names.size() % 10 + 1, 'a') + std::to_string(names.size()));
  }
  std::ranges::sort(names);
  return names;
}

// There are more ways to put the sixteen blanks of this form together from these names than can be tried.
TEST(AgentInformationForm, row_4A_10_many_blanks_and_a_thousand_ports) {
  const AgentInformationForm form = form_of({{SubOption::circuit_id, FormValue(16, port)}});
  const std::vector<std::string> names = names_that_begin_alike(1'000);
  const EchoFacts echo{client, "a", names};
  for (const char* const tail : {"a", "b"}) {
    const std::string value = std::string(200, 'a') + tail;
    EXPECT_FALSE(form.matches(circuit_id(value), echo)) << tail;
    EXPECT_FALSE(form.matches_circuit_id(text(value), echo)) << tail;
  }
  const std::string twelve_each(192, 'a');
  EXPECT_TRUE(form.matches(circuit_id(twelve_each), echo));
  EXPECT_TRUE(form.matches_circuit_id(text(twelve_each), echo));
}

// The twin: every content that a form can become

/// Every way in which `value` can be filled in with one port.
std::set<Bytes> fillings(const FormValue& value, const Bytes& hardware_address, const std::string& name) {
  std::set<Bytes> all{{}};
  for (const auto& part : value) {
    std::vector<Bytes> choices;
    if (const auto* const known = std::get_if<std::string>(&part)) {
      choices = {text(*known)};
    } else if (part == FormValue::value_type{port}) {
      choices = {text(name)};
    } else if (part == FormValue::value_type{flags}) {
      choices = {{0}, {0x80}};
    } else {
      Bytes written;
      for (const std::uint8_t octet : hardware_address) {
        constexpr std::string_view digits = "0123456789abcdef";
        written = joined({written, written.empty() ? Bytes{} : text(":"), text(digits.substr(octet / 16, 1)),
                          text(digits.substr(octet % 16, 1))});
      }
      choices = {written};
    }
    std::set<Bytes> longer;
    for (const Bytes& start : all) {
      for (const Bytes& choice : choices) {
        longer.insert(joined({start, choice}));
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::set<Bytes> contents_with(const Parts& parts, const Bytes& hardware_address, const std::string& name) {
  std::set<Bytes> all{{}};
  for (const auto& [code, value] : parts) {
    std::set<Bytes> longer;
    for (const Bytes& start : all) {
      for (const Bytes& filling : fillings(value, hardware_address, name)) {
        longer.insert(joined({start, encoded(static_cast<std::uint8_t>(code), filling)}));
      }
      if (code == SubOption::vss_control) {
        longer.insert(start);
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// A message has one port, with which all its blanks are filled in.
std::set<Bytes> contents(const Parts& parts, const Bytes& hardware_address, const std::vector<std::string>& names) {
  std::set<Bytes> all;
  for (const std::string& name : names) {
    all.merge(contents_with(parts, hardware_address, name));
  }
  return all;
}

/// One to four sub-options with up to three blanks among all of them.
Parts random_parts(std::mt19937& random) {
  const std::vector<std::string> texts{"", "s", "swp", "1", "0", "br0", ":", "/", std::string("\0", 1), "\xff"};
  const std::vector<SubOption> codes{SubOption::circuit_id,  SubOption::remote_id, SubOption::subscriber_id,
                                     SubOption::relay_flags, SubOption::vss,       SubOption{0},
                                     SubOption{255}};
  Parts parts;
  std::size_t blanks = 0;
  const std::size_t count = 1 + random() % 4;
  while (parts.size() < count) {
    FormValue value;
    for (std::size_t i = random() % 5; i > 0; --i) {
      const Blank blank = std::array{mac, port, flags}[random() % 3];
      if (random() % 2 == 0 || ++blanks > 3) {
        value.emplace_back(texts[random() % texts.size()]);
      } else {
        value.emplace_back(blank);
      }
    }
    parts.push_back({codes[random() % codes.size()], std::move(value)});
  }
  if (random() % 3 == 0) {
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(random() % (parts.size() + 1)),
                 {SubOption::vss_control, {}});
  }
  return parts;
}

/// The content with one octet changed, left out, put in or swapped.
Bytes damaged(Bytes content, std::mt19937& random) {
  const auto at = content.begin() + static_cast<std::ptrdiff_t>(random() % content.size());
  switch (random() % 4) {
    case 0:
      *at ^= static_cast<std::uint8_t>(1U << random() % 8);
      break;
    case 1:
      content.erase(at);
      break;
    case 2:
      content.insert(at, *at);
      break;
    default:
      std::iter_swap(at, content.begin() + static_cast<std::ptrdiff_t>(random() % content.size()));
  }
  return content;
}

TEST(AgentInformationFormProperties, what_was_filled_in_is_ours_and_nothing_else) {
  std::mt19937 random{3046};  // the same forms in every run
  std::size_t others = 0;
  for (int round = 0; round < 3'000; ++round) {
    const Parts parts = random_parts(random);
    const AgentInformationForm form = form_of(parts);
    Bytes address(random() % 8, 0);
    std::ranges::generate(address, [&] { return static_cast<std::uint8_t>(random()); });
    std::vector<std::string> names{"s", "swp1", "swp10"};
    names.resize(random() % 4);
    const std::vector<std::string> bridge_ports = names;
    names.insert(names.begin(), "br0");
    const EchoFacts echo{address, "br0", bridge_ports};

    const std::set<Bytes> ours = contents(parts, address, names);
    const Bytes request = filled(form, {address, names[random() % names.size()], random() % 2 == 0});
    ASSERT_TRUE(ours.contains(request)) << testing::PrintToString(request);
    for (const Bytes& content : ours) {
      ASSERT_TRUE(form.matches(content, echo)) << testing::PrintToString(content);
    }
    for (int i = 0; i < 20; ++i) {
      const Bytes other = damaged(request, random);
      ASSERT_EQ(form.matches(other, echo), ours.contains(other))
          << testing::PrintToString(request) << " " << testing::PrintToString(other);
      others += ours.contains(other) ? 0U : 1U;
    }
  }
  EXPECT_GT(others, 30'000U);
}

TEST(AgentInformationFormProperties, row_4A_13_never_more_than_255_octets_and_well_formed) {
  std::mt19937 random{3396};  // the same forms in every run
  std::size_t full = 0;
  for (int round = 0; round < 2'000; ++round) {
    AgentInformationForm form;
    Parts parts;
    for (int i = 0; i < 20; ++i) {
      FormValue value{std::string(random() % 40, 'x'), std::array{mac, port, flags}[random() % 3],
                      std::string(random() % 4, 'y')};
      const auto code = static_cast<SubOption>(random() % 256);
      const Bytes before(form.octets().begin(), form.octets().end());
      if (form.add(code, value)) {
        parts.push_back({code, value});
      } else {
        ++full;
        ASSERT_EQ(Bytes(form.octets().begin(), form.octets().end()), before);
      }
    }
    const Bytes most = filled(form, {Bytes(16, 0xee), "p23456789012345", true});
    ASSERT_LE(most.size(), max_option_value_size);
    ASSERT_TRUE(is_well_formed(most));
    ASSERT_EQ(std::set<Bytes>{most}.size(), 1U);
    ASSERT_TRUE(contents(parts, Bytes(16, 0xee), {"p23456789012345"}).contains(most));
  }
  EXPECT_GT(full, 2'000U);
}

}  // namespace
}  // namespace options82
