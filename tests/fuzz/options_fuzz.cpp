// The readers of options82 against their slow twin, and the round trip of append and remove on any options field.
// Input: one octet for the room behind the message, one for the size of our option 82's content, the content, the
// field.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "options82/agent_information.h"
#include "options82/edit.h"
#include "options82/options.h"
#include "tests/fuzz/slow_options.h"
#include "tests/support/own_information.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using View = std::span<const std::uint8_t>;

constexpr std::size_t header_size = 240;
constexpr std::uint8_t poison = 0xa5;

void compare_readers(View field) {
  const auto slow = fuzz::read_slowly(field);
  options82::OptionReader reader{field};
  std::size_t count = 0;
  while (const auto option = reader.next()) {
    require(count < slow.options.size(), "the reader finds no more options than its twin");
    const auto& twin = slow.options[count++];
    require(option->code == twin.code && option->offset == twin.offset && std::ranges::equal(option->value, twin.value),
            "the reader agrees with its twin");
  }
  require(count == slow.options.size(), "the reader finds no fewer options than its twin");
  require(!reader.next() && (reader.stop() == options82::ReadStop::damaged) == slow.damaged &&
              (reader.stop() == options82::ReadStop::end_option) == slow.has_end && reader.offset() == slow.end_offset,
          "the reader stops where its twin does, for good");

  const auto found = options82::survey(field);
  std::size_t instances = 0;
  std::size_t size = 0;
  std::optional<std::uint8_t> message_type;
  for (const auto& option : slow.options) {
    if (option.code == 82) {
      ++instances;
      size += 2 + option.value.size();
    }
    if (option.code == 53 && option.value.size() == 1 && !message_type) {
      message_type = option.value[0];
    }
  }
  require(found.damaged == slow.damaged && found.has_end == slow.has_end && found.end_offset == slow.end_offset &&
              found.agent_information_count == instances && found.agent_information_size == size &&
              found.message_type == message_type,
          "the survey agrees with the twin");
}

void compare_sub_options(View content) {
  const auto slow = fuzz::read_slowly(content, false);
  require(options82::is_well_formed(content) == !slow.damaged, "is_well_formed agrees with the twin");
  for (unsigned code = 0; code < 256; ++code) {
    const auto found = options82::find_sub_option(content, static_cast<options82::SubOption>(code));
    const auto twin = std::ranges::find(slow.options, code, &fuzz::SlowOption::code);
    require(found.has_value() == (twin != slow.options.end()), "find_sub_option agrees with the twin");
    require(!found || std::ranges::equal(*found, twin->value), "find_sub_option agrees with the twin on the value");
  }
  options82::AgentInformation built;
  for (const auto& option : slow.options) {
    require(built.add(static_cast<options82::SubOption>(option.code), option.value), "what fitted, fits again");
  }
  require(std::ranges::equal(built.octets(), content.first(slow.end_offset)), "add encodes what was read");
}

// A message in storage of exactly its size and the room behind it.
struct Edited {
  Edited(View field, std::size_t room) : storage(header_size + field.size() + room, poison) {
    std::fill_n(storage.begin(), header_size, std::uint8_t{7});
    std::ranges::copy(field, storage.begin() + header_size);
    message = {storage, header_size + field.size(), header_size};
  }

  [[nodiscard]] View field() const { return View{storage}.subspan(header_size, message.size - header_size); }

  Octets storage;
  options82::EditableMessage message;
};

// The field as it is without the padding behind it, and with the END that an edit adds.
Octets normal(View field) {
  const auto slow = fuzz::read_slowly(field);
  Octets result{field.begin(), field.end()};
  if (!slow.has_end) {
    result.resize(slow.end_offset);
    result.push_back(255);
  }
  while (result.back() == 0) {
    result.pop_back();
  }
  return result;
}

void append_and_remove(View field, View content, std::size_t room) {
  const auto before = fuzz::read_slowly(field);
  const auto found = options82::survey(field);
  Edited edited{field, room};
  const std::size_t size = options82::size_with_option(edited.message, found, content.size());
  if (size > edited.storage.size()) {
    return;
  }
  options82::append_agent_information(edited.message, found, content);
  require(edited.message.size == size && size >= options82::min_message_size, "append makes the size it announced");
  require(std::ranges::all_of(View{edited.storage}.first(header_size), [](auto octet) { return octet == 7; }) &&
              std::ranges::all_of(View{edited.storage}.subspan(std::max(size, header_size + field.size())),
                                  [](auto octet) { return octet == poison; }),
          "append writes nothing outside the field");
  require(std::ranges::equal(field.first(found.end_offset), edited.field().first(found.end_offset)),
          "append leaves what stands before option 82");
  const auto after = fuzz::read_slowly(edited.field());
  require(after.has_end && after.options.size() == before.options.size() + 1 && after.options.back().code == 82 &&
              std::ranges::equal(after.options.back().value, content),
          "ours is the last option, before END");

  const bool is_nobodys = content.empty() || !options82::is_well_formed(content);
  Edited own = edited;
  own.message.storage = own.storage;
  const auto removal = test_support::remove_own(own.message, content, options82::Recognition::exact);
  require(removal == (is_nobodys ? options82::Removal::foreign : options82::Removal::removed), "ours is known");
  options82::remove_agent_information(edited.message);
  const auto rest = fuzz::read_slowly(edited.field());
  require(fuzz::same(rest.options, before.without(82)) && rest.has_end,
          "remove takes every option 82 and nothing else");
  if (rest.options.size() == before.options.size()) {
    require(normal(edited.field()) == normal(field), "strip(append(m)) == m, trailing pad apart");
    require(is_nobodys || normal(own.field()) == normal(field), "removing ours alone comes to the same");
  }
}

void remove_from_reply(View field, View content, std::size_t room) {
  for (const auto recognition : {options82::Recognition::exact, options82::Recognition::by_circuit_id}) {
    Edited edited{field, room};
    const auto announced = test_support::find_own(field, content, recognition);
    const auto removal = test_support::remove_own(edited.message, content, recognition);
    require(announced == removal, "find announces what remove does");
    const auto before = fuzz::read_slowly(field);
    const auto after = fuzz::read_slowly(edited.field());
    require(fuzz::same(before.without(82), after.without(82)), "only option 82 is removed");
    require((removal == options82::Removal::absent) == (before.without(82).size() == before.options.size()),
            "absent means that there is none");
    require(removal == options82::Removal::removed || std::ranges::equal(field, edited.field()),
            "what is not ours stays as it was");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return -1;
  }
  const View input{data, size};
  const std::size_t room = input[0] == 0 ? 600 : input[0];
  const View rest = input.subspan(2);
  const View content = rest.first(std::min<std::size_t>(input[1], rest.size()));
  const View field = rest.subspan(content.size());
  compare_readers(field);
  compare_sub_options(content);
  (void)test_support::find_own(field, content);
  if (!options82::survey(field).damaged) {
    append_and_remove(field, content, room);
    remove_from_reply(field, content, room);
  }
  return 0;
}
