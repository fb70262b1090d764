#include "relay/io/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "relay/io/socket_address.h"

namespace relay::io {

namespace {

[[nodiscard]] std::optional<Ipv4Address> address_in(const std::string& server) {
  in_addr address{};
  return ::inet_pton(AF_INET, server.c_str(), &address) == 1 ? std::optional{from_in_addr(address)} : std::nullopt;
}

/// Of `address[%interface]`.
[[nodiscard]] std::optional<ServerName6> server6_in(const std::string& server) {
  const std::size_t percent = server.find('%');
  ServerName6 result;
  if (::inet_pton(AF_INET6, server.substr(0, percent).c_str(), result.address.octets.data()) != 1) {
    return std::nullopt;
  }
  if (percent != std::string::npos) {
    result.interface_name = server.substr(percent + 1);
  }
  return result;
}

/// What of a server in `families` is to be asked for.
[[nodiscard]] ServerAddresses addresses_of(const std::string& server, Families families, const LookUp& look_up) {
  if (const auto address = address_in(server)) {
    return {{*address}, {}};
  }
  if (auto server6 = server6_in(server)) {
    return {{}, {*std::move(server6)}};
  }
  const Found found = look_up(server, families);
  if (found.error != 0) {
    throw std::runtime_error("cannot resolve server '" + server + "': " + ::gai_strerror(found.error));
  }
  ServerAddresses addresses{found.addresses, {}};
  for (const Ipv6Address& address : found.addresses6) {
    if (address.is_link_local()) {
      throw std::runtime_error("server '" + server +
                               "' resolves to a link-local address, which is one link's; expected it as ADDR%IF");
    }
    if (!address.is_host()) {
      throw std::runtime_error("server '" + server + "' resolves to an address that no other host can have");
    }
    addresses.ipv6.push_back({address});
  }
  return addresses;
}

template <typename Address>
void add_once(std::vector<Address>& addresses, const Address& address) {
  if (std::ranges::find(addresses, address) == addresses.end()) {
    addresses.push_back(address);
  }
}

}  // namespace

Found look_up(const std::string& name, Families families) {
  addrinfo wanted{};
  wanted.ai_family = !families.ipv6 ? AF_INET : !families.ipv4 ? AF_INET6 : AF_UNSPEC;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &first); error != 0) {
    return {error};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> entries{first, &::freeaddrinfo};
  Found found;
  for (const addrinfo* entry = entries.get(); entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      sockaddr_in socket_address{};
      std::memcpy(&socket_address, entry->ai_addr, sizeof(socket_address));
      found.addresses.push_back(from_in_addr(socket_address.sin_addr));
    } else if (entry->ai_family == AF_INET6) {
      sockaddr_in6 socket_address{};
      std::memcpy(&socket_address, entry->ai_addr, sizeof(socket_address));
      Ipv6Address& address = found.addresses6.emplace_back();
      std::memcpy(address.octets.data(), &socket_address.sin6_addr, address.octets.size());
    }
  }
  return found;
}

ServerAddresses resolve(const std::vector<std::string>& servers, Families families, const LookUp& look_up) {
  ServerAddresses all;
  for (const std::string& server : servers) {
    const ServerAddresses addresses = addresses_of(server, families, look_up);
    for (const Ipv4Address address : addresses.ipv4) {
      if (!address.is_host()) {
        throw std::runtime_error("server '" + server + "' resolves to an address that no other host can have");
      }
      add_once(all.ipv4, address);
    }
    for (const ServerName6& address : addresses.ipv6) {
      add_once(all.ipv6, address);
    }
  }
  return all;
}

ServerSettings resolve(const std::vector<Setting<std::vector<std::string>>>& settings, Families families,
                       const LookUp& look_up) {
  ServerSettings resolved;
  for (const auto& [pattern, servers] : settings) {
    ServerAddresses addresses = resolve(servers, families, look_up);
    if (!addresses.ipv4.empty()) {
      resolved.ipv4.push_back({pattern, std::move(addresses.ipv4)});
    }
    if (!addresses.ipv6.empty()) {
      resolved.ipv6.push_back({pattern, std::move(addresses.ipv6)});
    }
  }
  return resolved;
}

bool has_name(const std::vector<Setting<std::vector<std::string>>>& settings) {
  return std::ranges::any_of(settings, [](const auto& setting) {
    return std::ranges::any_of(setting.value,
                               [](const std::string& server) { return !address_in(server) && !server6_in(server); });
  });
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot learn this host's name");
  }
  return name.data();
}

}  // namespace relay::io
