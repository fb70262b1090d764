// What templates can say of an interface.
#pragma once

#include <string>

#include "options82/template.h"
#include "relay/core/interface_table.h"

namespace relay {

/// Borrows from both.
[[nodiscard]] options82::InterfaceFacts facts_of(const Interface& interface, const std::string& host_name);

}  // namespace relay
