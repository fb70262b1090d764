#include "relay/core/response_times.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "relay/core/transaction_hash.h"

namespace relay {

namespace {

[[nodiscard]] std::uint32_t microseconds_of(std::chrono::nanoseconds time) noexcept {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

[[nodiscard]] std::uint32_t check_of(std::uint64_t hash) noexcept {
  return std::max(static_cast<std::uint32_t>(hash >> 32U), 1U);
}

}  // namespace

ResponseTimes::ResponseTimes(std::uint64_t seed, std::size_t capacity) : seed_(seed), entries_(capacity) {
  assert(capacity > 0);
}

void ResponseTimes::asked(bootp::Header request, MessageKind kind, std::chrono::nanoseconds now) noexcept {
  note(hash_of(request, kind == MessageKind::discover), now);
}

void ResponseTimes::asked(const ClientMessage6& request, std::chrono::nanoseconds now) noexcept {
  note(hash_of(request), now);
}

std::optional<std::chrono::nanoseconds> ResponseTimes::since_asked(bootp::Header reply, MessageKind kind,
                                                                   std::chrono::nanoseconds now) const noexcept {
  return since_noted(hash_of(reply, kind == MessageKind::offer), now);
}

std::optional<std::chrono::nanoseconds> ResponseTimes::since_asked(const ClientMessage6& reply,
                                                                   std::chrono::nanoseconds now) const noexcept {
  return since_noted(hash_of(reply), now);
}

void ResponseTimes::note(std::uint64_t hash, std::chrono::nanoseconds now) noexcept {
  entries_[place_of(hash)] = {check_of(hash), microseconds_of(now)};
}

std::optional<std::chrono::nanoseconds> ResponseTimes::since_noted(std::uint64_t hash,
                                                                   std::chrono::nanoseconds now) const noexcept {
  const Entry& entry = entries_[place_of(hash)];
  const std::chrono::microseconds elapsed{microseconds_of(now) - entry.asked};
  if (entry.check != check_of(hash) || elapsed > lifetime) {
    return std::nullopt;
  }
  return elapsed;
}

std::uint64_t ResponseTimes::hash_of(bootp::Header header, bool begins_handshake) const noexcept {
  std::array<std::uint8_t, bootp::max_hlen> chaddr{};
  std::ranges::copy(bootp::hardware_address(header), chaddr.begin());
  return transaction_hash(bootp::xid(header), chaddr, begins_handshake ? seed_ : ~seed_);
}

std::uint64_t ResponseTimes::hash_of(const ClientMessage6& message) const noexcept {
  return transaction_hash(dhcpv6::transaction_id(message.octets), message.client.octets, seed_);
}

}  // namespace relay
