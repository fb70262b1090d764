#include "server4.h"

#include <arpa/inet.h>

#include <algorithm>

namespace bench {

namespace {

constexpr std::uint16_t server_port = 67;

[[nodiscard]] sockaddr_in socket_address(std::uint32_t address) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(server_port);
  made.sin_addr.s_addr = htonl(address);
  return made;
}

/// An address for each client in the /16 of its relay's, the first of its networks left out.
std::uint32_t address_for(std::uint32_t relay, std::uint32_t client) {
  return (relay & 0xffff0000) | (0x0100 + client % 0xfe00);
}

std::size_t write_options(std::uint8_t kind, std::uint32_t server, std::uint32_t router, wire::Octets message) {
  std::size_t at = wire::options;
  const auto put = [&](std::uint8_t code, std::uint32_t value) {
    message[at] = code;
    message[at + 1] = 4;
    wire::put32(message, at + 2, value);
    at += 6;
  };
  message[at] = wire::kind;
  message[at + 1] = 1;
  message[at + 2] = kind;
  at += 3;
  put(wire::server_identifier, server);
  put(51, 3600);
  put(1, 0xffff0000);
  put(3, router);
  put(6, server);
  return at;
}

}  // namespace

Server4::Server4(in_addr address) : address_(socket_address(ntohl(address.s_addr))) {}

Answer<sockaddr_in> Server4::answer(wire::ConstOctets message, const sockaddr_in& /*from*/, wire::Octets into) const {
  if (message.size() < wire::options || message[wire::op] != wire::boot_request) {
    return {};
  }
  const std::uint8_t asked = wire::octet_of(message, wire::kind);
  const std::uint32_t relay = wire::load32(message, wire::giaddr);
  if ((asked != wire::discover && asked != wire::request) || relay == 0) {
    return {};
  }
  std::ranges::copy(message.first(wire::options), into.begin());
  into[wire::op] = wire::boot_reply;
  into[wire::hops] = 0;
  wire::put32(into, wire::yiaddr, address_for(relay, wire::load32(message, wire::chaddr + 2)));
  const bool is_offer = asked == wire::discover;
  std::size_t at = write_options(is_offer ? wire::offer : wire::ack, ntohl(address_.sin_addr.s_addr), relay, into);
  if (const auto found = wire::find_option(message, wire::agent_information); found && *found + 1 < message.size()) {
    const std::size_t size = std::min<std::size_t>(2U + message[*found + 1], message.size() - *found);
    std::ranges::copy(message.subspan(*found, size), into.subspan(at).begin());
    at += size;
  }
  into[at++] = wire::end;
  const std::size_t size = std::max(at, wire::least_message);
  std::ranges::fill(into.subspan(at, size - at), wire::pad);
  return {size, is_offer, socket_address(relay)};
}

}  // namespace bench
