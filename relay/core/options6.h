// Reading and writing the options of DHCPv6 messages: a code and a length of two octets each, then the value (RFC 8415
// section 21.1). The only code that looks at their length octets; none of it reads or writes beyond its span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "relay/core/dhcpv6.h"

namespace relay::dhcpv6 {

/// Option codes that a relay agent reads or writes; every other option is opaque to it.
namespace code {
inline constexpr std::uint16_t client_id = 1;                   // RFC 8415 section 21.2
inline constexpr std::uint16_t relay_message = 9;               // RFC 8415 section 21.10
inline constexpr std::uint16_t status_code = 13;                // RFC 8415 section 21.13
inline constexpr std::uint16_t interface_id = 18;               // RFC 8415 section 21.18
inline constexpr std::uint16_t ia_pd = 25;                      // RFC 8415 section 21.21
inline constexpr std::uint16_t ia_prefix = 26;                  // RFC 8415 section 21.22
inline constexpr std::uint16_t remote_id = 37;                  // RFC 4649
inline constexpr std::uint16_t subscriber_id = 38;              // RFC 4580
inline constexpr std::uint16_t relay_id = 53;                   // RFC 5460 section 5.4.1
inline constexpr std::uint16_t relay_supplied_options = 66;     // RFC 6422
inline constexpr std::uint16_t vss = 68;                        // RFC 6607 section 3.4
inline constexpr std::uint16_t client_link_layer_address = 79;  // RFC 6939
inline constexpr std::uint16_t relay_source_port = 135;         // RFC 8357 section 4.2
}  // namespace code

inline constexpr std::size_t option_head_size = 4;  // code and length
inline constexpr std::size_t max_option_value_size = 65535;

/// The options that differ from message to message, their heads included.
inline constexpr std::size_t link_layer_option_size = option_head_size + 2 + 6;  // of Ethernet (RFC 6939 section 4)
inline constexpr std::size_t relay_port_option_size = option_head_size + 2;      // RFC 8357 section 4.2

/// One option as it stands in the message. `value` borrows from what was read.
struct Option {
  std::uint16_t code = 0;
  Octets value;
};

/// Walks options in order, without allocation. The octets must outlive the reader and its options.
class OptionReader {
 public:
  explicit OptionReader(Octets options) noexcept : rest_(options) {}

  /// The next option; nothing at the end, and where an option's head is cut or its value crosses the end.
  [[nodiscard]] std::optional<Option> next() noexcept;

  /// Whether the last call found damage: nothing behind it is known.
  [[nodiscard]] bool is_damaged() const noexcept { return is_damaged_; }

 private:
  Octets rest_;
  bool is_damaged_ = false;
};

/// Two octets as a number in network order.
[[nodiscard]] constexpr std::uint16_t number(std::span<const std::uint8_t, 2> octets) noexcept {
  return static_cast<std::uint16_t>(octets[0] << 8U | octets[1]);
}

/// The same of four.
[[nodiscard]] constexpr std::uint32_t long_number(std::span<const std::uint8_t, 4> octets) noexcept {
  return std::uint32_t{number(octets.first<2>())} << 16U | number(octets.last<2>());
}

// Here, so that it becomes part of the loops over a message: those are where its time goes.
inline std::optional<Option> OptionReader::next() noexcept {
  if (rest_.empty() || is_damaged_) {
    return std::nullopt;
  }
  if (rest_.size() < option_head_size || rest_.size() - option_head_size < number(rest_.subspan<2, 2>())) {
    is_damaged_ = true;
    return std::nullopt;
  }
  const std::size_t size = number(rest_.subspan<2, 2>());
  const Option option{number(rest_.first<2>()), rest_.subspan(option_head_size, size)};
  rest_ = rest_.subspan(option_head_size + size);
  return option;
}

/// What a relay message that has its header carries: the value of its first Relay Message option; empty where there is
/// none.
[[nodiscard]] Octets carried_message(Octets relay_message) noexcept;

/// Writes into a span from its begin on. Needs room for all that is put.
class OptionWriter {
 public:
  explicit OptionWriter(std::span<std::uint8_t> room) noexcept : rest_(room) {}

  /// Octets as they are.
  void put(Octets octets) noexcept;
  /// Code and length of an option whose value follows. Needs `size <= max_option_value_size`.
  void put_head(std::uint16_t code, std::size_t size) noexcept;
  void put_number(std::uint16_t value) noexcept;

  /// What is left of the room.
  [[nodiscard]] std::span<std::uint8_t> rest() const noexcept { return rest_; }

 private:
  std::span<std::uint8_t> rest_;
};

/// Appends a whole option, for what is encoded once. Needs `value.size() <= max_option_value_size`.
void append_option(std::vector<std::uint8_t>& options, std::uint16_t code, Octets value);

}  // namespace relay::dhcpv6
