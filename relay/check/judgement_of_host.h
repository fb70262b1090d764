// The judgement's rules on what interfaces share: settings of the kernel and the firewall.
#pragma once

#include <vector>

#include "relay/check/facts.h"
#include "relay/check/finding.h"

namespace relay::check {

/// Adds what the kernel's settings do to messages.
void judge_settings(const Facts& facts, std::vector<Finding>& findings);

/// Adds what the firewall does to messages.
void judge_firewall(const Facts& facts, std::vector<Finding>& findings);

}  // namespace relay::check
