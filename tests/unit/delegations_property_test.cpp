// The table of delegations against one that is written from the rules without any care for speed, over random messages
// of few clients, interfaces and prefixes.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/delegations.h"
#include "tests/support/delegation6.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

using std::chrono::nanoseconds;
using test_support::Bytes;
using test_support::client_id6;
using test_support::ia_pd6_of;
using test_support::ia_prefix6;
using test_support::ip6;
using test_support::message6;
using test_support::prefix6;
using test_support::status6;

constexpr DelegationLimits limits{3, 5, 8};

/// One IA_PD of a message as it is meant.
struct Association {
  std::uint32_t iaid = 0;
  std::uint8_t status = 0;
  std::vector<std::pair<Ipv6Prefix, std::uint32_t>> leases;  // with valid lifetimes
};

struct Message {
  Bytes duid;
  std::string interface;
  Ipv6Address next_hop;
  std::vector<Association> associations;

  [[nodiscard]] Bytes octets(std::uint8_t type) const {
    Bytes result = message6(type, {client_id6(duid)});
    for (const Association& each : associations) {
      std::vector<Bytes> options{status6(each.status)};
      for (const auto& [prefix, valid] : each.leases) {
        options.push_back(ia_prefix6(prefix, valid / 2, valid));
      }
      const Bytes option = ia_pd6_of(each.iaid, options);
      result.insert(result.end(), option.begin(), option.end());
    }
    return result;
  }
};

/// A list, looked through from its begin for everything.
class Model {
 public:
  void reply(const Message& message, nanoseconds now) {
    expire(now);
    for (const Association& each : message.associations) {
      std::erase_if(entries, [&](const KnownDelegation& entry) {
        const Delegation& delegation = entry.delegation;
        return is_of(entry, message) &&
               (each.status == 3
                    ? delegation.iaid == each.iaid
                    : std::ranges::count(each.leases, std::pair{delegation.prefix, std::uint32_t{0}}) != 0);
      });
    }
    for (const Association& each : message.associations) {
      for (const auto& [prefix, valid] : each.leases) {
        if (each.status == 0 && valid != 0) {
          give(message, {prefix, each.iaid, message.next_hop, valid / 2, valid, now + std::chrono::seconds{valid}});
        }
      }
    }
  }

  void release(const Message& message) {
    std::erase_if(entries, [&](const KnownDelegation& entry) {
      return is_of(entry, message) &&
             std::ranges::count(message.associations, entry.delegation.iaid, &Association::iaid) != 0;
    });
  }

  void expire(nanoseconds now) {
    std::erase_if(entries, [now](const KnownDelegation& entry) { return entry.delegation.expires_at <= now; });
  }

  std::vector<KnownDelegation> entries;

 private:
  static bool is_of(const KnownDelegation& entry, const Message& message) {
    return entry.duid == message.duid && entry.interface == message.interface;
  }

  void give(const Message& message, const Delegation& delegation) {
    const auto same = std::ranges::find_if(
        entries, [&](const KnownDelegation& entry) { return entry.delegation.prefix == delegation.prefix; });
    if (same != entries.end()) {
      if (is_of(*same, message)) {
        *same = {message.duid, message.interface, delegation};
        return;
      }
      entries.erase(same);
    }
    const auto of_client =
        std::ranges::count_if(entries, [&](const KnownDelegation& entry) { return is_of(entry, message); });
    const auto of_interface = std::ranges::count_if(
        entries, [&](const KnownDelegation& entry) { return entry.interface == message.interface; });
    if (static_cast<std::size_t>(of_client) < limits.per_client &&
        static_cast<std::size_t>(of_interface) < limits.per_interface && entries.size() < limits.in_all &&
        delegation.prefix.length >= 16) {
      entries.push_back({message.duid, message.interface, delegation});
    }
  }
};

/// Prefixes, whose order does not matter.
std::vector<KnownDelegation> sorted(std::vector<KnownDelegation> all) {
  std::ranges::sort(all, {}, [](const KnownDelegation& each) { return each.delegation.prefix; });
  return all;
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }

  Message message() {
    Message result{{0, 4, static_cast<std::uint8_t>(below(3))},
                   "c" + std::to_string(below(2)),
                   ip6("fe80::" + std::to_string(1 + below(2))),
                   {}};
    for (std::uint32_t count = below(3); count != 0; --count) {
      Association each{below(2), static_cast<std::uint8_t>(below(6) == 0 ? 3 : below(8) == 0 ? 6 : 0), {}};
      for (std::uint32_t leases = below(4); leases != 0; --leases) {
        const std::uint32_t which = below(12);
        each.leases.emplace_back(
            which == 0 ? Ipv6Prefix{{}, 0} : prefix6("2001:db8:" + std::to_string(which) + "::/48"),
            below(5) == 0 ? 0 : 1 + below(30));
      }
      result.associations.push_back(std::move(each));
    }
    return result;
  }

 private:
  std::mt19937 engine_;
};

TEST(DelegationsProperty, agrees_with_a_plain_list_and_what_is_told_adds_up) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    Random random{seed};
    Model model;
    std::vector<KnownDelegation> by_events;
    Delegations table{limits, [&](const DelegationEvent& event) {
                        const auto same = [&](const KnownDelegation& each) {
                          return each.delegation.prefix == event.delegation.prefix;
                        };
                        if (event.change == DelegationChange::refused) {
                          return;
                        }
                        const bool is_known = std::ranges::any_of(by_events, same);
                        EXPECT_EQ(is_known, event.change != DelegationChange::delegated);
                        std::erase_if(by_events, same);
                        if (event.change != DelegationChange::released && event.change != DelegationChange::expired) {
                          by_events.push_back(
                              {{event.duid.begin(), event.duid.end()}, std::string{event.interface}, event.delegation});
                        }
                      }};
    nanoseconds now = 100s;
    for (int step = 0; step < 100; ++step) {
      const Message message = random.message();
      now += std::chrono::seconds{random.below(4)};
      if (random.below(4) == 0) {
        table.release_passes(message.interface, message.octets(8));
        model.release(message);
      } else {
        table.reply_passes(message.interface, message.next_hop, message.octets(7), now);
        model.reply(message, now);
      }
      table.expire(now);
      model.expire(now);
      const std::vector<KnownDelegation>& expected = model.entries;
      std::vector<KnownDelegation> found;
      table.for_each([&](std::span<const std::uint8_t> duid, std::string_view interface, const Delegation& delegation) {
        found.push_back({{duid.begin(), duid.end()}, std::string{interface}, delegation});
      });
      ASSERT_EQ(sorted(found), sorted(expected)) << "seed " << seed << ", step " << step;
      ASSERT_EQ(sorted(by_events), sorted(expected)) << "seed " << seed << ", step " << step;
      ASSERT_EQ(table.size(), expected.size());
      const auto next = std::ranges::min_element(
          expected, {}, [](const KnownDelegation& each) { return each.delegation.expires_at; });
      ASSERT_EQ(table.next_expiry(),
                next == expected.end() ? std::nullopt : std::optional{next->delegation.expires_at});
    }
  }
}

}  // namespace
}  // namespace relay
