// Two texts, line by line: what stays, goes and comes.
#pragma once

#include "tests/support/message_text.h"

namespace golden {

/// All lines of both, marked "  ", "- " or "+ ": the longest common subsequence stays.
[[nodiscard]] test_support::Lines line_diff(const test_support::Lines& before, const test_support::Lines& after);

}  // namespace golden
