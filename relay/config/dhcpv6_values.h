// Values of the flags that are DHCPv6's alone, checked against the RFC of each option. Like values.h, with which it
// shares its errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options82/template.h"
#include "relay/config/values.h"
#include "relay/core/address.h"

namespace relay::flags {

/// A global or unique-local address that one host can have.
[[nodiscard]] Ipv6Address routed_address(const Given& given, std::string_view text);

/// `-l [address%]IF[#index]`.
struct LowerInterface {
  std::string pattern;
  std::optional<Ipv6Address> link_address{};
  /// Of the index, as ISC dhcrelay sends it: four octets in the order of this host's processor.
  std::optional<options82::Template> interface_id{};
};
[[nodiscard]] LowerInterface lower_interface(const Given& given);

/// `-u [address%]IF`.
struct UpperInterface {
  std::string name;
  std::string server;  ///< as SERVER: All_DHCP_Servers where no address is given (RFC 8415 section 19)
};
[[nodiscard]] UpperInterface upper_interface(const Given& given);

/// Whether these octets are a DUID (RFC 8415 section 11.1).
[[nodiscard]] bool is_duid(std::string_view octets) noexcept;

/// `CODE=VALUE`: code and value of one further option of Relay-forward. What the value is comes with `check_options6`.
[[nodiscard]] std::pair<std::uint16_t, std::string> further_option6(const Given& given);

/// Throws UsageError where a relay agent may not add one of `options`, which are those of `givens`, or where they are
/// too large together.
void check_options6(const std::vector<Given>& givens,
                    const std::vector<std::pair<std::uint16_t, std::string>>& options);

}  // namespace relay::flags
