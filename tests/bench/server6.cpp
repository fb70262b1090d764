#include "server6.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace bench {

namespace {

constexpr std::uint16_t server_port = 547;
constexpr std::size_t most_relays = 8;
constexpr std::size_t most_echoed = 64;                                     // octets of an Interface-Id
constexpr std::array<std::uint8_t, 10> duid{0, 3, 0, 1, 2, 0, 0, 0, 9, 2};  // DUID-LL

/// A Relay-forward that carries another, or a client's message.
struct Level {
  wire::ConstOctets header;
  wire::ConstOctets interface_id;
};

/// From the outermost on; gives the client's message, empty where there is none.
[[nodiscard]] wire::ConstOctets unwrap(wire::ConstOctets message, std::array<Level, most_relays>& levels,
                                       std::size_t& count) {
  for (count = 0; count < most_relays && message.size() >= wire6::relay_options; ++count) {
    if (message[0] != wire6::relay_forward) {
      return message;
    }
    const wire::ConstOctets options = message.subspan(wire6::relay_options);
    const wire::ConstOctets id = wire6::find_option(options, wire6::interface_id).value_or(wire::ConstOctets{});
    levels[count] = {message.first(wire6::relay_options), id.size() <= most_echoed ? id : wire::ConstOctets{}};
    message = wire6::find_option(options, wire6::relay_message).value_or(wire::ConstOctets{});
  }
  return message;
}

/// An address for each client in the /64 of its link.
void put_address(wire::ConstOctets link_address, wire::ConstOctets client_id, wire6::Writer& writer) {
  writer.put(link_address.first(8));
  writer.put32(1);
  writer.put(client_id.last(4));
}

}  // namespace

Server6::Server6(const in6_addr& address) {
  address_.sin6_family = AF_INET6;
  address_.sin6_port = htons(server_port);
  address_.sin6_addr = address;
}

Answer<sockaddr_in6> Server6::answer(wire::ConstOctets message, const sockaddr_in6& from, wire::Octets into) const {
  std::array<Level, most_relays> levels{};
  std::size_t count = 0;
  const wire::ConstOctets asked = unwrap(message, levels, count);
  if (count == 0) {
    return {};
  }
  wire6::Writer writer{into};
  std::array<std::size_t, most_relays> begun{};
  for (std::size_t number = 0; number < count; ++number) {
    writer.put(wire6::relay_reply);
    writer.put(levels[number].header.subspan(1));
    if (!levels[number].interface_id.empty()) {
      writer.put_option(wire6::interface_id, levels[number].interface_id);
    }
    begun[number] = writer.begin(wire6::relay_message);
  }
  const wire::ConstOctets link_address = levels[count - 1].header.subspan(wire6::link_address, wire6::address_size);
  if (!write(asked, link_address, writer)) {
    return {};
  }
  while (count > 0) {
    writer.end(begun[--count]);
  }
  Answer<sockaddr_in6> made{writer.size(), asked[0] == wire6::solicit, from};
  made.to.sin6_port = htons(server_port);
  return made;
}

bool Server6::write(wire::ConstOctets message, wire::ConstOctets link_address, wire6::Writer& writer) const {
  if (message.size() < wire6::options || (message[0] != wire6::solicit && message[0] != wire6::request)) {
    return false;
  }
  constexpr std::size_t most_of_duid = 130;
  const wire::ConstOctets options = message.subspan(wire6::options);
  const auto client = wire6::find_option(options, wire6::client_id);
  const auto identity = wire6::find_option(options, wire6::ia_na);
  if (!client || client->size() < 4 || client->size() > most_of_duid || !identity ||
      identity->size() < wire6::identity_size) {
    return false;
  }
  writer.put(message[0] == wire6::solicit ? wire6::advertise : wire6::reply);
  writer.put(message.subspan(1, 3));
  writer.put_option(wire6::client_id, *client);
  writer.put_option(wire6::server_id, duid);
  const std::size_t lease = writer.begin(wire6::ia_na);
  writer.put(identity->first(4));
  writer.put32(1800);
  writer.put32(2880);
  const std::size_t address = writer.begin(wire6::ia_address);
  put_address(link_address, *client, writer);
  writer.put32(3600);
  writer.put32(7200);
  writer.end(address);
  writer.end(lease);
  writer.put_option(wire6::name_servers, wire::ConstOctets{address_.sin6_addr.s6_addr});
  return true;
}

}  // namespace bench
