#include "relay/config/option82_values.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>
#include <variant>

namespace relay::flags {

namespace {

using options82::Template;
using options82::TemplateFault;

constexpr std::size_t max_octets = 253;  // of one sub-option's value within 255 octets of option 82
constexpr std::string_view octets_prefix = "0x";
constexpr std::size_t vpn_id_digits = 14;  // RFC 2685 section 4: 7 octets

[[nodiscard]] const char* sentence(TemplateFault fault) noexcept {
  switch (fault) {
    case TemplateFault::empty:
      return "expected a template, or none to leave the sub-option out";
    case TemplateFault::unknown_token:
      return "expected %i, %I, %d, %h, %m, %M, %v, %p, %g or %% where a percent sign stands";
    case TemplateFault::broken_octets:
      return "expected hexadecimal digits, an even number of them, behind 0x";
    case TemplateFault::bad_access_node:
      return "expected a name without spaces and percent signs behind tr101:";
    case TemplateFault::too_long:
      return "too long: it could get more than 255 octets, or 63 with tr101:";
  }
  return "";
}

/// Characters of NVT ASCII that are seen (RFC 854), and space.
[[nodiscard]] bool is_printable_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char letter) { return letter >= ' ' && letter <= '~'; });
}

/// The octets behind `0x`; the error is the template's.
[[nodiscard]] std::string hexadecimal(const Given& given, std::string_view text) {
  const auto read = Template::parse(text);
  if (const auto* const fault = std::get_if<TemplateFault>(&read)) {
    reject(given, sentence(*fault));
  }
  std::string octets;
  for (const auto& part : std::get<Template>(read).expand({})) {
    octets += std::get<std::string>(part);
  }
  return octets;
}

/// RFC 4243 section 3: enterprise numbers of 4 octets, each with a length octet and its data.
[[nodiscard]] bool is_vendor_specific(std::string_view value) noexcept {
  constexpr std::size_t head_size = 5;
  while (value.size() >= head_size) {
    const std::size_t size = head_size + static_cast<std::uint8_t>(value[head_size - 1]);
    if (value.size() < size) {
      return false;
    }
    value.remove_prefix(size);
  }
  return value.empty();
}

/// Why `code` is none of `--suboption`'s; null if it is.
[[nodiscard]] const char* objection(std::uint32_t code) noexcept {
  switch (code) {
    case 1:
      return "sub-option 1 is --circuit-id's";
    case 2:
      return "sub-option 2 is --remote-id's";
    case 5:
      return "sub-option 5 is --link-selection's";
    case 6:
      return "sub-option 6 is --subscriber-id's";
    case 10:
    case 11:
      return "sub-options 10 and 11 are --server-id-override's";
    case 12:
      return "sub-option 12 is --relay-id's";
    case 19:
      return "sub-option 19 is --relay-port's";
    case 151:
    case 152:
      return "sub-options 151 and 152 are --vss's";
    case 8:
      return "sub-option 8 (RFC 4030) has to be computed for each message and is not sent by this version";
    case 0:
    case 3:
    case 255:
      return "this code is reserved; expected another from 1 to 254";
    default:
      return code > 255 ? "expected a code from 1 to 254" : nullptr;
  }
}

}  // namespace

Template identifier_template(const Given& given, std::string_view text) {
  if (text == "none") {
    return {};
  }
  const auto read = Template::parse(text);
  if (const auto* const fault = std::get_if<TemplateFault>(&read)) {
    reject(given, sentence(*fault));
  }
  return std::get<Template>(read);
}

Template subscriber_template(const Given& given, std::string_view text) {
  const bool is_ascii =
      text.starts_with(octets_prefix) ? is_printable_ascii(hexadecimal(given, text)) : is_printable_ascii(text);
  if (!is_ascii) {
    reject(given, "expected printable ASCII characters (RFC 3993 section 3)");
  }
  Template subscriber_id = identifier_template(given, text);
  if (subscriber_id.may_be_empty_for_a_client()) {
    reject(given, "%M alone is empty for a client without a hardware address; expected other text beside it");
  }
  return subscriber_id;
}

std::string octets(const Given& given, std::string_view text, std::string_view noun) {
  std::string value = text.starts_with(octets_prefix) ? hexadecimal(given, text) : std::string(text);
  if (value.empty()) {
    reject(given, "expected text, or 0x and hexadecimal digits");
  }
  if (value.size() > max_octets) {
    reject(given, std::string("too long: ").append(noun).append(" has at most 253 octets"));
  }
  return value;
}

bool is_given_in_octets(std::string_view text) noexcept {
  return text.starts_with(octets_prefix);
}

std::string virtual_subnet(const Given& given) {
  constexpr char name_type = 0;
  constexpr char vpn_id_type = 1;
  constexpr char global_type = static_cast<char>(255);
  if (given.value == "global") {
    return {global_type};
  }
  if (given.value.starts_with(octets_prefix)) {
    if (given.value.size() != octets_prefix.size() + vpn_id_digits) {
      reject(given, "expected 14 hexadecimal digits behind 0x, a VPN-ID (RFC 2685)");
    }
    return vpn_id_type + hexadecimal(given, given.value);
  }
  if (given.value.empty() || !is_printable_ascii(given.value)) {
    reject(given, "expected a VRF's name in printable ASCII characters, 0x and 14 hexadecimal digits, or global");
  }
  if (given.value.size() >= max_octets) {
    reject(given, "too long: a VRF's name has at most 252 octets");
  }
  return name_type + given.value;
}

FurtherSubOption further_sub_option(const Given& given) {
  const std::size_t equals = given.value.find('=');
  std::uint32_t code = 0;
  const char* const code_end = given.value.data() + std::min(equals, given.value.size());
  const auto [stopped, error] = std::from_chars(given.value.data(), code_end, code);
  if (equals == std::string::npos || error != std::errc{} || stopped != code_end) {
    reject(given, "expected CODE=VALUE, a number from 1 to 254 and text or 0x and hexadecimal digits");
  }
  if (const char* const why = objection(code)) {
    reject(given, why);
  }
  constexpr std::uint32_t device_class = 4;     // RFC 3256
  constexpr std::uint32_t vendor_specific = 9;  // RFC 4243
  constexpr std::size_t device_class_size = 4;
  std::string value = octets(given, std::string_view(given.value).substr(equals + 1));
  if (code == device_class && value.size() != device_class_size) {
    reject(given, "expected the 4 octets of a DOCSIS device class (RFC 3256 section 2)");
  }
  if (code == vendor_specific && !is_vendor_specific(value)) {
    reject(given,
           "expected enterprise numbers of 4 octets, each with a length octet and its data (RFC 4243 section 3)");
  }
  return {static_cast<std::uint8_t>(code), std::move(value)};
}

}  // namespace relay::flags
