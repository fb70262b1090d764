#include "tests/support/text_table.h"

#include <algorithm>

namespace test_support {

Words words_of(std::string_view line, char separator) {
  Words result;
  while (!line.empty()) {
    const std::size_t size = std::min(line.find(separator), line.size());
    if (size > 0) {
      result.push_back(line.substr(0, size));
    }
    line.remove_prefix(std::min(size + 1, line.size()));
  }
  return result;
}

std::vector<Words> rows_of(std::string_view table) {
  std::vector<Words> result;
  for (const std::string_view line : words_of(table, '\n')) {
    const Words words = words_of(line);
    if (!words.empty() && words.front().front() != '#') {
      result.push_back(words);
    }
  }
  return result;
}

}  // namespace test_support
