#include "options82/edit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/own_information.h"

namespace options82 {
namespace {

using test_support::Bytes;
using test_support::encoded;
using test_support::GuardedMessage;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::parsed_message;
using test_support::ParsedField;
using test_support::ParsedOption;
using test_support::text;
using test_support::values_of;
using test_support::without_trailing_pad;

constexpr std::size_t options_offset = 240;

EditableMessage editable(GuardedMessage& message) {
  return {message.buffer().room(), message.buffer().size(), options_offset};
}

Octets field_of(const EditableMessage& message) {
  return std::span<const std::uint8_t>{message.storage}.subspan(options_offset, message.size - options_offset);
}

/// The message with option 82 appended, by the code under test.
Bytes appended(const Bytes& message, const Bytes& content, std::size_t room = 600) {
  GuardedMessage guarded{message, room};
  EditableMessage edited = editable(guarded);
  const Survey found = survey(field_of(edited));
  const std::size_t size = size_with_option(edited, found, content.size());
  EXPECT_LE(size, edited.storage.size()) << "the test left too little room";
  append_agent_information(edited, found, content);
  EXPECT_EQ(edited.size, size);
  guarded.buffer().resize(edited.size);
  EXPECT_TRUE(guarded.is_intact_beside());
  return guarded.octets();
}

/// The same by the slow twin: everything up to END, option 82, END, PADs. Needs nothing but PADs behind END.
Bytes slowly_appended(const Bytes& message, const Bytes& content) {
  const std::size_t end = options_offset + parsed_message(message).end_offset;
  Bytes result(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(end));
  result = joined({result, encoded(82, content), {255}});
  result.resize(std::max({result.size(), message.size(), min_message_size}), 0);
  return result;
}

Bytes removed(const Bytes& message, std::size_t room = 600) {
  GuardedMessage guarded{message, room};
  EditableMessage edited = editable(guarded);
  remove_agent_information(edited);
  EXPECT_LE(edited.size, edited.storage.size());
  guarded.buffer().resize(edited.size);
  EXPECT_TRUE(guarded.is_intact_beside());
  return guarded.octets();
}

/// The message up to END without option 82 and with END, by the slow twin; PADs between options stay.
Bytes slowly_removed(const Bytes& message) {
  const std::size_t end = options_offset + parsed_message(message).end_offset;
  Bytes result(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(options_offset));
  for (std::size_t at = options_offset; at < end;) {
    const std::size_t size = message[at] == 0 ? 1 : 2U + message[at + 1];
    if (message[at] != 82) {
      result.insert(result.end(), message.begin() + static_cast<std::ptrdiff_t>(at),
                    message.begin() + static_cast<std::ptrdiff_t>(at + size));
    }
    at += size;
  }
  result.push_back(255);
  return result;
}

void expect_well_formed(const Bytes& message) {
  const ParsedField field = parsed_message(message);
  EXPECT_FALSE(field.damaged);
  EXPECT_TRUE(field.has_end);
}

const Bytes own = joined({encoded(1, text("c0")), encoded(2, text("relay"))});

// Appending

struct AppendCase {
  const char* description;
  Bytes options;   ///< the options field
  Bytes expected;  ///< the options field afterwards, without PADs at its end
};

TEST(AppendAgentInformation, row_4A_02_is_the_last_option_before_END) {
  const Bytes content{1, 2, 'c', '0'};
  const std::vector<AppendCase> cases{
      {"options and END", {53, 1, 1, 255}, {53, 1, 1, 82, 4, 1, 2, 'c', '0', 255}},
      {"END missing, PADs behind the options", {53, 1, 1, 0, 0, 0}, {53, 1, 1, 82, 4, 1, 2, 'c', '0', 255}},
      {"END missing at the end of the message", {53, 1, 1}, {53, 1, 1, 82, 4, 1, 2, 'c', '0', 255}},
      {"END first", {255, 0, 0}, {82, 4, 1, 2, 'c', '0', 255}},
      {"an empty field", {}, {82, 4, 1, 2, 'c', '0', 255}},
      {"PADs alone", {0, 0, 0}, {82, 4, 1, 2, 'c', '0', 255}},
      {"PADs between options",
       {0, 53, 1, 1, 0, 12, 1, 'a', 255},
       {0, 53, 1, 1, 0, 12, 1, 'a', 82, 4, 1, 2, 'c', '0', 255}},
      {"an option of no octets at the end", {53, 1, 1, 80, 0, 255}, {53, 1, 1, 80, 0, 82, 4, 1, 2, 'c', '0', 255}},
      {"somebody else's option 82", {82, 3, 1, 1, 'x', 255}, {82, 3, 1, 1, 'x', 82, 4, 1, 2, 'c', '0', 255}},
      {"row 4R-12: option 43 with 82 and 255 inside",
       {43, 4, 82, 1, 255, 255, 255},
       {43, 4, 82, 1, 255, 255, 82, 4, 1, 2, 'c', '0', 255}},
  };
  for (const AppendCase& test : cases) {
    const Bytes message = joined({Bytes(options_offset, 7), test.options});
    const Bytes result = appended(message, content);
    EXPECT_EQ(result.size(), min_message_size) << test.description;
    EXPECT_EQ(without_trailing_pad(result), joined({Bytes(options_offset, 7), test.expected})) << test.description;
  }
}

TEST(AppendAgentInformation, PADs_behind_END_make_room_before_the_message_grows) {
  const MessageBuilder builder = test_support::discover();  // 260 octets of it are used
  const std::size_t used = without_trailing_pad(builder.octets()).size();
  const Bytes content(8, 1);
  const std::size_t needed = used + 2 + content.size();
  for (const std::size_t size : {needed + 100, needed + 1, needed, needed - 1, used}) {
    const Bytes message = MessageBuilder{builder}.padded_to(size).octets();
    EXPECT_EQ(appended(message, content).size(), std::max({size, needed, std::size_t{300}})) << size;
  }
}

TEST(AppendAgentInformation, grows_by_exactly_what_is_missing) {
  // 400 octets that end with END: every octet of option 82 is growth. With PADs behind END, less.
  for (const std::size_t pads : {std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{10}, std::size_t{11}}) {
    MessageBuilder builder;
    builder.option(43, Bytes(157, 9)).tail(Bytes(pads, 0));
    ASSERT_EQ(builder.octets().size(), 400 + pads);
    EXPECT_EQ(appended(builder.octets(), Bytes(8, 1)).size(), std::max<std::size_t>(410, 400 + pads)) << pads;
  }
}

TEST(AppendAgentInformation, circuit_ids_of_every_size_around_the_least_message_size) {
  // SONiC failed for certain sizes of option 82 only.
  for (std::size_t circuit_size = 0; circuit_size <= 253; ++circuit_size) {
    const Bytes content = encoded(1, Bytes(circuit_size, 'x'));
    for (const std::size_t result_size : {std::size_t{298}, std::size_t{299}, std::size_t{300}, std::size_t{301},
                                          std::size_t{302}, std::size_t{576}, std::size_t{577}}) {
      const std::size_t fixed = options_offset + 1 + 2 + content.size();  // header, cookie, END, option 82
      if (fixed + 2 > result_size || result_size - fixed - 2 > 255) {
        continue;
      }
      const Bytes message = MessageBuilder{}.option(43, Bytes(result_size - fixed - 2, 255)).octets();
      const Bytes result = appended(message, content);
      ASSERT_EQ(result, slowly_appended(message, content)) << circuit_size << " " << result_size;
      ASSERT_EQ(result.size(), std::max(result_size, min_message_size)) << circuit_size;
      ASSERT_EQ(without_trailing_pad(removed(result)), message) << circuit_size << " " << result_size;
    }
  }
}

TEST(AppendAgentInformation, uses_all_of_its_storage_and_no_octet_behind) {
  const Bytes content(20, 1);
  MessageBuilder builder;
  builder.option(43, Bytes(100, 9));
  const Bytes message = builder.octets();
  const Bytes result = appended(message, content, 22);  // as much room as option 82 takes
  EXPECT_EQ(result.size(), message.size() + 22);
  EXPECT_EQ(values_of(result, 82), std::vector<Bytes>{content});
}

TEST(AppendAgentInformation, size_takes_account_of_what_will_have_been_taken_out) {
  const Bytes message = MessageBuilder{}.option(43, Bytes(200, 9)).agent_information(Bytes(30, 2)).octets();
  GuardedMessage guarded{message, 300};
  const EditableMessage edited = editable(guarded);
  const Survey found = survey(field_of(edited));
  EXPECT_EQ(size_with_option(edited, found, 30), message.size() + 32);
  EXPECT_EQ(size_with_option(edited, found, 40, 32), message.size() + 10);
}

TEST(AppendAgentInformation, the_largest_content_fits_one_option) {
  const Bytes result = appended(test_support::discover().octets(), Bytes(255, 3));
  EXPECT_EQ(values_of(result, 82), std::vector<Bytes>{Bytes(255, 3)});
  expect_well_formed(result);
}

TEST(AppendAgentInformation, octets_behind_END_that_are_no_PADs_stay_behind_it) {
  const Bytes tail(60, 0x35);
  const Bytes message = test_support::discover().tail(tail).octets();
  const Bytes result = appended(message, own);
  expect_well_formed(result);
  EXPECT_EQ(values_of(result, 82), std::vector<Bytes>{own});
  EXPECT_EQ(parsed_message(result).options.size(), parsed_message(message).options.size() + 1);
  EXPECT_EQ(Bytes(result.end() - static_cast<std::ptrdiff_t>(tail.size()), result.end()), tail);
  EXPECT_EQ(without_trailing_pad(removed(result)), message);
}

// Removing

struct RemoveCase {
  const char* description;
  Bytes options;
  Bytes expected;  ///< without PADs at the end
};

TEST(RemoveAgentInformation, row_4D_10_leaves_a_well_formed_field) {
  const std::vector<RemoveCase> cases{
      {"the last option", {53, 1, 2, 82, 2, 1, 0, 255}, {53, 1, 2, 255}},
      {"the first option", {82, 2, 1, 0, 53, 1, 2, 255}, {53, 1, 2, 255}},
      {"the only option", {82, 2, 1, 0, 255}, {255}},
      {"an empty one", {53, 1, 2, 82, 0, 255}, {53, 1, 2, 255}},
      {"between options, a longer one behind it",
       {53, 1, 2, 82, 2, 1, 0, 60, 6, 'v', 'e', 'n', 'd', 'o', 'r', 255},
       {53, 1, 2, 60, 6, 'v', 'e', 'n', 'd', 'o', 'r', 255}},
      {"split in two", {82, 2, 1, 0, 53, 1, 2, 82, 2, 2, 0, 255}, {53, 1, 2, 255}},
      {"split in two, side by side", {53, 1, 2, 82, 2, 1, 9, 82, 1, 7, 255}, {53, 1, 2, 255}},
      {"END missing", {53, 1, 2, 82, 2, 1, 0}, {53, 1, 2, 255}},
      {"END missing, PADs behind", {53, 1, 2, 82, 2, 1, 0, 0, 0}, {53, 1, 2, 255}},
      {"PADs around it", {53, 1, 2, 0, 82, 2, 1, 0, 0, 12, 1, 'a', 255}, {53, 1, 2, 0, 0, 12, 1, 'a', 255}},
      {"row 4R-12: 82 and 255 inside option 43", {43, 4, 82, 1, 255, 255, 82, 0, 255}, {43, 4, 82, 1, 255, 255, 255}},
  };
  for (const RemoveCase& test : cases) {
    const Bytes message = joined({Bytes(options_offset, 7), test.options});
    const Bytes result = removed(message);
    EXPECT_EQ(without_trailing_pad(result), joined({Bytes(options_offset, 7), test.expected})) << test.description;
    EXPECT_EQ(result.size(), min_message_size) << test.description;
  }
}

TEST(RemoveAgentInformation, changes_nothing_where_there_is_none) {
  const std::vector<Bytes> messages{
      test_support::ack().octets(),
      test_support::ack().padded_to(0).octets(),  // under 300 octets
      test_support::ack().without_end().padded_to(0).octets(),
      test_support::ack().tail({82, 2, 1, 0}).octets(),
      MessageBuilder{}.padded_to(1200).octets(),
  };
  for (const Bytes& message : messages) {
    GuardedMessage guarded{message, 100};
    EditableMessage edited = editable(guarded);
    remove_agent_information(edited);
    EXPECT_EQ(edited.size, message.size());
    EXPECT_TRUE(guarded.is_untouched());
  }
}

TEST(RemoveAgentInformation, two_hundred_instances_are_removed) {
  MessageBuilder builder = test_support::ack();
  for (int i = 0; i < 200; ++i) {
    builder.agent_information({1, 1, static_cast<std::uint8_t>(i)});
  }
  builder.option(60, text("vendor"));
  const Bytes message = builder.octets();
  const Bytes result = removed(message);
  EXPECT_EQ(without_trailing_pad(result), slowly_removed(message));
  EXPECT_LE(result.size(), message.size());
  EXPECT_GE(result.size(), min_message_size);
}

TEST(RemoveAgentInformation, pads_no_further_than_its_storage) {
  const Bytes message = MessageBuilder{}.message_type(5).agent_information({1, 2, 'c', '0'}).octets();
  for (const std::size_t room : {std::size_t{0}, std::size_t{1}, std::size_t{20}, 300 - message.size()}) {
    const Bytes result = removed(message, room);
    EXPECT_EQ(without_trailing_pad(result), slowly_removed(message)) << room;
    EXPECT_LE(result.size(), message.size() + room);
  }
}

TEST(RemoveAgentInformation, END_finds_room_in_a_full_message_without_END) {
  const Bytes message = MessageBuilder{}.message_type(5).agent_information({}).without_end().octets();
  const Bytes result = removed(message, 0);
  EXPECT_EQ(without_trailing_pad(result), slowly_removed(message));
}

// Removing ours and nothing else

std::string name_of(Removal removal) {
  switch (removal) {
    case Removal::absent:
      return "absent";
    case Removal::foreign:
      return "foreign";
    case Removal::removed:
      return "removed";
  }
  return "?";
}

struct OwnCase {
  const char* description;
  std::vector<Bytes> before;  ///< values of option 82
  Recognition recognition;
  Removal removal;
  std::vector<Bytes> after;
};

/// An ACK with options 82 of `values`, option 60 between and behind them.
Bytes reply_with(const std::vector<Bytes>& values) {
  MessageBuilder builder = test_support::ack();
  for (const Bytes& value : values) {
    builder.agent_information(value).option(60, text("a vendor class that is longer"));
  }
  return builder.octets();
}

void expect_removal(const OwnCase& test, const Bytes& ours) {
  const Bytes message = reply_with(test.before);
  GuardedMessage guarded{message, 300};
  EditableMessage edited = editable(guarded);
  EXPECT_EQ(name_of(test_support::find_own(field_of(edited), ours, test.recognition)), name_of(test.removal))
      << test.description;
  EXPECT_TRUE(guarded.is_untouched()) << "looking changes nothing: " << test.description;

  EXPECT_EQ(name_of(test_support::remove_own(edited, ours, test.recognition)), name_of(test.removal))
      << test.description;
  guarded.buffer().resize(edited.size);
  EXPECT_TRUE(guarded.is_intact_beside()) << test.description;
  const Bytes result = guarded.octets();
  EXPECT_EQ(values_of(result, 82), test.after) << test.description;
  if (test.removal == Removal::removed) {
    expect_well_formed(result);
    EXPECT_GE(result.size(), min_message_size) << test.description;
    EXPECT_LE(result.size(), std::max(message.size(), min_message_size)) << test.description;
    EXPECT_EQ(slowly_removed(result), slowly_removed(message)) << "other options: " << test.description;
  } else {
    EXPECT_TRUE(guarded.is_untouched()) << test.description;
  }
}

TEST(RemoveOwnAgentInformation, row_4A_09_and_4A_10_takes_ours_and_keeps_somebody_elses) {
  const Bytes theirs = joined({encoded(1, text("port 7")), encoded(2, text("dslam"))});
  const Bytes own_head(own.begin(), own.begin() + 4);  // the circuit-id
  const Bytes own_tail(own.begin() + 4, own.end());
  const Bytes own_front(own.begin(), own.begin() + 3);  // ends in the circuit-id's value
  const Bytes own_back(own.begin() + 3, own.end());
  const Bytes changed = joined({encoded(1, text("c0")), encoded(2, text("other"))});
  const auto exact = Recognition::exact;
  const auto by_circuit_id = Recognition::by_circuit_id;
  const std::vector<OwnCase> cases{
      {"none", {}, exact, Removal::absent, {}},
      {"ours", {own}, exact, Removal::removed, {}},
      {"theirs", {theirs}, exact, Removal::foreign, {theirs}},
      {"theirs, by circuit-id", {theirs}, by_circuit_id, Removal::foreign, {theirs}},
      {"an empty one", {{}}, by_circuit_id, Removal::foreign, {{}}},
      {"ours behind theirs", {theirs, own}, exact, Removal::removed, {theirs}},
      {"ours in front of theirs", {own, theirs}, exact, Removal::removed, {theirs}},
      {"ours at the end of theirs", {joined({theirs, own})}, exact, Removal::removed, {theirs}},
      {"row 4R-14: ours split between sub-options", {own_head, own_tail}, exact, Removal::removed, {}},
      {"row 4R-14: ours split within a sub-option", {own_front, own_back}, exact, Removal::removed, {}},
      {"ours, remote-id changed by the server", {changed}, by_circuit_id, Removal::removed, {}},
      {"the same, exactly", {changed}, exact, Removal::foreign, {changed}},
      {"ours without its remote-id", {own_head}, by_circuit_id, Removal::removed, {}},
      {"the same, exactly", {own_head}, exact, Removal::foreign, {own_head}},
      {"broken sub-options", {{1, 9, 'c'}}, by_circuit_id, Removal::foreign, {{1, 9, 'c'}}},
      {"our circuit-id as the beginning of another",
       {encoded(1, text("c01"))},
       by_circuit_id,
       Removal::foreign,
       {encoded(1, text("c01"))}},
      {"our circuit-id as another's remote-id",
       {encoded(2, text("c0"))},
       by_circuit_id,
       Removal::foreign,
       {encoded(2, text("c0"))}},
      {"our octets at the end of somebody else's value",
       {encoded(9, joined({text("xx"), own}))},
       by_circuit_id,
       Removal::foreign,
       {encoded(9, joined({text("xx"), own}))}},
  };
  for (const OwnCase& test : cases) {
    expect_removal(test, own);
  }
}

TEST(RemoveOwnAgentInformation, a_split_of_theirs_and_ours_together_is_one_option) {
  // RFC 3396 section 7: a server that joined both and split the whole after 255 octets.
  const Bytes theirs = encoded(1, Bytes(180, 't'));
  const Bytes ours = joined({encoded(1, text("c0")), encoded(2, Bytes(90, 'o'))});
  const Bytes all = joined({theirs, ours});
  const Bytes front(all.begin(), all.begin() + 255);
  const Bytes back(all.begin() + 255, all.end());
  const Bytes message = reply_with({front, back});
  GuardedMessage guarded{message, 300};
  EditableMessage edited = editable(guarded);
  EXPECT_EQ(name_of(test_support::remove_own(edited, ours, Recognition::exact)), "removed");
  guarded.buffer().resize(edited.size);
  EXPECT_EQ(values_of(guarded.octets(), 82), std::vector<Bytes>{theirs});
}

TEST(RemoveOwnAgentInformation, without_anything_of_ours_everything_is_foreign) {
  const Bytes theirs = encoded(1, text("x"));
  expect_removal({"", {theirs}, Recognition::by_circuit_id, Removal::foreign, {theirs}}, {});
  expect_removal({"", {}, Recognition::by_circuit_id, Removal::absent, {}}, {});
}

TEST(RemoveOwnAgentInformation, without_a_circuit_id_of_ours_content_decides) {
  const Bytes ours = encoded(2, text("relay"));
  const Bytes theirs = encoded(2, text("other"));
  expect_removal({"ours", {ours}, Recognition::by_circuit_id, Removal::removed, {}}, ours);
  expect_removal({"theirs", {theirs}, Recognition::by_circuit_id, Removal::foreign, {theirs}}, ours);
}

TEST(RemoveOwnAgentInformation, row_4A_11_option_82_in_file_is_not_looked_at) {
  const Bytes file = encoded(82, own);
  const Bytes message = test_support::ack().file(joined({file, {255}})).option(52, {1}).octets();
  GuardedMessage guarded{message, 100};
  EditableMessage edited = editable(guarded);
  EXPECT_EQ(name_of(test_support::remove_own(edited, own)), "absent");
  EXPECT_TRUE(guarded.is_untouched());
}

TEST(RemoveOwnAgentInformation, two_hundred_instances_are_walked) {
  const std::vector<Bytes> theirs(199, encoded(1, text("t")));
  std::vector<Bytes> all = theirs;
  all.push_back(own);
  expect_removal({"ours last of 200", all, Recognition::exact, Removal::removed, theirs}, own);
}

TEST(FindOwnAgentInformation, any_field_will_do) {
  std::mt19937 random{1542};  // the same fields in every run
  for (int round = 0; round < 20'000; ++round) {
    Bytes field(random() % 60);
    for (std::uint8_t& octet : field) {
      octet = static_cast<std::uint8_t>(random() % 3 == 0 ? 82 : random() % 8);
    }
    const auto found = test_support::find_own(field, own);
    const bool is_there = std::ranges::any_of(test_support::parsed_field(field).options,
                                              [](const ParsedOption& o) { return o.code == 82; });
    ASSERT_EQ(found == Removal::absent, !is_there) << testing::PrintToString(field);
  }
}

// Properties

/// A well-formed message without option 82, of any size and order.
MessageBuilder random_message(std::mt19937& random) {
  MessageBuilder builder;
  Bytes chaddr(16);
  std::ranges::generate(chaddr, [&] { return static_cast<std::uint8_t>(random()); });
  builder.op(2).chaddr(chaddr).sname(Bytes(64, 82)).file(Bytes(128, 255));
  const std::size_t count = random() % 12;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes value(random() % 5 == 0 ? random() % 256 : random() % 20);
    std::ranges::generate(value, [&] { return static_cast<std::uint8_t>(random() % 3 == 0 ? 82 : random()); });
    auto code = static_cast<std::uint8_t>(1 + random() % 254);
    code = code == 82 ? 83 : code;
    builder.option(code, value).pad(random() % 4 == 0 ? random() % 5 : 0);
  }
  return builder.padded_to(random() % 2 == 0 ? 240 + random() % 400 : 0);
}

Bytes random_content(std::mt19937& random) {
  Bytes content = encoded(1, Bytes(random() % 100, 'c'));
  if (random() % 2 == 0) {
    content = joined({content, encoded(2, Bytes(random() % 100, 'r'))});
  }
  return content;
}

TEST(Edit, removing_what_was_appended_gives_the_message_back) {
  std::mt19937 random{3046};  // the same messages in every run
  for (int round = 0; round < 5'000; ++round) {
    const bool has_end = random() % 4 != 0;
    MessageBuilder builder = random_message(random);
    const Bytes message = has_end ? builder.octets() : builder.without_end().octets();
    const Bytes content = random_content(random);

    const Bytes with_option = appended(message, content);
    ASSERT_EQ(with_option, slowly_appended(message, content)) << round;
    ASSERT_GE(with_option.size(), message.size());

    // END stays where it was missing (RFC 2132 section 3.2); PADs at the end count for nothing.
    const Bytes expected = has_end ? without_trailing_pad(message) : slowly_removed(message);
    ASSERT_EQ(without_trailing_pad(removed(with_option)), expected) << round;

    GuardedMessage guarded{with_option, 300};
    EditableMessage edited = editable(guarded);
    ASSERT_EQ(test_support::remove_own(edited, content, Recognition::exact), Removal::removed) << round;
    guarded.buffer().resize(edited.size);
    ASSERT_EQ(without_trailing_pad(guarded.octets()), expected) << round;
    ASSERT_TRUE(guarded.is_intact_beside()) << round;
  }
}

TEST(Edit, removing_takes_all_instances_and_nothing_else) {
  std::mt19937 random{3396};  // the same messages in every run
  for (int round = 0; round < 5'000; ++round) {
    MessageBuilder builder = random_message(random);
    builder.agent_information(random_content(random)).option(12, text("host"));
    if (random() % 2 == 0) {
      builder.agent_information(random_content(random));
    }
    if (random() % 4 == 0) {
      builder.without_end();
    }
    const Bytes message = builder.octets();
    const Bytes result = removed(message, random() % 100);
    ASSERT_EQ(without_trailing_pad(result), slowly_removed(message)) << round;
    ASSERT_LE(result.size(), std::max(message.size(), min_message_size)) << round;
    ASSERT_TRUE(values_of(result, 82).empty()) << round;
  }
}

TEST(Edit, the_result_does_not_depend_on_what_stands_behind_the_message) {
  std::mt19937 random{14494};  // the same messages in every run
  for (int round = 0; round < 1'000; ++round) {
    const Bytes message = random_message(random).agent_information(random_content(random)).octets();
    const Bytes content = random_content(random);
    std::vector<Bytes> results;
    for (const std::uint8_t canary : Bytes{0xa5, 0x5a}) {
      GuardedMessage guarded{message, 600, canary};
      EditableMessage edited = editable(guarded);
      remove_agent_information(edited);
      append_agent_information(edited, survey(field_of(edited)), content);
      guarded.buffer().resize(edited.size);
      results.push_back(guarded.octets());
    }
    ASSERT_EQ(results[0], results[1]) << round;
  }
}

}  // namespace
}  // namespace options82
