// Which of the two protocols something is about.
#pragma once

namespace relay {

struct Families {
  bool ipv4 = false;  ///< DHCPv4
  bool ipv6 = false;  ///< DHCPv6

  friend constexpr bool operator==(const Families&, const Families&) = default;
};

}  // namespace relay
