#include "relay/config/dhcpv6_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <variant>

#include "relay/config/flags.h"
#include "relay/config/option82_values.h"
#include "relay/core/added_options6.h"
#include "relay/core/options6.h"

namespace relay::flags {

namespace {

// Of all options that --option6 adds, heads included: room for many, and for the message that they are put around.
constexpr std::size_t most_octets_together = 1024;

/// The number's octets in the order of this host's processor, which is what ISC dhcrelay sends.
[[nodiscard]] options82::Template number_template(std::uint32_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t octet : std::bit_cast<std::array<std::uint8_t, sizeof number>>(number)) {
    text += digits[octet >> 4U];
    text += digits[octet & 0xfU];
  }
  return std::get<options82::Template>(options82::Template::parse(text));
}

[[nodiscard]] std::string sentence(const FaultyOption& faulty) {
  const std::string option = "option " + std::to_string(faulty.code);
  switch (faulty.fault) {
    case AddedOptionFault::is_ours:
      return option + " is written by the relay itself; expected another";
    case AddedOptionFault::too_long:
      return option + " is too long; expected at most 65535 octets";
    case AddedOptionFault::malformed:
      return "expected the value of " + option + " in the form that its RFC gives it";
    case AddedOptionFault::not_rsoo_enabled:
      return option + " has an option in it that relay agents may not supply; expected option 65 alone (RFC 6422)";
    case AddedOptionFault::echo_matters:
      return option + " asks for an option back without which replies are dropped; expected none of 18, 68 and 135";
    case AddedOptionFault::not_permitted:
      return option + " has a RADIUS attribute in it that is not for DHCPv6 servers; expected those of RFC 7037";
    case AddedOptionFault::technology_unsaid:
      return option + " needs --option6 105=VALUE, the access technology type (RFC 7839 section 6)";
  }
  return {};
}

}  // namespace

Ipv6Address routed_address(const Given& given, std::string_view text) {
  const std::optional<Ipv6Address> address = ipv6_address(text);
  if (!address) {
    reject(given, "expected an IPv6 address such as 2001:db8::1");
  }
  if (!address->is_globally_scoped()) {
    reject(given, "expected a global or unique-local IPv6 address of one host");
  }
  return *address;
}

LowerInterface lower_interface(const Given& given) {
  constexpr std::uint32_t most_index = 2147483647;  // of ISC dhcrelay
  const std::string_view value = given.value;
  const std::size_t percent = value.find('%');
  const std::size_t start = percent == std::string_view::npos ? 0 : percent + 1;
  const std::size_t hash = std::min(value.find('#', start), value.size());
  LowerInterface lower{interface_pattern(given, value.substr(start, hash - start))};
  if (percent != std::string_view::npos) {
    lower.link_address = routed_address(given, value.substr(0, percent));
  }
  if (hash < value.size()) {
    lower.interface_id = number_template(number(given, value.substr(hash + 1), "an index behind '#'", 0, most_index));
  }
  return lower;
}

UpperInterface upper_interface(const Given& given) {
  const std::size_t percent = given.value.find('%');
  if (percent == std::string::npos) {
    return {interface_name(given, given.value), "ff05::1:3%" + given.value};
  }
  if (!ipv6_address(std::string_view(given.value).substr(0, percent))) {
    reject(given, "expected an IPv6 address in front of '%', such as 2001:db8::1%eth0, or an interface alone");
  }
  return {interface_name(given, std::string_view(given.value).substr(percent + 1)), server(given, given.value)};
}

bool is_duid(std::string_view octets) noexcept {
  constexpr std::size_t type_size = 2;
  constexpr std::size_t most = 128;
  return octets.size() > type_size && octets.size() <= type_size + most;
}

std::pair<std::uint16_t, std::string> further_option6(const Given& given) {
  constexpr std::uint32_t most_code = 65535;
  const std::size_t equals = given.value.find('=');
  std::uint32_t code = 0;
  const char* const code_end = given.value.data() + std::min(equals, given.value.size());
  const auto [stopped, error] = std::from_chars(given.value.data(), code_end, code);
  if (equals == std::string::npos || error != std::errc{} || stopped != code_end || code == 0 || code > most_code) {
    reject(given, "expected CODE=VALUE, a number from 1 to 65535 and text or 0x and hexadecimal digits");
  }
  return {static_cast<std::uint16_t>(code),
          octets(given, std::string_view(given.value).substr(equals + 1), "an option")};
}

void check_options6(const std::vector<Given>& givens,
                    const std::vector<std::pair<std::uint16_t, std::string>>& options) {
  const auto faulty = find_faulty_option(options);
  std::size_t size = 0;
  for (const Given& given : givens) {
    if (given.flag->name != "option6") {
      continue;
    }
    const auto [code, value] = further_option6(given);
    if (faulty && faulty->code == code) {
      reject(given, sentence(*faulty));
    }
    size += dhcpv6::option_head_size + value.size();
    if (size > most_octets_together) {
      reject(given, "too long: all options of --option6 have at most 1024 octets together");
    }
  }
}

}  // namespace relay::flags
