// What a network interface is, besides what rtnetlink's reports keep of it: asked by ioctl, without privilege.
#pragma once

#include <string>

#include "relay/check/facts.h"

namespace relay::io {

[[nodiscard]] bool is_loopback(const std::string& interface);

/// What it means to be a port of `master`.
[[nodiscard]] check::MasterKind master_kind(const std::string& master);

}  // namespace relay::io
