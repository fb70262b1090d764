// Every file of tests/golden/cases is a test of its own. UPDATE_GOLDEN=1 writes what the relay agent says into the
// files instead of comparing: to be read, line by line, with the RFC at hand, before it is committed.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/golden/case_file.h"
#include "tests/golden/case_run.h"
#include "tests/golden/line_diff.h"

namespace golden {
namespace {

using test_support::Lines;

[[nodiscard]] std::string joined(const Lines& lines) {
  std::string result;
  for (const std::string& line : lines) {
    result += line + '\n';
  }
  return result;
}

[[nodiscard]] bool is_update() {
  const char* const value = std::getenv("UPDATE_GOLDEN");
  return value != nullptr && std::string_view{value} == "1";
}

/// One case.
class GoldenTest : public ::testing::Test {
 public:
  explicit GoldenTest(std::filesystem::path path) : path_(std::move(path)) {}

  void TestBody() override {
    try {
      run();
    } catch (const CaseError& error) {
      FAIL() << error.what();
    }
  }

 private:
  void run() {
    const Lines lines = read_lines(path_);
    const Case parsed = parse_case(path_.string(), lines);
    const std::vector<Lines> results = run_case(path_.string(), parsed);
    if (is_update()) {
      if (const Lines updated = with_expectations(lines, parsed, results); updated != lines) {
        write_lines(path_, updated);
        GTEST_SKIP() << path_.string() << ": written anew";  // neither passed nor failed
      }
      return;
    }
    for (std::size_t number = 0; number < results.size(); ++number) {
      const Exchange& exchange = parsed.exchanges[number];
      if (exchange.expected != results[number]) {
        ADD_FAILURE() << path_.string() << ':' << exchange.expected_line + 1
                      << ": '-' is expected, '+' is what the relay agent says:\n"
                      << joined(line_diff(exchange.expected, results[number]))
                      << "If '+' is what the RFC asks for: UPDATE_GOLDEN=1 writes it.";
      }
    }
  }

  std::filesystem::path path_;
};

[[nodiscard]] std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN_CASES)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// "discover-without-option-82.txt" is the test Golden.discover_without_option_82.
[[nodiscard]] std::string test_name(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

void register_cases() {
  for (const std::filesystem::path& path : case_files()) {
    ::testing::RegisterTest("Golden", test_name(path).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path]() -> ::testing::Test* { return new GoldenTest(path); });
  }
}

TEST(GoldenCases, AreThere) {
  EXPECT_FALSE(case_files().empty()) << GOLDEN_CASES;
  for (const auto& path : case_files()) {
    EXPECT_EQ(path.extension(), ".txt") << path;
  }
}

}  // namespace
}  // namespace golden

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    golden::register_cases();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return RUN_ALL_TESTS();
}
