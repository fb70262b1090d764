// Messages for tests: a builder that writes any BOOTP message, well-formed or not, and the messages of the reference
// exchange. Knows the layout of RFC 2131 section 2 by itself, so that it can contradict the code under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "relay/core/address.h"

namespace test_support {

using Bytes = std::vector<std::uint8_t>;

[[nodiscard]] constexpr relay::Ipv4Address ip(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
  return {{a, b, c, d}};
}

/// The characters of `value` as octets.
[[nodiscard]] Bytes text(std::string_view value);

/// All of `parts`, one behind the other.
[[nodiscard]] Bytes joined(std::initializer_list<Bytes> parts);

/// Code, length and value, as options and sub-options are encoded alike. Needs at most 255 octets of value.
[[nodiscard]] Bytes encoded(std::uint8_t code, const Bytes& value);

/// Builds one message: the fixed fields, the cookie, the options in the order of the calls, END, a tail behind END, and
/// PADs up to a size.
class MessageBuilder {
 public:
  MessageBuilder& op(std::uint8_t value);
  MessageBuilder& htype(std::uint8_t value);
  MessageBuilder& hlen(std::uint8_t value);
  MessageBuilder& hops(std::uint8_t value);
  MessageBuilder& xid(std::uint32_t value);
  MessageBuilder& secs(std::uint16_t value);
  MessageBuilder& flags(std::uint16_t value);
  MessageBuilder& ciaddr(relay::Ipv4Address address);
  MessageBuilder& yiaddr(relay::Ipv4Address address);
  MessageBuilder& siaddr(relay::Ipv4Address address);
  MessageBuilder& giaddr(relay::Ipv4Address address);
  MessageBuilder& chaddr(const Bytes& address);
  MessageBuilder& sname(const Bytes& value);
  MessageBuilder& file(const Bytes& value);

  /// Other octets in the place of the magic cookie.
  MessageBuilder& cookie(const std::array<std::uint8_t, 4>& octets);
  /// The message is the 236 octets of the header, and what `raw` and `tail` put behind them; there is no END.
  MessageBuilder& without_cookie();

  MessageBuilder& option(std::uint8_t code, const Bytes& value);
  MessageBuilder& message_type(std::uint8_t type);
  MessageBuilder& agent_information(const Bytes& content);
  MessageBuilder& pad(std::size_t count = 1);
  /// Octets among the options, as they are.
  MessageBuilder& raw(const Bytes& octets);

  MessageBuilder& without_end();
  /// Octets behind END.
  MessageBuilder& tail(const Bytes& octets);
  /// PADs up to `size`; a message that is longer stays as it is.
  MessageBuilder& padded_to(std::size_t size);

  [[nodiscard]] Bytes octets() const;

 private:
  MessageBuilder& put(std::size_t offset, std::span<const std::uint8_t> octets);

  std::array<std::uint8_t, 236> header_{};
  std::optional<std::array<std::uint8_t, 4>> cookie_{{99, 130, 83, 99}};
  Bytes options_;
  bool has_end_ = true;
  Bytes tail_;
  std::size_t padded_to_ = 0;
};

// The reference exchange: client 02:00:00:00:00:01 on c0 and server 198.51.100.10.

inline constexpr std::array<std::uint8_t, 6> client_mac{2, 0, 0, 0, 0, 1};
inline constexpr relay::Ipv4Address client_address = ip(10, 1, 0, 50);

/// D0: DHCPDISCOVER with options 53, 61, 55, padded to 300 octets.
[[nodiscard]] MessageBuilder discover();
/// R0: the matching DHCPREQUEST, with options 53, 61, 50, 54.
[[nodiscard]] MessageBuilder request();
/// B0: a BOOTREQUEST of 300 octets without cookie.
[[nodiscard]] MessageBuilder bootp_request();
/// O0: DHCPOFFER with giaddr 10.1.0.1 and yiaddr 10.1.0.50.
[[nodiscard]] MessageBuilder offer();
/// A0: the matching DHCPACK.
[[nodiscard]] MessageBuilder ack();
/// N0: the matching DHCPNAK, with yiaddr 0.
[[nodiscard]] MessageBuilder nak();

// The slow twin of the option readers: obvious, copying, and linked into tests alone.

struct ParsedOption {
  std::uint8_t code = 0;
  Bytes value;

  friend bool operator==(const ParsedOption&, const ParsedOption&) = default;
};

struct ParsedField {
  std::vector<ParsedOption> options;
  bool damaged = false;
  bool has_end = false;
  std::size_t end_offset = 0;  ///< of END; without one, of the octet behind the last option
};

/// The options of an options field.
[[nodiscard]] ParsedField parsed_field(std::span<const std::uint8_t> field);

/// The options of a message of at least 240 octets.
[[nodiscard]] ParsedField parsed_message(const Bytes& message);

/// The values of all options `code` of `message`, in order.
[[nodiscard]] std::vector<Bytes> values_of(const Bytes& message, std::uint8_t code);

/// `octets` without the zero octets at its end.
[[nodiscard]] Bytes without_trailing_pad(Bytes octets);

}  // namespace test_support
