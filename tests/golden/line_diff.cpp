#include "tests/golden/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace golden {

using test_support::Lines;

Lines line_diff(const Lines& before, const Lines& after) {
  // common[i][j]: how many lines before[i...] and after[j...] have in common, in order.
  std::vector<std::vector<std::size_t>> common(before.size() + 1, std::vector<std::size_t>(after.size() + 1, 0));
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  Lines diff;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      diff.push_back("  " + before[i++]);
      ++j;
    } else if (j == after.size() || (i < before.size() && common[i + 1][j] >= common[i][j + 1])) {
      diff.push_back("- " + before[i++]);
    } else {
      diff.push_back("+ " + after[j++]);
    }
  }
  return diff;
}

}  // namespace golden
