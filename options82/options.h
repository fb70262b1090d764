// Reading the options field of a DHCP message: PAD, END and code-length-value (RFC 2132 section 2).
// The readers of this folder are the only code that looks at length octets; none of them reads past its span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace options82 {

using Octets = std::span<const std::uint8_t>;

/// Option codes that a relay agent looks at; every other option is opaque to it.
namespace code {
inline constexpr std::uint8_t pad = 0;
inline constexpr std::uint8_t message_type = 53;       // RFC 2132 section 9.6
inline constexpr std::uint8_t agent_information = 82;  // RFC 3046 section 2.0
inline constexpr std::uint8_t end = 255;
}  // namespace code

inline constexpr std::size_t option_head_size = 2;  // code and length octet
inline constexpr std::size_t max_option_value_size = 255;

/// One option as it stands in the field. `value` borrows from the field that was read.
struct Option {
  std::uint8_t code = code::pad;
  std::size_t offset = 0;  ///< of the code octet, from the start of the field
  Octets value;

  /// Offset of the octet behind the option.
  [[nodiscard]] std::size_t end_offset() const noexcept { return offset + option_head_size + value.size(); }
};

/// Why reading came to an end.
enum class ReadStop : std::uint8_t {
  not_yet,       ///< the last call returned an option
  end_option,    ///< at an END option
  end_of_field,  ///< every octet was read and there was no END option
  damaged,       ///< an option's length octet is missing or its value crosses the end of the field
};

/// Walks the options of one field in order, without allocation. The field must outlive the reader and its options.
class OptionReader {
 public:
  explicit OptionReader(Octets field) noexcept : field_(field) {}

  /// The next option that is neither PAD nor END; nothing when reading has come to an end, and `stop()` says why.
  [[nodiscard]] std::optional<Option> next() noexcept;

  [[nodiscard]] ReadStop stop() const noexcept { return stop_; }

  /// Where reading stands: behind the last option, or on the END option, the damage or the end of the field.
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

 private:
  Octets field_;
  std::size_t offset_ = 0;
  ReadStop stop_ = ReadStop::not_yet;
};

// Here, so that it becomes part of the loops over a field: those are where a message's time goes.
inline std::optional<Option> OptionReader::next() noexcept {
  if (stop_ != ReadStop::not_yet) {
    return std::nullopt;
  }
  std::size_t at = offset_;
  while (at < field_.size() && field_[at] == code::pad) {
    ++at;
  }
  if (at == field_.size()) {
    stop_ = ReadStop::end_of_field;  // offset_ stays behind the last option: trailing PADs belong to nobody
    return std::nullopt;
  }
  offset_ = at;
  if (field_[at] == code::end) {
    stop_ = ReadStop::end_option;
    return std::nullopt;
  }
  if (field_.size() - at < option_head_size || field_.size() - at - option_head_size < field_[at + 1]) {
    stop_ = ReadStop::damaged;
    return std::nullopt;
  }
  const Option option{field_[at], at, field_.subspan(at + option_head_size, field_[at + 1])};
  offset_ = option.end_offset();
  return option;
}

/// What one pass over an options field finds out for a relay agent.
struct Survey {
  bool damaged = false;  ///< the options are broken off: nothing behind the damage is known, and nothing may be edited
  bool has_end = false;  ///< there is an END option
  std::size_t end_offset = 0;                ///< of the END option; without one, of the octet behind the last option
  std::size_t agent_information_offset = 0;  ///< of the first option 82; without one, `end_offset`
  std::size_t agent_information_count = 0;   ///< instances of option 82
  std::size_t agent_information_size = 0;    ///< octets of them all, with their code and length octets
  std::optional<std::uint8_t> message_type;  ///< option 53, if it is there with its one octet (RFC 2132 section 9.6)
};

/// Surveys `field` in one pass. Values of options are never looked into (option 43 and its like are opaque).
[[nodiscard]] Survey survey(Octets field) noexcept;

}  // namespace options82
