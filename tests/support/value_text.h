// Octets as words that a person can read and write: "text", 10.1.0.1, 0a01ff, and 41x200 for 200 times the octet 41.
// Any octets can be written, and what is written reads back as the same octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "relay/core/address.h"
#include "tests/support/message_builder.h"

namespace test_support {

/// Text that does not say what it has to: one clause, and the line that it is about, counted from 0.
class TextError : public std::runtime_error {
 public:
  explicit TextError(const std::string& what, std::size_t line = 0) : std::runtime_error(what), line_(line) {}
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  std::size_t line_;
};

/// How a person reads octets best; where they do not suit the form, they are written in hexadecimal.
enum class ValueForm : std::uint8_t { octets, text, addresses };

/// The words for `octets`, none for none.
[[nodiscard]] std::string value_text(std::span<const std::uint8_t> octets, ValueForm form);

/// The octets of words in any of the forms above. Throws TextError.
[[nodiscard]] Bytes value_octets(std::string_view words);

/// Octets of which no sixteen in a row are equal, or more than that, all equal: what one word of `value_text` stands
/// for at most. The part that `octets` begins with; `octets` is not empty.
[[nodiscard]] std::span<const std::uint8_t> first_segment(std::span<const std::uint8_t> octets);

/// A decimal number up to `most`. Throws TextError.
[[nodiscard]] std::uint32_t number(std::string_view word, std::uint32_t most);

/// A hexadecimal number of exactly `digits` digits. Throws TextError.
[[nodiscard]] std::uint32_t hex_number(std::string_view word, std::size_t digits);
[[nodiscard]] std::string hex_text(std::span<const std::uint8_t> octets);

/// "10.1.0.1". Throws TextError.
[[nodiscard]] relay::Ipv4Address address(std::string_view word);
[[nodiscard]] std::string address_text(relay::Ipv4Address address);
/// "2001:db8::1". Throws TextError.
[[nodiscard]] relay::Ipv6Address address6(std::string_view word);

/// "02:00:00:00:00:01", of any length. Throws TextError.
[[nodiscard]] Bytes colon_octets(std::string_view word);
[[nodiscard]] std::string colon_text(std::span<const std::uint8_t> octets);

/// The first word of `text`, which is left with what stands behind it; a word in quotes may have spaces. Empty where
/// there is none, and where a comment begins with '#'.
[[nodiscard]] std::string_view take_word(std::string_view& text);

}  // namespace test_support
