// Requests: the whole table of decisions, written down from RFC 1542 section 4.1.1, RFC 3046 sections 2.1 and 2.1.1 and
// the `-m` policies. Every case of the product is looked up here and never computed as the relay agent does it.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"
#include "tests/support/text_table.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::c0;
using test_support::circuit_id;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::Outcome;
using test_support::relayed;
using test_support::rows_of;
using test_support::TestNetwork;
using test_support::text;
using test_support::Words;

// The words of the tables:
//   keep          relayed; the options are as they were
//   add           relayed; ours is the last option before END (RFC 3046 section 2.1), where there was none
//   append        relayed; theirs stays where it is, and ours is the last option before END
//   replace       relayed; theirs is gone, and ours is the last option before END
//   drop:REASON   not relayed, not touched
//   =             as in the column before
// An option 82 whose length crosses the end of the message (broken) is no option that the agent can read: where option
// 82 has to be edited the message is dropped, and it is relayed as it is where nothing is edited (4R-11).

// With -a.
constexpr std::string_view with_agent_information = R"(
# giaddr    option82  trusted  no-m  append  replace  forward  discard
  zero      none      any      add   =       =        =        =

# RFC 3046 section 2.1: giaddr zero and option 82 from an untrusted circuit: "SHALL discard the packet".
  zero      empty     no       drop:option82_untrusted = = = =
  zero      one       no       drop:option82_untrusted = = = =
  zero      two       no       drop:option82_untrusted = = = =
  zero      split     no       drop:option82_untrusted = = = =

# RFC 3046 section 2.1: a trusted circuit's is kept: the agent "does NOT add a second". -m decides otherwise.
  zero      empty     yes      keep  append  replace  keep     drop:option82_discarded
  zero      one       yes      keep  append  replace  keep     drop:option82_discarded
  zero      two       yes      keep  append  replace  keep     drop:option82_discarded
  zero      split     yes      keep  append  replace  keep     drop:option82_discarded

# 4R-11: none can be read, so ours would have to be added.
  zero      broken    any      drop:options_malformed = = = =

# RFC 3046 section 2.1.1: forwarded "WITHOUT adding any relay agent options". -m append and replace do so all the same.
  foreign   none      any      keep  add     add      keep     keep
  foreign   empty     any      keep  append  replace  keep     drop:option82_discarded
  foreign   one       any      keep  append  replace  keep     drop:option82_discarded
  foreign   two       any      keep  append  replace  keep     drop:option82_discarded
  foreign   split     any      keep  append  replace  keep     drop:option82_discarded
  foreign   broken    any      keep  drop:options_malformed drop:options_malformed keep keep

# RFC 3046 section 2.1.1: a giaddr that is one of ours is a spoof: "SHALL discard the packet".
  own       any       any      drop:giaddr_own = = = =
  own-other any       any      drop:giaddr_own = = = =
  own-lo    any       any      drop:giaddr_own = = = =
)";

// Without -a nothing is ours to add, and no option is ever edited. What is to be discarded is discarded all the same:
// RFC 3046 section 2.1 says so of any relay agent, and 4R-17 of any giaddr of ours.
constexpr std::string_view without_agent_information = R"(
# giaddr    option82  trusted  no-m  append  replace  forward  discard
  zero      none      any      keep  =       =        =        =
  zero      empty     no       drop:option82_untrusted = = = =
  zero      one       no       drop:option82_untrusted = = = =
  zero      two       no       drop:option82_untrusted = = = =
  zero      split     no       drop:option82_untrusted = = = =
  zero      empty     yes      keep  =       =        =        drop:option82_discarded
  zero      one       yes      keep  =       =        =        drop:option82_discarded
  zero      two       yes      keep  =       =        =        drop:option82_discarded
  zero      split     yes      keep  =       =        =        drop:option82_discarded
  zero      broken    any      keep  =       =        =        =
  foreign   none      any      keep  =       =        =        =
  foreign   empty     any      keep  =       =        =        drop:option82_discarded
  foreign   one       any      keep  =       =        =        drop:option82_discarded
  foreign   two       any      keep  =       =        =        drop:option82_discarded
  foreign   split     any      keep  =       =        =        drop:option82_discarded
  foreign   broken    any      keep  =       =        =        =
  own       any       any      drop:giaddr_own = = = =
  own-other any       any      drop:giaddr_own = = = =
  own-lo    any       any      drop:giaddr_own = = = =
)";

// hops, by limit: RFC 1542 section 4.1.1; what "exceeds" is more than, not as much as (4R-08). It comes before
// everything that the tables say but for one: RFC 3046 section 2.1.1 sets no order, and a message of ours that comes
// round in a loop is told by our giaddr, however often it went round.
constexpr std::string_view hops_rules = R"(
# limit  0     4     5                   16                  17                  255
  4      pass  pass  drop:hops_exceeded  drop:hops_exceeded  drop:hops_exceeded  drop:hops_exceeded
  16     pass  pass  pass                pass                drop:hops_exceeded  drop:hops_exceeded
# No limit is above 16: "MUST silently discard BOOTREQUEST messages whose 'hops' field exceeds the value 16".
  255    pass  pass  pass                pass                drop:hops_exceeded  drop:hops_exceeded
)";
constexpr std::string_view before_hops = "drop:giaddr_own";

constexpr std::array<int, 6> hops_values{0, 4, 5, 16, 17, 255};
constexpr std::array<std::string_view, 5> policies{"no-m", "append", "replace", "forward", "discard"};
constexpr std::array<std::string_view, 5> giaddrs{"zero", "foreign", "own", "own-other", "own-lo"};
constexpr std::array<std::string_view, 6> options82{"none", "empty", "one", "two", "split", "broken"};
constexpr std::array<bool, 2> no_yes{false, true};

struct Case {
  std::string_view giaddr;
  std::string_view option82;
  bool trusted;
  std::size_t policy;  ///< of `policies`
  std::size_t hops;    ///< of `hops_values`
};

/// The row of `table` whose first words are those of `of` or "any". Exactly one, or the table is wrong.
Words row_for(std::string_view table, const Case& of) {
  const std::array<std::string_view, 3> key{of.giaddr, of.option82, of.trusted ? "yes" : "no"};
  std::vector<Words> found;
  for (const Words& row : rows_of(table)) {
    EXPECT_EQ(row.size(), key.size() + policies.size());
    if (std::ranges::equal(key, std::span{row}.first(key.size()), [](std::string_view value, std::string_view word) {
          return word == value || word == "any";
        })) {
      found.push_back(row);
    }
  }
  EXPECT_EQ(found.size(), 1U) << of.giaddr << " " << of.option82 << " " << of.trusted;
  return found.at(0);
}

Ipv4Address giaddr_of(std::string_view name) {
  if (name == "zero") {
    return ip(0, 0, 0, 0);
  }
  if (name == "foreign") {
    return ip(10, 50, 0, 1);
  }
  if (name == "own") {
    return ip(10, 1, 0, 1);
  }
  if (name == "own-other") {
    return ip(10, 2, 0, 1);
  }
  assert(name == "own-lo");
  return ip(203, 0, 113, 1);
}

/// The options of a request as encoded: those of any message among those of option 82.
std::vector<Bytes> options_of(std::string_view option82) {
  const Bytes type = encoded(53, {1});
  const Bytes identifier = encoded(61, {1, 2, 0, 0, 0, 0, 1});
  const Bytes lookalike = encoded(43, {82, 4, 1, 2, 255, 0});  // RFC 2132 section 8.4: opaque (4R-12)
  const Bytes last = encoded(55, {1, 3, 6});
  if (option82 == "none") {
    return {type, identifier, lookalike, last};
  }
  if (option82 == "empty") {
    return {type, identifier, encoded(82, {}), lookalike, last};
  }
  if (option82 == "one") {
    return {type, identifier, encoded(82, circuit_id("port")), lookalike, last};
  }
  if (option82 == "two") {
    return {type, encoded(82, circuit_id("port")),        identifier, lookalike,
            last, encoded(82, encoded(2, text("switch")))};
  }
  if (option82 == "split") {  // RFC 3396: a sub-option of 6 octets, 2 of them in the first instance
    return {type, identifier, encoded(82, joined({{1, 6}, text("po")})), lookalike, encoded(82, text("rt/1")), last};
  }
  assert(option82 == "broken");
  return {type, identifier, lookalike, last, joined({{82, 255}, circuit_id("port")})};
}

/// A request whose every field has something to lose.
Bytes request_of(std::uint8_t hops, Ipv4Address giaddr, const std::vector<Bytes>& options, bool has_end) {
  MessageBuilder builder;
  builder.op(1).htype(1).hlen(6).hops(hops).xid(0x11223344).secs(0x0102).flags(0xffff);
  builder.ciaddr(ip(10, 1, 0, 60)).yiaddr(ip(10, 1, 0, 61)).siaddr(ip(10, 1, 0, 62)).giaddr(giaddr);
  builder.chaddr({2, 0, 0, 0, 0, 1, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}).sname(Bytes(64, 0x52)).file(Bytes(128, 0x53));
  for (const Bytes& option : options) {
    builder.raw(option);
  }
  if (!has_end) {
    builder.without_end();
  }
  return builder.padded_to(300).octets();
}

/// c0 adds its name and sub-option 5, but to relayed messages its name alone (RFC 3527 section 3).
const Bytes ours = joined({circuit_id("c0"), encoded(5, {10, 1, 0, 0})});
const Bytes ours_in_relayed = circuit_id("c0");

TestNetwork network_for(bool adds, bool trusted, std::size_t policy, std::uint8_t limit) {
  constexpr std::array<ExistingAgentInformation, policies.size()> values{
      ExistingAgentInformation::by_rfc, ExistingAgentInformation::append, ExistingAgentInformation::replace,
      ExistingAgentInformation::forward, ExistingAgentInformation::discard};
  TestNetwork network;
  network.policy.add_agent_information = adds;
  network.policy.existing_agent_information = values[policy];
  network.policy.max_hops = limit;
  network.change(c0, [trusted](Interface& interface) {
    interface.is_trusted = trusted;
    interface.agent_information = test_support::agent_information(ours);
    interface.relayed_agent_information = test_support::agent_information(ours_in_relayed);
  });
  return network;
}

/// The word for a case: hops_rules over the entry of `table`, in the order of precedence above.
std::string_view word_for(std::string_view table, const Words& hops_row, const Case& of) {
  const Words row = row_for(table, of);
  std::size_t column = row.size() - policies.size() + of.policy;
  while (row.at(column) == "=") {
    --column;
  }
  const std::string_view hops_word = hops_row.at(1 + of.hops);
  return row[column] == before_hops || hops_word == "pass" ? row[column] : hops_word;
}

/// What is expected of a case that `word` describes.
struct Expected {
  std::string decision;
  Bytes message;
};

Expected expected_for(std::string_view word, const Case& of) {
  const Ipv4Address giaddr = giaddr_of(of.giaddr);
  const auto hops = static_cast<std::uint8_t>(hops_values[of.hops]);
  const bool has_end = of.option82 != "broken";
  std::vector<Bytes> options = options_of(of.option82);
  if (word.starts_with("drop:")) {
    return {"drop " + std::string(word.substr(5)), request_of(hops, giaddr, options, has_end)};
  }
  AgentInformationOutcome outcome = AgentInformationOutcome::untouched;
  if (word != "keep") {
    if (word == "replace") {
      std::erase_if(options, [](const Bytes& option) { return option.front() == 82; });
      outcome = AgentInformationOutcome::replaced;
    } else {
      outcome = word == "append" ? AgentInformationOutcome::appended : AgentInformationOutcome::added;
      EXPECT_TRUE(word == "append" || word == "add") << word;
    }
    options.push_back(encoded(82, of.giaddr == "zero" ? ours : ours_in_relayed));
  }
  const Ipv4Address giaddr_after = of.giaddr == "zero" ? ip(10, 1, 0, 1) : giaddr;
  return {relayed(outcome), request_of(static_cast<std::uint8_t>(hops + 1), giaddr_after, options, has_end)};
}

/// What is wrong with what became of a case; nothing: all is as expected.
std::string fault(const Expected& expected, const Outcome& outcome) {
  if (outcome.decision != expected.decision) {
    return outcome.decision + " instead of " + expected.decision;
  }
  if (outcome.message != expected.message) {
    return "other octets than expected: " + testing::PrintToString(outcome.message) + " instead of " +
           testing::PrintToString(expected.message);
  }
  return outcome.is_intact_beside ? "" : "octets beside the message were written";
}

/// Every case for one limit, against `table`. Returns how many there were.
std::size_t check(std::string_view table, bool adds, const Words& hops_row) {
  const int limit = std::stoi(std::string(hops_row[0]));
  std::size_t count = 0;
  for (const bool trusted : no_yes) {
    for (std::size_t policy = 0; policy < policies.size(); ++policy) {
      const TestNetwork network = network_for(adds, trusted, policy, static_cast<std::uint8_t>(limit));
      for (const std::string_view giaddr : giaddrs) {
        for (const std::string_view option82 : options82) {
          for (std::size_t hops = 0; hops < hops_values.size(); ++hops) {
            const Case of{giaddr, option82, trusted, policy, hops};
            const std::string_view word = word_for(table, hops_row, of);
            const Bytes message = request_of(static_cast<std::uint8_t>(hops_values[hops]), giaddr_of(giaddr),
                                             options_of(option82), option82 != "broken");
            EXPECT_EQ(fault(expected_for(word, of), network.request(message)), "")
                << "giaddr " << giaddr << ", option 82 " << option82 << ", trusted " << trusted << ", policy "
                << policies[policy] << ", hops " << hops_values[hops] << ", limit " << limit << ": " << word;
            ++count;
          }
        }
      }
    }
  }
  return count;
}

std::size_t check(std::string_view table, bool adds) {
  std::size_t count = 0;
  for (const Words& row : rows_of(hops_rules)) {
    EXPECT_EQ(row.size(), 1 + hops_values.size());
    count += check(table, adds, row);
  }
  return count;
}

TEST(RequestTable, row_4R_08_4R_11_4R_17_4A_02_4A_04_to_4A_06_4A_17_with_agent_information) {
  const std::size_t count = check(with_agent_information, true);
  std::cout << "request table: " << count << " cases with -a\n";
  EXPECT_EQ(count, 5400U);
}

TEST(RequestTable, row_4R_08_4R_11_4R_17_4A_01_4A_04_without_agent_information) {
  const std::size_t count = check(without_agent_information, false);
  std::cout << "request table: " << count << " cases without -a\n";
  EXPECT_EQ(count, 5400U);
}

}  // namespace
}  // namespace relay
