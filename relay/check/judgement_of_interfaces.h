// Judges the interfaces that flags name: whether clients on them are heard, and whether what is relayed for them tells
// where they are.
#pragma once

#include <vector>

#include "relay/check/facts.h"
#include "relay/check/finding.h"

namespace relay::check {

/// Adds what is wrong with names and patterns, and with the interfaces that have them.
void judge_interfaces(const Facts& facts, std::vector<Finding>& findings);

}  // namespace relay::check
