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

[[nodiscard]] std::vector<Ipv4Address> addresses_of(const std::string& server, const LookUp& look_up) {
  if (const auto address = address_in(server)) {
    return {*address};
  }
  Found found = look_up(server);
  if (found.error != 0) {
    throw std::runtime_error("cannot resolve server '" + server + "': " + ::gai_strerror(found.error));
  }
  return std::move(found.addresses);
}

}  // namespace

Found look_up(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &first); error != 0) {
    return {error};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> entries{first, &::freeaddrinfo};
  Found found;
  for (const addrinfo* entry = entries.get(); entry != nullptr; entry = entry->ai_next) {
    sockaddr_in socket_address{};
    std::memcpy(&socket_address, entry->ai_addr, sizeof(socket_address));
    found.addresses.push_back(from_in_addr(socket_address.sin_addr));
  }
  return found;
}

std::vector<Ipv4Address> resolve(const std::vector<std::string>& servers, const LookUp& look_up) {
  std::vector<Ipv4Address> addresses;
  for (const std::string& server : servers) {
    for (const Ipv4Address address : addresses_of(server, look_up)) {
      if (!address.is_host()) {
        throw std::runtime_error("server '" + server + "' resolves to an address that no other host can have");
      }
      if (std::ranges::find(addresses, address) == addresses.end()) {
        addresses.push_back(address);
      }
    }
  }
  return addresses;
}

std::vector<Setting<std::vector<Ipv4Address>>> resolve(const std::vector<Setting<std::vector<std::string>>>& settings,
                                                       const LookUp& look_up) {
  std::vector<Setting<std::vector<Ipv4Address>>> resolved;
  resolved.reserve(settings.size());
  for (const auto& [pattern, servers] : settings) {
    resolved.push_back({pattern, resolve(servers, look_up)});
  }
  return resolved;
}

bool has_name(const std::vector<Setting<std::vector<std::string>>>& settings) {
  return std::ranges::any_of(settings, [](const auto& setting) {
    return std::ranges::any_of(setting.value, [](const std::string& server) { return !address_in(server); });
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
