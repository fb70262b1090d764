#include "relay/capture/sent_frames.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "relay/core/frame.h"

namespace relay::capture {

namespace {

[[nodiscard]] std::vector<std::uint8_t> frame_of(const FrameAddresses& addresses,
                                                 std::span<const std::uint8_t> message) {
  const auto headers = frame_headers(addresses, message);
  std::vector<std::uint8_t> frame(headers.begin(), headers.end());
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

/// How likely it is that an interface leads to a server: the least is taken.
[[nodiscard]] int distance(const Interface& interface, Ipv4Address server) noexcept {
  const auto has_server = [server](const Ipv4Prefix& own) {
    return (server.host_order() & own.mask()) == own.network().host_order();
  };
  if (std::ranges::any_of(interface.addresses, has_server)) {
    return 0;
  }
  return interface.is_upstream ? 1 : 2;
}

}  // namespace

const Interface* egress_towards(Ipv4Address server, const InterfaceTable& table) noexcept {
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
                         const std::function<const Interface*(Ipv4Address server)>& egress,
                         const std::function<void(const SentFrame&)>& tell) {
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

}  // namespace relay::capture
