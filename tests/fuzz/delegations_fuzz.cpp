// Any messages that pass, one after another, before the reader and the table of delegated prefixes. Input: pieces of an
// octet that says what happens, two with the size of a message, and the message. The reader is compared with a slow
// twin; what the table tells has to add up to what it knows, within its limits.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/core/delegations.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using relay::DelegationChange;
using View = std::span<const std::uint8_t>;

constexpr relay::DelegationLimits limits{3, 5, 8};

std::size_t number(View octets, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t octet = 0; octet < size; ++octet) {
    value = value * 256 + octets[at + octet];
  }
  return value;
}

struct SlowOption6 {
  std::size_t code = 0;
  Octets value;
};

/// Nothing where they are damaged, or a status code among them is.
std::optional<std::vector<SlowOption6>> read_options(View octets) {
  std::vector<SlowOption6> options;
  std::size_t at = 0;
  while (at != octets.size()) {
    if (octets.size() - at < 4 || octets.size() - at - 4 < number(octets, at + 2, 2)) {
      return std::nullopt;
    }
    const View value = octets.subspan(at + 4, number(octets, at + 2, 2));
    options.push_back({number(octets, at, 2), {value.begin(), value.end()}});
    at += 4 + value.size();
  }
  const bool is_cut = std::ranges::any_of(
      options, [](const SlowOption6& option) { return option.code == 13 && option.value.size() < 2; });
  return is_cut ? std::nullopt : std::optional{options};
}

std::size_t status_of(const std::vector<SlowOption6>& options) {
  const auto found = std::ranges::find(options, std::size_t{13}, &SlowOption6::code);
  return found == options.end() ? 0 : number(found->value, 0, 2);
}

using Lease = std::vector<std::size_t>;  // IAID, status, preferred, valid, length, the octets of the prefix

/// A client discards such an IA_PD of a Reply.
bool has_times_in_wrong_order(const SlowOption6& association) {
  const std::size_t t1 = number(association.value, 4, 4);
  const std::size_t t2 = number(association.value, 8, 4);
  return t1 != 0 && t2 != 0 && t1 > t2;
}

std::vector<Lease> slow_leases(const std::vector<SlowOption6>& options, bool is_reply) {
  std::vector<Lease> leases;
  for (const SlowOption6& association : options) {
    const auto inner =
        association.code == 25 && association.value.size() >= 12 && !(is_reply && has_times_in_wrong_order(association))
            ? read_options(View{association.value}.subspan(12))
            : std::nullopt;
    for (const SlowOption6& option : inner.value_or(std::vector<SlowOption6>{})) {
      const auto further =
          option.code == 26 && option.value.size() >= 25 ? read_options(View{option.value}.subspan(25)) : std::nullopt;
      if (!further || status_of(*further) != 0 || option.value[8] > 128 ||
          number(option.value, 0, 4) > number(option.value, 4, 4)) {
        continue;
      }
      Lease lease{number(association.value, 0, 4), status_of(*inner), number(option.value, 0, 4),
                  number(option.value, 4, 4), option.value[8]};
      for (std::size_t bit = 0; bit < 128; ++bit) {
        const std::size_t octet = option.value[9 + bit / 8];
        lease.push_back(bit < option.value[8] ? octet >> (7 - bit % 8) & 1U : 0);
      }
      leases.push_back(lease);
    }
  }
  return leases;
}

std::vector<Lease> read_leases(const relay::dhcpv6::ClientMessage& message) {
  std::vector<Lease> leases;
  relay::dhcpv6::AssociationReader associations{message};
  while (const auto association = associations.next()) {
    relay::dhcpv6::PrefixReader prefixes{*association};
    while (const auto read = prefixes.next()) {
      Lease lease{association->iaid, association->status, read->preferred_lifetime, read->valid_lifetime,
                  read->prefix.length};
      for (std::size_t bit = 0; bit < 128; ++bit) {
        lease.push_back(std::size_t{read->prefix.address.octets[bit / 8]} >> (7 - bit % 8) & 1U);
      }
      leases.push_back(lease);
    }
  }
  return leases;
}

void compare_readers(View message) {
  const auto read = relay::dhcpv6::read_client_message(message);
  const auto options =
      message.size() < 4 || message[0] == 12 || message[0] == 13 ? std::nullopt : read_options(message.subspan(4));
  const bool names_one = options && std::ranges::count(*options, std::size_t{1}, &SlowOption6::code) == 1;
  const Octets duid = names_one ? std::ranges::find(*options, std::size_t{1}, &SlowOption6::code)->value : Octets{};
  require(read.has_value() == (duid.size() >= 3 && duid.size() <= 130), "one client is named by a DUID, or none");
  if (read) {
    require(std::ranges::equal(read->client_duid, duid), "the reader finds what its twin does");
    require(read_leases(*read) == slow_leases(*options, message[0] == 7),
            "the reader finds the prefixes that its twin does");
  }
}

/// What the table knows, as it told it.
class Listening {
 public:
  void hear(const relay::DelegationEvent& event) {
    if (event.change == DelegationChange::refused) {
      require(event.refusal.has_value() && event.count != 0, "a refusal says why");
      return;
    }
    require(known_.contains(event.delegation.prefix) == (event.change != DelegationChange::delegated),
            "what is delegated is new, and all else is known");
    if (event.change == DelegationChange::released || event.change == DelegationChange::expired) {
      known_.erase(event.delegation.prefix);
    } else {
      known_.insert_or_assign(event.delegation.prefix, event.delegation);
    }
  }

  void compare(const relay::Delegations& table) const {
    std::size_t count = 0;
    std::map<std::string, std::size_t> of_interface;
    std::map<std::pair<std::string, Octets>, std::size_t> of_client;
    table.for_each([&](View duid, std::string_view interface, const relay::Delegation& delegation) {
      const auto told = known_.find(delegation.prefix);
      require(told != known_.end() && told->second == delegation, "what is known was told");
      ++count;
      require(++of_interface[std::string{interface}] <= limits.per_interface, "interfaces are limited");
      require(++of_client[{std::string{interface}, Octets{duid.begin(), duid.end()}}] <= limits.per_client,
              "clients are limited");
    });
    require(count == known_.size() && count == table.size() && count <= limits.in_all, "all is known, and limited");
  }

 private:
  std::map<relay::Ipv6Prefix, relay::Delegation> known_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  View rest{data, size};
  Listening listening;
  relay::Delegations table{limits, [&listening](const relay::DelegationEvent& event) { listening.hear(event); }};
  std::chrono::nanoseconds now{1};
  while (rest.size() >= 3) {
    const std::uint8_t what = rest[0];
    const std::size_t length = std::min(number(rest, 1, 2), rest.size() - 3);
    const Octets message{rest.begin() + 3, rest.begin() + 3 + static_cast<std::ptrdiff_t>(length)};  // of its size
    rest = rest.subspan(3 + length);
    const std::string_view interface = (what & 1U) == 0 ? "c0" : "c1";
    now += std::chrono::seconds{what >> 4U};
    compare_readers(message);
    if ((what & 2U) != 0) {
      table.release_passes(interface, message);
    } else {
      const relay::Ipv6Address client{
          {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (what & 4U) == 0 ? std::uint8_t{1} : std::uint8_t{2}}};
      table.reply_passes(interface, client, message, now);
    }
    if ((what & 8U) != 0) {
      table.expire(now);
      const auto next = table.next_expiry();
      require(!next || *next > now, "what is over is gone");
    }
    listening.compare(table);
  }
  return 0;
}
