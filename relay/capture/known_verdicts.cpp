#include "relay/capture/known_verdicts.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>

namespace relay::capture {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// How long the relay takes to send.
constexpr milliseconds usual_delay{250};

/// That of an IPv4 address is the address.
[[nodiscard]] std::uint64_t number_of(const Address& address) noexcept {
  return address.is_ipv6() ? std::hash<Ipv6Address>{}(address.ipv6()) : address.ipv4().host_order();
}

[[nodiscard]] std::uint64_t received_key(const Verdict& verdict) noexcept {
  return capture::received_key(verdict.received, verdict.interface_index, verdict.source);
}

/// A copy is found by its octets and by whom it goes to; those beyond the servers that a verdict tells, by their
/// octets.
[[nodiscard]] std::uint64_t sent_key(Fingerprint fingerprint, const Address& destination) noexcept {
  return fingerprint ^ number_of(destination) * 0xd6e8feb86659fd93U;
}

[[nodiscard]] std::uint64_t untold_key(Fingerprint fingerprint) noexcept {
  return sent_key(fingerprint, {});
}

}  // namespace

std::uint64_t received_key(Fingerprint fingerprint, std::uint32_t interface_index, const Address& source) noexcept {
  return fingerprint ^ (std::uint64_t{interface_index} << 32U ^ number_of(source)) * 0x9e3779b97f4a7c15U;
}

void KnownVerdicts::add(const Verdict& verdict, nanoseconds now, std::size_t most) {
  if (verdict.kind == VerdictKind::send_failed) {
    add_failed_copy(verdict);
    return;
  }
  if (known_.size() == most) {
    forget_first();
  }
  KnownVerdict& known = known_.emplace_back();
  known.verdict = verdict;
  known.since = now;
  received_.emplace(received_key(verdict), verdict.serial);
  expect_copies(known);
}

/// Servers with one address on several links are told apart by nothing that a copy has: all but one are untold.
void KnownVerdicts::expect_copies(KnownVerdict& known) {
  const Verdict& verdict = known.verdict;
  if (verdict.kind == VerdictKind::to_client) {
    sent_.emplace(sent_key(verdict.sent, verdict.destination), verdict.serial);
  } else if (verdict.kind == VerdictKind::to_servers) {
    known.untold_copies = verdict.server_count;
    for (const Address& server : verdict.told_servers()) {
      known.untold_copies -= sent_.emplace(sent_key(verdict.sent, server), verdict.serial).second ? 1U : 0U;
    }
    if (known.untold_copies != 0) {
      sent_.emplace(untold_key(verdict.sent), verdict.serial);
    }
  }
}

void KnownVerdicts::add_failed_copy(const Verdict& verdict) {
  KnownVerdict* const known = find(verdict.serial);
  if (known == nullptr) {
    return;
  }
  ++known->failed_count;
  if (known->failed_copies.size() < told_servers_max) {
    known->failed_copies.push_back({verdict.destination, verdict.reason, verdict.error});
  }
  is_settled(*known, verdict.destination);
}

void KnownVerdicts::is_settled(KnownVerdict& known, const Address& destination) {
  const Verdict& verdict = known.verdict;
  const bool was_told = sent_.erase({sent_key(verdict.sent, destination), verdict.serial}) != 0;
  if (!was_told && known.untold_copies != 0 && --known.untold_copies == 0) {
    sent_.erase({untold_key(verdict.sent), verdict.serial});
  }
}

void KnownVerdicts::is_received(KnownVerdict& known, std::uint64_t frame) {
  known.frame = frame;
  received_.erase({received_key(known.verdict), known.verdict.serial});
}

void KnownVerdicts::forget_first() {
  const Verdict& verdict = known_.front().verdict;
  received_.erase({received_key(verdict), verdict.serial});
  sent_.erase({sent_key(verdict.sent, verdict.destination), verdict.serial});
  for (const Address& server : verdict.told_servers()) {
    sent_.erase({sent_key(verdict.sent, server), verdict.serial});
  }
  sent_.erase({untold_key(verdict.sent), verdict.serial});
  known_.pop_front();
}

void KnownVerdicts::forget_until(nanoseconds time) {
  while (!known_.empty() && known_.front().since < time) {
    forget_first();
  }
}

std::uint64_t KnownVerdicts::first_serial_since(nanoseconds arrival) const noexcept {
  const auto place =
      std::ranges::lower_bound(known_, arrival, {}, [](const KnownVerdict& known) { return known.verdict.arrival; });
  return place == known_.end() ? std::numeric_limits<std::uint64_t>::max() : place->verdict.serial;
}

KnownVerdict* KnownVerdicts::oldest_received(std::uint64_t key, std::uint64_t first_serial) noexcept {
  return oldest(received_, key, first_serial);
}

KnownVerdict* KnownVerdicts::newest_received_before(std::uint64_t key, std::uint64_t serial) noexcept {
  return newest_before(received_, key, serial);
}

KnownVerdict* KnownVerdicts::next_received(const KnownVerdict& known) noexcept {
  return oldest(received_, received_key(known.verdict), known.verdict.serial + 1);
}

KnownVerdict* KnownVerdicts::find_sent(Fingerprint fingerprint, const Address& destination,
                                       std::optional<nanoseconds> at) noexcept {
  KnownVerdict* const known = find_sent(sent_key(fingerprint, destination), at);
  return known != nullptr ? known : find_sent(untold_key(fingerprint), at);
}

/// Copies leave at once and in order; those that were never seen must not have the frames of later ones like them.
KnownVerdict* KnownVerdicts::find_sent(std::uint64_t key, std::optional<nanoseconds> at) noexcept {
  if (!at) {
    return oldest(sent_, key, 0);
  }
  KnownVerdict* const known = oldest(sent_, key, first_serial_since(*at - usual_delay));
  if (known != nullptr && known->verdict.arrival <= *at + arrival_tolerance) {
    return known;
  }
  return newest_before(sent_, key, first_serial_since(*at + arrival_tolerance + nanoseconds{1}));
}

KnownVerdict* KnownVerdicts::oldest(const Queues& queues, std::uint64_t key, std::uint64_t first_serial) noexcept {
  const auto place = queues.lower_bound({key, first_serial});
  return place == queues.end() || place->first != key ? nullptr : find(place->second);
}

KnownVerdict* KnownVerdicts::newest_before(const Queues& queues, std::uint64_t key, std::uint64_t serial) noexcept {
  const auto place = queues.lower_bound({key, serial});
  return place == queues.begin() || std::prev(place)->first != key ? nullptr : find(std::prev(place)->second);
}

KnownVerdict* KnownVerdicts::find(std::uint64_t serial) noexcept {
  const auto place =
      std::ranges::lower_bound(known_, serial, {}, [](const KnownVerdict& known) { return known.verdict.serial; });
  return place == known_.end() || place->verdict.serial != serial ? nullptr : &*place;
}

}  // namespace relay::capture
