#include "relay/capture/message_finder.h"

#include <algorithm>
#include <utility>

#include "relay/capture/arrival.h"

namespace relay::capture {

namespace {

constexpr std::size_t max_kept = 576;  // octets of a message, as many as every host can receive

[[nodiscard]] UnfinishedMessage unfinished(const Packet& packet, const IpPacket& fragment, const UdpDatagram& beginning,
                                           std::uint64_t frame) {
  const auto kept = beginning.payload.first(std::min(beginning.payload.size(), max_kept));
  UnfinishedMessage message{.frame = frame,
                            .time = packet.time,
                            .ip = fragment,
                            .destination_port = beginning.destination_port,
                            .interface = packet.interface,
                            .payload = {kept.begin(), kept.end()}};
  message.ip.payload = {};
  return message;
}

}  // namespace

std::optional<FoundMessage> MessageFinder::find(const Packet& packet, std::uint64_t frame) {
  const auto ip = ip_packet(packet.link_type, packet.octets);
  if (!ip) {
    return std::nullopt;
  }
  if (ip->is_fragment()) {
    return find_fragment(packet, *ip, frame);
  }
  const auto datagram = udp_datagram(*ip);
  if (!datagram || !is_dhcp(*datagram, scope_)) {
    return std::nullopt;
  }
  return FoundMessage{.ip = *ip, .datagram = *datagram};
}

std::vector<UnfinishedMessage> MessageFinder::take_given_up() {
  return std::exchange(given_up_, {});
}

std::vector<UnfinishedMessage> MessageFinder::take_unfinished() {
  std::vector<UnfinishedMessage> result = take_given_up();
  for (auto& [datagram, message] : waiting_) {
    result.push_back(std::move(message));
  }
  waiting_.clear();
  return result;
}

std::optional<FoundMessage> MessageFinder::find_fragment(const Packet& packet, const IpPacket& fragment,
                                                         std::uint64_t frame) {
  const auto beginning = udp_datagram(fragment);
  const bool begins_message = beginning && is_dhcp(*beginning, scope_);
  if (begins_message && fragment.is_cut) {  // it will never be whole
    return FoundMessage{.ip = fragment, .datagram = *beginning};
  }
  const auto whole = reassembly_.add(fragment, packet.interface, packet.time);
  const std::uint64_t number = reassembly_.datagram();
  const bool is_waited_for = waiting_.contains(number);
  std::ranges::for_each(reassembly_.forgotten(), [this](std::uint64_t each) { give_up(each); });
  if (whole) {
    waiting_.erase(number);
    const auto datagram = udp_datagram(*whole);
    if (datagram && is_dhcp(*datagram, scope_)) {
      return FoundMessage{.ip = *whole, .datagram = *datagram};
    }
    return std::nullopt;
  }
  if (begins_message) {
    waiting_.try_emplace(number, unfinished(packet, fragment, *beginning, frame));
    if (std::ranges::find(reassembly_.forgotten(), number) != reassembly_.forgotten().end()) {
      give_up(number);  // it contradicts what was there
    }
  } else if (!is_waited_for) {
    return std::nullopt;
  }
  return FoundMessage{.ip = fragment, .datagram = {}, .awaits_rest = true};
}

void MessageFinder::give_up(std::uint64_t datagram) {
  if (auto waiting = waiting_.extract(datagram)) {
    given_up_.push_back(std::move(waiting.mapped()));
  }
}

}  // namespace relay::capture
