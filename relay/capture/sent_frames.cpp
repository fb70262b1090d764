#include "relay/capture/sent_frames.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "relay/core/frame.h"
#include "relay/core/relay_forward_content.h"

namespace relay::capture {

namespace {

template <typename Addresses>
[[nodiscard]] std::vector<std::uint8_t> frame_of(const Addresses& addresses, std::span<const std::uint8_t> message) {
  const auto headers = frame_headers(addresses, message);
  std::vector<std::uint8_t> frame(headers.begin(), headers.end());
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

[[nodiscard]] bool is_of_subnet(Ipv4Address server, const Interface& interface) noexcept {
  return std::ranges::any_of(interface.addresses, [server](const Ipv4Prefix& own) {
    return (server.host_order() & own.mask()) == own.network().host_order();
  });
}

[[nodiscard]] bool is_of_subnet(const Ipv6Address& server, const Interface& interface) noexcept {
  return std::ranges::any_of(interface.v6.addresses, [&server](const InterfaceAddress6& own) {
    return Ipv6Prefix{server, own.prefix.length}.network() == own.prefix.network();
  });
}

/// How likely it is that an interface leads to a server: the least is taken.
[[nodiscard]] int distance(const Interface& interface, const Address& server) noexcept {
  if (server.is_ipv6() ? is_of_subnet(server.ipv6(), interface) : is_of_subnet(server.ipv4(), interface)) {
    return 0;
  }
  return (server.is_ipv6() ? interface.is_upstream6() : interface.is_upstream) ? 1 : 2;
}

/// RFC 2464 section 7: of a group, by its last four octets.
[[nodiscard]] MacAddress link_destination(const Ipv6Address& destination) noexcept {
  MacAddress mac;
  if (destination.is_multicast()) {
    mac.octets = {0x33, 0x33};
    std::copy(destination.octets.end() - 4, destination.octets.end(), mac.octets.begin() + 2);
  }
  return mac;
}

/// What the kernel would choose.
[[nodiscard]] Ipv6Address likely_source(const Interface& egress, const Ipv6Address& destination) noexcept {
  const auto& own = egress.v6.addresses;
  const auto local = std::ranges::find_if(own, [](const auto& each) { return each.prefix.address.is_link_local(); });
  return destination.is_link_local() && local != own.end() ? local->prefix.address : choose_link_address(own);
}

}  // namespace

const Interface* egress_towards(const Address& server, const InterfaceTable& table) noexcept {
  const Interface* best = nullptr;
  std::pair<int, std::uint32_t> least;
  for (const auto& [index, interface] : table.all()) {
    const std::pair away{distance(interface, server), index};
    if (best == nullptr || away < least) {
      best = &interface;
      least = away;
    }
  }
  return best;
}

void for_each_sent_frame(const Decision& decision, std::span<const std::uint8_t> message, const Ports& ports,
                         const EgressTowards& egress, const std::function<void(const SentFrame&)>& tell) {
  FrameAddresses addresses;
  if (const auto* const upstream = std::get_if<ToServers>(&decision)) {
    for (const Ipv4Address server : upstream->servers) {
      const Interface* const leaves_by = egress(server);
      if (leaves_by == nullptr) {
        continue;
      }
      addresses.link_source = leaves_by->mac;
      addresses.source = upstream->source;
      addresses.destination = server;
      addresses.source_port = upstream->from_relay_port ? ports.relay.value_or(ports.server) : ports.server;
      addresses.destination_port = ports.server;
      tell({*leaves_by, server, frame_of(addresses, message)});
    }
  } else if (const auto* const client = std::get_if<ToClient>(&decision)) {
    addresses.link_source = client->egress->mac;
    addresses.link_destination = client->delivery == Delivery::routed ? MacAddress{} : client->link_destination;
    addresses.source = client->source;
    addresses.destination = client->destination;
    addresses.source_port = ports.server;
    addresses.destination_port = ports.client();
    tell({*client->egress, client->destination, frame_of(addresses, message)});
  }
}

void for_each_sent_frame(const Decision6& decision, std::span<const std::uint8_t> message, const Ports6& ports,
                         const InterfaceTable& table, const EgressTowards& egress,
                         const std::function<void(const SentFrame&)>& tell) {
  const auto tell_frame = [&](const Interface* leaves_by, const Ipv6Address& source, const Ipv6Address& destination,
                              std::uint16_t source_port, std::uint16_t destination_port, std::uint8_t hop_limit) {
    if (leaves_by != nullptr) {
      const FrameAddresses6 addresses{leaves_by->mac,
                                      link_destination(destination),
                                      source.is_unspecified() ? likely_source(*leaves_by, destination) : source,
                                      destination,
                                      source_port,
                                      destination_port,
                                      hop_limit};
      tell({*leaves_by, destination, frame_of(addresses, message)});
    }
  };
  if (const auto* const upstream = std::get_if<ToServers6>(&decision)) {
    const std::uint16_t source_port = upstream->from_relay_port ? ports.relay.value_or(ports.server) : ports.server;
    for (const Server6& server : upstream->servers) {
      tell_frame(server.interface_index == 0 ? egress(server.address) : table.find(server.interface_index),
                 upstream->source, server.address, source_port, ports.server, server.hop_limit());
    }
  } else if (const auto* const peer = std::get_if<ToPeer6>(&decision)) {
    constexpr std::uint8_t hop_limit = 64;
    tell_frame(peer->egress == nullptr ? egress(peer->destination) : peer->egress, peer->source, peer->destination,
               ports.server, peer->destination_port, hop_limit);
  }
}

}  // namespace relay::capture
