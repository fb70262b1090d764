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

/// What is ours among the instances of option 82.
struct Own {
  enum class Part : std::uint8_t { nothing, all_instances, equal_instances, one_instance };
  Part part = Part::nothing;
  std::size_t instance = 0;  ///< of `one_instance`, counted from 0
  std::size_t kept = 0;      ///< of `one_instance`: octets at the start of its value which are somebody else's
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
  bool has_equal = false;
  std::optional<Own> tail;  // of the last instance
  std::optional<Own> by_circuit_id;
  OptionReader reader{field};
  std::size_t instance = 0;
  for (; const auto option = next_agent_information(reader); ++instance) {
    tail.reset();
    if (std::ranges::equal(option->value, own)) {
      has_equal = true;
    } else if (ends_with(option->value, own)) {
      tail = Own{Own::Part::one_instance, instance, option->value.size() - own.size()};
    } else if (has_circuit_id_of(option->value, own)) {
      by_circuit_id = Own{Own::Part::one_instance, instance, 0};
    }
  }
  if (instance == 0 || own.empty()) {
    return {};
  }
  if (concatenation_is(field, own)) {
    return {Own::Part::all_instances};
  }
  if (has_equal) {
    return {Own::Part::equal_instances};  // a server may have doubled it
  }
  if (tail) {
    return *tail;
  }
  return recognition == Recognition::by_circuit_id ? by_circuit_id.value_or(Own{}) : Own{};
}

/// How many octets at the start of an instance's value stay; nothing where the instance stays as it is.
[[nodiscard]] std::optional<std::size_t> kept_of(const Own& found, Octets own, std::size_t instance,
                                                 Octets value) noexcept {
  switch (found.part) {
    case Own::Part::nothing:
      return std::nullopt;
    case Own::Part::all_instances:
      return 0;
    case Own::Part::equal_instances:
      return std::ranges::equal(value, own) ? std::optional<std::size_t>{0} : std::nullopt;
    case Own::Part::one_instance:
      return instance == found.instance ? std::optional{found.kept} : std::nullopt;
  }
  return std::nullopt;
}

/// Takes out what `found` says, closes the gaps in one pass, and leaves the field well-formed and padded.
void excise(EditableMessage& message, const Own& found, Octets own) noexcept {
  OptionReader reader{field_of(message)};
  std::size_t from = message.options_offset;  // first octet that has not been moved yet
  std::size_t to = message.options_offset;
  std::size_t instance = 0;
  for (; const auto option = next_agent_information(reader); ++instance) {
    const auto kept = kept_of(found, own, instance, option->value);
    if (!kept) {
      continue;
    }
    const std::size_t offset = message.options_offset + option->offset;
    if (*kept > 0) {
      message.storage[offset + 1] = static_cast<std::uint8_t>(*kept);
    }
    to = close_up(message, from, *kept > 0 ? offset + option_head_size + *kept : offset, to);
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
    excise(message, {Own::Part::all_instances}, {});
  }
}

Removal find_own_agent_information(Octets field, Octets own, Recognition recognition) noexcept {
  if (locate(field, own, recognition).part != Own::Part::nothing) {
    return Removal::removed;
  }
  return survey(field).agent_information_count > 0 ? Removal::foreign : Removal::absent;
}

Removal remove_own_agent_information(EditableMessage& message, Octets own, Recognition recognition) noexcept {
  const Octets field = field_of(message);
  const Own found = locate(field, own, recognition);
  if (found.part == Own::Part::nothing) {
    return survey(field).agent_information_count > 0 ? Removal::foreign : Removal::absent;
  }
  excise(message, found, own);
  return Removal::removed;
}

}  // namespace options82
