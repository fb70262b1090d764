// Which of the two protocols something is about.
#pragma once

#include <cstdint>

namespace relay {

/// Named by the addresses that their messages travel with.
enum class Family : std::uint8_t {
  ipv4,  ///< DHCPv4
  ipv6,  ///< DHCPv6
};

struct Families {
  bool ipv4 = false;  ///< DHCPv4
  bool ipv6 = false;  ///< DHCPv6

  friend constexpr bool operator==(const Families&, const Families&) = default;
};

}  // namespace relay
