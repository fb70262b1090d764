#include "relay/core/circuit_id_index.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Front and back as text.
using Ends = std::pair<std::string, std::string>;

options82::Octets octets_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

options82::ValueEnds ends_of(const Ends& ends) {
  return {octets_of(ends.first), octets_of(ends.second)};
}

/// All candidates in order of index, as often as they are named.
std::vector<std::uint32_t> candidates(const CircuitIdIndex& index, const std::string& circuit_id) {
  std::vector<std::uint32_t> found;
  index.for_each_candidates(octets_of(circuit_id), [&](std::span<const std::uint32_t> some) {
    EXPECT_TRUE(std::ranges::is_sorted(some));
    found.insert(found.end(), some.begin(), some.end());
  });
  std::ranges::sort(found);
  return found;
}

TEST(CircuitIdIndex, finds_by_both_ends) {
  CircuitIdIndex index;
  index.insert(ends_of({"vlan7:", ""}), 7);
  index.insert(ends_of({"vlan70:", ""}), 70);
  index.insert(ends_of({"", "/vlan7"}), 8);
  index.insert(ends_of({"vlan7:", "/x"}), 9);
  EXPECT_THAT(candidates(index, "vlan7:02:00"), ElementsAre(7));
  EXPECT_THAT(candidates(index, "vlan70:02:00"), ElementsAre(70));
  EXPECT_THAT(candidates(index, "vlan7:"), ElementsAre(7)) << "a blank can be empty";
  EXPECT_THAT(candidates(index, "vlan7:02:00/vlan7"), ElementsAre(7, 8));
  EXPECT_THAT(candidates(index, "vlan7:/x"), ElementsAre(7, 9));
  EXPECT_THAT(candidates(index, "vlan7"), IsEmpty());
  EXPECT_THAT(candidates(index, ""), IsEmpty());
}

TEST(CircuitIdIndex, ends_do_not_overlap) {
  CircuitIdIndex index;
  index.insert(ends_of({"aa", "aa"}), 7);
  EXPECT_THAT(candidates(index, "aaa"), IsEmpty());
  EXPECT_THAT(candidates(index, "aaaa"), ElementsAre(7));
}

TEST(CircuitIdIndex, tells_the_same_octets_at_other_ends_apart) {
  CircuitIdIndex index;
  index.insert(ends_of({"ab", "c"}), 7);
  index.insert(ends_of({"a", "bc"}), 8);
  EXPECT_THAT(candidates(index, "abc"), ElementsAre(7, 8));
  EXPECT_THAT(candidates(index, "ab-c"), ElementsAre(7));
  EXPECT_THAT(candidates(index, "a-bc"), ElementsAre(8));
}

TEST(CircuitIdIndex, without_ends_everybody_is_a_candidate_in_order) {
  CircuitIdIndex index;
  for (const std::uint32_t each : {9U, 3U, 5U}) {
    index.insert({}, each);
  }
  EXPECT_THAT(candidates(index, "anything"), ElementsAre(3, 5, 9));
  EXPECT_THAT(candidates(index, ""), ElementsAre(3, 5, 9));
}

TEST(CircuitIdIndex, agrees_with_its_slow_twin_after_any_changes) {
  std::mt19937 random{3046};  // the same changes in every run
  const auto text = [&](std::size_t most) {
    std::string result;
    for (std::size_t size = random() % (most + 1); size > 0; --size) {
      result += static_cast<char>('a' + random() % 2);
    }
    return result;
  };
  CircuitIdIndex index;
  std::map<std::uint32_t, Ends> twin;
  for (int round = 0; round < 5'000; ++round) {
    const auto interface_index = static_cast<std::uint32_t>(random() % 20);
    if (const auto present = twin.find(interface_index); present != twin.end()) {
      index.erase(ends_of(present->second), interface_index);
      twin.erase(present);
    } else {
      const Ends ends{text(3), text(3)};
      index.insert(ends_of(ends), interface_index);
      twin.emplace(interface_index, ends);
    }
    const std::string circuit_id = text(8);
    std::vector<std::uint32_t> expected;
    for (const auto& [each, ends] : twin) {
      if (circuit_id.size() >= ends.first.size() + ends.second.size() && circuit_id.starts_with(ends.first) &&
          circuit_id.ends_with(ends.second)) {
        expected.push_back(each);
      }
    }
    ASSERT_EQ(candidates(index, circuit_id), expected) << "round " << round << ": " << circuit_id;
  }
}

}  // namespace
}  // namespace relay
