// How long ago a client's message was relayed that a server's reply answers: bounded, one place to look at, no
// allocation after construction.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/core/bootp.h"
#include "relay/core/client_message6.h"
#include "relay/core/message_kind.h"

namespace relay {

/// A DHCPOFFER answers the last DHCPDISCOVER with its xid and chaddr, any other reply the last other request: of one
/// handshake they have the same xid. In DHCPv6 each exchange has its transaction-id (RFC 8415 section 16.1), and a
/// reply answers the last message with its own of the same client. Where requests collide the later one is known; of
/// much traffic these are a sample.
class ResponseTimes {
 public:
  static constexpr std::size_t default_capacity = 16384;
  static constexpr std::chrono::seconds lifetime{60};  // an answer later than that is none

  /// `seed` keeps others from choosing transactions that push each other out. `capacity` is at least 1.
  explicit ResponseTimes(std::uint64_t seed, std::size_t capacity = default_capacity);

  /// `now` counts from any fixed point and does not go back.
  void asked(bootp::Header request, MessageKind kind, std::chrono::nanoseconds now) noexcept;
  void asked(const ClientMessage6& request, std::chrono::nanoseconds now) noexcept;

  /// How long ago that was; nothing if it is not known or too long.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> since_asked(bootp::Header reply, MessageKind kind,
                                                                    std::chrono::nanoseconds now) const noexcept;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> since_asked(const ClientMessage6& reply,
                                                                    std::chrono::nanoseconds now) const noexcept;

 private:
  /// Eight octets, so that all of them stay in the processor's cache.
  struct Entry {
    std::uint32_t check = 0;  // of the transaction; 0: none
    std::uint32_t asked = 0;  // microseconds, of which the upper bits are left out
  };

  [[nodiscard]] std::uint64_t hash_of(bootp::Header header, bool begins_handshake) const noexcept;
  [[nodiscard]] std::uint64_t hash_of(const ClientMessage6& message) const noexcept;
  void note(std::uint64_t hash, std::chrono::nanoseconds now) noexcept;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> since_noted(std::uint64_t hash,
                                                                    std::chrono::nanoseconds now) const noexcept;
  [[nodiscard]] std::size_t place_of(std::uint64_t hash) const noexcept { return hash % entries_.size(); }

  std::uint64_t seed_;
  std::vector<Entry> entries_;
};

}  // namespace relay
