// The content of a Relay Agent Information option: its sub-options, written and read (RFC 3046 section 2.0).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "options82/options.h"

namespace options82 {

/// Sub-option codes (IANA, "DHCP Relay Agent Sub-Option Codes").
enum class SubOption : std::uint8_t {
  circuit_id = 1,           // RFC 3046 section 3.1
  remote_id = 2,            // RFC 3046 section 3.2
  link_selection = 5,       // RFC 3527 section 3
  subscriber_id = 6,        // RFC 3993 section 3
  relay_flags = 10,         // RFC 5010 section 3
  server_id_override = 11,  // RFC 5107 section 4
  relay_id = 12,            // RFC 6925 section 5
  source_port = 19,         // RFC 8357 section 5.1
  vss = 151,                // RFC 6607 section 3.2
  vss_control = 152,        // RFC 6607 section 3.3
};

/// Sub-options of one option 82, encoded: at most 255 octets, without the option's own code and length octets.
class AgentInformation {
 public:
  AgentInformation() = default;

  /// Appends one sub-option. Fails, changing nothing, where the value is over 255 octets or the whole would be.
  [[nodiscard]] bool add(SubOption sub_option, Octets value) noexcept;

  /// The encoded sub-options; valid as long as this object and until the next `add`.
  [[nodiscard]] Octets octets() const noexcept { return {octets_.data(), size_}; }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  std::size_t size_ = 0;  // in front, next to the octets that there are
  std::array<std::uint8_t, max_option_value_size> octets_{};
};

inline constexpr std::size_t sub_option_head_size = 2;  // code and length octet

/// One sub-option; `value` borrows from the content that was read. Codes that have no enumerator are kept as they are.
struct SubOptionValue {
  SubOption code;
  Octets value;
};

/// Walks the sub-options of one option 82 in order. There is no PAD and no END among them (RFC 3046 section 2.0).
/// The content must outlive the reader and what it returns.
class SubOptionReader {
 public:
  explicit SubOptionReader(Octets content) noexcept : content_(content) {}

  /// The next sub-option; nothing at the end of the content or at damage, and `is_damaged()` says which.
  [[nodiscard]] std::optional<SubOptionValue> next() noexcept;

  /// A length octet is missing, or a value crosses the end of the content.
  [[nodiscard]] bool is_damaged() const noexcept { return damaged_; }

  /// Where reading stands: behind the last sub-option.
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

 private:
  Octets content_;
  std::size_t offset_ = 0;
  bool damaged_ = false;
};

// Here for the same reason as `OptionReader::next`.
inline std::optional<SubOptionValue> SubOptionReader::next() noexcept {
  const Octets rest = content_.subspan(offset_);
  if (rest.empty()) {
    return std::nullopt;
  }
  if (rest.size() < sub_option_head_size || rest.size() - sub_option_head_size < rest[1]) {
    damaged_ = true;
    return std::nullopt;
  }
  const SubOptionValue found{static_cast<SubOption>(rest[0]), rest.subspan(sub_option_head_size, rest[1])};
  offset_ += sub_option_head_size + found.value.size();
  return found;
}

/// The value of the first sub-option `sub_option` in `content` (the value of an option 82). Nothing if it is not there
/// or `content` is damaged before it. There is no PAD and no END among sub-options (RFC 3046 section 2.0).
[[nodiscard]] std::optional<Octets> find_sub_option(Octets content, SubOption sub_option) noexcept;

/// Room for the values of a message's option 82s together, which several agents can have written. More of it is
/// nobody's, and is not judged by its first part.
inline constexpr std::size_t max_joined_size = 1024;

/// The values of all instances of option 82 in `field` one behind the other, written into `storage`: they are one
/// option, split (RFC 3396 section 7). Returns the written part of `storage`; what does not fit is left out.
[[nodiscard]] Octets join_agent_information(Octets field, std::span<std::uint8_t> storage) noexcept;

/// Whether `content` is a whole number of well-formed sub-options; an empty one is.
[[nodiscard]] bool is_well_formed(Octets content) noexcept;

}  // namespace options82
