// Words that findings of one protocol, or of both, have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/check/facts.h"
#include "relay/core/families.h"

namespace relay::check {

/// The ports that servers of the relayed protocols have, each once.
[[nodiscard]] std::vector<std::uint16_t> server_ports(const Facts& facts);

/// These: `67`, `547`, `67 or 547`.
[[nodiscard]] std::string server_ports_text(const Facts& facts);

/// `DHCPv6 ` or `DHCPv4 `, or nothing where DHCPv4 alone is relayed.
[[nodiscard]] std::string_view protocol_before(const Facts& facts, Family family) noexcept;

}  // namespace relay::check
