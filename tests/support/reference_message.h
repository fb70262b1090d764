// A message taken apart into copies, for the reference: header, options one by one, what stands behind END.
// Taken apart and put together again, a message is what it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace reference {

using Bytes = std::vector<std::uint8_t>;

/// An option as it stood in the field; a PAD is code 0 without a value.
struct Option {
  std::uint8_t code = 0;
  Bytes value;
};

struct Message {
  Bytes header;                 ///< the first 236 octets, or the whole where there are fewer
  bool has_options = false;     ///< there is a magic cookie
  std::vector<Option> options;  ///< up to END, the damage or the end of the message
  bool is_damaged = false;      ///< the last option's length octet is missing, or its value crosses the end
  bool has_end = false;
  Bytes rest;  ///< behind END, from the damaged option on, or all behind the header of a message without cookie

  /// The values of all options `code`, in order.
  [[nodiscard]] std::vector<Bytes> values_of(std::uint8_t code) const;
  /// Octets of all options `code`, heads included.
  [[nodiscard]] std::size_t size_of(std::uint8_t code) const;
  /// Option 53, where it has its one octet (RFC 2132 section 9.6).
  [[nodiscard]] std::optional<std::uint8_t> message_type() const;
  void remove(std::uint8_t code);
};

[[nodiscard]] Message taken_apart(const Bytes& octets);
[[nodiscard]] Bytes put_together(const Message& message);

/// Puts an END behind the last option of an undamaged message that has none; the PADs there make room for it.
void complete(Message& message);

/// Option 82 as the last option of a complete message, before END (RFC 3046 section 2.1). PADs at the very end go.
void append_agent_information(Message& message, const Bytes& value);

/// Sub-options of one option 82; RFC 3046 section 2.0 knows neither PAD nor END there.
struct SubOptions {
  std::vector<Option> all;           ///< up to the end or the damage
  std::vector<std::size_t> offsets;  ///< of each, and of the octet behind the last
  bool is_damaged = false;
};

[[nodiscard]] SubOptions sub_options_of(const Bytes& value);

[[nodiscard]] Bytes joined(const std::vector<Bytes>& parts);

}  // namespace reference
