// The state file's text: what is written is read again, and what is damaged is not.
#include "relay/core/delegation_text.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/delegation6.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

using test_support::ip6;
using test_support::prefix6;

constexpr TimePair now{500s, 1'700'000'000s};

std::vector<KnownDelegation> some() {
  return {{{0, 3, 0, 1, 2, 0, 0, 0, 0, 0xff},
           "vlan7",
           {prefix6("2001:db8:e1::/56"), 4294967295, ip6("fe80::a:1"), 3000, 3600, now.now + 3600s}},
          {{0, 4, 1},
           "c0@x",
           {prefix6("fd00::/128"), 0, ip6("fe80::1"), 4294967295, 4294967295, std::chrono::nanoseconds::max()}}};
}

TEST(DelegationText, is_for_operators_too) {
  EXPECT_EQ(delegation_text(some(), now),
            "dhcp-relay delegated prefixes, form 1\n"
            "2001:db8:e1:0:0:0:0:0/56 via fe80:0:0:0:0:0:a:1 dev vlan7 client 000300010200000000ff iaid 4294967295 "
            "preferred 3000 valid 3600 until 1700003600\n"
            "fd00:0:0:0:0:0:0:0/128 via fe80:0:0:0:0:0:0:1 dev c0@x client 000401 iaid 0 preferred 4294967295 valid "
            "4294967295 until never\n"
            "end 2\n");
  EXPECT_EQ(delegation_text({}, now), "dhcp-relay delegated prefixes, form 1\nend 0\n");
}

TEST(DelegationText, is_read_as_it_was_written) {
  EXPECT_EQ(read_delegation_text(delegation_text(some(), now), now), some());
  EXPECT_EQ(read_delegation_text(delegation_text({}, now), now), std::vector<KnownDelegation>{});
}

TEST(DelegationText, time_goes_on_while_nobody_is_there) {
  const std::string text = delegation_text(some(), now);
  auto later = read_delegation_text(text, {3s, now.since_1970 + 600s});
  ASSERT_TRUE(later && later->size() == 2);
  EXPECT_EQ(later->front().delegation.expires_at, 3003s) << "on another clock, that of a later start of the host";
  later = read_delegation_text(text, {3s, now.since_1970 + 3700s});
  ASSERT_TRUE(later && later->size() == 2);
  EXPECT_EQ(later->front().delegation.expires_at, 3s) << "it is over";
  EXPECT_EQ(later->back(), some().back());
}

TEST(DelegationText, a_clock_that_was_set_is_told_from_one_that_went_on) {
  EXPECT_FALSE(was_set(now, now));
  EXPECT_FALSE(was_set(now, {now.now + 86400s, now.since_1970 + 86401s}));
  EXPECT_TRUE(was_set(now, {now.now + 1s, now.since_1970 + 3s}));
  EXPECT_TRUE(was_set(now, {now.now + 10s, now.since_1970 + 8s}));
  EXPECT_TRUE(was_set({5s, 5s}, now)) << "there was no clock at first";
}

TEST(DelegationText, a_clock_that_was_set_back_prolongs_nothing) {
  const auto earlier = read_delegation_text(delegation_text(some(), now), {3s, now.since_1970 - 100000s});
  ASSERT_TRUE(earlier && earlier->size() == 2);
  EXPECT_EQ(earlier->front().delegation.expires_at, 3603s);
}

TEST(DelegationText, a_text_that_is_cut_anywhere_is_not_read) {
  const std::string text = delegation_text(some(), now);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(read_delegation_text(text.substr(0, size), now), std::nullopt) << size;
  }
  EXPECT_EQ(read_delegation_text(text + "\n", now), std::nullopt);
}

TEST(DelegationText, a_line_that_is_not_as_it_was_written_is_damage) {
  const std::string text = delegation_text(some(), now);
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string changed = text;
    changed.replace(changed.find(what), what.size(), instead);
    return read_delegation_text(changed, now);
  };
  EXPECT_NE(with("vlan7", "vlan8"), std::nullopt);
  EXPECT_EQ(with("form 1", "form 2"), std::nullopt);
  EXPECT_EQ(with("vlan7", "interface-of-1-6"), std::nullopt);
  EXPECT_EQ(with("/56", "/129"), std::nullopt);
  EXPECT_EQ(with("/56", "/256"), std::nullopt);
  EXPECT_EQ(with("/56", "/31"), std::nullopt) << "bits behind the length";
  EXPECT_EQ(with("fe80:0:0:0:0:0:a:1", "2001:db8:0:0:0:0:a:1"), std::nullopt);
  EXPECT_EQ(with("fe80:0:", "fe80::"), std::nullopt);
  EXPECT_EQ(with("fe80:0:", "fe80:-1:"), std::nullopt);
  EXPECT_EQ(with("000401", "0004"), std::nullopt);
  EXPECT_EQ(with("000401", "00040"), std::nullopt);
  EXPECT_EQ(with("000401", "00040g"), std::nullopt);
  EXPECT_EQ(with("000401", std::string(262, '0')), std::nullopt);
  EXPECT_EQ(with("valid 3600", "valid 4294967296"), std::nullopt);
  EXPECT_EQ(with("until never", "until 7"), std::nullopt);
  EXPECT_EQ(with("until 1700003600", "until never"), std::nullopt);
  EXPECT_EQ(with("1700003600", "1700003600 "), std::nullopt);
  EXPECT_EQ(with("1700003600", "99999999999999999999"), std::nullopt);
  EXPECT_EQ(with("end 2", "end 1"), std::nullopt);
  EXPECT_EQ(with("end 2", "end 2\nend 2"), std::nullopt);
}

TEST(DelegationText, random_changes_are_read_within_their_bounds) {
  std::mt19937 random{8987};
  const std::string good = delegation_text(some(), now);
  for (int round = 0; round < 20000; ++round) {
    std::string text = good;
    for (std::size_t change = 1 + random() % 3; change != 0; --change) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    static_cast<void>(read_delegation_text(text, now));
  }
}

}  // namespace
}  // namespace relay
