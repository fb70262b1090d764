// Runs a golden case through the parts of the relay agent: flags, interface view, interface table, decisions.
#pragma once

#include <string>
#include <vector>

#include "tests/golden/case_file.h"

namespace golden {

/// What becomes of each exchange's message, in the words of `Exchange::expected`. Throws CaseError where the command
/// line is not accepted, and where an octet was written beside a message or in one that is dropped.
[[nodiscard]] std::vector<test_support::Lines> run_case(const std::string& name, const Case& to_run);

}  // namespace golden
