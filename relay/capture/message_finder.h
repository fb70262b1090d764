// Finds the DHCP messages among the packets of a capture, whole ones and those of which fragments are there. Of
// bounded memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "relay/capture/datagram.h"
#include "relay/capture/packet.h"
#include "relay/capture/reassembly.h"
#include "relay/capture/scope.h"

namespace relay::capture {

/// What a packet has of a DHCP message.
struct FoundMessage {
  IpPacket ip;
  UdpDatagram datagram;  ///< nothing of it where `awaits_rest`
  /// A fragment: the message is told with the packet that completes it, or with those that nothing completed.
  bool awaits_rest = false;
};

/// The beginning of a message whose other fragments did not come.
struct UnfinishedMessage {
  std::uint64_t frame = 0;
  std::chrono::nanoseconds time{};
  IpPacket ip;  ///< without its payload
  std::uint16_t destination_port = 0;
  std::size_t interface = 0;          ///< as `Packet::interface`
  std::vector<std::uint8_t> payload;  ///< the first octets of it
};

class MessageFinder {
 public:
  explicit MessageFinder(const Scope& scope) : scope_(scope) {}

  /// Nothing where the packet is about something else. Borrows from the packet and the finder, until the next call.
  [[nodiscard]] std::optional<FoundMessage> find(const Packet& packet, std::uint64_t frame);

  /// Those that are given up since the last call, as `Reassembly` forgets them.
  [[nodiscard]] std::vector<UnfinishedMessage> take_given_up();
  /// All: nothing more will come.
  [[nodiscard]] std::vector<UnfinishedMessage> take_unfinished();

 private:
  [[nodiscard]] std::optional<FoundMessage> find_fragment(const Packet& packet, const IpPacket& fragment,
                                                          std::uint64_t frame);
  void give_up(std::uint64_t datagram);

  Scope scope_;
  Reassembly reassembly_;
  std::map<std::uint64_t, UnfinishedMessage> waiting_;  // by the reassembly's number of the datagram
  std::vector<UnfinishedMessage> given_up_;
};

}  // namespace relay::capture
