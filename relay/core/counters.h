// Counters of one interface, by what the messages were; written by the data path alone and readable from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "relay/core/drop_reason.h"
#include "relay/core/families.h"
#include "relay/core/message_kind.h"
#include "relay/core/message_kind6.h"

namespace relay {

/// A count with one writer: adding is a plain load and store, reading from elsewhere is never torn.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) noexcept : value_(other.value()) {}
  Counter& operator=(const Counter& other) noexcept {
    value_.store(other.value(), std::memory_order_relaxed);
    return *this;
  }
  ~Counter() = default;

  void add(std::uint64_t count = 1) noexcept { value_.store(value() + count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A figure that goes up and down, with one writer.
class Gauge {
 public:
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

namespace detail {

// What a message of one direction can be. One that claims a type of the other direction is `other`.
inline constexpr std::array request_kinds{MessageKind::discover, MessageKind::request,   MessageKind::decline,
                                          MessageKind::release,  MessageKind::inform,    MessageKind::other,
                                          MessageKind::bootp,    MessageKind::malformed, MessageKind::unknown};
inline constexpr std::array reply_kinds{MessageKind::offer,  MessageKind::ack,   MessageKind::nak,
                                        MessageKind::other,  MessageKind::bootp, MessageKind::malformed,
                                        MessageKind::unknown};

inline constexpr std::array request_kinds6{
    MessageKind6::solicit,       MessageKind6::request, MessageKind6::confirm,   MessageKind6::renew,
    MessageKind6::rebind,        MessageKind6::release, MessageKind6::decline,   MessageKind6::information_request,
    MessageKind6::relay_forward, MessageKind6::other,   MessageKind6::malformed, MessageKind6::unknown};
inline constexpr std::array reply_kinds6{MessageKind6::advertise,   MessageKind6::reply, MessageKind6::reconfigure,
                                         MessageKind6::relay_reply, MessageKind6::other, MessageKind6::malformed,
                                         MessageKind6::unknown};

template <Direction direction, Family family>
inline constexpr auto kinds_of = request_kinds;
template <>
inline constexpr auto kinds_of<Direction::reply, Family::ipv4> = reply_kinds;
template <>
inline constexpr auto kinds_of<Direction::request, Family::ipv6> = request_kinds6;
template <>
inline constexpr auto kinds_of<Direction::reply, Family::ipv6> = reply_kinds6;

/// What a message of DHCPv6 can be dropped for as well as one of DHCPv4; behind them in the list are those of DHCPv6
/// alone, and those of sending.
inline constexpr std::array shared_reasons{
    DropReason::receive_truncated, DropReason::interface_unknown, DropReason::queue_full,    DropReason::rate_limited,
    DropReason::not_downstream,    DropReason::no_server,         DropReason::not_upstream,  DropReason::server_unknown,
    DropReason::vss_unsupported,   DropReason::vss_unknown,       DropReason::interface_down};

[[nodiscard]] constexpr bool is_of_dhcpv6(DropReason reason) noexcept {
  return reason >= DropReason::header_too_short || std::ranges::find(shared_reasons, reason) != shared_reasons.end();
}

/// Whether a message of this direction can be dropped for `reason`; one that nobody saw has no direction.
[[nodiscard]] constexpr bool applies(DropReason reason, Direction direction, Family family) noexcept {
  const bool is_of_dhcpv6_alone = reason >= DropReason::header_too_short && reason <= DropReason::link_unnamed;
  if (reason == DropReason::lost_in_kernel || (family == Family::ipv4 ? is_of_dhcpv6_alone : !is_of_dhcpv6(reason))) {
    return false;
  }
  const bool is_of_requests = (reason >= DropReason::queue_full && reason < DropReason::not_upstream) ||
                              (reason >= DropReason::server_message && reason < DropReason::not_relay_reply);
  const bool is_of_replies = (reason >= DropReason::not_upstream && reason <= DropReason::interface_down) ||
                             (reason >= DropReason::not_relay_reply && reason <= DropReason::link_unnamed);
  return direction == Direction::request ? !is_of_replies : !is_of_requests;
}

inline constexpr std::uint8_t nowhere = 0xff;

/// By kind, where it is in `kinds`, or `other` is.
template <typename Kind, std::size_t count>
[[nodiscard]] constexpr auto places(const std::array<Kind, count>& kinds) noexcept {
  std::array<std::uint8_t, static_cast<std::size_t>(Kind::unknown) + 1> result{};
  result.fill(static_cast<std::uint8_t>(std::ranges::find(kinds, Kind::other) - kinds.begin()));
  for (std::size_t place = 0; place < count; ++place) {
    result[static_cast<std::size_t>(kinds[place])] = static_cast<std::uint8_t>(place);
  }
  return result;
}

/// By reason, which one of those that apply it is.
[[nodiscard]] constexpr std::array<std::uint8_t, drop_reason_count> rows(Direction direction, Family family) noexcept {
  std::array<std::uint8_t, drop_reason_count> result{};
  std::uint8_t next = 0;
  for (std::size_t reason = 0; reason < drop_reason_count; ++reason) {
    result[reason] = applies(static_cast<DropReason>(reason), direction, family) ? next++ : nowhere;
  }
  return result;
}

[[nodiscard]] constexpr std::size_t row_count(Direction direction, Family family) noexcept {
  std::size_t count = 0;
  for (const std::uint8_t row : rows(direction, family)) {
    count += row != nowhere ? 1 : 0;
  }
  return count;
}

}  // namespace detail

/// Messages of one direction and family. There are as many counters as there can be pairs of a kind and a reason, and
/// no more: with 4,000 interfaces they are most of the relay's memory.
template <Direction direction, Family family = Family::ipv4>
class MessageCounters {
 public:
  using Kind = std::conditional_t<family == Family::ipv4, MessageKind, MessageKind6>;

  /// What messages of this direction are told apart by, in the order of `Kind`.
  [[nodiscard]] static constexpr std::span<const Kind> kinds() noexcept { return detail::kinds_of<direction, family>; }

  [[nodiscard]] Counter& received(Kind kind) noexcept { return passed_[place_of(kind)].received; }
  [[nodiscard]] const Counter& received(Kind kind) const noexcept { return passed_[place_of(kind)].received; }
  [[nodiscard]] Counter& forwarded(Kind kind) noexcept { return passed_[place_of(kind)].forwarded; }
  [[nodiscard]] const Counter& forwarded(Kind kind) const noexcept { return passed_[place_of(kind)].forwarded; }

  /// Needs a reason that messages of this direction can have.
  [[nodiscard]] Counter& dropped(Kind kind, DropReason reason) noexcept {
    assert(can_have(reason));
    return dropped_[row_of(reason)][place_of(kind)];
  }
  [[nodiscard]] const Counter& dropped(Kind kind, DropReason reason) const noexcept {
    assert(can_have(reason));
    return dropped_[row_of(reason)][place_of(kind)];
  }
  [[nodiscard]] static constexpr bool can_have(DropReason reason) noexcept { return row_of(reason) != detail::nowhere; }

  // Sums of all kinds.
  [[nodiscard]] std::uint64_t received() const noexcept;
  [[nodiscard]] std::uint64_t forwarded() const noexcept;
  [[nodiscard]] std::uint64_t dropped(DropReason reason) const noexcept;

  /// Adds what `other` counted.
  void add(const MessageCounters& other) noexcept;

 private:
  static constexpr std::size_t kind_count = detail::kinds_of<direction, family>.size();
  static constexpr auto own_places = detail::places(detail::kinds_of<direction, family>);
  static constexpr auto own_rows = detail::rows(direction, family);

  [[nodiscard]] static constexpr std::size_t place_of(Kind kind) noexcept {
    return own_places[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] static constexpr std::size_t row_of(DropReason reason) noexcept {
    return own_rows[static_cast<std::size_t>(reason)];
  }

  // Together, since most messages of a kind need both.
  struct Passed {
    Counter received;
    Counter forwarded;
  };
  std::array<Passed, kind_count> passed_;
  std::array<std::array<Counter, kind_count>, detail::row_count(direction, family)> dropped_;
};

/// Messages of one interface and family. A request counts where it arrived; a reply counts as received and dropped
/// where it arrived, and as forwarded, or as dropped because it could not be sent, on its client's interface. What the
/// steady state writes for requests comes first, in one line of the processor's cache.
template <Family family>
struct alignas(64) FamilyCounters {
  Counter request_copies;  ///< copies sent, one per server; a request is forwarded if at least one was
  MessageCounters<Direction::request, family> requests;
  MessageCounters<Direction::reply, family> replies;
  Counter request_copies_failed;  ///< copies that could not be sent; a request of which none could be is dropped too
  Counter option82_omitted;       ///< of DHCPv4: relayed without option 82 because it would not have fitted (RFC 3046
                                  ///< section 2.1)
  Counter lost_in_kernel;         ///< messages that were not even received

  /// Adds what `other` counted.
  void add(const FamilyCounters& other) noexcept;

  /// In both directions.
  [[nodiscard]] std::uint64_t dropped(DropReason reason) const noexcept;
};

using Counters = FamilyCounters<Family::ipv4>;
using Counters6 = FamilyCounters<Family::ipv6>;

template <Direction direction, Family family>
std::uint64_t MessageCounters<direction, family>::received() const noexcept {
  std::uint64_t sum = 0;
  for (const Passed& passed : passed_) {
    sum += passed.received.value();
  }
  return sum;
}

template <Direction direction, Family family>
std::uint64_t MessageCounters<direction, family>::forwarded() const noexcept {
  std::uint64_t sum = 0;
  for (const Passed& passed : passed_) {
    sum += passed.forwarded.value();
  }
  return sum;
}

template <Direction direction, Family family>
std::uint64_t MessageCounters<direction, family>::dropped(DropReason reason) const noexcept {
  std::uint64_t sum = 0;
  if (can_have(reason)) {
    for (const Counter& counter : dropped_[row_of(reason)]) {
      sum += counter.value();
    }
  }
  return sum;
}

template <Direction direction, Family family>
void MessageCounters<direction, family>::add(const MessageCounters& other) noexcept {
  for (std::size_t place = 0; place < kind_count; ++place) {
    passed_[place].received.add(other.passed_[place].received.value());
    passed_[place].forwarded.add(other.passed_[place].forwarded.value());
    for (std::size_t row = 0; row < dropped_.size(); ++row) {
      dropped_[row][place].add(other.dropped_[row][place].value());
    }
  }
}

template <Family family>
void FamilyCounters<family>::add(const FamilyCounters& other) noexcept {
  requests.add(other.requests);
  replies.add(other.replies);
  request_copies.add(other.request_copies.value());
  request_copies_failed.add(other.request_copies_failed.value());
  option82_omitted.add(other.option82_omitted.value());
  lost_in_kernel.add(other.lost_in_kernel.value());
}

template <Family family>
std::uint64_t FamilyCounters<family>::dropped(DropReason reason) const noexcept {
  return reason == DropReason::lost_in_kernel ? lost_in_kernel.value()
                                              : requests.dropped(reason) + replies.dropped(reason);
}

}  // namespace relay
