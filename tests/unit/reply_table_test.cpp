// Replies: the whole table of decisions, as rules in words with their sources. Every case of the product is looked up
// in the rules by an interpreter that knows words alone; the first rule that applies decides.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_reply.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"
#include "tests/support/text_table.h"

namespace relay {
namespace {

using test_support::agent_information;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::circuit_id;
using test_support::described;
using test_support::encoded;
using test_support::first_server;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::joined;
using test_support::lo;
using test_support::MessageBuilder;
using test_support::rows_of;
using test_support::s0;
using test_support::stranger;
using test_support::TestNetwork;
using test_support::Words;
using test_support::words_of;

// The rules

// Whether and on which interface a reply goes out. `drop:REASON`: nowhere, and not touched.
constexpr std::string_view acceptance_rules = R"(
# RFC 2131 section 2: chaddr has 16 octets (4R-10).
hardware=1/17                              -> drop:hlen_too_long
# 4D-16: a reply on the clients' side is a rogue server's. Where an upstream side is named, it alone has servers.
arrival=downstream,downstream-unnamed      -> drop:not_upstream
arrival=neither                            -> drop:not_upstream
# 4D-12, --reply-from servers.
source=stranger reply-from=servers         -> drop:server_unknown
# RFC 1542 section 4.1.2: what does "not match one of the relay agent's directly-connected logical interfaces" MUST be
# silently discarded (4D-01). Addresses of ours that no clients' interface uses are none of those, whatever option 82
# says.
giaddr=zero                                -> drop:reply_giaddr_zero
# RFC 4388 section 6.4: an answer to a leasequery client, never for chaddr (4D-11), whatever its giaddr tells.
type=LEASEACTIVE                           -> drop:lease_query_reply
giaddr=other                               -> drop:reply_giaddr_unknown
giaddr=of-upstream,of-loopback             -> drop:reply_giaddr_unknown
# 4D-02: our option 82 tells interfaces apart that share a giaddr; never a guess.
giaddr=shared option82=none,theirs         -> drop:reply_ambiguous
# --server IF=ADDR: the servers of the client's interface answer its clients.
source=others-server reply-from=servers    -> drop:server_unknown
# -D.
drop-unmatched=yes option82=none,theirs    -> drop:option82_unmatched
# RFC 1542 section 4.1.2: "the 'giaddr' field can be used to identify the logical interface" (4D-02).
giaddr=alone                               -> c0
giaddr=shared                              -> c2
)";

// How it gets to the client. `broadcast`: to 255.255.255.255 and everyone on the link; `frame-to`: to that address at
// chaddr, no ARP; `datagram-to`: an ordinary one.
constexpr std::string_view delivery_rules = R"(
# RFC 2131 section 4.3.2: "the client may not have a correct network address or subnet mask, and the client may not be
# answering ARP requests" (4D-07), however replies are delivered otherwise.
type=NAK                                   -> broadcast
# --reply-delivery broadcast: every reply.
delivery=broadcast                         -> broadcast
# RFC 1542 section 4.1.2: the BROADCAST flag (4D-03). Its other bits are reserved (4R-07); --reply-delivery unicast does
# not look at it.
delivery=auto flags=0x8000                 -> broadcast
# Nobody's address. RFC 1542 section 4.1.2: "if unicasting is not possible, the reply MAY be sent as a broadcast".
yiaddr=of-broadcast,own,multicast          -> broadcast
yiaddr=zero,as-ciaddr ciaddr=zero,no-host  -> broadcast
# A client that has its address: RFC 2131 section 4.3.5 answers to ciaddr (4D-06), and to one that renews yiaddr says
# it too. RFC 1542 section 4.1.2 gives chaddr as its link-layer address; that is no use where the client is behind
# another router or has no such address, and ARP (RFC 4390 section 2.2) or routing finds it.
yiaddr=zero,as-ciaddr ciaddr=on-link hardware=1/6 -> frame-to-ciaddr
yiaddr=zero,as-ciaddr                      -> datagram-to-ciaddr
# RFC 1542 section 4.1.2: yiaddr and chaddr, where chaddr is an address on this link (4D-04); otherwise 4D-05. That of
# htype 6 may be in another bit order (RFC 1542 section 2.3).
hardware=1/6                               -> frame-to-yiaddr
                                           -> broadcast
)";

// What becomes of the options.
constexpr std::string_view option82_rules = R"(
# RFC 3046 section 2.1: who added option 82 removes it (4A-09); another's stays for the one who added it (4A-10). Ours
# is told by its circuit-id, whatever a server or a reload made of the rest, where no switch is trusted to add the like.
option82=ours,ours-altered                 -> taken-out
                                           -> as-it-was
)";

// The cases

/// A property of a case and the values that it can have, in words.
struct Dimension {
  std::string_view name;
  Words values;
};

enum Property : std::size_t {
  giaddr,
  option82,
  hardware,
  type,
  flags,
  ciaddr,
  yiaddr,
  delivery,
  arrival,
  source,
  reply_from,
  drop_unmatched,
};
constexpr std::size_t property_count = 12;

const std::array<Dimension, property_count> dimensions{{
    {"giaddr", {"alone", "shared", "of-upstream", "of-loopback", "other", "zero"}},
    {"option82", {"ours", "ours-altered", "none", "theirs"}},
    {"hardware", {"1/6", "1/0", "1/16", "32/0", "1/17", "6/6"}},
    {"type", {"OFFER", "ACK", "NAK", "BOOTP", "LEASEACTIVE", "FORCERENEW", "unknown"}},
    {"flags", {"0", "0x8000", "0x7fff"}},
    {"ciaddr", {"zero", "on-link", "off-link", "no-host"}},
    {"yiaddr", {"zero", "as-ciaddr", "host", "of-broadcast", "own", "multicast"}},
    {"delivery", {"auto", "broadcast", "unicast"}},
    {"arrival", {"upstream", "both", "neither-unnamed", "neither", "downstream", "downstream-unnamed"}},
    {"source", {"server", "others-server", "stranger"}},
    {"reply-from", {"servers", "any"}},
    {"drop-unmatched", {"no", "yes"}},
}};

/// The number of a value in its dimension, for each property.
using Case = std::array<std::size_t, property_count>;

std::string_view value(const Case& of, Property property) {
  return dimensions[property].values[of[property]];
}

std::string described_case(const Case& of) {
  std::string result;
  for (std::size_t i = 0; i < property_count; ++i) {
    result += std::string(dimensions[i].name) + "=" + std::string(dimensions[i].values[of[i]]) + " ";
  }
  return result;
}

// The interpreter

class Rules {
 public:
  explicit Rules(std::string_view table) {
    for (const Words& row : rows_of(table)) {
      rules_.push_back(parsed(row));
    }
  }

  /// What the first rule that applies to `of` says.
  std::string_view apply(const Case& of) {
    for (Rule& rule : rules_) {
      bool applies = true;
      for (std::size_t i = 0; i < property_count && applies; ++i) {
        applies = (rule.allowed[i] >> of[i] & 1U) != 0;
      }
      if (applies) {
        ++rule.uses;
        return rule.word;
      }
    }
    ADD_FAILURE() << "no rule for " << described_case(of);
    return "";
  }

  /// The rules that decided nothing: a rule that no case meets is not tested.
  [[nodiscard]] std::size_t unused() const {
    return static_cast<std::size_t>(std::ranges::count(rules_, std::size_t{0}, &Rule::uses));
  }

 private:
  struct Rule {
    std::array<unsigned, property_count> allowed{};  ///< one bit for each value
    std::string_view word;
    std::size_t uses = 0;
  };

  static Rule parsed(const Words& row) {
    Rule rule;
    rule.allowed.fill(~0U);
    assert(row.size() >= 2 && row[row.size() - 2] == "->");
    rule.word = row.back();
    for (const std::string_view condition : std::span{row}.first(row.size() - 2)) {
      const Words sides = words_of(condition, '=');
      assert(sides.size() == 2);
      const auto* const dimension = std::ranges::find(dimensions, sides[0], &Dimension::name);
      EXPECT_NE(dimension, dimensions.end()) << condition;
      unsigned bits = 0;
      for (const std::string_view word : words_of(sides[1], ',')) {
        const auto found = std::ranges::find(dimension->values, word);
        EXPECT_NE(found, dimension->values.end()) << condition;
        bits |= 1U << (found - dimension->values.begin());
      }
      rule.allowed[static_cast<std::size_t>(dimension - dimensions.begin())] = bits;
    }
    return rule;
  }

  std::vector<Rule> rules_;
};

// The scene: c0 has a giaddr of its own, c1 and c2 share 203.0.113.1, an address of lo; s0 is upstream, d0 is both, and
// x0 is neither.

constexpr std::uint32_t c2 = 5;
constexpr std::uint32_t d0 = 6;
constexpr std::uint32_t x0 = 7;
constexpr Ipv4Address shared_giaddr = ip(203, 0, 113, 1);
constexpr Ipv4Address others_server = ip(198, 51, 100, 20);  // of d0 alone

TestNetwork network_for(ReplyDelivery reply_delivery) {
  TestNetwork network;
  network.policy.add_agent_information = true;
  network.change(lo, [](Interface& interface) { interface.addresses.push_back({ip(203, 0, 113, 2), 32}); });
  network.change(c0, [&](Interface& interface) { interface.reply_delivery = reply_delivery; });
  network.change(c1, [&](Interface& interface) { interface.giaddr = shared_giaddr; });
  const auto put_like_c1 = [&](std::uint32_t index, std::string name, Ipv4Address address) {
    Interface interface = *network.interfaces.find(c1);
    interface.index = index;
    interface.name = std::move(name);
    interface.addresses = {{address, 24}};
    interface.reply_delivery = reply_delivery;
    interface.agent_information = agent_information(circuit_id(interface.name));
    interface.relayed_agent_information = interface.agent_information;
    return interface;
  };
  network.interfaces.put(put_like_c1(c2, "c2", ip(10, 3, 0, 1)));
  Interface both = put_like_c1(d0, "d0", ip(10, 6, 0, 1));
  both.giaddr = both.addresses.front().address;
  both.is_upstream = true;
  both.servers = {others_server};
  network.interfaces.put(std::move(both));
  Interface neither = put_like_c1(x0, "x0", ip(10, 7, 0, 1));
  neither.giaddr.reset();
  neither.is_downstream = false;
  network.interfaces.put(std::move(neither));
  return network;
}

const std::array<TestNetwork, 3>& networks() {
  static const std::array<TestNetwork, 3> result{network_for(ReplyDelivery::automatic),
                                                 network_for(ReplyDelivery::broadcast),
                                                 network_for(ReplyDelivery::unicast)};
  return result;
}

/// The function under test, called here alone.
Decision decide(const TestNetwork& network, const Policy& policy, std::uint32_t arrival_index, Ipv4Address from,
                GuardedMessage& message) {
  return relay_reply(policy, network.interfaces, network.transactions,
                     Ingress{arrival_index, from, 67, ip(10, 1, 0, 1)}, message.buffer());
}

// From words to octets

/// The interface whose client the server means.
std::uint32_t client_interface(const Case& of) {
  return value(of, giaddr) == "shared" ? c2 : c0;
}

/// A host of that interface's subnet.
Ipv4Address on_link(const Case& of, std::uint8_t host) {
  return ip(10, client_interface(of) == c2 ? 3 : 1, 0, host);
}

Ipv4Address giaddr_of(const Case& of) {
  constexpr std::array<Ipv4Address, 6> addresses{ip(10, 1, 0, 1),    shared_giaddr,   ip(192, 0, 2, 1),
                                                 ip(203, 0, 113, 2), ip(10, 9, 9, 9), ip(0, 0, 0, 0)};
  return addresses[of[giaddr]];
}

Ipv4Address ciaddr_of(const Case& of) {
  const std::array<Ipv4Address, 4> addresses{ip(0, 0, 0, 0), on_link(of, 60), ip(10, 77, 0, 60), ip(127, 0, 0, 1)};
  return addresses[of[ciaddr]];
}

Ipv4Address yiaddr_of(const Case& of) {
  const std::array<Ipv4Address, 6> addresses{ip(0, 0, 0, 0),   ciaddr_of(of),  on_link(of, 50),
                                             on_link(of, 255), on_link(of, 1), ip(224, 0, 0, 9)};
  return addresses[of[yiaddr]];
}

std::uint16_t flags_of(const Case& of) {
  constexpr std::array<std::uint16_t, 3> values{0, 0x8000, 0x7fff};
  return values[of[flags]];
}

const Bytes client_chaddr{2, 0, 0, 0, 0, 1};

/// A reply of more than 300 octets that is less than 300 without an option 82 of ours; option 82 stands in the middle.
/// Without flags and addresses.
Bytes skeleton(const Case& of, bool with_ours) {
  constexpr std::array<std::array<std::uint8_t, 2>, 6> hardware_values{
      {{1, 6}, {1, 0}, {1, 16}, {32, 0}, {1, 17}, {6, 6}}};
  constexpr std::array<std::uint8_t, 7> types{2, 5, 6, 0, 13, 9, 200};
  MessageBuilder builder;
  builder.op(2).htype(hardware_values[of[hardware]][0]).hlen(hardware_values[of[hardware]][1]);
  builder.hops(1).xid(0x11223344).secs(0x0102).siaddr(ip(198, 51, 100, 10)).chaddr(client_chaddr);
  builder.sname(Bytes(64, 0x52)).file(Bytes(128, 0x53));
  if (value(of, type) != "BOOTP") {
    builder.message_type(types[of[type]]);
  }
  builder.option(54, {198, 51, 100, 10});
  const Bytes ours = circuit_id(client_interface(of) == c2 ? "c2" : "c0");
  if (with_ours && value(of, option82) == "ours") {
    builder.agent_information(ours);
  } else if (with_ours && value(of, option82) == "ours-altered") {
    builder.agent_information(joined({ours, encoded(2, {1, 2, 3})}));
  } else if (value(of, option82) == "theirs") {
    builder.agent_information(circuit_id("port"));
  }
  return builder.option(43, Bytes(46, 82)).octets();
}

/// The reply of a case. Skeletons are kept, for there are few of them and many cases.
Bytes built(const Case& of, bool with_ours) {
  static std::map<std::array<std::size_t, 5>, Bytes> skeletons;
  const std::array<std::size_t, 5> key{of[option82], of[hardware], of[type], client_interface(of), with_ours ? 1U : 0U};
  auto found = skeletons.find(key);
  if (found == skeletons.end()) {
    found = skeletons.emplace(key, skeleton(of, with_ours)).first;
  }
  Bytes result = found->second;
  const auto put = [&result](std::size_t offset, const auto& octets) {
    std::ranges::copy(octets, result.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  put(10, std::array{static_cast<std::uint8_t>(flags_of(of) >> 8U), static_cast<std::uint8_t>(flags_of(of))});
  put(12, ciaddr_of(of).octets);
  put(16, yiaddr_of(of).octets);
  put(24, giaddr_of(of).octets);
  return result;
}

/// The same with as many PADs as it takes to stay a BOOTP message of 300 octets.
Bytes without_ours(const Case& of) {
  Bytes result = built(of, false);
  result.resize(std::max<std::size_t>(result.size(), 300));
  return result;
}

Ipv4Address source_of(const Case& of) {
  constexpr std::array<Ipv4Address, 3> addresses{first_server, others_server, stranger};
  return addresses[of[source]];
}

std::uint32_t arrival_index(const Case& of) {
  constexpr std::array<std::uint32_t, 6> indexes{s0, d0, x0, x0, c1, c1};
  return indexes[of[arrival]];
}

Policy policy_for(const TestNetwork& network, const Case& of) {
  Policy policy = network.policy;
  policy.upstream_named = !value(of, arrival).ends_with("-unnamed");
  policy.replies_from_anyone = value(of, reply_from) == "any";
  policy.drop_unmatched_replies = value(of, drop_unmatched) == "yes";
  return policy;
}

// The check

/// The decision that the words describe.
ToClient expected_delivery(std::string_view interface, std::string_view how, const Case& of) {
  const std::uint32_t index = interface == "c2" ? c2 : c0;
  EXPECT_EQ(index, client_interface(of));
  ToClient result{networks()[of[delivery]].interfaces.find(index), Delivery::link_broadcast, on_link(of, 1)};
  if (how == "frame-to-yiaddr" || how == "frame-to-ciaddr") {
    result.delivery = Delivery::link_unicast;
    result.destination = how == "frame-to-yiaddr" ? yiaddr_of(of) : ciaddr_of(of);
    std::ranges::copy(client_chaddr, result.link_destination.octets.begin());
  } else if (how == "datagram-to-ciaddr") {
    result.delivery = Delivery::routed;
    result.destination = ciaddr_of(of);
  } else {
    EXPECT_EQ(how, "broadcast");
  }
  return result;
}

bool is_same(const ToClient& a, const ToClient& b) {
  return a.egress == b.egress && a.delivery == b.delivery && a.source == b.source && a.destination == b.destination &&
         (a.delivery == Delivery::routed || a.link_destination == b.link_destination);
}

struct AllRules {
  Rules acceptance{acceptance_rules};
  Rules delivery{delivery_rules};
  Rules option82{option82_rules};
};

/// What is wrong with what becomes of a case; nothing: all is as the rules say.
std::string fault(AllRules& rules, const Case& of) {
  const TestNetwork& network = networks()[of[delivery]];
  const Bytes message = built(of, true);
  GuardedMessage guarded{message};
  const Decision decision = decide(network, policy_for(network, of), arrival_index(of), source_of(of), guarded);
  const std::string_view accepted = rules.acceptance.apply(of);
  if (accepted.starts_with("drop:")) {
    const auto* dropped = std::get_if<Drop>(&decision);
    if (dropped == nullptr || relay::text(dropped->reason).name != accepted.substr(5)) {
      return described(decision) + " instead of " + std::string(accepted);
    }
    return guarded.is_untouched() ? "" : "dropped, but touched";
  }
  const std::string_view how = rules.delivery.apply(of);
  const auto* delivered = std::get_if<ToClient>(&decision);
  if (delivered == nullptr || !is_same(*delivered, expected_delivery(accepted, how, of))) {
    return described(decision) + " instead of " + std::string(accepted) + " " + std::string(how);
  }
  const Bytes after = rules.option82.apply(of) == "taken-out" ? without_ours(of) : message;
  return guarded.octets() == after && guarded.is_intact_beside() ? "" : "other octets than expected";
}

/// The next case of the properties' first `counts` values; false: there is none.
bool advance(Case& of, const Case& counts) {
  for (std::size_t i = 0; i < property_count; ++i) {
    if (++of[i] < counts[i]) {
      return true;
    }
    of[i] = 0;
  }
  return false;
}

/// Checks every case of the properties' first `counts` values. Returns how many there were.
std::size_t check(AllRules& rules, const Case& counts) {
  struct Fault {
    Case first;
    std::size_t cases = 0;
  };
  std::map<std::string, Fault> faults;
  std::size_t count = 0;
  Case of{};
  do {
    if (const std::string wrong = fault(rules, of); !wrong.empty()) {
      ++faults.try_emplace(wrong, Fault{of}).first->second.cases;
    }
    ++count;
  } while (advance(of, counts));
  for (const auto& [wrong, what] : faults) {
    ADD_FAILURE() << wrong << "\nin " << what.cases << " cases, the first of them " << described_case(what.first);
  }
  return count;
}

/// Every value of every property.
Case all_values() {
  Case result{};
  std::ranges::transform(dimensions, result.begin(), [](const Dimension& of) { return of.values.size(); });
  return result;
}

TEST(ReplyTable, row_4D_01_to_4D_08_4A_09_4A_10_where_an_accepted_reply_goes) {
  // Whether it is accepted depends on none of these but giaddr, option 82, type and hlen: see the next test.
  Case counts = all_values();
  counts[arrival] = counts[source] = counts[reply_from] = counts[drop_unmatched] = 1;
  AllRules rules;
  const std::size_t count = check(rules, counts);
  std::cout << "reply table: " << count << " cases of delivery\n";
  EXPECT_EQ(count, 217728U);
  EXPECT_EQ(rules.delivery.unused(), 0U);
  EXPECT_EQ(rules.option82.unused(), 0U);
}

TEST(ReplyTable, row_4D_01_4D_02_4D_11_4D_12_4D_16_whether_a_reply_is_accepted) {
  // Where it goes depends on none of arrival, source, --reply-from and -D.
  Case counts = all_values();
  counts[flags] = counts[ciaddr] = counts[yiaddr] = counts[delivery] = 1;
  AllRules rules;
  const std::size_t count = check(rules, counts);
  std::cout << "reply table: " << count << " cases of acceptance\n";
  EXPECT_EQ(count, 72576U);
  EXPECT_EQ(rules.acceptance.unused(), 0U);
}

}  // namespace
}  // namespace relay
