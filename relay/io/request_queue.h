// Requests between their socket and their turn: copied out of the receive buffers into bounded room, one line for each
// interface, so that what floods one interface waits there and delays nobody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "relay/core/fair_queue.h"
#include "relay/core/message_buffer.h"
#include "relay/core/protocols.h"

namespace relay::io {

/// A request that left its line. `buffer` borrows from the queue, with room for option 82 behind it in DHCPv4 and with
/// headroom in DHCPv6, until `release`.
template <typename Protocol>
struct QueuedRequestOf {
  typename Protocol::Ingress ingress;
  MessageBuffer buffer;
  typename Protocol::Kind kind;  ///< as given to `push`
  std::uint64_t epoch;           ///< as given to `push`
};

using QueuedRequest = QueuedRequestOf<Dhcpv4>;
using QueuedRequest6 = QueuedRequestOf<Dhcpv6>;

template <typename Protocol>
class RequestQueueOf {
 public:
  using Ingress = typename Protocol::Ingress;
  using Kind = typename Protocol::Kind;
  using Queued = QueuedRequestOf<Protocol>;

  RequestQueueOf();

  /// Takes a copy, which waits by the urgency of its kind, behind `headroom` free octets and more where there are any,
  /// or as many as a message of that size can have at most. False where there is no room for it.
  [[nodiscard]] bool push(const Ingress& ingress, std::span<const std::uint8_t> message, Kind kind, std::uint64_t epoch,
                          std::size_t headroom = 0) noexcept;

  /// The request whose turn it is.
  [[nodiscard]] std::optional<Queued> pop() noexcept;

  /// The request that is given up so that there is room for another (`FairQueue`), which is as for `push`; nothing if
  /// it is that other itself, or if that would have no room all the same.
  [[nodiscard]] std::optional<Queued> give_up_for(const Ingress& ingress, std::span<const std::uint8_t> message,
                                                  Kind kind, std::size_t headroom = 0) noexcept;

  /// Gives back the room of every request that left its line.
  void release() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return order_.capacity(); }
  [[nodiscard]] bool is_full() const noexcept { return order_.is_full(); }

 private:
  static constexpr std::size_t place_count = 8192;  // some 100 ms of all that can be relayed
  // What comes in one Ethernet frame, and option 82 or the usual headroom. Not a power of two, lest all begin in a few
  // lines of the caches.
  static constexpr std::size_t place_size = 1792;
  static constexpr std::size_t large_count = 128;  // of which an interface has no more than others can still have
  static constexpr std::size_t large_size = 65536 + 512;
  static constexpr std::uint32_t nobody = 0xffffffff;

  struct Entry {
    Ingress ingress;
    std::uint64_t epoch = 0;
    std::uint32_t size = 0;
    std::uint32_t headroom = 0;
    std::uint32_t large = 0;  // which of the large rooms it has, from 1 on; 0: none
    Kind kind = Kind::unknown;
  };

  [[nodiscard]] static bool is_large(std::span<const std::uint8_t> message, std::size_t headroom) noexcept;
  [[nodiscard]] bool has_large_room_for(std::uint32_t flow) const noexcept;
  [[nodiscard]] Queued take(std::uint32_t place) noexcept;
  [[nodiscard]] std::span<std::uint8_t> room_of(std::uint32_t place) noexcept;

  FairQueue order_{place_count};
  std::vector<Entry> entries_{place_count};
  std::unique_ptr<std::uint8_t[]> rooms_;  // of all places, then the large ones; untouched ones cost no memory
  std::vector<std::uint32_t> free_;        // places
  std::vector<std::uint32_t> free_large_;
  std::vector<std::uint32_t> large_flows_;  // whose each is
  std::vector<std::uint32_t> taken_;
};

using RequestQueue = RequestQueueOf<Dhcpv4>;
using RequestQueue6 = RequestQueueOf<Dhcpv6>;

}  // namespace relay::io
