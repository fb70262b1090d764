#include "options82/options.h"

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"

namespace options82 {
namespace {

using test_support::Bytes;
using test_support::encoded;
using test_support::joined;
using test_support::parsed_field;
using test_support::ParsedField;

std::string name_of(ReadStop stop) {
  switch (stop) {
    case ReadStop::not_yet:
      return "not_yet";
    case ReadStop::end_option:
      return "end";
    case ReadStop::end_of_field:
      return "no end";
    case ReadStop::damaged:
      return "damaged";
  }
  return "?";
}

/// The options of `field` as "code/size@offset", then why reading stopped and where.
std::string reading_of(const Bytes& field) {
  OptionReader reader{field};
  std::string result;
  while (const auto option = reader.next()) {
    EXPECT_EQ(reader.stop(), ReadStop::not_yet);
    EXPECT_EQ(option->end_offset(), option->offset + 2 + option->value.size());
    result += std::to_string(option->code) + "/" + std::to_string(option->value.size()) + "@" +
              std::to_string(option->offset) + " ";
  }
  result += name_of(reader.stop()) + "@" + std::to_string(reader.offset());
  EXPECT_FALSE(reader.next().has_value()) << "reading stays at its end";
  return result;
}

struct ReadingCase {
  const char* description;
  Bytes field;
  const char* reading;
};

TEST(OptionReader, row_4R_11_walks_a_field_to_its_end_or_its_damage) {
  const std::vector<ReadingCase> cases{
      {"an empty field", {}, "no end@0"},
      {"END first", {255}, "end@0"},
      {"END first, options behind it", {255, 53, 1, 1}, "end@0"},
      {"PADs alone", {0, 0, 0}, "no end@0"},
      {"PADs, then END", {0, 0, 255}, "end@2"},
      {"one option", {53, 1, 1, 255}, "53/1@0 end@3"},
      {"an option of no octets", {80, 0, 255}, "80/0@0 end@2"},
      {"an option of no octets that ends the field", {80, 0}, "80/0@0 no end@2"},
      {"PADs in front of, between and behind options", {0, 53, 1, 1, 0, 0, 12, 1, 'a', 0, 255}, "53/1@1 12/1@6 end@10"},
      {"END missing", {53, 1, 1}, "53/1@0 no end@3"},
      {"END missing, PADs behind", {53, 1, 1, 0, 0}, "53/1@0 no end@3"},
      {"a code without its length", {53, 1, 1, 12}, "53/1@0 damaged@3"},
      {"a code alone", {12}, "damaged@0"},
      {"a length that crosses the end by one", {53, 1, 1, 12, 3, 'a', 'b'}, "53/1@0 damaged@3"},
      {"a length that reaches the end", {53, 1, 1, 12, 2, 'a', 'b'}, "53/1@0 12/2@3 no end@7"},
      {"a length of 255 at the end", {12, 255}, "damaged@0"},
      {"damage behind PADs", {0, 0, 12, 1}, "damaged@2"},
      {"an option twice", {82, 0, 82, 1, 7, 255}, "82/0@0 82/1@2 end@5"},
      {"code 254", {254, 1, 9, 255}, "254/1@0 end@3"},
  };
  for (const ReadingCase& test : cases) {
    EXPECT_EQ(reading_of(test.field), test.reading) << test.description;
  }
}

TEST(OptionReader, row_4R_12_values_are_opaque) {
  for (const std::uint8_t code : Bytes{43, 60, 61, 125}) {
    const Bytes field = joined({encoded(code, {82, 4, 1, 2, 'x', 'y', 255, 0, 255}), {255}});
    EXPECT_EQ(reading_of(field), std::to_string(code) + "/9@0 end@11");
    EXPECT_EQ(survey(field).agent_information_count, 0U);
  }
}

TEST(OptionReader, the_largest_value_is_read_whole) {
  const Bytes field = joined({encoded(43, Bytes(255, 82)), {255}});
  EXPECT_EQ(reading_of(field), "43/255@0 end@257");
}

TEST(OptionReader, a_value_borrows_from_its_field) {
  const Bytes field{12, 2, 'h', 'i', 255};
  OptionReader reader{field};
  const auto option = reader.next();
  ASSERT_TRUE(option.has_value());
  EXPECT_EQ(option->value.data(), field.data() + 2);
}

TEST(OptionReader, a_field_of_254s_is_damaged_where_it_runs_out) {
  // 4,095 octets of 254, an ISC regression: 15 options of 254 octets and a broken one.
  const Bytes field(4095, 254);
  EXPECT_TRUE(reading_of(field).ends_with(" damaged@3840"));
}

struct SurveyCase {
  const char* description;
  Bytes field;
  bool damaged;
  bool has_end;
  std::size_t end_offset;
  std::size_t agent_information_count;
  int message_type;  ///< -1: none
};

TEST(Survey, finds_what_a_relay_agent_needs) {
  const std::vector<SurveyCase> cases{
      {"an empty field", {}, false, false, 0, 0, -1},
      {"a DISCOVER", {53, 1, 1, 255}, false, true, 3, 0, 1},
      {"option 82 in the middle", {53, 1, 3, 82, 2, 1, 0, 12, 1, 'a', 255}, false, true, 10, 1, 3},
      {"an empty option 82", {82, 0, 255}, false, true, 2, 1, -1},
      {"two option 82s", {82, 0, 53, 1, 5, 82, 1, 9, 255}, false, true, 8, 2, 5},
      {"option 82 behind END does not count", {53, 1, 1, 255, 82, 0}, false, true, 3, 0, 1},
      {"no END, PADs behind the options", {53, 1, 1, 0, 0}, false, false, 3, 0, 1},
      {"PADs between the last option and END", {53, 1, 1, 0, 0, 255}, false, true, 5, 0, 1},
      {"row 4R-13: option 53 of no octets", {53, 0, 255}, false, true, 2, 0, -1},
      {"row 4R-13: option 53 of two octets", {53, 2, 1, 1, 255}, false, true, 4, 0, -1},
  };
  for (const SurveyCase& test : cases) {
    const Survey found = survey(test.field);
    EXPECT_EQ(found.damaged, test.damaged) << test.description;
    EXPECT_EQ(found.has_end, test.has_end) << test.description;
    EXPECT_EQ(found.end_offset, test.end_offset) << test.description;
    EXPECT_EQ(found.agent_information_count, test.agent_information_count) << test.description;
    EXPECT_EQ(found.message_type ? int{*found.message_type} : -1, test.message_type) << test.description;
  }
}

TEST(Survey, damage_is_reported_with_what_stands_in_front_of_it) {
  const Survey found = survey(Bytes{53, 1, 1, 82, 1, 7, 12, 9, 'a'});
  EXPECT_TRUE(found.damaged);
  EXPECT_FALSE(found.has_end);
  EXPECT_EQ(found.agent_information_count, 1U);
  EXPECT_EQ(found.message_type, 1);
}

TEST(Survey, the_size_of_all_option_82s_is_with_their_heads) {
  EXPECT_EQ(survey(Bytes{82, 0, 53, 1, 5, 82, 1, 9, 255}).agent_information_size, 5U);
  EXPECT_EQ(survey(Bytes{53, 1, 5, 255}).agent_information_size, 0U);
}

TEST(Survey, the_first_option_82_is_where_looking_for_it_can_begin) {
  EXPECT_EQ(survey(Bytes{53, 1, 5, 0, 82, 0, 82, 1, 9, 255}).agent_information_offset, 4U);
  EXPECT_EQ(survey(Bytes{82, 0}).agent_information_offset, 0U);
  EXPECT_EQ(survey(Bytes{53, 1, 5, 0, 255, 0}).agent_information_offset, 4U) << "without one, the END";
  EXPECT_EQ(survey(Bytes{53, 1, 5, 0, 0}).agent_information_offset, 3U) << "or the end of the last option";
}

TEST(Survey, two_hundred_option_82s_are_counted) {
  Bytes field;
  for (int i = 0; i < 200; ++i) {
    field = joined({field, {82, 2, 1, 0}});
  }
  field.push_back(255);
  EXPECT_EQ(survey(field).agent_information_count, 200U);
  EXPECT_EQ(survey(field).agent_information_size, 800U);
}

/// Octets that look like options more often than chance would have it.
Bytes random_field(std::mt19937& random) {
  const std::vector<std::uint8_t> likely{0, 0, 1, 2, 3, 4, 53, 82, 255};
  Bytes field(random() % 80);
  for (std::uint8_t& octet : field) {
    octet = random() % 4 == 0 ? static_cast<std::uint8_t>(random()) : likely[random() % likely.size()];
  }
  return field;
}

TEST(OptionReader, agrees_with_its_slow_twin_on_random_octets) {
  std::mt19937 random{82};  // the same fields in every run
  for (int round = 0; round < 20'000; ++round) {
    const Bytes field = random_field(random);
    const ParsedField expected = parsed_field(field);

    OptionReader reader{field};
    std::vector<test_support::ParsedOption> options;
    while (const auto option = reader.next()) {
      options.push_back({option->code, Bytes(option->value.begin(), option->value.end())});
    }
    ASSERT_EQ(options, expected.options) << testing::PrintToString(field);
    ASSERT_EQ(reader.stop() == ReadStop::damaged, expected.damaged) << testing::PrintToString(field);
    ASSERT_EQ(reader.stop() == ReadStop::end_option, expected.has_end) << testing::PrintToString(field);

    const Survey found = survey(field);
    ASSERT_EQ(found.damaged, expected.damaged) << testing::PrintToString(field);
    ASSERT_EQ(found.has_end, expected.has_end) << testing::PrintToString(field);
    if (!expected.damaged) {
      ASSERT_EQ(found.end_offset, expected.end_offset) << testing::PrintToString(field);
    }
  }
}

}  // namespace
}  // namespace options82
