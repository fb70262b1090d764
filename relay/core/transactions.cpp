#include "relay/core/transactions.h"

#include <algorithm>
#include <cassert>

#include "relay/core/transaction_hash.h"

namespace relay {

Transactions::Transactions(std::uint64_t seed, std::size_t capacity)
    : seed_(seed), places_(capacity / entries_per_place) {
  assert(capacity >= entries_per_place);
}

Transactions::Key Transactions::key_of(bootp::Header header) noexcept {
  Key key{bootp::xid(header)};
  std::ranges::copy(bootp::hardware_address(header), key.chaddr.begin());
  return key;
}

std::size_t Transactions::place_of(const Key& key) const noexcept {
  return static_cast<std::size_t>(transaction_hash(key.xid, key.chaddr, seed_) % places_.size());
}

void Transactions::remember(bootp::Header request, std::uint32_t interface_index,
                            std::chrono::nanoseconds now) noexcept {
  const Key key = key_of(request);
  Place& place = places_[place_of(key)];
  auto* const same = std::ranges::find(place, key, &Entry::key);
  if (same != place.end() && same->forgotten_at > now) {
    if (same->interface_index == interface_index) {
      remembered_->remove(same->forgotten_at);
      same->forgotten_at = now + lifetime;
      remembered_->add(same->forgotten_at);
    } else {
      same->interface_index = 0;  // until it is forgotten: who goes on asking is known again then
    }
    return;
  }
  // One that is over, or never was, is the oldest of all.
  Entry& entry = same != place.end() ? *same : *std::ranges::min_element(place, {}, &Entry::forgotten_at);
  remembered_->remove(entry.forgotten_at);
  entry = {key, interface_index, now + lifetime};
  remembered_->add(entry.forgotten_at);
}

std::optional<std::uint32_t> Transactions::find(bootp::Header reply, std::chrono::nanoseconds now) const noexcept {
  const Key key = key_of(reply);
  const Place& place = places_[place_of(key)];
  const auto* const same = std::ranges::find(place, key, &Entry::key);
  if (same == place.end() || same->forgotten_at <= now || same->interface_index == 0) {
    return std::nullopt;
  }
  return same->interface_index;
}

}  // namespace relay
