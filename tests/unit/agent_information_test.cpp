#include "options82/agent_information.h"

#include <cstddef>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"

namespace options82 {
namespace {

using test_support::Bytes;
using test_support::encoded;
using test_support::joined;
using test_support::text;

Bytes copy_of(Octets octets) {
  return {octets.begin(), octets.end()};
}

std::optional<Bytes> found_in(const Bytes& content, SubOption sub_option) {
  const auto value = find_sub_option(content, sub_option);
  return value ? std::optional{copy_of(*value)} : std::nullopt;
}

TEST(AgentInformation, is_empty_at_first) {
  const AgentInformation content;
  EXPECT_TRUE(content.empty());
  EXPECT_TRUE(content.octets().empty());
}

TEST(AgentInformation, row_4A_03_sub_options_are_encoded_in_the_order_of_adding) {
  AgentInformation content;
  ASSERT_TRUE(content.add(SubOption::remote_id, text("xy")));
  ASSERT_TRUE(content.add(SubOption::circuit_id, text("c0")));
  ASSERT_TRUE(content.add(SubOption::link_selection, Bytes{10, 1, 0, 0}));
  EXPECT_FALSE(content.empty());
  EXPECT_EQ(copy_of(content.octets()), (Bytes{2, 2, 'x', 'y', 1, 2, 'c', '0', 5, 4, 10, 1, 0, 0}));
}

TEST(AgentInformation, row_4A_03_a_value_may_be_empty) {
  AgentInformation content;
  ASSERT_TRUE(content.add(SubOption::source_port, {}));
  EXPECT_EQ(copy_of(content.octets()), (Bytes{19, 0}));
  EXPECT_FALSE(content.empty());
}

TEST(AgentInformation, row_4A_01_each_sub_option_is_there_only_if_added) {
  AgentInformation content;
  ASSERT_TRUE(content.add(SubOption::circuit_id, text("c0")));
  EXPECT_EQ(found_in(copy_of(content.octets()), SubOption::circuit_id), text("c0"));
  EXPECT_EQ(found_in(copy_of(content.octets()), SubOption::remote_id), std::nullopt);
}

TEST(AgentInformation, the_whole_is_255_octets_at_most) {
  AgentInformation content;
  EXPECT_FALSE(content.add(SubOption::circuit_id, Bytes(254, 'x')));
  EXPECT_TRUE(content.empty()) << "nothing is added in part";
  EXPECT_TRUE(content.add(SubOption::circuit_id, Bytes(253, 'x')));
  EXPECT_EQ(content.octets().size(), 255U);
  EXPECT_FALSE(content.add(SubOption::source_port, {}));
  EXPECT_EQ(content.octets().size(), 255U);
}

TEST(AgentInformation, values_over_255_octets_are_refused) {
  AgentInformation content;
  for (const std::size_t size : {std::size_t{256}, std::size_t{257}, std::size_t{512}, std::size_t{65'536}}) {
    EXPECT_FALSE(content.add(SubOption::circuit_id, Bytes(size, 'x'))) << size;
  }
  EXPECT_TRUE(content.empty());
}

TEST(AgentInformation, what_does_not_fit_any_more_leaves_what_is_there) {
  AgentInformation content;
  ASSERT_TRUE(content.add(SubOption::circuit_id, Bytes(250, 'x')));  // 252 octets, three are left
  const Bytes before = copy_of(content.octets());
  EXPECT_FALSE(content.add(SubOption::remote_id, Bytes(2, 'y')));
  EXPECT_EQ(copy_of(content.octets()), before);
  EXPECT_TRUE(content.add(SubOption::remote_id, Bytes(1, 'y')));
  EXPECT_EQ(copy_of(content.octets()), joined({before, {2, 1, 'y'}}));
}

struct ContentCase {
  const char* description;
  Bytes content;
  bool well_formed;
  std::optional<Bytes> circuit_id;
};

TEST(FindSubOption, reads_what_is_whole_and_nothing_beyond) {
  const std::vector<ContentCase> cases{
      {"no octets", {}, true, std::nullopt},
      {"a circuit-id", {1, 2, 'c', '0'}, true, text("c0")},
      {"an empty circuit-id", {1, 0}, true, Bytes{}},
      {"behind another", {2, 1, 'r', 1, 2, 'c', '0'}, true, text("c0")},
      {"the first of two", {1, 1, 'a', 1, 1, 'b'}, true, text("a")},
      {"none", {2, 1, 'r'}, true, std::nullopt},
      {"inside another's value", {2, 4, 1, 2, 'c', '0'}, true, std::nullopt},
      {"a length missing", {1}, false, std::nullopt},
      {"a length that crosses the end", {1, 3, 'c', '0'}, false, std::nullopt},
      {"a length of 255", {1, 255, 'c', '0'}, false, std::nullopt},
      {"damage behind it", {1, 2, 'c', '0', 2, 9, 'r'}, false, text("c0")},
      {"damage in front of it", {2, 9, 'r', 1, 2, 'c', '0'}, false, std::nullopt},
      {"0 is a sub-option like any other, not a PAD", {0, 1, 2, 1, 1, 'a'}, true, text("a")},
      {"255 is a sub-option like any other, not an END", {255, 1, 2, 1, 1, 'a'}, true, text("a")},
      {"0 with a length that crosses the end", {0, 9, 1, 1, 'a'}, false, std::nullopt},
  };
  for (const ContentCase& test : cases) {
    EXPECT_EQ(is_well_formed(test.content), test.well_formed) << test.description;
    EXPECT_EQ(found_in(test.content, SubOption::circuit_id), test.circuit_id) << test.description;
  }
}

TEST(FindSubOption, what_was_added_is_found) {
  std::mt19937 random{3046};  // the same values in every run
  for (int round = 0; round < 2'000; ++round) {
    const Bytes circuit(random() % 120, static_cast<std::uint8_t>(random()));
    const Bytes remote(random() % 120, static_cast<std::uint8_t>(random()));
    AgentInformation content;
    ASSERT_TRUE(content.add(SubOption::circuit_id, circuit));
    ASSERT_TRUE(content.add(SubOption::remote_id, remote));
    ASSERT_TRUE(is_well_formed(content.octets()));
    ASSERT_EQ(found_in(copy_of(content.octets()), SubOption::circuit_id), circuit);
    ASSERT_EQ(found_in(copy_of(content.octets()), SubOption::remote_id), remote);
    ASSERT_EQ(found_in(copy_of(content.octets()), SubOption::link_selection), std::nullopt);
  }
}

TEST(SubOptionReader, walks_all_sub_options_and_tells_the_end_from_damage) {
  const Bytes whole = joined({encoded(1, text("c0")), encoded(151, {}), encoded(2, text("r"))});
  SubOptionReader reader{whole};
  std::vector<int> codes;
  while (const auto sub_option = reader.next()) {
    codes.push_back(static_cast<int>(sub_option->code));
  }
  EXPECT_EQ(codes, (std::vector<int>{1, 151, 2}));
  EXPECT_FALSE(reader.is_damaged());

  const Bytes broken{1, 1, 'a', 2, 2, 'b'};
  SubOptionReader broken_reader{broken};
  EXPECT_TRUE(broken_reader.next().has_value());
  EXPECT_FALSE(broken_reader.next().has_value());
  EXPECT_TRUE(broken_reader.is_damaged());
  EXPECT_FALSE(broken_reader.next().has_value());
}

struct JoinCase {
  const char* description;
  Bytes field;
  std::size_t room;
  Bytes joined;
};

TEST(JoinAgentInformation, row_4R_14_all_instances_are_one_option) {
  const std::vector<JoinCase> cases{
      {"none", {53, 1, 5, 255}, 64, {}},
      {"one", {82, 2, 1, 0, 255}, 64, {1, 0}},
      {"an empty one", {82, 0, 255}, 64, {}},
      {"two with another between", {82, 3, 1, 2, 'c', 12, 1, 'h', 82, 1, '0', 255}, 64, {1, 2, 'c', '0'}},
      {"behind END", {82, 1, 1, 255, 82, 1, 2}, 64, {1}},
      {"in front of damage", {82, 1, 1, 82, 9, 2}, 64, {1}},
      {"no room", {82, 1, 1, 255}, 0, {}},
      {"room for a part", {82, 2, 1, 2, 82, 2, 3, 4, 255}, 3, {1, 2, 3}},
      {"room for all", {82, 2, 1, 2, 82, 2, 3, 4, 255}, 4, {1, 2, 3, 4}},
  };
  for (const JoinCase& test : cases) {
    Bytes storage(test.room);
    EXPECT_EQ(copy_of(join_agent_information(test.field, storage)), test.joined) << test.description;
  }
}

}  // namespace
}  // namespace options82
