#include "options82/edit.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "options82/agent_information.h"

namespace options82 {

namespace {

[[nodiscard]] std::span<std::uint8_t> field_of(const EditableMessage& message) noexcept {
  return message.storage.subspan(message.options_offset, message.size - message.options_offset);
}

/// The size of `field` without the PADs at its end, of which most requests have dozens.
[[nodiscard]] std::size_t size_without_pads(Octets field) noexcept {
  constexpr std::array<std::uint8_t, sizeof(std::uint64_t)> pads{};
  static_assert(code::pad == 0);
  std::size_t size = field.size();
  while (size >= pads.size() && std::memcmp(&field[size - pads.size()], pads.data(), pads.size()) == 0) {
    size -= pads.size();
  }
  while (size > 0 && field[size - 1] == code::pad) {
    --size;
  }
  return size;
}

/// Octets that have to stay behind an appended option: END, and what follows it up to the trailing PADs.
[[nodiscard]] std::size_t kept_behind(Octets field, const Survey& found) noexcept {
  return found.has_end ? size_without_pads(field) - found.end_offset : 1;  // without END, the one that will be added
}

/// Moves `[from, until)` of the message to the lower offset `to` and returns the offset behind it.
std::size_t close_up(const EditableMessage& message, std::size_t from, std::size_t until, std::size_t to) noexcept {
  if (from == to) {
    return until;  // nothing was taken out so far
  }
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
  enum class Part : std::uint8_t {
    nothing,
    rest,             ///< everything behind the first `kept` octets of all values together
    equal_instances,  ///< each instance whose value is ours
    one_instance,     ///< the one with the number `instance`, counted from 0
  };
  Part part = Part::nothing;
  std::size_t kept = 0;
  std::size_t instance = 0;
};

[[nodiscard]] std::optional<Option> next_agent_information(OptionReader& reader) noexcept {
  auto option = reader.next();
  while (option && option->code != code::agent_information) {
    option = reader.next();
  }
  return option;
}

[[nodiscard]] bool is_own(Octets content, const OwnInformation& own) noexcept {
  return own.form.matches(content, own.facts);
}

[[nodiscard]] bool has_own_circuit_id(Octets content, const OwnInformation& own) noexcept {
  const auto theirs = find_sub_option(content, SubOption::circuit_id);
  return theirs && own.form.matches_circuit_id(*theirs, own.facts);
}

/// Ours at the end of `content`, behind nothing or somebody else's sub-options: how many octets come before it.
[[nodiscard]] std::optional<std::size_t> octets_before_own(Octets content, const OwnInformation& own) noexcept {
  SubOptionReader theirs{content};
  do {
    if (is_own(content.subspan(theirs.offset()), own)) {
      return theirs.offset();
    }
  } while (theirs.next());
  return std::nullopt;
}

/// The same in all values together, which are one option (RFC 3396 section 7).
[[nodiscard]] std::optional<std::size_t> octets_before_own_in(Octets field, const OwnInformation& own) noexcept {
  std::array<std::uint8_t, max_joined_size> storage;
  const Octets joined = join_agent_information(field, storage);
  return joined.size() == storage.size() ? std::nullopt : octets_before_own(joined, own);
}

[[nodiscard]] bool has_equal_instance(Octets field, const OwnInformation& own) noexcept {
  OptionReader reader{field};
  while (const auto option = next_agent_information(reader)) {
    if (is_own(option->value, own)) {
      return true;
    }
  }
  return false;
}

/// The number of the last instance that has our circuit-id.
[[nodiscard]] std::optional<std::size_t> last_with_own_circuit_id(Octets field, const OwnInformation& own) noexcept {
  std::optional<std::size_t> last;
  OptionReader reader{field};
  for (std::size_t instance = 0; const auto option = next_agent_information(reader); ++instance) {
    if (has_own_circuit_id(option->value, own)) {
      last = instance;
    }
  }
  return last;
}

[[nodiscard]] Own locate(Octets field, const OwnInformation& own) noexcept {
  std::size_t count = 0;
  Octets last;
  OptionReader reader{field};
  while (const auto option = next_agent_information(reader)) {
    last = option->value;
    ++count;
  }
  if (count == 0 || own.form.empty()) {
    return {};
  }
  if (count == 1) {
    if (const auto before = octets_before_own(last, own)) {
      return {Own::Part::rest, *before};
    }
  } else {
    const bool has_equal = has_equal_instance(field, own);
    const auto before = octets_before_own_in(field, own);
    if (before && (*before == 0 || !has_equal)) {
      return {Own::Part::rest, *before};
    }
    if (has_equal) {
      return {Own::Part::equal_instances};  // a server may have doubled it
    }
  }
  if (own.recognition == Recognition::by_circuit_id) {
    if (const auto instance = last_with_own_circuit_id(field, own)) {
      return {Own::Part::one_instance, 0, *instance};
    }
  }
  return {};
}

/// How many octets at the start of an instance's value stay; nothing where the instance stays as it is. `before` counts
/// the octets of the instances before it.
[[nodiscard]] std::optional<std::size_t> kept_of(const Own& found, const OwnInformation* own, std::size_t instance,
                                                 std::size_t before, Octets value) noexcept {
  switch (found.part) {
    case Own::Part::nothing:
      return std::nullopt;
    case Own::Part::rest:
      if (found.kept > 0 && before + value.size() <= found.kept) {
        return std::nullopt;
      }
      return found.kept - std::min(before, found.kept);
    case Own::Part::equal_instances:
      return own != nullptr && is_own(value, *own) ? std::optional<std::size_t>{0} : std::nullopt;
    case Own::Part::one_instance:
      return instance == found.instance ? std::optional<std::size_t>{0} : std::nullopt;
  }
  return std::nullopt;
}

/// Takes out what `found` says, closes the gaps in one pass, and leaves the field well-formed and padded. `own` tells
/// equal instances; null where they are not asked for.
void excise(EditableMessage& message, const Own& found, const OwnInformation* own) noexcept {
  OptionReader reader{field_of(message)};
  std::size_t from = message.options_offset;  // first octet that has not been moved yet
  std::size_t to = message.options_offset;
  std::size_t before = 0;
  std::size_t instance = 0;
  for (; const auto option = next_agent_information(reader); ++instance) {
    const auto kept = kept_of(found, own, instance, before, option->value);
    before += option->value.size();
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
  const std::size_t at = message.options_offset + found.end_offset;
  const std::size_t behind = at + option_head_size + content.size();
  const std::size_t size = std::max({behind + kept, message.size, min_message_size});
  assert(!found.damaged && content.size() <= max_option_value_size && size <= message.storage.size());

  if (found.has_end) {
    const auto tail = message.storage.subspan(at, kept);
    std::copy_backward(tail.begin(), tail.end(), message.storage.subspan(behind, kept).end());
  } else {
    message.storage[behind] = code::end;
  }
  message.storage[at] = code::agent_information;
  message.storage[at + 1] = static_cast<std::uint8_t>(content.size());
  std::copy(content.begin(), content.end(), message.storage.subspan(at + option_head_size).begin());
  message.size = std::max(message.size, behind + kept);
  pad_to(message, size);
}

void remove_agent_information(EditableMessage& message) noexcept {
  if (survey(field_of(message)).agent_information_count > 0) {
    excise(message, {Own::Part::rest}, nullptr);
  }
}

Removal find_own_agent_information(Octets field, const OwnInformation& own) noexcept {
  if (locate(field, own).part != Own::Part::nothing) {
    return Removal::removed;
  }
  return survey(field).agent_information_count > 0 ? Removal::foreign : Removal::absent;
}

Removal remove_own_agent_information(EditableMessage& message, const OwnInformation& own) noexcept {
  const Octets field = field_of(message);
  const Own found = locate(field, own);
  if (found.part == Own::Part::nothing) {
    return survey(field).agent_information_count > 0 ? Removal::foreign : Removal::absent;
  }
  excise(message, found, &own);
  return Removal::removed;
}

}  // namespace options82
