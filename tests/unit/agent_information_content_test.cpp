// What our option 82 says of an interface: which sub-options, in which order, and at most how many octets.
#include "relay/core/agent_information_content.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::text;

options82::Template of(std::string_view text) {
  const auto read = options82::Template::parse(text);
  return std::get<options82::Template>(read);
}

/// An interface, its templates and the settings, which tests change.
struct Scene {
  Scene() {
    interface.index = 7;
    interface.name = "eth1.100";
    interface.is_ethernet = true;
    interface.mac = {{2, 0, 0, 0, 0, 7}};
    interface.addresses = {{ip(10, 1, 3, 1), 22}};
    interface.giaddr = ip(10, 1, 3, 1);
    primary = interface.addresses.front();
    templates.circuit_id = of("c0");
  }

  void encode() { encode_agent_information(interface, primary, templates, settings); }

  Interface interface;
  std::optional<Ipv4Prefix> primary;
  AgentInformationTemplates templates;
  AgentInformationSettings settings;
};

Bytes octets_of(const options82::AgentInformationForm& form) {
  return {form.octets().begin(), form.octets().end()};
}

struct Encoded {
  Bytes own;
  Bytes relayed;
};

Encoded encoded_with(const std::function<void(Scene&)>& change) {
  Scene scene;
  change(scene);
  scene.encode();
  return {octets_of(scene.interface.agent_information), octets_of(scene.interface.relayed_agent_information)};
}

/// The same in both forms, behind nothing but our circuit-id.
void expect_both(const Bytes& expected, const std::function<void(Scene&)>& change) {
  const Encoded found = encoded_with(change);
  EXPECT_EQ(found.own, joined({encoded(1, text("c0")), expected}));
  EXPECT_EQ(found.relayed, joined({encoded(1, text("c0")), expected}));
}

void expect_own_alone(const Bytes& expected, const std::function<void(Scene&)>& change) {
  const Encoded found = encoded_with(change);
  EXPECT_EQ(found.own, joined({encoded(1, text("c0")), expected}));
  EXPECT_EQ(found.relayed, encoded(1, text("c0")));
}

TEST(AgentInformationContent, row_4A_01_each_sub_option_has_its_own_knob) {
  expect_both({}, [](Scene&) {});
  expect_both(encoded(2, text("r")), [](Scene& scene) { scene.templates.remote_id = of("r"); });
  expect_both(encoded(6, text("s")), [](Scene& scene) { scene.templates.subscriber_id = of("s"); });
  expect_both(encoded(12, text("id")), [](Scene& scene) { scene.settings.relay_id = "id"; });
  expect_both(encoded(4, {0, 0, 0, 1}),
              [](Scene& scene) { scene.settings.sub_options[4] = std::string("\0\0\0\1", 4); });
  expect_own_alone(encoded(5, {10, 1, 0, 0}), [](Scene& scene) { scene.settings.link_selection = true; });
  expect_own_alone({19, 0}, [](Scene& scene) { scene.settings.source_port = true; });
  expect_own_alone({151, 1, 255, 152, 0}, [](Scene& scene) { scene.settings.vss = "\xff"; });
  const Encoded nothing = encoded_with([](Scene& scene) { scene.templates.circuit_id = {}; });
  EXPECT_TRUE(nothing.own.empty() && nothing.relayed.empty());
  const Encoded by_default = encoded_with([](Scene& scene) { scene.templates.circuit_id = default_circuit_id(); });
  EXPECT_EQ(by_default.own, encoded(1, text("eth1.100")));
}

TEST(AgentInformationContent, row_4A_03_all_in_the_order_of_their_codes) {
  const Encoded found = encoded_with([](Scene& scene) {
    scene.templates.remote_id = of("r");
    scene.templates.subscriber_id = of("s");
    scene.settings = {.link_selection = true,
                      .server_id_override = true,
                      .relay_id = "id",
                      .source_port = true,
                      .vss = std::string("\0red", 4),
                      .sub_options = {{254, "z"}, {4, "abcd"}, {13, "t"}, {150, "y"}}};
  });
  const Bytes circuit_and_remote = joined({encoded(1, text("c0")), encoded(2, text("r")), encoded(4, text("abcd"))});
  const Bytes subscriber = encoded(6, text("s"));
  const Bytes relay_id = joined({encoded(12, text("id")), encoded(13, text("t"))});
  EXPECT_EQ(found.own, joined({circuit_and_remote,
                               encoded(5, {10, 1, 0, 0}),
                               subscriber,
                               encoded(10, {}),
                               encoded(11, {10, 1, 3, 1}),
                               relay_id,
                               {19, 0},
                               encoded(150, text("y")),
                               encoded(151, text(std::string("\0red", 4))),
                               {152, 0},
                               encoded(254, text("z"))}));
  EXPECT_EQ(found.relayed, joined({circuit_and_remote, subscriber, encoded(10, {}), relay_id, encoded(150, text("y")),
                                   encoded(254, text("z"))}))
      << "nothing that speaks of our giaddr or our port, or has to be looked for in the answer";
}

TEST(AgentInformationContent, row_4S_01_link_selection) {
  struct Case {
    const char* description;
    bool wanted;
    std::optional<Ipv4Address> giaddr;
    std::vector<Ipv4Prefix> addresses;
    std::optional<Ipv4Address> expected;
  };
  const Ipv4Prefix first{ip(10, 1, 3, 1), 22};
  const Ipv4Prefix second{ip(10, 9, 0, 1), 24};
  const std::vector<Case> cases{
      {"not asked for", false, first.address, {first}, std::nullopt},
      {"asked for", true, first.address, {first}, ip(10, 1, 0, 0)},
      {"giaddr is foreign", false, ip(203, 0, 113, 1), {first}, ip(10, 1, 0, 0)},
      {"giaddr is foreign, asked for", true, ip(203, 0, 113, 1), {first}, ip(10, 1, 0, 0)},
      {"giaddr is the second address", false, second.address, {first, second}, std::nullopt},
      {"the same, asked for", true, second.address, {first, second}, ip(10, 1, 0, 0)},
      {"no address", true, std::nullopt, {}, std::nullopt},
      {"no address, giaddr is foreign", false, ip(203, 0, 113, 1), {}, std::nullopt},
      {"no giaddr", false, std::nullopt, {first}, std::nullopt},
      {"a /32", true, ip(10, 1, 3, 1), {{ip(10, 1, 3, 1), 32}}, ip(10, 1, 3, 1)},
      {"a /0", true, ip(10, 1, 3, 1), {{ip(10, 1, 3, 1), 0}}, ip(0, 0, 0, 0)},
      {"a /31", true, ip(10, 1, 3, 1), {{ip(10, 1, 3, 1), 31}}, ip(10, 1, 3, 0)},
  };
  for (const Case& test : cases) {
    const Encoded found = encoded_with([&test](Scene& scene) {
      scene.settings.link_selection = test.wanted;
      scene.interface.giaddr = test.giaddr;
      scene.interface.addresses = test.addresses;
      scene.primary = test.addresses.empty() ? std::nullopt : std::optional{test.addresses.front()};
    });
    const Bytes expected =
        test.expected ? encoded(5, {test.expected->octets.begin(), test.expected->octets.end()}) : Bytes{};
    EXPECT_EQ(found.own, joined({encoded(1, text("c0")), expected})) << test.description;
    EXPECT_EQ(found.relayed, encoded(1, text("c0"))) << test.description;
  }
}

TEST(AgentInformationContent, row_4S_09_server_id_override_is_an_address_that_the_client_reaches) {
  const auto found_with = [](std::optional<Ipv4Address> giaddr, bool has_primary) {
    return encoded_with([&](Scene& scene) {
             scene.settings.server_id_override = true;
             scene.interface.giaddr = giaddr;
             if (!has_primary) {
               scene.interface.addresses.clear();
               scene.primary.reset();
             }
           })
        .own;
  };
  const Bytes circuit = encoded(1, text("c0"));
  EXPECT_EQ(found_with(ip(10, 1, 3, 1), true), joined({circuit, encoded(10, {}), encoded(11, {10, 1, 3, 1})}));
  EXPECT_EQ(found_with(ip(10, 1, 0, 200), true),
            joined({circuit, encoded(5, {10, 1, 0, 0}), encoded(10, {}), encoded(11, {10, 1, 0, 200})}))
      << "on the client's subnet, as routers have it that take turns";
  EXPECT_EQ(found_with(ip(203, 0, 113, 1), true),
            joined({circuit, encoded(5, {10, 1, 0, 0}), encoded(10, {}), encoded(11, {10, 1, 3, 1})}))
      << "not giaddr, which no client of this segment knows";
  EXPECT_EQ(found_with(ip(203, 0, 113, 1), false), joined({circuit, encoded(10, {}), encoded(11, {203, 0, 113, 1})}));
  EXPECT_EQ(found_with(std::nullopt, false), joined({circuit, encoded(10, {})}));
}

TEST(AgentInformationContent, row_4S_08_flags_are_in_both_and_filled_in) {
  Scene scene;
  scene.settings.server_id_override = true;
  scene.encode();
  for (const auto* const form : {&scene.interface.agent_information, &scene.interface.relayed_agent_information}) {
    EXPECT_TRUE(form->has(options82::Blank::relay_flags));
    EXPECT_TRUE(form->has_blanks(options82::SubOption::relay_flags));
  }
  EXPECT_FALSE(scene.interface.relayed_agent_information.find(options82::SubOption::server_id_override).has_value());
  scene.settings.server_id_override = false;
  scene.encode();
  EXPECT_FALSE(scene.interface.agent_information.has(options82::Blank::relay_flags));
  EXPECT_FALSE(scene.interface.relayed_agent_information.has(options82::Blank::relay_flags));
}

TEST(AgentInformationContent, row_4S_03_an_empty_expansion_is_left_out) {
  const auto expanded = [](std::string_view text) {
    return encoded_with([text](Scene& scene) {
             scene.interface.is_ethernet = false;
             scene.templates.circuit_id = of(text);
             scene.templates.remote_id = of(text);
             scene.templates.subscriber_id = of(text);
           })
        .own;
  };
  for (const std::string_view text : {"%d", "%v", "%m", "%h", "%d%v%m%h"}) {
    EXPECT_TRUE(expanded(text).empty()) << text;
  }
  EXPECT_EQ(expanded("%d."), joined({{1, 1, '.', 2, 1, '.', 6, 1, '.'}}));
}

TEST(AgentInformationContent, facts_come_from_the_interface_and_the_host) {
  Scene scene;
  scene.interface.alias = "customers";
  scene.interface.vlan_id = 100;
  scene.settings.host_name = "relay";
  scene.templates.circuit_id = of("%h/%i/%I/%d/%m/%v/%g");
  scene.encode();
  const Bytes expected = encoded(1, text("relay/eth1.100/7/customers/02:00:00:00:00:07/100/10.1.3.1"));
  EXPECT_EQ(octets_of(scene.interface.agent_information), expected);
  EXPECT_EQ(octets_of(scene.interface.relayed_agent_information), expected);

  scene.interface.is_ethernet = false;
  scene.interface.vlan_id.reset();
  scene.interface.giaddr.reset();
  scene.templates.circuit_id = of("<%m%v%g>");
  scene.encode();
  EXPECT_EQ(octets_of(scene.interface.agent_information), encoded(1, text("<>")));
}

TEST(AgentInformationContent, encoding_again_takes_the_place_of_what_was) {
  Scene scene;
  scene.settings.relay_id = "id";
  scene.encode();
  scene.settings.relay_id.clear();
  scene.templates.circuit_id = of("c1");
  scene.encode();
  EXPECT_EQ(octets_of(scene.interface.agent_information), encoded(1, text("c1")));
  EXPECT_EQ(octets_of(scene.interface.relayed_agent_information), encoded(1, text("c1")));
}

// The most octets

TEST(AgentInformationContent, row_4A_13_counts_the_worst_case) {
  InterfaceSettings settings;
  constexpr std::size_t with_nothing = 2 + 15 + 2 + 4;  // an interface's name and link selection
  EXPECT_EQ(most_agent_information_octets(settings), with_nothing);
  settings.remote_ids = {{"a", of("12345")}, {"b", of("123456789")}, {"c", of("1")}};
  EXPECT_EQ(most_agent_information_octets(settings), with_nothing + 2 + 9) << "the longest of several";
  settings.subscriber_ids = {{"*", of("%M")}};
  EXPECT_EQ(most_agent_information_octets(settings), with_nothing + 2 + 9 + 2 + 47);
  settings.circuit_ids = {{"a", of("1234567890123456")}, {"b", {}}};
  EXPECT_EQ(most_agent_information_octets(settings), with_nothing + 1 + 2 + 9 + 2 + 47);
  settings.agent_information.server_id_override = true;
  settings.agent_information.source_port = true;
  settings.agent_information.relay_id = "id";
  settings.agent_information.vss = "\xff";
  settings.agent_information.sub_options = {{200, "x"}, {201, "yz"}};
  EXPECT_EQ(most_agent_information_octets(settings),
            with_nothing + 1 + 2 + 9 + 2 + 47 + (3 + 6) + 2 + 4 + (3 + 2) + (3 + 4));
}

/// Settings of which about half fit.
InterfaceSettings random_settings(std::mt19937& random) {
  const std::vector<std::string_view> pieces{"%i", "%I", "%d", "%h", "%m", "%M", "%v", "%p", "%g", "xxxxxxxx"};
  const auto some_template = [&] {
    std::string text;
    for (std::size_t i = random() % 4; i > 0; --i) {
      text += pieces[random() % pieces.size()];
    }
    return text.empty() ? options82::Template{} : of(text);
  };
  InterfaceSettings settings;
  for (auto* const templates : {&settings.circuit_ids, &settings.remote_ids, &settings.subscriber_ids}) {
    for (std::size_t i = random() % 3; i > 0; --i) {
      templates->push_back({std::string(1, static_cast<char>('a' + i)), some_template()});
    }
  }
  settings.agent_information = {.link_selection = random() % 2 == 0,
                                .server_id_override = random() % 2 == 0,
                                .relay_id = std::string(random() % 2 == 0 ? 0 : random() % 40, 'r'),
                                .source_port = random() % 2 == 0,
                                .vss = std::string(random() % 2 == 0 ? 0 : random() % 30, 'v'),
                                .host_name = std::string(random() % 80, 'h')};
  for (std::size_t i = random() % 3; i > 0; --i) {
    settings.agent_information.sub_options[static_cast<std::uint8_t>(200 + random() % 50)] =
        std::string(random() % 20, 'z');
  }
  return settings;
}

TEST(AgentInformationContentProperties, row_4A_13_nothing_is_longer_than_announced) {
  std::mt19937 random{3046};  // the same settings in every run
  std::size_t fitted = 0;
  for (int round = 0; round < 3'000; ++round) {
    const InterfaceSettings settings = random_settings(random);
    const std::size_t most = most_agent_information_octets(settings);
    if (most > options82::max_option_value_size) {
      continue;
    }
    ++fitted;
    Scene scene;
    scene.settings = settings.agent_information;
    scene.interface.name = std::string(1 + random() % 15, 'n');
    scene.interface.alias = std::string(random() % 300, 'a');
    scene.interface.index = std::numeric_limits<std::uint32_t>::max();
    scene.interface.vlan_id = 4094;
    scene.interface.giaddr = ip(223, 255, 255, static_cast<std::uint8_t>(random()));
    const auto one_of = [&random](const std::vector<Setting<options82::Template>>& all,
                                  const options82::Template& otherwise) {
      const std::size_t at = random() % (all.size() + 1);
      return at == all.size() ? otherwise : all[at].value;
    };
    scene.templates = {one_of(settings.circuit_ids, default_circuit_id()), one_of(settings.remote_ids, {}),
                       one_of(settings.subscriber_ids, {})};
    scene.encode();
    for (const auto* const form : {&scene.interface.agent_information, &scene.interface.relayed_agent_information}) {
      std::array<std::uint8_t, options82::max_option_value_size> storage{};
      const auto filled = form->filled({Bytes(16, 0xff), "p23456789012345", true}, storage);
      ASSERT_LE(filled.size(), most);
      ASSERT_TRUE(options82::is_well_formed(filled));
    }
  }
  EXPECT_GT(fitted, 1'000U);
}

}  // namespace
}  // namespace relay
