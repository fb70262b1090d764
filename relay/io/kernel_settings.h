// Settings of the kernel (sysctl) that decide what becomes of DHCP messages. Of this network namespace, readable
// without privilege.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/check/facts.h"

namespace relay::io {

/// What `net.ipv4.conf.all` and `net.ipv4.conf.IF` come to together (Linux, Documentation/networking/ip-sysctl.rst),
/// and what `net.ipv6.conf.IF` says.
struct InterfaceKernelSettings {
  check::ReversePathFilter reverse_path_filter = check::ReversePathFilter::off;
  bool forwards = false;
  bool forwards_broadcasts = false;
  bool ipv6_is_disabled = false;
};

[[nodiscard]] InterfaceKernelSettings kernel_settings_of(const std::string& interface);

/// That of it alone, in fewer looks: the larger of both numbers counts.
[[nodiscard]] check::ReversePathFilter reverse_path_filter_of(const std::string& interface);

/// A number by its name, with slashes: `net/core/rmem_max`; nothing where it cannot be read.
[[nodiscard]] std::optional<std::uint64_t> kernel_setting(const std::string& name);

}  // namespace relay::io
