#include "options82/edit.h"

#include <algorithm>
#include <cassert>

#include "options82/agent_information.h"

namespace options82 {

namespace {

[[nodiscard]] std::span<std::uint8_t> field_of(const EditableMessage& message) noexcept {
  return message.storage.subspan(message.options_offset, message.size - message.options_offset);
}

/// Octets that have to stay behind an appended option: END, and what follows it up to the trailing PADs.
[[nodiscard]] std::size_t kept_behind(Octets field, const Survey& found) noexcept {
  if (!found.has_end) {
    return 1;  // the END that will be added
  }
  std::size_t size = field.size();
  while (field[size - 1] == code::pad) {
    --size;  // stops at END at the latest
  }
  return size - found.end_offset;
}

/// Moves `[from, until)` of the message to the lower offset `to` and returns the offset behind it.
std::size_t close_up(const EditableMessage& message, std::size_t from, std::size_t until, std::size_t to) noexcept {
  const auto begin = message.storage.begin();
  const auto end = std::copy(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(until),
                             begin + static_cast<std::ptrdiff_t>(to));
  return static_cast<std::size_t>(end - begin);
}

void pad_to(EditableMessage& message, std::size_t size) noexcept {
  const std::size_t padded = std::min(std::max(message.size, size), message.storage.size());
  std::ranges::fill(message.storage.subspan(message.size, padded - message.size), code::pad);
  message.size = padded;
}

/// Where ours stands among the instances of option 82.
struct Own {
  Removal removal = Removal::absent;
  bool is_all = false;       ///< every instance together
  std::size_t instance = 0;  ///< else: the one that carries it, counted from 0
  std::size_t kept = 0;      ///< else: octets at the start of that instance's value which are somebody else's
};

[[nodiscard]] std::optional<Option> next_agent_information(OptionReader& reader) noexcept {
  auto option = reader.next();
  while (option && option->code != code::agent_information) {
    option = reader.next();
  }
  return option;
}

/// Whether the instances' values, one behind the other, are `own` (RFC 3396 section 7).
[[nodiscard]] bool concatenation_is(Octets field, Octets own) noexcept {
  OptionReader reader{field};
  while (const auto option = next_agent_information(reader)) {
    if (own.size() < option->value.size() || !std::ranges::equal(own.first(option->value.size()), option->value)) {
      return false;
    }
    own = own.subspan(option->value.size());
  }
  return own.empty();
}

[[nodiscard]] bool has_circuit_id_of(Octets content, Octets own) noexcept {
  const auto theirs = find_sub_option(content, SubOption::circuit_id);
  const auto ours = find_sub_option(own, SubOption::circuit_id);
  return theirs && ours && std::ranges::equal(*theirs, *ours);
}

[[nodiscard]] bool ends_with(Octets content, Octets own) noexcept {
  return content.size() > own.size() && std::ranges::equal(content.last(own.size()), own) &&
         is_well_formed(content.first(content.size() - own.size()));
}

[[nodiscard]] Own locate(Octets field, Octets own, Recognition recognition) noexcept {
  Own found;
  OptionReader reader{field};
  std::size_t instance = 0;
  std::optional<Own> by_circuit_id;
  std::optional<Own> last_tail;
  for (; const auto option = next_agent_information(reader); ++instance) {
    last_tail.reset();
    if (std::ranges::equal(option->value, own)) {
      found = {Removal::removed, false, instance, 0};
    } else if (ends_with(option->value, own)) {
      last_tail = Own{Removal::removed, false, instance, option->value.size() - own.size()};
    } else if (has_circuit_id_of(option->value, own)) {
      by_circuit_id = Own{Removal::removed, false, instance, 0};
    }
  }
  if (instance == 0) {
    return found;
  }
  if (own.empty()) {
    return {Removal::foreign};
  }
  if (concatenation_is(field, own)) {
    return {Removal::removed, true};
  }
  if (found.removal == Removal::removed) {
    return found;
  }
  if (last_tail) {
    return *last_tail;
  }
  if (by_circuit_id && recognition == Recognition::by_circuit_id) {
    return *by_circuit_id;
  }
  return {Removal::foreign};
}

/// Takes out what `own` points at, closes the gaps in one pass, and leaves the field well-formed and padded.
void excise(EditableMessage& message, const Own& own) noexcept {
  OptionReader reader{field_of(message)};
  std::size_t from = message.options_offset;  // first octet that has not been moved yet
  std::size_t to = message.options_offset;
  std::size_t instance = 0;
  for (; const auto option = next_agent_information(reader); ++instance) {
    if (!own.is_all && instance != own.instance) {
      continue;
    }
    const std::size_t offset = message.options_offset + option->offset;
    const std::size_t kept = own.is_all ? 0 : own.kept;
    if (kept > 0) {
      message.storage[offset + 1] = static_cast<std::uint8_t>(kept);
    }
    to = close_up(message, from, kept > 0 ? offset + option_head_size + kept : offset, to);
    from = message.options_offset + option->end_offset();
  }
  const bool has_end = reader.stop() == ReadStop::end_option;
  const std::size_t end_offset = message.options_offset + reader.offset() - (from - to);
  message.size = close_up(message, from, message.size, to);
  if (!has_end) {
    message.storage[end_offset] = code::end;  // at least two octets were taken out, so there is room
    message.size = std::max(message.size, end_offset + 1);
  }
  pad_to(message, min_message_size);
}

}  // namespace

std::size_t size_with_option(const EditableMessage& message, const Survey& found, std::size_t content_size,
                             std::size_t removed) noexcept {
  const std::size_t needed = message.options_offset + found.end_offset - removed + option_head_size + content_size +
                             kept_behind(field_of(message), found);
  return std::max({needed, message.size - removed, min_message_size});
}

void append_agent_information(EditableMessage& message, const Survey& found, Octets content) noexcept {
  const std::size_t kept = kept_behind(field_of(message), found);
  const std::size_t size = size_with_option(message, found, content.size());
  assert(!found.damaged && content.size() <= max_option_value_size && size <= message.storage.size());

  const std::size_t at = message.options_offset + found.end_offset;
  const std::size_t behind = at + option_head_size + content.size();
  if (found.has_end) {
    const auto tail = message.storage.subspan(at, kept);
    std::copy_backward(tail.begin(), tail.end(), message.storage.subspan(behind, kept).end());
  } else {
    message.storage[behind] = code::end;
  }
  message.storage[at] = code::agent_information;
  message.storage[at + 1] = static_cast<std::uint8_t>(content.size());
  std::ranges::copy(content, message.storage.subspan(at + option_head_size).begin());
  message.size = std::max(message.size, behind + kept);
  pad_to(message, size);
}

void remove_agent_information(EditableMessage& message) noexcept {
  if (survey(field_of(message)).agent_information_count > 0) {
    excise(message, {Removal::removed, true});
  }
}

Removal find_own_agent_information(Octets field, Octets own, Recognition recognition) noexcept {
  return locate(field, own, recognition).removal;
}

Removal remove_own_agent_information(EditableMessage& message, Octets own, Recognition recognition) noexcept {
  const Own found = locate(field_of(message), own, recognition);
  if (found.removal == Removal::removed) {
    excise(message, found);
  }
  return found.removal;
}

}  // namespace options82
