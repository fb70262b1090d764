// The firewall's rules as `nft -j list ruleset` prints them (libnftables-json(5)), and what legacy iptables has beside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/check/firewall_rules.h"
#include "relay/core/families.h"

namespace relay::io {

struct Firewall {
  check::Ruleset ruleset;
  std::vector<std::string> early_chains;  ///< base chains that see frames before IP does, which are not read
  std::string fault;                      ///< why it could not be read; empty: it was
};

/// Runs nft, which needs CAP_NET_ADMIN.
[[nodiscard]] Firewall read_firewall();

/// Reads what nft printed: the chains of the families ip, ip6 and inet, but for the hook ingress. Parts of a rule that
/// are not understood become conditions that cannot be judged.
[[nodiscard]] Firewall firewall_in(const std::string& json);

/// Tables of the family's legacy iptables in this network namespace; none where that is not told.
[[nodiscard]] std::vector<std::string> legacy_tables(Family family);

}  // namespace relay::io
