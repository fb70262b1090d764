#include "relay/capture/message_finder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/capture/arrival.h"

namespace relay::capture {

namespace {

constexpr std::size_t max_waiting = 256;
constexpr std::size_t max_kept = 576;  // octets of a message, as many as every host can receive

}  // namespace

std::optional<FoundMessage> MessageFinder::find(const Packet& packet, std::uint64_t frame) {
  const auto ip = ipv4_packet(packet.link_type, packet.octets);
  if (!ip) {
    return std::nullopt;
  }
  if (ip->is_fragment()) {
    return find_fragment(packet, *ip, frame);
  }
  const auto datagram = udp_datagram(*ip);
  if (!datagram || !is_dhcp(*datagram, ports_)) {
    return std::nullopt;
  }
  return FoundMessage{.ip = *ip, .datagram = *datagram};
}

std::vector<UnfinishedMessage> MessageFinder::take_given_up() {
  return std::exchange(given_up_, {});
}

std::vector<UnfinishedMessage> MessageFinder::take_unfinished() {
  std::vector<UnfinishedMessage> result = take_given_up();
  std::ranges::move(waiting_, std::back_inserter(result));
  waiting_.clear();
  return result;
}

std::optional<FoundMessage> MessageFinder::find_fragment(const Packet& packet, const Ipv4Packet& fragment,
                                                         std::uint64_t frame) {
  const auto beginning = udp_datagram(fragment);
  const bool begins_message = beginning && is_dhcp(*beginning, ports_);
  if (begins_message && fragment.is_cut) {  // it will never be whole
    return FoundMessage{.ip = fragment, .datagram = *beginning};
  }
  if (begins_message) {
    await_rest(packet, fragment, *beginning, frame);
  }
  const auto waiting = waiting_for(packet, fragment);
  if (const auto whole = reassembly_.add(fragment, packet.interface, packet.time)) {
    const auto datagram = udp_datagram(*whole);
    if (waiting != waiting_.end()) {
      waiting_.erase(waiting);
    }
    if (datagram && is_dhcp(*datagram, ports_)) {
      return FoundMessage{.ip = *whole, .datagram = *datagram};
    }
    return std::nullopt;
  }
  if (waiting == waiting_.end()) {
    return std::nullopt;
  }
  return FoundMessage{.ip = fragment, .datagram = {}, .awaits_rest = true};
}

std::deque<UnfinishedMessage>::iterator MessageFinder::waiting_for(const Packet& packet, const Ipv4Packet& fragment) {
  return std::ranges::find_if(waiting_, [&](const UnfinishedMessage& each) {
    return each.interface == packet.interface && each.ip.source == fragment.source &&
           each.ip.destination == fragment.destination && each.ip.protocol == fragment.protocol &&
           each.ip.identification == fragment.identification && each.ip.vlan_id == fragment.vlan_id;
  });
}

void MessageFinder::await_rest(const Packet& packet, const Ipv4Packet& fragment, const UdpDatagram& beginning,
                               std::uint64_t frame) {
  auto replaced = waiting_for(packet, fragment);
  if (replaced == waiting_.end() && waiting_.size() == max_waiting) {
    replaced = waiting_.begin();
  }
  if (replaced != waiting_.end()) {
    given_up_.push_back(std::move(*replaced));
    waiting_.erase(replaced);
  }
  const auto kept = beginning.payload.first(std::min(beginning.payload.size(), max_kept));
  UnfinishedMessage message{.frame = frame,
                            .time = packet.time,
                            .ip = fragment,
                            .source_port = beginning.source_port,
                            .destination_port = beginning.destination_port,
                            .interface = packet.interface,
                            .payload = {kept.begin(), kept.end()}};
  message.ip.payload = {};
  waiting_.push_back(std::move(message));
}

}  // namespace relay::capture
