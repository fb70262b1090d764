// The verdicts on messages of one protocol that a capture knows and may still need, in the order in which the relay
// received the messages. Found by what a packet shows of the message that came in, or of the copy that left.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "relay/capture/verdict.h"

namespace relay::capture {

/// How far a verdict's arrival may be behind the packet's time: the data path looks at its clock once a turn.
inline constexpr std::chrono::milliseconds arrival_tolerance{20};

/// A message is found by its octets, by who sent it and where it came in.
[[nodiscard]] std::uint64_t received_key(Fingerprint fingerprint, std::uint32_t interface_index,
                                         const Address& source) noexcept;

/// A verdict and what became known of its copies.
struct KnownVerdict {
  Verdict verdict;
  std::vector<FailedCopy> failed_copies;  ///< the first of them
  std::chrono::nanoseconds since{};
  std::uint64_t frame = 0;          ///< of the received packet; 0: not told
  std::uint32_t untold_copies = 0;  ///< to servers beyond those that the verdict tells; not seen yet
  std::uint32_t failed_count = 0;   ///< of all copies
};

/// Functions that find return null where there is none; what they return is valid until `add` and `forget_until`.
class KnownVerdicts {
 public:
  /// Takes a verdict in, in order of serial; beyond `most` of them the first is forgotten. One of `send_failed` is
  /// added to that of its message.
  void add(const Verdict& verdict, std::chrono::nanoseconds now, std::size_t most);

  /// Forgets those that were added before `time`.
  void forget_until(std::chrono::nanoseconds time);

  /// The first serial of those that arrived then or later; beyond all of them where there is none.
  [[nodiscard]] std::uint64_t first_serial_since(std::chrono::nanoseconds arrival) const noexcept;

  /// On messages whose packet was not found yet.
  [[nodiscard]] KnownVerdict* oldest_received(std::uint64_t key, std::uint64_t first_serial = 0) noexcept;
  [[nodiscard]] KnownVerdict* newest_received_before(std::uint64_t key, std::uint64_t serial) noexcept;
  /// The next one with the key of this one.
  [[nodiscard]] KnownVerdict* next_received(const KnownVerdict& known) noexcept;

  /// On the message that this copy, not seen before, is of: the one that was sent next before `at`, or the oldest one
  /// where that is not known.
  [[nodiscard]] KnownVerdict* find_sent(Fingerprint fingerprint, const Address& destination,
                                        std::optional<std::chrono::nanoseconds> at) noexcept;

  /// The packet of the message was seen, and has this frame.
  void is_received(KnownVerdict& known, std::uint64_t frame);
  /// A copy was seen, or will never be.
  void is_settled(KnownVerdict& known, const Address& destination);

 private:
  /// Serials of verdicts behind their key, so that the oldest of a key is found first and any is taken out at once,
  /// however many have the same key.
  using Queues = std::set<std::pair<std::uint64_t, std::uint64_t>>;

  void expect_copies(KnownVerdict& known);
  void add_failed_copy(const Verdict& verdict);
  void forget_first();
  [[nodiscard]] KnownVerdict* find(std::uint64_t serial) noexcept;
  [[nodiscard]] KnownVerdict* oldest(const Queues& queues, std::uint64_t key, std::uint64_t first_serial) noexcept;
  [[nodiscard]] KnownVerdict* newest_before(const Queues& queues, std::uint64_t key, std::uint64_t serial) noexcept;
  [[nodiscard]] KnownVerdict* find_sent(std::uint64_t key, std::optional<std::chrono::nanoseconds> at) noexcept;

  std::deque<KnownVerdict> known_;  // in order of serial
  Queues received_;
  Queues sent_;
};

}  // namespace relay::capture
