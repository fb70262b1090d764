// What is to become of one message, and where it came from.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <variant>

#include "relay/core/address.h"
#include "relay/core/drop_reason.h"
#include "relay/core/interface_table.h"

namespace relay {

/// How a message reached this host, as the kernel told it.
struct Ingress {
  std::uint32_t interface_index = 0;
  Ipv4Address source;
  std::uint16_t source_port = 0;
  Ipv4Address destination;  ///< as in the IP header: one of ours, or a broadcast or multicast address
  std::uint32_t bridge_port_index =
      0;                               ///< the bridge port on which the client was learnt; 0: unknown, or not asked for
  std::chrono::nanoseconds arrival{};  ///< since some fixed point in time; never goes back, may be coarse
};

/// The message was not touched and goes nowhere.
struct Drop {
  DropReason reason;
};

/// What became of option 82 in a request.
enum class AgentInformationOutcome : std::uint8_t {
  untouched,  ///< none added, none taken
  added,
  appended,     ///< behind somebody else's
  replaced,     ///< instead of somebody else's
  did_not_fit,  ///< left out, since the message would have become too large (RFC 3046 section 2.1)
};

/// One copy to each server. `servers` borrows from the interface and is valid until the table changes.
struct ToServers {
  std::span<const Ipv4Address> servers;
  Ipv4Address source;
  AgentInformationOutcome agent_information = AgentInformationOutcome::untouched;
  bool from_relay_port = false;  ///< it says so in sub-option 19 (RFC 8357); otherwise it leaves from the server port
};

enum class Delivery : std::uint8_t {
  link_unicast,    ///< a frame to `link_destination` with `destination`; no ARP (RFC 1542 section 4.1.2)
  link_broadcast,  ///< a frame to everyone with 255.255.255.255
  routed,          ///< an ordinary datagram to `destination`, a client that has its address, on `egress`
};

/// To the client, on `egress` alone. `egress` is valid until its entry leaves the table.
struct ToClient {
  const Interface* egress = nullptr;
  Delivery delivery = Delivery::link_broadcast;
  Ipv4Address source;
  Ipv4Address destination = limited_broadcast;
  MacAddress link_destination = broadcast_mac;
};

using Decision = std::variant<Drop, ToServers, ToClient>;

}  // namespace relay
