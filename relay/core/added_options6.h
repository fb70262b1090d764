// Which options an operator may add to Relay-forwards beside those that have a flag: what the RFCs ask of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace relay {

/// Why an option may not be added.
enum class AddedOptionFault : std::uint8_t {
  is_ours,            ///< the relay agent writes it itself
  too_long,           ///< more than 65,535 octets
  malformed,          ///< its value is not what its RFC says
  not_rsoo_enabled,   ///< Relay-Supplied Options with one that relay agents may not supply (RFC 6422 section 4)
  echo_matters,       ///< an echo is asked for of an option whose absence changes what we do (RFC 4994 section 4)
  not_permitted,      ///< a RADIUS attribute that is not for DHCPv6 servers (RFC 7037)
  technology_unsaid,  ///< an access network's name without its technology (RFC 7839 section 6)
};

struct FaultyOption {
  std::uint16_t code;
  AddedOptionFault fault;
};

/// The first that is not right, if there is one. `options` are codes and values.
[[nodiscard]] std::optional<FaultyOption> find_faulty_option(
    std::span<const std::pair<std::uint16_t, std::string>> options) noexcept;

}  // namespace relay
