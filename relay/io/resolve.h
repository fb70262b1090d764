// Names: servers' to addresses, by the host's resolver, and the host's own.
#pragma once

#include <string>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/interface_settings.h"

namespace relay::io {

/// All IPv4 addresses of `servers`, each once, in the order given; a name's own in the resolver's order. Takes as long
/// as the resolver takes: not for the data path's thread once it serves. Throws std::runtime_error naming what is
/// unknown, or what has an address that no other host can have.
[[nodiscard]] std::vector<Ipv4Address> resolve(const std::vector<std::string>& servers);

/// The same for each setting.
[[nodiscard]] std::vector<Setting<std::vector<Ipv4Address>>> resolve(
    const std::vector<Setting<std::vector<std::string>>>& settings);

/// This host's name as it was given, with its domain if it has one.
[[nodiscard]] std::string host_name();

}  // namespace relay::io
