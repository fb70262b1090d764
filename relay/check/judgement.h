// Judges the facts about a host: what keeps a relay with this configuration from serving clients, and what does not.
#pragma once

#include <vector>

#include "relay/check/facts.h"
#include "relay/check/finding.h"

namespace relay::check {

/// The findings in the order of `FindingKind`'s groups; what is true of several interfaces alike is one finding.
[[nodiscard]] std::vector<Finding> judge(const Facts& facts);

/// Of these, what no interface that comes up and no lease of an address makes good: a start warns of it.
[[nodiscard]] std::vector<Finding> judge_servers_at_start(const Facts& facts);

/// The gravest severity among them.
[[nodiscard]] Severity worst(const std::vector<Finding>& findings) noexcept;

}  // namespace relay::check
