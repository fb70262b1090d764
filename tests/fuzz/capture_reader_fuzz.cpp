// A file of any octets as a capture: every packet down to UDP, with fragments put together. What is told lies inside
// what was read, and no more is told than there was. Input: the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay/capture/capture_reader.h"
#include "relay/capture/datagram.h"
#include "relay/capture/reassembly.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using relay::capture::CaptureReader;
using relay::capture::IpPacket;
using relay::capture::LinkType;
using relay::capture::Packet;
using relay::capture::Reassembly;
using View = std::span<const std::uint8_t>;

bool is_inside(View part, View whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char character) { return character >= ' ' && character <= '~'; });
}

/// The file, given in pieces that the reader asks for, and no more often than needed.
class File {
 public:
  explicit File(View octets) : rest_(octets) {}

  std::size_t read(std::span<std::uint8_t> octets) {
    require(!octets.empty() && octets.size() <= 65'536, "the reader asks for something, and for no more than 64 KiB");
    require(!is_over_, "the reader asks no more once the file is over");
    const std::size_t count = std::min(octets.size(), rest_.size());
    std::ranges::copy(rest_.first(count), octets.begin());
    rest_ = rest_.subspan(count);
    is_over_ = count < octets.size();
    return count;
  }

 private:
  View rest_;
  bool is_over_ = false;
};

void check_datagram(const IpPacket& ip) {
  const auto datagram = relay::capture::udp_datagram(ip);
  if (!datagram) {
    return;
  }
  require(is_inside(datagram->payload, ip.payload), "a UDP payload lies inside its packet");
  require(datagram->payload.size() <= datagram->payload_size, "no more of a payload is there than its header says");
  require(!datagram->is_whole || datagram->payload.size() == datagram->payload_size, "a whole payload is all there");
  require(datagram->is_whole || datagram->checksum == relay::capture::ChecksumState::unknown ||
              datagram->checksum == relay::capture::ChecksumState::absent,
          "the checksum of what is not whole is not known");
}

/// The sum of what was put together of fragments may not exceed what was in them.
struct Fragments {
  Reassembly reassembly;
  std::size_t given = 0;
  std::size_t told = 0;
};

void check_packet(LinkType link_type, const Packet& packet, View octets, Fragments& fragments) {
  const auto ip = relay::capture::ip_packet(link_type, octets);
  if (!ip) {
    return;
  }
  require(relay::capture::is_known(link_type), "packets are found behind known link types alone");
  require(is_inside(ip->payload, octets), "a payload lies inside its frame");
  require(ip->vlan_tag_count <= 4 && ip->vlan_id.has_value() == (ip->vlan_tag_count > 0), "tags are counted");
  check_datagram(*ip);
  if (!ip->is_fragment()) {
    return;
  }
  fragments.given += ip->payload.size();
  const auto whole = fragments.reassembly.add(*ip, packet.interface, packet.time);
  if (whole) {
    fragments.told += whole->payload.size();
    require(!whole->is_fragment() && !whole->is_cut, "what was put together is whole");
    require(whole->payload.size() <= (whole->source.is_ipv6() ? 65'535U : 65'515U), "no datagram gets too large");
    require(fragments.told <= fragments.given, "no octet comes from anywhere but from fragments");
    check_datagram(*whole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  File file{View{data, size}};
  CaptureReader reader{[&file](std::span<std::uint8_t> octets) { return file.read(octets); }};
  Fragments fragments;
  std::size_t told = 0;
  while (const auto packet = reader.next()) {
    require(packet->interface < reader.interfaces().size(), "a packet's interface is there");
    const LinkType link_type = reader.interfaces()[packet->interface].link_type;
    require(packet->link_type == link_type, "a packet has the link type of its interface");
    told += packet->octets.size();
    require(told <= size, "no more octets are told than the file has");
    const Octets copy{packet->octets.begin(), packet->octets.end()};  // the address sanitizer watches its end
    check_packet(link_type, *packet, copy, fragments);
  }
  require(!reader.next(), "what is over stays over");
  require(reader.fault().size() <= 100 && is_printable(reader.fault()), "a fault is one clause");
  require(reader.interfaces().size() <= size, "no interface comes from nowhere");
  return 0;
}
