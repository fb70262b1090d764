// Names: servers' to addresses, by the host's resolver, and the host's own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/families.h"
#include "relay/core/interface_settings.h"

namespace relay::io {

/// What a resolver says of one name.
struct Found {
  int error = 0;  ///< of getaddrinfo(3); 0: none
  std::vector<Ipv4Address> addresses{};
  std::vector<Ipv6Address> addresses6{};
};
/// Asks for addresses of `families`, at least one of them.
using LookUp = std::function<Found(const std::string& name, Families families)>;

/// Asks the resolver of this host, on this thread, and takes as long as that takes.
[[nodiscard]] Found look_up(const std::string& name, Families families);

/// Servers by address.
struct ServerAddresses {
  std::vector<Ipv4Address> ipv4;
  std::vector<ServerName6> ipv6;
};

/// All addresses of `servers` in `families`, each once, in the order given; a name's own in the resolver's order.
/// `look_up` is asked for names alone. Not for the data path's thread once it serves. Throws std::runtime_error naming
/// what is unknown, or what has an address that no other host can have, or one that is found on its own link alone.
[[nodiscard]] ServerAddresses resolve(const std::vector<std::string>& servers, Families families,
                                      const LookUp& look_up);

/// The same for interfaces. A list without a server of a family has no entry for it: the list for all interfaces holds.
struct ServerSettings {
  std::vector<Setting<std::vector<Ipv4Address>>> ipv4;
  std::vector<Setting<std::vector<ServerName6>>> ipv6;

  [[nodiscard]] Families families() const noexcept { return {.ipv4 = !ipv4.empty(), .ipv6 = !ipv6.empty()}; }
};
[[nodiscard]] ServerSettings resolve(const std::vector<Setting<std::vector<std::string>>>& settings, Families families,
                                     const LookUp& look_up);

/// Whether a server is given by its name.
[[nodiscard]] bool has_name(const std::vector<Setting<std::vector<std::string>>>& settings);

/// This host's name as it was given, with its domain if it has one.
[[nodiscard]] std::string host_name();

}  // namespace relay::io
