// The slow and obvious twin of the option reader, and what every fuzz target needs: `require`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace fuzz {

using Octets = std::vector<std::uint8_t>;

/// Ends the run, so that libFuzzer keeps the input, unless `holds`.
inline void require(bool holds, const char* invariant) noexcept {
  if (!holds) {
    std::fprintf(stderr, "broken invariant: %s\n", invariant);
    std::abort();
  }
}

struct SlowOption {
  std::uint8_t code = 0;
  std::size_t offset = 0;
  Octets value;

  [[nodiscard]] bool is_same(const SlowOption& other) const { return code == other.code && value == other.value; }
};

struct SlowOptions {
  std::vector<SlowOption> options;
  bool damaged = false;
  bool has_end = false;
  std::size_t end_offset = 0;  ///< of END, of the damage, or of the octet behind the last option

  /// Without the instances of `code`.
  [[nodiscard]] std::vector<SlowOption> without(std::uint8_t code) const {
    std::vector<SlowOption> rest;
    for (const SlowOption& option : options) {
      if (option.code != code) {
        rest.push_back(option);
      }
    }
    return rest;
  }
};

/// Reads a field octet by octet, copying everything. Sub-options are read so too: they have neither PAD nor END.
inline SlowOptions read_slowly(std::span<const std::uint8_t> field, bool has_pad_and_end = true) {
  SlowOptions result;
  std::size_t at = 0;
  while (at < field.size()) {
    const std::uint8_t code = field[at];
    if (has_pad_and_end && code == 0) {
      at += 1;
      continue;
    }
    result.end_offset = at;
    if (has_pad_and_end && code == 255) {
      result.has_end = true;
      return result;
    }
    if (at + 1 == field.size() || at + 2 + field[at + 1] > field.size()) {
      result.damaged = true;
      return result;
    }
    SlowOption option{code, at, {}};
    for (std::size_t i = 0; i < field[at + 1]; ++i) {
      option.value.push_back(field[at + 2 + i]);
    }
    at += 2 + option.value.size();
    result.options.push_back(option);
    result.end_offset = at;
  }
  return result;
}

[[nodiscard]] inline bool same(const std::vector<SlowOption>& left, const std::vector<SlowOption>& right) {
  if (left.size() != right.size()) {
    return false;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!left[i].is_same(right[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace fuzz
