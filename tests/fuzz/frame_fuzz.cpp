// Frames for any addresses, payload and MTU, read back by a slow receiver: they give the datagram, and it the payload.
// Input: 26 octets of addresses, ports and identification, two for the MTU (0: 1500), two for the payload's size (0: as
// long as the input), one that chooses a source port with which the checksum comes to zero, and the order of fragments;
// the payload, repeated as often as its size demands.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "relay/core/frame.h"
#include "tests/fuzz/slow_frame.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using View = std::span<const std::uint8_t>;

constexpr std::size_t setup_size = 31;

relay::FrameAddresses addresses_of(View input) {
  relay::FrameAddresses addresses;
  std::ranges::copy(input.subspan(0, 6), addresses.link_source.octets.begin());
  std::ranges::copy(input.subspan(6, 6), addresses.link_destination.octets.begin());
  std::ranges::copy(input.subspan(12, 4), addresses.source.octets.begin());
  std::ranges::copy(input.subspan(16, 4), addresses.destination.octets.begin());
  addresses.source_port = static_cast<std::uint16_t>(fuzz::word_at(input, 20));
  addresses.destination_port = static_cast<std::uint16_t>(fuzz::word_at(input, 22));
  addresses.identification = static_cast<std::uint16_t>(fuzz::word_at(input, 24));
  return addresses;
}

Octets payload_of(View input) {
  const View seed = input.subspan(setup_size);
  const std::size_t wanted = fuzz::word_at(input, 28);
  std::size_t size = wanted == 0 ? seed.size() : wanted % 4096;  // what takes long, seldom
  if (wanted % 16 == 15) {
    size = std::min(wanted, relay::max_udp_payload);
  }
  Octets payload(size);
  for (std::size_t i = 0; i < size && !seed.empty(); ++i) {
    payload[i] = static_cast<std::uint8_t>(seed[i % seed.size()] + i / seed.size());  // no two rounds are the same
  }
  return payload;
}

// What a receiver adds up: the pseudo header and the datagram (RFC 768).
std::size_t udp_sum(const relay::FrameAddresses& addresses, View datagram) {
  fuzz::SlowSum sum;
  sum.add(addresses.source.octets);
  sum.add(addresses.destination.octets);
  sum.add_word(17);
  sum.add_word(datagram.size());
  sum.add(datagram);
  return sum.value();
}

// The source port with which all words add up to 0xffff without a checksum, so that the checksum is zero.
std::uint16_t port_for_zero_checksum(relay::FrameAddresses addresses, View payload) {
  Octets datagram(8);
  datagram[2] = static_cast<std::uint8_t>(addresses.destination_port / 256);
  datagram[3] = static_cast<std::uint8_t>(addresses.destination_port % 256);
  datagram[4] = static_cast<std::uint8_t>((8 + payload.size()) / 256);
  datagram[5] = static_cast<std::uint8_t>((8 + payload.size()) % 256);
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  return static_cast<std::uint16_t>(0xffff - udp_sum(addresses, datagram));
}

void compare_sums(View octets, std::size_t initial) {
  fuzz::SlowSum sum;
  sum.add_word(initial / 0x10000);
  sum.add_word(initial % 0x10000);
  sum.add(octets);
  require(relay::internet_sum(octets, static_cast<std::uint32_t>(initial)) == sum.value(),
          "the sum agrees with the twin");
}

Octets written_datagram(const relay::FrameAddresses& addresses, View payload) {
  const auto header = relay::udp_header(addresses, payload);
  Octets datagram(header.begin(), header.end());
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  return datagram;
}

void check_datagram(const relay::FrameAddresses& addresses, View payload, View datagram) {
  require(
      fuzz::word_at(datagram, 0) == addresses.source_port && fuzz::word_at(datagram, 2) == addresses.destination_port,
      "the ports are those of the addresses");
  require(fuzz::word_at(datagram, 4) == datagram.size(), "the length is that of the datagram");
  require(fuzz::word_at(datagram, 6) != 0, "there is a checksum on the wire");
  require(udp_sum(addresses, datagram) == 0xffff, "the UDP checksum is right");
  require(std::ranges::equal(datagram.subspan(8), payload), "the payload stays as it was");
}

// The datagram in frames for a link, as their sender cuts it.
std::vector<fuzz::SlowFrame> frames_of(const relay::FrameAddresses& addresses, View datagram, std::size_t mtu) {
  const std::size_t size = datagram.size() + 20 <= mtu ? datagram.size() : relay::fragment_size(mtu);
  std::vector<fuzz::SlowFrame> frames;
  for (std::size_t offset = 0; offset < datagram.size(); offset += size) {
    const View part = datagram.subspan(offset, std::min(size, datagram.size() - offset));
    const auto headers =
        relay::link_and_ip_headers(addresses, part.size(), offset, offset + part.size() < datagram.size());
    Octets frame(headers.begin(), headers.end());
    frame.insert(frame.end(), part.begin(), part.end());
    frames.push_back(fuzz::take_apart_frame(frame));
  }
  return frames;
}

void check_frame(const relay::FrameAddresses& addresses, const fuzz::SlowFrame& frame, std::size_t mtu) {
  require(std::ranges::equal(frame.link_destination, addresses.link_destination.octets) &&
              std::ranges::equal(frame.link_source, addresses.link_source.octets) && frame.ether_type == 0x0800,
          "an Ethernet frame with IPv4 from and to the MAC addresses");
  require(std::ranges::equal(frame.source, addresses.source.octets) &&
              std::ranges::equal(frame.destination, addresses.destination.octets),
          "an IPv4 packet from and to the addresses");
  require(frame.version_and_size == 0x45 && frame.protocol == 17 && frame.ttl == 64, "IPv4 without options, UDP");
  require(frame.total_size == 20 + frame.payload.size(), "the total length is that of the packet");
  require(frame.total_size <= std::max<std::size_t>(mtu, 28), "the packet fits the link");
  require(frame.header_sum == 0xffff, "the header's checksum is right");
  require(frame.identification == addresses.identification, "all fragments have the same identification");
  require(!frame.reserved && !frame.dont_fragment, "the other flags are clear");
  require(!frame.more_fragments || (frame.payload.size() % 8 == 0 && !frame.payload.empty()),
          "all fragments but the last are of whole blocks of 8 octets");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < setup_size) {
    return -1;
  }
  const View input{data, size};
  const std::size_t mtu = fuzz::word_at(input, 26) == 0 ? 1500 : fuzz::word_at(input, 26);
  const Octets payload = payload_of(input);
  relay::FrameAddresses addresses = addresses_of(input);
  if (input[30] % 2 == 1) {
    addresses.source_port = port_for_zero_checksum(addresses, payload);
  }
  compare_sums(payload, fuzz::word_at(input, 12) * 0x10000 + fuzz::word_at(input, 14));

  const Octets datagram = written_datagram(addresses, payload);
  check_datagram(addresses, payload, datagram);

  auto frames = frames_of(addresses, datagram, mtu);
  for (const fuzz::SlowFrame& frame : frames) {
    check_frame(addresses, frame, mtu);
  }
  require(frames.size() == 1 || datagram.size() + 20 > mtu, "what fits the link is not cut");
  if ((input[30] & 2U) != 0) {
    std::ranges::reverse(frames);
  }
  require(fuzz::reassemble(frames) == datagram, "the fragments make the datagram, in any order");
  return 0;
}
