// The readers of options82 against their slow twin, on any octets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "options82/options.h"
#include "tests/fuzz/slow_options.h"

namespace fuzz {

inline void compare_survey(std::span<const std::uint8_t> field, const SlowOptions& slow) {
  const auto found = options82::survey(field);
  std::size_t instances = 0;
  std::size_t size = 0;
  std::size_t first = slow.end_offset;
  std::optional<std::uint8_t> message_type;
  for (const SlowOption& option : slow.options) {
    if (option.code == 82) {
      first = instances == 0 ? option.offset : first;
      ++instances;
      size += 2 + option.value.size();
    }
    if (option.code == 53 && option.value.size() == 1 && !message_type) {
      message_type = option.value[0];
    }
  }
  require(found.damaged == slow.damaged && found.has_end == slow.has_end && found.end_offset == slow.end_offset &&
              found.agent_information_count == instances && found.agent_information_size == size &&
              found.agent_information_offset == first && found.message_type == message_type,
          "the survey agrees with the twin");
}

inline void compare_readers(std::span<const std::uint8_t> field) {
  const SlowOptions slow = read_slowly(field);
  options82::OptionReader reader{field};
  std::size_t count = 0;
  while (const auto option = reader.next()) {
    require(count < slow.options.size(), "the reader finds no more options than its twin");
    const SlowOption& twin = slow.options[count++];
    require(option->code == twin.code && option->offset == twin.offset && std::ranges::equal(option->value, twin.value),
            "the reader agrees with its twin");
  }
  require(count == slow.options.size(), "the reader finds no fewer options than its twin");
  require(!reader.next() && (reader.stop() == options82::ReadStop::damaged) == slow.damaged &&
              (reader.stop() == options82::ReadStop::end_option) == slow.has_end && reader.offset() == slow.end_offset,
          "the reader stops where its twin does, for good");
  compare_survey(field, slow);
}

}  // namespace fuzz
