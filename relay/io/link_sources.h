// Where the frames came from that messages of DHCPv6 clients were in, for option 79 (RFC 6939) and for the frames that
// answers leave in. Of IPv6 frames a packet socket has the headers of such messages alone; the router's IPv4 traffic
// never meets it.
#pragma once

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/decision6.h"
#include "relay/core/ports.h"
#include "relay/io/descriptor.h"
#include "relay/io/receive_batch.h"

namespace relay::io {

/// A packet socket that sees what clients send to this port, and neither relay messages nor what has extension headers.
/// Takes CAP_NET_RAW; throws std::system_error.
[[nodiscard]] Descriptor open_link_sources(const Ports6& ports);

/// A neighbour's entry in the kernel would not do: there is none yet for a client that begins, and a later one says
/// where its address is, not where this message came from. The kernel puts a frame into the packet socket before its
/// datagram is in the socket of requests, so that what is asked for here has been seen, but in a flood, where the
/// oldest are forgotten.
///
/// What the packet socket sees, no firewall and no checksum has passed, and anybody on the link may forge: where a
/// transaction was seen from two stations, neither is told, and the kernel has to find the client. `now` counts from
/// any fixed point, and does not go back. Bounded; allocates at construction alone.
class LinkSources {
 public:
  /// An answer later than that is none; and as long is a transaction of two stations nobody's, from the last time that
  /// one contradicted the other.
  static constexpr std::chrono::seconds lifetime{60};

  /// `seed` keeps others from choosing messages that push each other out.
  LinkSources(Descriptor socket, std::uint64_t seed);

  /// Learns from all that waits. To be called after datagrams were received, and before they are asked for.
  void take(std::chrono::nanoseconds now) noexcept;

  /// What the kernel merged was in a frame of its first message's, or in some from the same station: to be called where
  /// `run.message_size` is not 0, before its messages are asked for.
  void learn_run(const Received6& run, std::chrono::nanoseconds now) noexcept;

  /// The source of the frame that this client's message was in; nothing where that was not seen, or the link has no
  /// such addresses, or it is not one station's.
  [[nodiscard]] std::optional<MacAddress> of(const Ingress6& ingress,
                                             std::span<const std::uint8_t> message) const noexcept;

  /// This message went to servers, who may answer it.
  void relayed(const Ingress6& ingress, std::span<const std::uint8_t> message) noexcept;

  /// The same of the message that went to servers and that this one, to `client` on the interface, is the answer to by
  /// its transaction-id (RFC 8415 section 8). None is the question of a Reconfigure (section 16.11).
  [[nodiscard]] std::optional<MacAddress> of_asker(std::uint32_t interface_index, const Ipv6Address& client,
                                                   std::span<const std::uint8_t> answer,
                                                   std::chrono::nanoseconds now) const noexcept;

 private:
  static constexpr std::size_t batch_size = 64;
  static constexpr std::size_t most_batches = 256;  // of one `take`: more frames than are remembered
  static constexpr std::size_t set_count = 4096;
  static constexpr std::size_t ways = 8;
  // The IPv6 header, that of UDP, and what every message begins with: its type and transaction-id.
  static constexpr std::size_t message_offset = 40 + 8;
  static constexpr std::size_t seen_size = message_offset + 4;
  static constexpr std::chrono::nanoseconds never = std::chrono::nanoseconds::min();

  /// What tells a client's message from others of these moments.
  struct Key {
    Ipv6Address source;
    std::uint32_t interface_index = 0;
    std::uint32_t transaction_id = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    MacAddress mac;
    bool is_disputed = false;              // it was seen from another station too
    bool is_relayed = false;               // seen from this one
    std::chrono::nanoseconds seen{never};  // last; where it is disputed, the last time that it was
  };
  using Seen = std::array<std::uint8_t, seen_size>;

  [[nodiscard]] static std::optional<Key> key_of(std::uint32_t interface_index, const Ipv6Address& client,
                                                 std::span<const std::uint8_t> message) noexcept;
  void learn(const Seen& seen, const sockaddr_ll& frame, std::chrono::nanoseconds now) noexcept;
  void remember(const Key& key, const MacAddress& mac, std::chrono::nanoseconds now) noexcept;
  [[nodiscard]] const Entry* find(const Key& key) const noexcept;
  [[nodiscard]] std::size_t first_of_set(const Key& key) const noexcept;

  Descriptor socket_;
  std::uint64_t seed_;
  std::vector<Entry> entries_;  // in sets: a key is in the one that its transaction hashes to, or nowhere
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_ll> frames_;
  std::vector<Seen> seen_;
};

}  // namespace relay::io
