#include "relay/io/kernel_settings.h"

#include <algorithm>
#include <fstream>

namespace relay::io {

namespace {

[[nodiscard]] std::uint64_t of_interface(const std::string& interface, const std::string& name) {
  return kernel_setting("net/ipv4/conf/" + interface + "/" + name).value_or(0);
}

}  // namespace

check::ReversePathFilter reverse_path_filter_of(const std::string& interface) {
  const std::uint64_t filter = std::max(of_interface("all", "rp_filter"), of_interface(interface, "rp_filter"));
  return filter == 0   ? check::ReversePathFilter::off
         : filter == 1 ? check::ReversePathFilter::strict
                       : check::ReversePathFilter::loose;
}

InterfaceKernelSettings kernel_settings_of(const std::string& interface) {
  InterfaceKernelSettings settings;
  settings.reverse_path_filter = reverse_path_filter_of(interface);
  settings.forwards = of_interface(interface, "forwarding") != 0;
  settings.forwards_broadcasts =
      of_interface("all", "bc_forwarding") != 0 && of_interface(interface, "bc_forwarding") != 0;
  settings.ipv6_is_disabled = kernel_setting("net/ipv6/conf/" + interface + "/disable_ipv6").value_or(0) != 0;
  return settings;
}

std::optional<std::uint64_t> kernel_setting(const std::string& name) {
  std::ifstream file{"/proc/sys/" + name};
  std::uint64_t value = 0;
  return file >> value ? std::optional{value} : std::nullopt;
}

}  // namespace relay::io
