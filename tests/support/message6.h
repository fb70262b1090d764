// DHCPv6 messages for tests, well-formed or not. Knows the layout of RFC 8415 sections 8, 9 and 21.1 by itself, so that
// it can contradict the code under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "relay/core/address.h"
#include "tests/support/message_builder.h"

namespace test_support {

/// An address from its text, which must be one.
[[nodiscard]] relay::Ipv6Address ip6(const std::string& text);
[[nodiscard]] std::string described(const relay::Ipv6Address& address);

/// An option with its code and length.
[[nodiscard]] Bytes option6(std::uint16_t code, const Bytes& value);

/// A message between client and server: msg-type, a transaction-id, and options as they are.
[[nodiscard]] Bytes message6(std::uint8_t type, std::initializer_list<Bytes> options = {});

/// The header of a relay message and options as they are.
[[nodiscard]] Bytes relay_message6(std::uint8_t type, std::uint8_t hop_count, const relay::Ipv6Address& link_address,
                                   const relay::Ipv6Address& peer_address, std::initializer_list<Bytes> options);

// The reference exchange: client fe80::1 with the MAC address 02:00:00:00:00:01 on c0.

/// S6: Solicit with Client Identifier, Option Request, Elapsed Time and IA_NA.
[[nodiscard]] Bytes solicit6();
/// The Advertise that answers it.
[[nodiscard]] Bytes advertise6();
/// A Relay-forward of a relay agent below that carries `message`.
[[nodiscard]] Bytes forwarded6(std::uint8_t hop_count, const Bytes& message);
/// The Relay-reply to c0 with fe80::1 as peer-address, link-address 2001:db8:1::1, and `options` in front of `message`.
[[nodiscard]] Bytes relay_reply6(const Bytes& message, std::initializer_list<Bytes> options = {});

// The slow twin of the readers: obvious, copying, and linked into tests alone.

struct ParsedOption6 {
  std::uint16_t code = 0;
  Bytes value;

  friend bool operator==(const ParsedOption6&, const ParsedOption6&) = default;
};

struct ParsedOptions6 {
  std::vector<ParsedOption6> options;
  bool is_damaged = false;

  /// The value of the first option `code`.
  [[nodiscard]] std::optional<Bytes> find(std::uint16_t code) const;
  [[nodiscard]] std::vector<std::uint16_t> codes() const;
};

[[nodiscard]] ParsedOptions6 parsed_options6(const Bytes& octets);

struct ParsedRelayMessage6 {
  std::uint8_t type = 0;
  std::uint8_t hop_count = 0;
  relay::Ipv6Address link_address;
  relay::Ipv6Address peer_address;
  ParsedOptions6 options;
};

/// Needs at least 34 octets.
[[nodiscard]] ParsedRelayMessage6 parsed_relay_message6(const Bytes& message);

}  // namespace test_support
