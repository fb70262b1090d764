#include "relay/core/flat_map.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "relay/core/address.h"

namespace relay {
namespace {

TEST(FlatMap, is_empty_at_first) {
  const FlatMap<std::uint32_t, std::string> map;
  EXPECT_EQ(map.size(), 0U);
  EXPECT_EQ(map.find(0), nullptr) << "0 is a key as any other";
  EXPECT_FALSE(map.contains(7));
}

TEST(FlatMap, finds_what_was_put_until_it_is_erased) {
  constexpr Ipv4Address address{{10, 1, 0, 1}};
  constexpr Ipv4Address stranger{{10, 9, 9, 9}};
  FlatMap<Ipv4Address, std::string> map;
  map[address] = "first";
  map[{}] = "unspecified";
  ASSERT_NE(map.find(address), nullptr);
  EXPECT_EQ(*map.find(address), "first");
  EXPECT_EQ(*map.find({}), "unspecified");
  map[address] += "!";
  EXPECT_EQ(*map.find(address), "first!");
  EXPECT_EQ(map.size(), 2U);

  map.erase(address);
  map.erase(stranger);
  EXPECT_EQ(map.find(address), nullptr);
  EXPECT_EQ(map[address], "") << "a value that comes again is new";
  EXPECT_EQ(*map.find({}), "unspecified");
}

TEST(FlatMap, agrees_with_its_slow_twin_after_any_changes) {
  std::mt19937 random{1542};  // the same changes in every run
  for (const std::uint32_t most : {4U, 40U, 4'000U}) {
    FlatMap<std::uint32_t, std::string> map;
    std::map<std::uint32_t, std::string> twin;
    for (std::uint32_t round = 0; round < 20'000; ++round) {
      const auto key = static_cast<std::uint32_t>(random() % most) * 256;  // as those of addresses, in one octet alone
      if (random() % 3 == 0) {
        map.erase(key);
        twin.erase(key);
      } else {
        map[key] = twin[key] = std::to_string(round);
      }
      const auto other = static_cast<std::uint32_t>(random() % most) * 256;
      const auto expected = twin.find(other);
      ASSERT_EQ(map.contains(other), expected != twin.end()) << round;
      ASSERT_TRUE(expected == twin.end() || *map.find(other) == expected->second) << round;
    }
    ASSERT_EQ(map.size(), twin.size());
    for (const auto& [key, value] : twin) {
      ASSERT_NE(map.find(key), nullptr) << key;
      ASSERT_EQ(*map.find(key), value);
    }
  }
}

}  // namespace
}  // namespace relay
