// options82/edit.h on any field and any content of ours: some edits one after the other, each against the slow twin.
// Input: one octet for the room behind the message (0: plenty), one for the octets in front of the field (0: 240), one
// with four edits of two bits each, one for the size of the content, the content, the field.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "options82/edit.h"
#include "options82/options.h"
#include "tests/fuzz/slow_edit.h"
#include "tests/fuzz/slow_options.h"
#include "tests/support/own_information.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using options82::Recognition;
using options82::Removal;
using View = std::span<const std::uint8_t>;

constexpr std::size_t setup_size = 4;
constexpr std::uint8_t headers_octet = 7;

struct Case {
  std::size_t room = 0;
  std::size_t header_size = 0;
  std::uint8_t edits = 0;
  View own;
  View field;
};

// The same message twice, for options82 and for the twin. Its storage ends with the room behind it, where the address
// sanitizer watches; the room is filled with `poison`.
class Edited {
 public:
  Edited(const Case& input, std::uint8_t poison)
      : poison_(poison), storage_(input.header_size + input.field.size() + input.room, poison) {
    std::fill_n(storage_.begin(), input.header_size, headers_octet);
    std::ranges::copy(input.field, storage_.begin() + static_cast<std::ptrdiff_t>(input.header_size));
    message_ = {storage_, input.header_size + input.field.size(), input.header_size};
    slow_ = {Octets(input.header_size, headers_octet), {input.field.begin(), input.field.end()}, storage_.size()};
    largest_ = message_.size;
  }

  Edited(const Edited&) = delete;
  Edited& operator=(const Edited&) = delete;
  ~Edited() = default;

  [[nodiscard]] View field() const {
    return View{storage_}.subspan(message_.options_offset, message_.size - message_.options_offset);
  }
  [[nodiscard]] const Octets& storage() const { return storage_; }

  /// Whether there was room.
  bool append(View content) {
    const auto found = options82::survey(field());
    const std::size_t size = options82::size_with_option(message_, found, content.size());
    fuzz::SlowMessage slow = slow_;
    slow.capacity = fuzz::whole;  // as if there were room for anything
    slow.append(content);
    require(slow.size() == size, "size_with_option agrees with the twin");
    if (size > storage_.size()) {
      return false;
    }
    options82::append_agent_information(message_, found, content);
    slow_.field = slow.field;
    require(message_.size == size && size >= options82::min_message_size, "append makes the size it announced");
    compare();
    return true;
  }

  void remove_all(std::size_t next_content_size) {
    const auto found = options82::survey(field());
    const std::size_t announced =
        options82::size_with_option(message_, found, next_content_size, found.agent_information_size);
    options82::remove_agent_information(message_);
    slow_.remove_all();
    compare();
    if (announced <= storage_.size()) {
      require(options82::size_with_option(message_, options82::survey(field()), next_content_size) == announced,
              "the size after a replacement is known before it");
    }
  }

  Removal remove_own(View own, Recognition recognition) {
    const Octets before = storage_;
    const auto announced = test_support::find_own(field(), own, recognition);
    const bool has_one = !slow_.values().empty();
    const auto kept =
        fuzz::find_own_slowly(slow_.values(), {own.begin(), own.end()}, recognition == Recognition::by_circuit_id);
    const auto removal = test_support::remove_own(message_, own, recognition);
    slow_.remove_own({own.begin(), own.end()}, recognition == Recognition::by_circuit_id);
    require(announced == removal, "find announces what remove does");
    const auto expected = has_one && kept ? Removal::removed : has_one ? Removal::foreign : Removal::absent;
    require(removal == expected, "remove agrees with the twin on what is ours");
    require(removal == Removal::removed || storage_ == before, "where nothing is ours, nothing changes");
    compare();
    return removal;
  }

 private:
  void compare() {
    require(message_.size <= storage_.size() && message_.storage.size() == storage_.size(),
            "the size never exceeds the capacity");
    require(std::ranges::equal(View{storage_}.first(message_.size), slow_.octets()), "the edit agrees with the twin");
    largest_ = std::max(largest_, message_.size);
    require(std::ranges::all_of(View{storage_}.subspan(largest_), [this](auto octet) { return octet == poison_; }),
            "nothing is written behind the message");
  }

  std::uint8_t poison_;
  Octets storage_;
  options82::EditableMessage message_;
  fuzz::SlowMessage slow_;
  std::size_t largest_ = 0;
};

// Four edits of any kind. Returns the field that they leave.
Octets edit(const Case& input, std::uint8_t poison) {
  Edited edited{input, poison};
  for (unsigned shift = 0; shift < 8; shift += 2) {
    switch (input.edits >> shift & 3U) {
      case 0:
        edited.append(input.own);
        break;
      case 1:
        edited.remove_all(input.own.size());
        break;
      case 2:
        edited.remove_own(input.own, Recognition::by_circuit_id);
        break;
      default:
        edited.remove_own(input.own, Recognition::exact);
        break;
    }
  }
  const View field = edited.field();
  return {field.begin(), field.end()};
}

// What is true of an append and of the removal that follows it, whatever the twin may think.
void append_and_remove(const Case& input, std::uint8_t poison) {
  Edited edited{input, poison};
  if (!edited.append(input.own)) {
    return;
  }
  const auto before = fuzz::read_slowly(input.field);
  const auto after = fuzz::read_slowly(edited.field());
  require(std::ranges::all_of(View{edited.storage()}.first(input.header_size),
                              [](auto octet) { return octet == headers_octet; }),
          "append leaves what stands in front of the field");
  require(std::ranges::equal(input.field.first(before.end_offset), edited.field().first(before.end_offset)),
          "append leaves what stands before option 82");
  require(after.has_end && after.options.size() == before.options.size() + 1 && after.options.back().code == 82 &&
              std::ranges::equal(after.options.back().value, input.own),
          "ours is the last option, before END");

  Edited stripped{input, poison};
  (void)stripped.append(input.own);
  const auto removal = stripped.remove_own(input.own, Recognition::exact);
  require(removal == (input.own.empty() ? Removal::foreign : Removal::removed), "ours is known");
  edited.remove_all(input.own.size());
  const auto rest = fuzz::read_slowly(edited.field());
  require(fuzz::same(rest.options, before.without(82)) && rest.has_end,
          "remove takes every option 82 and nothing else");
  if (rest.options.size() == before.options.size()) {
    require(fuzz::normal(edited.field()) == fuzz::normal(input.field), "strip(append(m)) == m, trailing pad apart");
    require(input.own.empty() || fuzz::normal(stripped.field()) == fuzz::normal(input.field),
            "removing ours alone comes to the same");
  }
}

// A reply that the relay strips. Nothing but option 82 may go, and where there is none of ours, nothing.
void remove_from_reply(const Case& input, std::uint8_t poison) {
  for (const auto recognition : {Recognition::exact, Recognition::by_circuit_id}) {
    Edited edited{input, poison};
    const auto removal = edited.remove_own(input.own, recognition);
    const auto before = fuzz::read_slowly(input.field);
    const auto after = fuzz::read_slowly(edited.field());
    require(fuzz::same(before.without(82), after.without(82)), "only option 82 is removed");
    require((removal == Removal::absent) == (before.without(82).size() == before.options.size()),
            "absent means that there is none");
    require(removal != Removal::removed || after.has_end, "a field that was edited has an END");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < setup_size) {
    return -1;
  }
  const View input{data, size};
  const View rest = input.subspan(setup_size);
  const View octets = rest.first(std::min<std::size_t>(input[3], rest.size()));
  const View own = options82::is_well_formed(octets) ? octets : View{};  // what we write is
  const Case all{input[0] == 0 ? std::size_t{1200} : input[0], input[1] == 0 ? std::size_t{240} : input[1], input[2],
                 own, rest.subspan(octets.size())};
  if (options82::survey(all.field).damaged) {
    (void)test_support::find_own(all.field, own, Recognition::by_circuit_id);  // any field will do
    return 0;
  }
  for (const std::uint8_t poison : {std::uint8_t{0xa5}, std::uint8_t{0x5a}}) {
    append_and_remove(all, poison);
    remove_from_reply(all, poison);
  }
  require(edit(all, 0xa5) == edit(all, 0x5a), "no octet comes from outside the message and the content");
  return 0;
}
