// Values of the flags that say what option 82 holds, checked against the RFC of each sub-option. Like values.h, with
// which it shares its errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "options82/template.h"
#include "relay/config/values.h"

namespace relay::flags {

/// A template of a sub-option, or `none`, which leaves the sub-option out.
[[nodiscard]] options82::Template identifier_template(const Given& given, std::string_view text);

/// The same in NVT ASCII without NUL (RFC 3993 section 3).
[[nodiscard]] options82::Template subscriber_template(const Given& given, std::string_view text);

/// Text as it is or the octets of `0x` and hexadecimal digits: 1 to 253 octets. `noun` as in "a sub-option has at
/// most".
[[nodiscard]] std::string octets(const Given& given, std::string_view text, std::string_view noun = "a sub-option");

/// Whether the value is `0x` and hexadecimal digits rather than text.
[[nodiscard]] bool is_given_in_octets(std::string_view text) noexcept;

/// The value of sub-option 151 (RFC 6607 section 3.5): type and VPN identifier from a VRF's name, `0x` and the 14
/// digits of a VPN-ID (RFC 2685), or `global`.
[[nodiscard]] std::string virtual_subnet(const Given& given);

/// One further sub-option.
struct FurtherSubOption {
  std::uint8_t code;
  std::string value;
};

/// `CODE=VALUE`: a code that has no flag of its own and can be sent as a constant, with a value of its form.
[[nodiscard]] FurtherSubOption further_sub_option(const Given& given);

}  // namespace relay::flags
