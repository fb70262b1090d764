#include "relay/io/resolve.h"

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
#include <stdexcept>
#include <system_error>

#include "relay/io/socket_address.h"

namespace relay::io {

namespace {

using Found = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[nodiscard]] Found look_up(const std::string& server) {
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(server.c_str(), nullptr, &wanted, &first); error != 0) {
    throw std::runtime_error("cannot resolve server '" + server + "': " + ::gai_strerror(error));
  }
  return {first, &::freeaddrinfo};
}

}  // namespace

std::vector<Ipv4Address> resolve(const std::vector<std::string>& servers) {
  std::vector<Ipv4Address> addresses;
  for (const std::string& server : servers) {
    const Found found = look_up(server);
    for (const addrinfo* entry = found.get(); entry != nullptr; entry = entry->ai_next) {
      sockaddr_in socket_address{};
      std::memcpy(&socket_address, entry->ai_addr, sizeof(socket_address));
      const Ipv4Address address = from_in_addr(socket_address.sin_addr);
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

std::vector<Setting<std::vector<Ipv4Address>>> resolve(const std::vector<Setting<std::vector<std::string>>>& settings) {
  std::vector<Setting<std::vector<Ipv4Address>>> resolved;
  resolved.reserve(settings.size());
  for (const auto& [pattern, servers] : settings) {
    resolved.push_back({pattern, resolve(servers)});
  }
  return resolved;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot learn this host's name");
  }
  return name.data();
}

}  // namespace relay::io
