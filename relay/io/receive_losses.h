// How many messages the kernel gave up before the data path took them, found out from the drop counts of its sockets.
#pragma once

#include <chrono>
#include <cstdint>

#include "relay/io/sockets.h"

namespace relay::io {

/// A socket's count (SK_MEMINFO_DROPS, which SO_RXQ_OVFL shows as well) has what did not fit into its receive buffer or
/// had a wrong checksum, but also what its filter turned away: each of the two sockets counts the broadcasts that are
/// the other's. Those are taken off, since they were received there.
class ReceiveLosses {
 public:
  /// Long enough for the kernel to give a broadcast to the second socket after the first.
  static constexpr std::chrono::milliseconds delay{10};

  /// A broadcast datagram that the socket of requests, or that of replies, received.
  void received_broadcast_request() noexcept { ++broadcast_requests_; }
  void received_broadcast_reply() noexcept { ++broadcast_replies_; }

  /// Which of the two sockets nothing was left in just now. What waits in one looks like a loss of the other's.
  struct Emptied {
    bool requests = false;
    bool replies = false;
  };

  struct Lost {
    std::uint64_t requests = 0;  ///< of the socket of requests
    std::uint64_t others = 0;
  };

  /// Looks at the counts, and, `delay` after a look that found them changed, says how many more losses they meant, as
  /// far as can be told. The result may be low: messages that were merged count as one, and as many replies as unicast
  /// requests were lost go unnoticed.
  [[nodiscard]] Lost more(const Sockets& sockets, Emptied emptied, std::chrono::nanoseconds now) noexcept;

  /// Whether the last look still waits for its result.
  [[nodiscard]] bool is_pending() const noexcept { return is_pending_; }

 private:
  /// Counts that may begin anew after 32 bits.
  struct Drops {
    std::uint32_t seen = 0;
    std::uint64_t total = 0;
    [[nodiscard]] bool look(int socket) noexcept;  ///< whether there are more than before
  };

  [[nodiscard]] bool look(const Sockets& sockets) noexcept;
  [[nodiscard]] Lost settled(Emptied emptied) noexcept;

  std::uint64_t broadcast_requests_ = 0;
  std::uint64_t broadcast_replies_ = 0;
  Drops requests_;
  Drops replies_;
  Drops upstream_;
  std::chrono::nanoseconds looked_at_{};
  bool is_pending_ = false;
  std::uint64_t lost_requests_ = 0;
  std::uint64_t lost_replies_ = 0;
  Lost told_;
};

}  // namespace relay::io
