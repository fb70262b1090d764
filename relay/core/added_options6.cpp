#include "relay/core/added_options6.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "relay/core/options6.h"

namespace relay {

namespace {

namespace code = dhcpv6::code;
using dhcpv6::Octets;

// Codes that are looked at here alone.
constexpr std::uint16_t echo_request = 43;             // RFC 4994
constexpr std::uint16_t radius = 81;                   // RFC 7037
constexpr std::uint16_t access_technology_type = 105;  // RFC 7839 section 5.1
constexpr std::uint16_t network_name = 106;            // RFC 7839 section 5.2.1
constexpr std::uint16_t access_point_bssid = 108;      // RFC 7839 section 5.2.3

constexpr std::array ours{code::relay_message,
                          code::interface_id,
                          code::remote_id,
                          code::subscriber_id,
                          code::relay_id,
                          code::vss,
                          code::client_link_layer_address,
                          code::relay_source_port};

// IANA's list "Options Permitted in the Relay-Supplied Options Option" (RFC 6422 section 4, RFC 6440).
constexpr std::array<std::uint16_t, 1> rsoo_enabled{65};

// RFC 7037: Vendor-Specific, Delegated-IPv6-Prefix, Framed-IPv6-Address, DNS-Server-IPv6-Address,
// Delegated-IPv6-Prefix-Pool, Stateful-IPv6-Address-Pool.
constexpr std::array<std::uint8_t, 6> permitted_attributes{26, 123, 168, 169, 171, 172};

template <typename Codes, typename Code>
[[nodiscard]] bool contains(const Codes& codes, Code code) noexcept {
  return std::ranges::find(codes, code) != codes.end();
}

/// RFC 6422 section 4.
[[nodiscard]] std::optional<AddedOptionFault> check_relay_supplied_options(Octets value) noexcept {
  dhcpv6::OptionReader options{value};
  while (const auto option = options.next()) {
    if (!contains(rsoo_enabled, option->code)) {
      return AddedOptionFault::not_rsoo_enabled;
    }
  }
  return options.is_damaged() ? std::optional{AddedOptionFault::malformed} : std::nullopt;
}

/// RFC 4994 sections 3 and 4: codes of two octets. Interface-Id and Relay Source Port come back unasked; without a
/// virtual subnet in it, a reply is dropped.
[[nodiscard]] std::optional<AddedOptionFault> check_echo_request(Octets value) noexcept {
  constexpr std::array matter{code::interface_id, code::vss, code::relay_source_port};
  for (; value.size() >= 2; value = value.subspan(2)) {
    if (contains(matter, dhcpv6::number(value.first<2>()))) {
      return AddedOptionFault::echo_matters;
    }
  }
  return value.empty() ? std::nullopt : std::optional{AddedOptionFault::malformed};
}

/// RFC 7037: RADIUS attributes, each with its type and a length that includes both octets (RFC 2865 section 5).
[[nodiscard]] std::optional<AddedOptionFault> check_radius(Octets value) noexcept {
  while (!value.empty()) {
    if (value.size() < 2 || value[1] < 2 || value[1] > value.size()) {
      return AddedOptionFault::malformed;
    }
    if (!contains(permitted_attributes, value[0])) {
      return AddedOptionFault::not_permitted;
    }
    value = value.subspan(value[1]);
  }
  return std::nullopt;
}

[[nodiscard]] std::optional<AddedOptionFault> check_value(std::uint16_t code, Octets value) noexcept {
  if (value.size() > dhcpv6::max_option_value_size) {
    return AddedOptionFault::too_long;
  }
  switch (code) {
    case code::relay_supplied_options:
      return check_relay_supplied_options(value);
    case echo_request:
      return check_echo_request(value);
    case radius:
      return check_radius(value);
    default:  // any other is opaque
      return std::nullopt;
  }
}

}  // namespace

std::optional<FaultyOption> find_faulty_option(
    std::span<const std::pair<std::uint16_t, std::string>> options) noexcept {
  const bool says_technology =
      std::ranges::any_of(options, [](const auto& option) { return option.first == access_technology_type; });
  for (const auto& [code, value] : options) {
    if (contains(ours, code)) {
      return FaultyOption{code, AddedOptionFault::is_ours};
    }
    const Octets octets{reinterpret_cast<const std::uint8_t*>(value.data()), value.size()};
    if (const auto fault = check_value(code, octets)) {
      return FaultyOption{code, *fault};
    }
    // RFC 7839 section 6.
    if (code >= network_name && code <= access_point_bssid && !says_technology) {
      return FaultyOption{code, AddedOptionFault::technology_unsaid};
    }
  }
  return std::nullopt;
}

}  // namespace relay
