#include "relay/log/finding_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using check::Finding;
using check::FindingKind;
using ::testing::ElementsAre;

std::vector<std::string> report(const std::vector<Finding>& findings, LogFormat format = LogFormat::text) {
  std::vector<std::string> lines;
  report_findings(findings, format, [&lines](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

const Finding down{.kind = FindingKind::upstream_down, .subjects = {"u0"}};
const Finding missing{.kind = FindingKind::giaddr_interface_missing, .subjects = {"lo"}};

TEST(FindingText, TheLastLineSaysWhatCameOfIt) {
  EXPECT_THAT(report({}), ElementsAre("check passed: nothing found"));
  EXPECT_EQ(report({down}).back(), "check passed: no errors, 1 warning");
  EXPECT_EQ(report({missing, missing}).back(), "check failed: 2 errors, no warnings");
}

TEST(FindingText, WhatTheHostSaysIsEscaped) {
  const Finding finding{.kind = FindingKind::upstream_down, .subjects = {"u\x1b[2J\n\xff"}};
  EXPECT_EQ(
      finding_line(finding, LogFormat::text),
      "warning: upstream_down: interface u\\x1b[2J\\x0a\\xff, named for replies, is down; bring it up: ip link set "
      "u\\x1b[2J\\x0a\\xff up");
}

TEST(FindingText, AFindingCountsAsWhatItIsAtMost) {
  const Finding gentle{.kind = FindingKind::no_address, .subjects = {"d1"}, .most = check::Severity::warning};
  EXPECT_EQ(report({gentle}).back(), "check passed: no errors, 1 warning");
  EXPECT_TRUE(finding_line(gentle, LogFormat::text).starts_with("warning: no_address: "));
}

TEST(FindingText, WordsGoWithTheNumberOfSubjects) {
  const Finding both{.kind = FindingKind::upstream_down, .subjects = {"u0", "vlan.7"}};
  EXPECT_EQ(
      finding_line(both, LogFormat::text),
      "warning: upstream_down: interfaces u0, vlan.7, named for replies, are down; bring it up: ip link set u0 up; "
      "and so for each of them");
}

TEST(FindingText, JsonHasAFieldForEachPart) {
  EXPECT_THAT(report({down}, LogFormat::json),
              ElementsAre(R"({"level":"warning","event":"finding","severity":"warning","name":"upstream_down",)"
                          R"("meaning":"interface u0, named for replies, is down",)"
                          R"("advice":"bring it up: ip link set u0 up"})",
                          R"({"level":"info","event":"check_total","errors":0,"warnings":1})"));
}

TEST(FindingText, OfOneKindThereAreSixteenLinesAtMost) {
  std::vector<Finding> findings;
  for (std::uint8_t number = 0; number < 20; ++number) {
    findings.push_back({.kind = FindingKind::source_missing, .address = Ipv4Address{{192, 0, 2, number}}});
  }
  const auto lines = report(findings);
  ASSERT_EQ(lines.size(), 18U);
  EXPECT_EQ(lines[16], "error: source_missing: 4 more of these");
  EXPECT_EQ(lines[17], "check failed: 20 errors, no warnings");
}

}  // namespace
}  // namespace relay
