// Judges what DHCPv6 alone asks of a clients' interface.
#pragma once

#include <vector>

#include "relay/check/facts.h"
#include "relay/check/finding.h"

namespace relay::check {

/// Adds what is wrong with a downstream interface that is up; whether its clients are served, as far as that goes.
[[nodiscard]] bool judge_downstream6(const InterfaceFacts& interface, const Facts& facts,
                                     std::vector<Finding>& findings);

/// Adds interfaces whose replies cannot be told apart.
void judge_interface_ids(const Facts& facts, std::vector<Finding>& findings);

}  // namespace relay::check
