#include "relay/core/drop_reason.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace relay {
namespace {

bool is_snake_case(std::string_view name) {
  const auto is_part_of_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' && is_part_of_word(name.back()) &&
         name.find("__") == std::string_view::npos &&
         std::ranges::all_of(name, [&](char c) { return is_part_of_word(c) || c == '_'; });
}

bool is_printable(std::string_view sentence) {
  return std::ranges::all_of(sentence, [](char c) { return c >= ' ' && c <= '~'; });
}

TEST(DropReason, AllReasonsStandInTheOrderOfTheEnumeration) {
  const auto& reasons = all_drop_reasons();
  ASSERT_EQ(reasons.size(), drop_reason_count);
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(reasons[i]), i);
  }
}

TEST(DropReason, NamesAreTheEnumerators) {
  EXPECT_EQ(text(DropReason::too_short).name, "too_short");
  EXPECT_EQ(text(DropReason::interface_unknown).name, "interface_unknown");
  EXPECT_EQ(text(DropReason::not_downstream).name, "not_downstream");
  EXPECT_EQ(text(DropReason::option82_untrusted).name, "option82_untrusted");
  EXPECT_EQ(text(DropReason::not_upstream).name, "not_upstream");
  EXPECT_EQ(text(DropReason::interface_down).name, "interface_down");
  EXPECT_EQ(text(DropReason::send_failed).name, "send_failed");
}

TEST(DropReason, NamesAreSnakeCaseAndUnique) {
  std::set<std::string_view> names;
  for (const DropReason reason : all_drop_reasons()) {
    EXPECT_TRUE(is_snake_case(text(reason).name)) << text(reason).name;
    EXPECT_TRUE(names.insert(text(reason).name).second) << text(reason).name;
  }
}

TEST(DropReason, MeaningsAreOneClauseEachAndUnique) {
  std::set<std::string_view> meanings;
  for (const DropReason reason : all_drop_reasons()) {
    const std::string_view meaning = text(reason).meaning;
    ASSERT_FALSE(meaning.empty()) << text(reason).name;
    EXPECT_NE(meaning.back(), '.') << meaning;
    EXPECT_TRUE(is_printable(meaning)) << meaning;
    EXPECT_TRUE(meanings.insert(meaning).second) << meaning;
  }
}

TEST(DropReason, HintsAreOneSentenceEachAndUnique) {
  std::set<std::string_view> hints;
  for (const DropReason reason : all_drop_reasons()) {
    const std::string_view hint = text(reason).hint;
    ASSERT_FALSE(hint.empty()) << text(reason).name;
    EXPECT_EQ(hint.back(), '.') << hint;
    EXPECT_EQ(hint.find(". "), std::string_view::npos) << hint;
    EXPECT_TRUE(is_printable(hint)) << hint;
    EXPECT_TRUE(hints.insert(hint).second) << hint;
  }
}

}  // namespace
}  // namespace relay
