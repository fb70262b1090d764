// Tables that are written as text in a test: a row a line, words between blanks.
#pragma once

#include <string_view>
#include <vector>

namespace test_support {

using Words = std::vector<std::string_view>;

/// The words of `line`, which are separated by any number of `separator`.
[[nodiscard]] Words words_of(std::string_view line, char separator = ' ');

/// The rows of `table` without empty lines and those that begin with `#`. Views into `table`.
[[nodiscard]] std::vector<Words> rows_of(std::string_view table);

}  // namespace test_support
