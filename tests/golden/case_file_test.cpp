// Golden cases themselves: what is misspelt is found and named, and an update touches expectations alone.
#include "tests/golden/case_file.h"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden/case_run.h"
#include "tests/golden/line_diff.h"

namespace golden {
namespace {

using test_support::Lines;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A case of two messages that holds.
Lines good_case() {
  return {"A title.",
          "# 4F-01: a row",
          "",
          "flags -id c0 198.51.100.10",
          "interface 2 c0 10.1.0.1/24 mac 02:00:00:00:00:c0",
          "message on c0 from 0.0.0.0:68 to 255.255.255.255",
          "  op 1",
          "-> servers 198.51.100.10:67 from 10.1.0.1:67",
          "  + hops 1",
          "  + giaddr 10.1.0.1",
          "",
          "# a comment",
          "message on c0 from 0.0.0.0:68 to 255.255.255.255",
          "  op 3",
          "-> drop bad_op"};
}

/// What is wrong with the case once `line` reads `text`, or with what becomes of it.
std::string fault_of(std::size_t line, const std::string& text) {
  Lines lines = good_case();
  lines[line - 1] = text;
  try {
    (void)run_case("case", parse_case("case", lines));
  } catch (const CaseError& error) {
    return error.what();
  }
  return "none";
}

TEST(CaseFile, HoldsMessagesAndWhatBecomesOfThem) {
  const Case parsed = parse_case("case", good_case());
  EXPECT_THAT(parsed.flags, ElementsAre("-id", "c0", "198.51.100.10"));
  ASSERT_THAT(parsed.exchanges, SizeIs(2));
  const auto& ingress = std::get<relay::Ingress>(parsed.exchanges[0].ingress);
  EXPECT_EQ(ingress.interface_index, 2U);
  EXPECT_EQ(ingress.source_port, 68);
  EXPECT_EQ(parsed.exchanges[0].expected_line, 7U);
  const auto results = run_case("case", parsed);
  EXPECT_EQ(results[0], parsed.exchanges[0].expected);
  EXPECT_EQ(results[1], parsed.exchanges[1].expected);
}

TEST(CaseFile, HoldsMessagesOfDhcpv6) {
  const Case parsed =
      parse_case("case", {"A title.", "# 6F-01: a row", "flags -id c0 2001:db8:53::10",
                          "interface 2 c0 2001:db8:1::1/64 mac 02:00:00:00:00:c0",
                          "message on c0 from [fe80::1]:546 to ff02::1:2 frame 02:00:00:00:00:01", "  type 1",
                          "-> servers [2001:db8:53::10]:547 from [2001:db8:1::1]:547", "  type 12",
                          "  link 2001:db8:1::1", "  peer fe80::1", "  79 0001020000000001", "  9 as it came"});
  ASSERT_THAT(parsed.exchanges, SizeIs(1));
  EXPECT_EQ(std::get<relay::Ingress6>(parsed.exchanges[0].ingress).source_port, 546);
  EXPECT_EQ(run_case("case", parsed)[0], parsed.exchanges[0].expected);
}

TEST(CaseFile, NamesTheLineThatIsWrong) {
  struct Fault {
    std::size_t line;
    std::string text;
    std::string expected;
  };
  const std::vector<Fault> faults = {
      {1, "no sentence", "case:1: expected the title"},
      {2, "# rows", "case:2: expected '# ROW"},
      {2, "# 4F-01 4F-1: short", "case:2: expected '# ROW"},
      {2, "4F-01", "case:2: expected '# ROW"},
      {3, "flag -a", "case:3: expected flags (once)"},
      {4, "flags --no-such-flag", "case:4: unknown flag"},
      {4, "flags --version", "case:4: expected flags that start a relay agent"},
      {4, "# none", "case:16: expected flags and at least one message"},
      {3, "flags -id c0 10.0.0.1", "case:4: expected flags (once)"},
      {5, "interface 2 c0 10.1.0.1/33", "case:5: expected a number up to 32"},
      {5, "interface 2 c0 mac 02:00", "case:5: expected six octets"},
      {5, "interface 2 c0 upside-down", "case:5: expected an address with its prefix"},
      {5, "interface 2 c1", "case:6: no interface c0"},
      {6, "message on c0 at noon", "case:6: expected 'message on"},
      {6, "message on c0 from 0.0.0.0 to 255.255.255.255", "case:6: expected a number up to 65535"},
      {6, "message on c0 from [fe80::1]:546 to 10.1.0.1", "case:6: expected an address such as 2001:db8::1"},
      {6, "message on c0 from [fe80::1 to ff02::1:2", "case:6: expected an address in brackets"},
      {6, "message on c0 from [fe80::1]:546 to ff02::1:2 by mule", "case:6: expected 'frame MAC'"},
      {6, "message on c0 from 0.0.0.0:68 to 10.1.0.1 by mule", "case:6: expected 'at MILLISECONDS'"},
      {7, "  op one", "case:7: expected a number up to 255"},
      {9, "+ hops 1", "case:9: expected flags (once)"},
      {11, " ", "case:11: expected a word in the first column"},
      {14, "  opt 3", "case:14: expected a field's name"},
      {15, "drop bad_op", "case:15: expected flags (once)"},
  };
  for (const Fault& each : faults) {
    EXPECT_THAT(fault_of(each.line, each.text), HasSubstr(each.expected)) << each.text;
  }
}

TEST(CaseFile, UpdatesExpectationsAlone) {
  Lines stale = good_case();
  stale[8] = "  + hops 2";
  stale.insert(stale.begin() + 9, "  + flags 8000");
  stale.pop_back();  // not written yet
  const Case parsed = parse_case("case", stale);
  EXPECT_EQ(with_expectations(stale, parsed, run_case("case", parsed)), good_case());
  const Case good = parse_case("case", good_case());
  EXPECT_EQ(with_expectations(good_case(), good, run_case("case", good)), good_case());
}

TEST(LineDiff, MarksWhatGoesAndWhatComes) {
  EXPECT_THAT(line_diff({"a", "b", "c", "d"}, {"a", "x", "c", "d", "e"}),
              ElementsAre("  a", "- b", "+ x", "  c", "  d", "+ e"));
  EXPECT_THAT(line_diff({}, {"a"}), ElementsAre("+ a"));
  EXPECT_THAT(line_diff({"a"}, {}), ElementsAre("- a"));
}

}  // namespace
}  // namespace golden
