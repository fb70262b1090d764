// Which interface a client's request came from, for replies that neither giaddr nor an echoed option 82 leads to:
// bounded, expiring, one place to look at, no allocation after construction.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "relay/core/bootp.h"
#include "relay/core/expiries.h"

namespace relay {

/// A transaction is known by xid and chaddr (RFC 2131 section 4.1). Requests of the same transaction from two
/// interfaces make it ambiguous for as long as it is remembered, since one of them is somebody else's.
class Transactions {
 public:
  static constexpr std::size_t default_capacity = 65536;
  static constexpr std::chrono::seconds lifetime{60};  // a client that waits longer has sent another request

  /// `seed` keeps others from choosing transactions that push each other out. `capacity` is at least 4.
  explicit Transactions(std::uint64_t seed, std::size_t capacity = default_capacity);

  /// `now` counts from any fixed point and does not go back. Where there is no room, the oldest of a few goes.
  void remember(bootp::Header request, std::uint32_t interface_index, std::chrono::nanoseconds now) noexcept;

  /// The interface of the transaction that `reply` belongs to; nothing if it is not known, too old or ambiguous.
  [[nodiscard]] std::optional<std::uint32_t> find(bootp::Header reply, std::chrono::nanoseconds now) const noexcept;

  /// How many are remembered; for other threads too, and as long as they like.
  [[nodiscard]] std::shared_ptr<const Expiries> remembered() const noexcept { return remembered_; }

 private:
  struct Key {
    std::uint32_t xid = 0;
    std::array<std::uint8_t, bootp::max_hlen> chaddr{};  // what is behind hlen octets is zero
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    std::uint32_t interface_index = 0;  // 0: ambiguous
    std::chrono::nanoseconds forgotten_at{};
  };
  static constexpr std::size_t entries_per_place = 4;
  using Place = std::array<Entry, entries_per_place>;

  [[nodiscard]] static Key key_of(bootp::Header header) noexcept;
  [[nodiscard]] std::size_t place_of(const Key& key) const noexcept;

  std::uint64_t seed_;
  std::vector<Place> places_;
  std::shared_ptr<Expiries> remembered_ = std::make_shared<Expiries>();
};

}  // namespace relay
