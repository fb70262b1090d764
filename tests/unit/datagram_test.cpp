// Frames of each link type down to the UDP payload, whole, cut, and with lengths that lie.
#include "relay/capture/datagram.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"
#include "tests/support/packet_octets.h"

namespace relay::capture {
namespace {

using test_support::big;
using test_support::Bytes;
using test_support::ethernet;
using test_support::ip;
using test_support::Ipv4Fields;
using test_support::joined;
using test_support::little;
using test_support::text;

const Ipv4Fields usual;
const Bytes message = text("a message");
const Bytes packet = test_support::ipv4(usual, test_support::udp(usual, 68, 67, message));
const MacAddress sender{{2, 0, 0, 0, 0, 9}};

Bytes copy(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

/// The UDP payload of a frame that has one.
std::optional<Bytes> payload_of(LinkType link_type, const Bytes& frame) {
  const auto ipv4 = ip_packet(link_type, frame);
  const auto datagram = ipv4 ? udp_datagram(*ipv4) : std::nullopt;
  return datagram ? std::optional{copy(datagram->payload)} : std::nullopt;
}

/// For frames that end inside the headers of the link.
void expect_nothing_of_any_start(LinkType link_type, const Bytes& frame) {
  for (std::size_t size = 0; size < frame.size() - packet.size() + 20; ++size) {
    const Bytes start{frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)};
    EXPECT_FALSE(ip_packet(link_type, start)) << size;
  }
}

Bytes tagged(const std::vector<std::uint16_t>& types, const Bytes& behind) {
  Bytes tags;
  std::uint16_t id = 100;
  for (const std::uint16_t type : types) {
    tags = joined({tags, big(type, 2), big(0x6000U + id, 2)});  // a priority of 3 above the id
    ++id;
  }
  const Bytes first{tags.begin() + 2, tags.end()};
  return ethernet(types.front(), joined({first, behind}));
}

TEST(IpPacketOf, ethernet) {
  const Bytes frame = ethernet(0x0800, packet);
  const auto read = ip_packet(LinkType::ethernet, frame);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->link_source, sender);
  EXPECT_EQ(read->link_destination, broadcast_mac);
  EXPECT_EQ(read->vlan_tag_count, 0U);
  EXPECT_EQ(read->vlan_id, std::nullopt);
  EXPECT_EQ(read->direction, Direction::unknown);
  EXPECT_EQ(read->source, ip(10, 1, 0, 50));
  EXPECT_EQ(read->destination, ip(10, 9, 0, 2));
  EXPECT_EQ(read->protocol, 17);
  EXPECT_EQ(read->identification, 0x1234);
  EXPECT_EQ(read->fragment_offset, 0U);
  EXPECT_FALSE(read->is_fragment());
  EXPECT_TRUE(read->is_header_intact);
  EXPECT_FALSE(read->is_cut);
  EXPECT_EQ(copy(read->payload), test_support::udp(usual, 68, 67, message));
  expect_nothing_of_any_start(LinkType::ethernet, frame);
}

TEST(IpPacketOf, ethernet_with_padding_behind_the_packet) {
  EXPECT_EQ(payload_of(LinkType::ethernet, joined({ethernet(0x0800, packet), Bytes(18, 0xa5)})), message);
}

TEST(IpPacketOf, ethernet_with_up_to_four_tags) {
  struct Case {
    std::vector<std::uint16_t> types;
    bool is_read;
  };
  for (const Case& test :
       {Case{{0x8100}, true}, Case{{0x88a8, 0x8100}, true}, Case{{0x9100, 0x8100}, true},
        Case{{0x88a8, 0x88a8, 0x8100, 0x8100}, true}, Case{{0x8100, 0x8100, 0x8100, 0x8100, 0x8100}, false}}) {
    const Bytes frame = tagged(test.types, joined({{0x08, 0x00}, packet}));
    const auto read = ip_packet(LinkType::ethernet, frame);
    ASSERT_EQ(read.has_value(), test.is_read) << test.types.size();
    if (read) {
      EXPECT_EQ(read->vlan_tag_count, test.types.size());
      EXPECT_EQ(read->vlan_id, 100) << "the outermost";
      EXPECT_EQ(payload_of(LinkType::ethernet, frame), message);
    }
    expect_nothing_of_any_start(LinkType::ethernet, frame);
  }
}

const Bytes snap_of_ipv4{0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00};

TEST(IpPacketOf, ethernet_with_a_length_and_snap) {
  const Bytes inside = joined({snap_of_ipv4, packet});
  const auto length = static_cast<std::uint16_t>(inside.size());
  EXPECT_EQ(payload_of(LinkType::ethernet, ethernet(length, inside)), message);
  EXPECT_EQ(payload_of(LinkType::ethernet, tagged({0x8100}, joined({big(length, 2), inside}))), message);
  EXPECT_EQ(payload_of(LinkType::ethernet, ethernet(1500, inside)), message) << "a length beyond the frame";
  EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(1501, inside))) << "neither a length nor a type";
  EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(27, inside))) << "a length within the header";
  const auto cut = ip_packet(LinkType::ethernet, ethernet(40, inside));
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->is_cut) << "what is behind the length is padding";
  for (std::size_t i = 0; i < snap_of_ipv4.size(); ++i) {
    Bytes other = inside;
    other[i] ^= 1U;
    EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(length, other))) << i;
  }
}

TEST(IpPacketOf, no_other_type_of_ethernet) {
  for (const std::uint16_t type : std::vector<std::uint16_t>{0x0806, 0x86dd, 0x8863, 0x8864, 0x8847, 0x88e5, 0xffff}) {
    EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(type, packet))) << type;
  }
}

Bytes cooked_v1(std::uint16_t packet_type, std::uint16_t protocol, std::uint16_t address_size = 6) {
  return joined({big(packet_type, 2), big(1, 2), big(address_size, 2), {2, 0, 0, 0, 0, 9, 0, 0}, big(protocol, 2)});
}

Bytes cooked_v2(std::uint8_t packet_type, std::uint16_t protocol, std::uint8_t address_size = 6) {
  return joined(
      {big(protocol, 2), {0, 0}, big(7, 4), big(1, 2), {packet_type, address_size}, {2, 0, 0, 0, 0, 9, 0, 0}});
}

/// A cooked header of either version.
Bytes cooked(LinkType link_type, std::uint8_t packet_type, std::uint16_t protocol, std::uint8_t address_size = 6) {
  return link_type == LinkType::linux_sll ? cooked_v1(packet_type, protocol, address_size)
                                          : cooked_v2(packet_type, protocol, address_size);
}

TEST(IpPacketOf, linux_cooked_headers) {
  struct Case {
    std::uint8_t packet_type;
    Direction direction;
  };
  for (const LinkType link_type : {LinkType::linux_sll, LinkType::linux_sll2}) {
    for (const Case& test : {Case{0, Direction::inbound}, Case{1, Direction::inbound}, Case{2, Direction::inbound},
                             Case{3, Direction::inbound}, Case{4, Direction::outbound}, Case{5, Direction::unknown}}) {
      const Bytes frame = joined({cooked(link_type, test.packet_type, 0x0800), packet});
      const auto read = ip_packet(link_type, frame);
      ASSERT_TRUE(read);
      EXPECT_EQ(read->direction, test.direction) << int{test.packet_type};
      EXPECT_EQ(read->link_source, sender);
      EXPECT_EQ(read->link_destination, std::nullopt);
      EXPECT_EQ(payload_of(link_type, frame), message);
      expect_nothing_of_any_start(link_type, frame);
    }
    EXPECT_FALSE(ip_packet(link_type, joined({cooked(link_type, 0, 0x86dd), packet})));
    const Bytes without_address = joined({cooked(link_type, 0, 0x0800, 0), packet});
    ASSERT_TRUE(ip_packet(link_type, without_address));
    EXPECT_EQ(ip_packet(link_type, without_address)->link_source, std::nullopt);
  }
}

TEST(IpPacketOf, tags_and_snap_behind_linux_cooked_headers) {
  for (const LinkType link_type : {LinkType::linux_sll, LinkType::linux_sll2}) {
    const Bytes frame = joined({cooked(link_type, 0, 0x8100), big(100, 2), {0x08, 0x00}, packet});
    const auto read = ip_packet(link_type, frame);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->vlan_tag_count, 1U);
    EXPECT_EQ(read->vlan_id, 100);
    EXPECT_EQ(payload_of(link_type, joined({cooked(link_type, 0, 4), snap_of_ipv4, packet})), message);
    EXPECT_FALSE(ip_packet(link_type, joined({cooked(link_type, 0, 4), packet})));
  }
}

TEST(IpPacketOf, nothing_in_front) {
  for (const LinkType link_type : {LinkType::raw, LinkType::ipv4}) {
    EXPECT_EQ(payload_of(link_type, packet), message);
    const auto read = ip_packet(link_type, packet);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->link_source, std::nullopt);
    expect_nothing_of_any_start(link_type, packet);
    EXPECT_FALSE(ip_packet(link_type, joined({{0x50}, Bytes(60)}))) << "version 5";
  }
}

TEST(IpPacketOf, loopback_in_either_byte_order) {
  for (const LinkType link_type : {LinkType::null, LinkType::loop}) {
    EXPECT_EQ(payload_of(link_type, joined({big(2, 4), packet})), message);
    EXPECT_EQ(payload_of(link_type, joined({little(2, 4), packet})), message);
    EXPECT_FALSE(ip_packet(link_type, joined({big(24, 4), packet}))) << "announced as IPv6";
    expect_nothing_of_any_start(link_type, joined({big(2, 4), packet}));
  }
}

/// An 802.11 header; addresses are 02:00:00:00:00:01 to :04 in the order in which they stand there.
Bytes wireless(std::uint8_t type, std::uint8_t flags) {
  const auto address = [](std::uint8_t last) { return Bytes{2, 0, 0, 0, 0, last}; };
  const bool has_four = (flags & 3U) == 3;
  const bool has_qos = (type & 0x80U) != 0;
  return joined({{type, flags, 0, 0},
                 address(1),
                 address(2),
                 address(3),
                 {0x10, 0},
                 has_four ? address(4) : Bytes{},
                 Bytes(has_qos ? 2 : 0),
                 Bytes(has_qos && (flags & 0x80U) != 0 ? 4 : 0)});
}

TEST(IpPacketOf, data_frames_of_802_11) {
  struct Case {
    std::uint8_t flags;
    std::uint8_t source;
    std::uint8_t destination;
  };
  for (const std::uint8_t type : Bytes{0x08, 0x88}) {  // without and with quality of service
    for (const Case& test :
         {Case{0x00, 2, 1}, Case{0x01, 2, 3}, Case{0x02, 3, 1}, Case{0x03, 4, 3}, Case{0x81, 2, 3}, Case{0x39, 2, 3}}) {
      const Bytes frame = joined({wireless(type, test.flags), snap_of_ipv4, packet});
      const auto read = ip_packet(LinkType::ieee802_11, frame);
      ASSERT_TRUE(read) << int{type} << " " << int{test.flags};
      EXPECT_EQ(read->link_source, (MacAddress{{2, 0, 0, 0, 0, test.source}}));
      EXPECT_EQ(read->link_destination, (MacAddress{{2, 0, 0, 0, 0, test.destination}}));
      EXPECT_EQ(payload_of(LinkType::ieee802_11, frame), message);
      expect_nothing_of_any_start(LinkType::ieee802_11, frame);
    }
  }
}

TEST(IpPacketOf, no_other_frame_of_802_11) {
  const auto is_read = [](const Bytes& header) {
    return ip_packet(LinkType::ieee802_11, joined({header, snap_of_ipv4, packet})).has_value();
  };
  EXPECT_TRUE(is_read(wireless(0x08, 0)));
  for (const std::uint8_t type :
       Bytes{0x09, 0x00, 0x04, 0x0c, 0x48, 0xc8}) {  // a version, management, control, none, null
    EXPECT_FALSE(is_read(wireless(type, 0))) << int{type};
  }
  EXPECT_FALSE(is_read(wireless(0x08, 0x04))) << "more fragments";
  EXPECT_FALSE(is_read(wireless(0x08, 0x40))) << "encrypted";
  Bytes later_fragment = wireless(0x08, 0);
  later_fragment[22] = 0x11;
  EXPECT_FALSE(is_read(later_fragment));
  Bytes aggregate = wireless(0x88, 0);
  aggregate[24] = 0x80;
  EXPECT_FALSE(is_read(aggregate));
}

TEST(IpPacketOf, radiotap) {
  const Bytes behind = joined({wireless(0x08, 0), snap_of_ipv4, packet});
  const auto radiotap = [&](std::uint16_t size, std::size_t there) {
    return joined({{0, 0}, little(size, 2), Bytes(there - 4, 0xff), behind});
  };
  EXPECT_EQ(payload_of(LinkType::radiotap, radiotap(8, 8)), message);
  EXPECT_EQ(payload_of(LinkType::radiotap, radiotap(39, 39)), message);
  EXPECT_FALSE(ip_packet(LinkType::radiotap, radiotap(7, 8))) << "less than its own beginning";
  EXPECT_FALSE(ip_packet(LinkType::radiotap, radiotap(0xffff, 8))) << "more than the frame";
  expect_nothing_of_any_start(LinkType::radiotap, radiotap(39, 39));
}

TEST(IpPacketOf, no_other_link_type) {
  std::vector<std::uint16_t> known;
  for (std::uint32_t number = 0; number <= 0xffff; ++number) {
    const LinkType link_type{static_cast<std::uint16_t>(number)};
    if (is_known(link_type)) {
      known.push_back(static_cast<std::uint16_t>(number));
    } else {
      EXPECT_FALSE(ip_packet(link_type, packet)) << number;
    }
  }
  EXPECT_EQ(known, (std::vector<std::uint16_t>{0, 1, 101, 105, 108, 113, 127, 228, 229, 276}));
}

TEST(LinkTypeOf, numbers_of_files_and_devices) {
  EXPECT_EQ(link_type_of(1), LinkType::ethernet);
  EXPECT_EQ(link_type_of(12), LinkType::raw) << "most BSDs, and libpcap on Linux";
  EXPECT_EQ(link_type_of(14), LinkType::raw) << "OpenBSD";
  EXPECT_EQ(link_type_of(0x24000001), LinkType::ethernet) << "with a check sequence of two octets";
  EXPECT_EQ(link_type_of(65'535), LinkType{65'535});
}

std::optional<IpPacket> raw(const Bytes& octets) {
  return ip_packet(LinkType::raw, octets);
}

TEST(IpPacketOf, headers_with_options) {
  Ipv4Fields fields;
  fields.options = Bytes(40, 1);
  const Bytes octets = test_support::ipv4(fields, test_support::udp(fields, 68, 67, message));
  EXPECT_EQ(payload_of(LinkType::raw, octets), message);
  EXPECT_TRUE(raw(octets)->is_header_intact);
  EXPECT_FALSE(raw({octets.begin(), octets.begin() + 59})) << "the capture ends inside the options";
  EXPECT_TRUE(raw({octets.begin(), octets.begin() + 60}));
}

TEST(IpPacketOf, headers_that_are_none) {
  for (const std::uint8_t first : Bytes{0x44, 0x40, 0x55, 0x65, 0x05}) {
    Bytes octets = packet;
    octets[0] = first;
    EXPECT_FALSE(raw(octets)) << int{first};
  }
  for (const std::uint16_t total : {std::uint16_t{1}, std::uint16_t{19}}) {
    Ipv4Fields fields;
    fields.total_length = total;
    EXPECT_FALSE(raw(test_support::ipv4(fields, message))) << total;
  }
}

TEST(IpPacketOf, total_length_bounds_the_payload) {
  const auto with_total = [](std::uint16_t total) {
    Ipv4Fields fields;
    fields.total_length = total;
    return test_support::ipv4(fields, Bytes(100, 0xa5));
  };
  const auto payload_size = [&](std::uint16_t total) { return raw(with_total(total))->payload.size(); };
  EXPECT_EQ(payload_size(20), 0U);
  EXPECT_EQ(payload_size(119), 99U);
  EXPECT_EQ(payload_size(120), 100U);
  EXPECT_FALSE(raw(with_total(120))->is_cut);
  EXPECT_EQ(payload_size(121), 100U);
  EXPECT_TRUE(raw(with_total(121))->is_cut);
  EXPECT_EQ(payload_size(0xffff), 100U);
  EXPECT_EQ(payload_size(0), 100U) << "the network card was to write the length";
  EXPECT_FALSE(raw(with_total(0))->is_cut);
}

TEST(IpPacketOf, a_damaged_header_is_told) {
  for (std::size_t i = 8; i < 20; ++i) {
    Bytes octets = packet;
    octets[i] ^= 4U;
    ASSERT_TRUE(raw(octets)) << i;
    EXPECT_FALSE(raw(octets)->is_header_intact) << i;
  }
}

TEST(IpPacketOf, fragments_say_where_they_belong) {
  Ipv4Fields fields;
  fields.fragment_offset = 65'528;
  const auto last = raw(test_support::ipv4(fields, message));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->fragment_offset, 65'528U);
  EXPECT_FALSE(last->more_fragments);
  EXPECT_TRUE(last->is_fragment());
  fields.fragment_offset = 0;
  fields.more_fragments = true;
  const auto first = raw(test_support::ipv4(fields, message));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fragment_offset, 0U);
  EXPECT_TRUE(first->is_fragment());
  Bytes flags = packet;
  flags[6] = 0xc0;  // reserved, and do not fragment
  EXPECT_FALSE(raw(flags)->is_fragment());
}

// --- UDP
// -----------------------------------------------------------------------------------------------------------------

/// A packet around these octets of UDP, and what is read of them; the octets must outlive it.
struct Udp {
  explicit Udp(const Bytes& datagram, const Ipv4Fields& fields = {}) : octets(test_support::ipv4(fields, datagram)) {
    read = udp_datagram(*ip_packet(LinkType::raw, octets));
  }
  Udp(const Udp&) = delete;
  Udp& operator=(const Udp&) = delete;
  ~Udp() = default;

  Bytes octets;
  std::optional<UdpDatagram> read;
};

const Bytes datagram = test_support::udp(usual, 68, 67, message);

Bytes with_length(std::uint16_t length) {
  Bytes octets = datagram;
  std::ranges::copy(big(length, 2), octets.begin() + 4);
  return octets;
}

Bytes with_checksum(std::uint16_t checksum) {
  Bytes octets = datagram;
  std::ranges::copy(big(checksum, 2), octets.begin() + 6);
  return octets;
}

TEST(UdpDatagramOf, a_datagram) {
  const Udp udp{datagram};
  ASSERT_TRUE(udp.read);
  EXPECT_EQ(udp.read->source, ip(10, 1, 0, 50));
  EXPECT_EQ(udp.read->destination, ip(10, 9, 0, 2));
  EXPECT_EQ(udp.read->source_port, 68);
  EXPECT_EQ(udp.read->destination_port, 67);
  EXPECT_EQ(copy(udp.read->payload), message);
  EXPECT_EQ(udp.read->payload_size, message.size());
  EXPECT_TRUE(udp.read->is_whole);
  EXPECT_EQ(udp.read->checksum, ChecksumState::right);
}

TEST(UdpDatagramOf, nothing_but_the_beginning_of_udp) {
  EXPECT_FALSE(Udp{Bytes(7)}.read) << "inside the header";
  EXPECT_FALSE(Udp{Bytes{}}.read);
  Ipv4Fields tcp;
  tcp.protocol = 6;
  EXPECT_FALSE((Udp{datagram, tcp}.read));
  Ipv4Fields later;
  later.fragment_offset = 8;
  EXPECT_FALSE((Udp{datagram, later}.read));
}

TEST(UdpDatagramOf, lengths_are_checked_against_what_is_there) {
  struct Case {
    std::uint16_t length;
    std::size_t payload_size;
    std::size_t there;
    bool is_whole;
  };
  for (const Case& test : {Case{0, 0, 0, false}, Case{7, 0, 0, false}, Case{8, 0, 0, true}, Case{12, 4, 4, true},
                           Case{17, 9, 9, true}, Case{18, 10, 9, false}, Case{0xffff, 65'527, 9, false}}) {
    const Udp udp{with_length(test.length)};
    ASSERT_TRUE(udp.read) << test.length;
    EXPECT_EQ(udp.read->payload_size, test.payload_size) << test.length;
    EXPECT_EQ(udp.read->payload.size(), test.there) << test.length;
    EXPECT_EQ(udp.read->is_whole, test.is_whole) << test.length;
    if (!test.is_whole) {
      EXPECT_EQ(udp.read->checksum, ChecksumState::unknown) << test.length;
    }
  }
}

TEST(UdpDatagramOf, what_the_capture_cut_is_not_whole) {
  const Bytes cut{packet.begin(), packet.end() - 1};
  const auto read = udp_datagram(*raw(cut));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payload.size(), message.size() - 1);
  EXPECT_EQ(read->payload_size, message.size());
  EXPECT_FALSE(read->is_whole);
  EXPECT_EQ(read->checksum, ChecksumState::unknown);
}

TEST(UdpDatagramOf, a_first_fragment_is_not_whole) {
  Ipv4Fields fields;
  fields.more_fragments = true;
  const Udp udp{with_length(1000), fields};
  ASSERT_TRUE(udp.read);
  EXPECT_EQ(udp.read->payload_size, 992U);
  EXPECT_EQ(copy(udp.read->payload), message);
  EXPECT_EQ(udp.read->checksum, ChecksumState::unknown);
}

TEST(UdpDatagramOf, checksums) {
  const auto right = static_cast<std::uint16_t>(datagram[6] * 256U + datagram[7]);
  const std::uint16_t pseudo = test_support::pseudo_header_sum(usual, datagram.size());
  ASSERT_NE(right, pseudo);
  const auto state = [](const Bytes& octets) { return Udp{octets}.read->checksum; };
  EXPECT_EQ(state(with_checksum(right)), ChecksumState::right);
  EXPECT_EQ(state(with_checksum(static_cast<std::uint16_t>(right ^ 1U))), ChecksumState::wrong);
  EXPECT_EQ(state(with_checksum(0)), ChecksumState::absent);
  EXPECT_EQ(state(with_checksum(pseudo)), ChecksumState::unfinished);
  EXPECT_EQ(state(with_checksum(static_cast<std::uint16_t>(~pseudo))), ChecksumState::wrong);
  Bytes damaged = datagram;
  damaged.back() ^= 1U;
  EXPECT_EQ(state(damaged), ChecksumState::wrong);
}

TEST(UdpDatagramOf, a_checksum_of_ones_stands_for_zero) {
  // RFC 768: the last word of the payload makes the sum 0xffff, so that the checksum is zero, sent as ones.
  const Bytes even = test_support::udp(usual, 68, 67, {0, 0});
  const Bytes zero_sum = test_support::udp(usual, 68, 67, {even[6], even[7]});
  EXPECT_EQ(zero_sum[6], 0xff);
  EXPECT_EQ(zero_sum[7], 0xff);
  EXPECT_EQ(Udp{zero_sum}.read->checksum, ChecksumState::right);
}

TEST(UdpDatagramOf, an_odd_size_is_padded_for_the_checksum) {
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ((Udp{test_support::udp(usual, 67, 67, Bytes(size, 0xa7))}.read->checksum), ChecksumState::right) << size;
  }
}

// IPv6

const test_support::Ipv6Fields usual6;
const Bytes datagram6 = test_support::udp6(usual6, 546, 547, message);
const Bytes packet6 = test_support::ipv6(usual6, datagram6);

/// An IPv6 packet with these headers between its own and `behind`, the first of this kind.
Bytes with_headers(std::uint8_t first, const Bytes& headers, const Bytes& behind = datagram6) {
  test_support::Ipv6Fields fields;
  fields.next_header = first;
  return test_support::ipv6(fields, joined({headers, behind}));
}

TEST(Ipv6PacketOf, ethernet) {
  const Bytes frame = ethernet(0x86dd, packet6);
  const auto read = ip_packet(LinkType::ethernet, frame);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->link_source, sender);
  EXPECT_TRUE(read->source.is_ipv6());
  EXPECT_EQ(read->source, usual6.source);
  EXPECT_EQ(read->destination, all_dhcp_relay_agents_and_servers);
  EXPECT_EQ(read->protocol, 17);
  EXPECT_FALSE(read->is_fragment());
  EXPECT_TRUE(read->is_header_intact);
  EXPECT_FALSE(read->is_cut);
  EXPECT_EQ(copy(read->payload), datagram6);
  for (std::size_t size = 0; size < 54; ++size) {
    EXPECT_FALSE(ip_packet(LinkType::ethernet, {frame.data(), size})) << size;
  }
}

TEST(Ipv6PacketOf, every_kind_of_link) {
  const Bytes snap_of_ipv6{0xaa, 0xaa, 0x03, 0, 0, 0, 0x86, 0xdd};
  const Bytes in_snap = joined({snap_of_ipv6, packet6});
  EXPECT_EQ(payload_of(LinkType::ethernet, joined({ethernet(0x86dd, packet6), Bytes(18, 0xa5)})), message);
  EXPECT_EQ(payload_of(LinkType::ethernet, tagged({0x88a8, 0x8100}, joined({{0x86, 0xdd}, packet6}))), message);
  EXPECT_EQ(payload_of(LinkType::ethernet, ethernet(static_cast<std::uint16_t>(in_snap.size()), in_snap)), message);
  EXPECT_EQ(payload_of(LinkType::ieee802_11, joined({wireless(0x88, 1), in_snap})), message);
  for (const LinkType link_type : {LinkType::linux_sll, LinkType::linux_sll2}) {
    EXPECT_EQ(payload_of(link_type, joined({cooked(link_type, 0, 0x86dd), packet6})), message);
  }
  for (const LinkType link_type : {LinkType::raw, LinkType::ipv6}) {
    EXPECT_EQ(payload_of(link_type, packet6), message);
  }
  for (const std::uint32_t family : {10U, 24U, 28U, 30U}) {
    EXPECT_EQ(payload_of(LinkType::null, joined({little(family, 4), packet6})), message) << family;
    EXPECT_EQ(payload_of(LinkType::loop, joined({big(family, 4), packet6})), message) << family;
  }
}

TEST(Ipv6PacketOf, no_packet_of_the_other_version_than_was_announced) {
  EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(0x0800, packet6)));
  EXPECT_FALSE(ip_packet(LinkType::ethernet, ethernet(0x86dd, packet)));
  EXPECT_FALSE(ip_packet(LinkType::ipv4, packet6));
  EXPECT_FALSE(ip_packet(LinkType::ipv6, packet));
}

TEST(Ipv6PacketOf, the_length_bounds_the_payload) {
  const auto with_length = [](std::uint16_t length) {
    test_support::Ipv6Fields fields;
    fields.payload_length = length;
    return raw(test_support::ipv6(fields, Bytes(100, 0xa5)));
  };
  EXPECT_EQ(with_length(0)->payload.size(), 0U);
  EXPECT_EQ(with_length(99)->payload.size(), 99U);
  EXPECT_FALSE(with_length(100)->is_cut);
  EXPECT_EQ(with_length(101)->payload.size(), 100U);
  EXPECT_TRUE(with_length(101)->is_cut);
}

TEST(Ipv6PacketOf, extension_headers_are_passed_over) {
  using test_support::extension6;
  const Bytes three = joined({extension6(43, 16), extension6(60), extension6(17, 2048)});
  const auto read = raw(with_headers(0, three));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->protocol, 17);
  EXPECT_EQ(payload_of(LinkType::raw, with_headers(0, three)), message);
  for (std::size_t size = 40; size < 40 + three.size(); ++size) {
    const Bytes whole = with_headers(0, three);
    EXPECT_FALSE(raw({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
  }
  EXPECT_EQ(raw(with_headers(51, Bytes(24)))->protocol, 51) << "an authentication header is not";
}

TEST(Ipv6PacketOf, no_more_than_eight_extension_headers) {
  Bytes headers = test_support::extension6(17);
  for (int count = 1; count < 8; ++count) {
    headers = joined({test_support::extension6(60), headers});
  }
  EXPECT_EQ(payload_of(LinkType::raw, with_headers(60, headers)), message);
  EXPECT_FALSE(raw(with_headers(60, joined({test_support::extension6(60), headers}))));
}

TEST(Ipv6PacketOf, fragments_say_where_they_belong) {
  const Bytes octets = with_headers(44, test_support::fragment6(17, 65'528, false, 0x12345678));
  const auto last = raw(octets);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->fragment_offset, 65'528U);
  EXPECT_FALSE(last->more_fragments);
  EXPECT_EQ(last->identification, 0x12345678U);
  EXPECT_EQ(copy(last->payload), datagram6);
  EXPECT_FALSE(udp_datagram(*last));
  const Bytes begin = with_headers(44, test_support::fragment6(17, 0, true, 1));
  const auto first = raw(begin);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->is_fragment());
  EXPECT_TRUE(udp_datagram(*first));
}

TEST(Ipv6PacketOf, a_fragment_header_around_a_whole_packet_is_passed_over) {
  const Bytes headers = joined({test_support::fragment6(60, 0, false, 1), test_support::extension6(17)});
  EXPECT_FALSE(raw(with_headers(44, headers))->is_fragment()) << "RFC 6946";
  EXPECT_EQ(payload_of(LinkType::raw, with_headers(44, headers)), message);
}

TEST(Ipv6PacketOf, extension_headers_in_the_first_fragment) {
  const Bytes headers = joined({test_support::fragment6(60, 0, true, 1), test_support::extension6(17)});
  const Bytes octets = with_headers(44, headers);
  const auto first = raw(octets);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->protocol, 60);
  const auto beginning = udp_datagram(*first);
  ASSERT_TRUE(beginning);
  EXPECT_EQ(copy(beginning->payload), message);
  EXPECT_FALSE(udp_datagram(*raw(
      with_headers(44, joined({test_support::fragment6(44, 0, true, 1), test_support::fragment6(17, 8, false, 1)})))))
      << "fragments of fragments";
}

TEST(UdpDatagramOf, checksums_over_ipv6) {
  const auto state = [](const Bytes& octets) { return udp_datagram(*raw(with_headers(17, octets, {})))->checksum; };
  EXPECT_EQ(state(datagram6), ChecksumState::right);
  Bytes other = datagram6;
  other[7] ^= 1U;
  EXPECT_EQ(state(other), ChecksumState::wrong);
  other[6] = other[7] = 0;
  EXPECT_EQ(state(other), ChecksumState::wrong) << "RFC 8200 section 8.1: there has to be one";
  const Bytes pseudo = joined({{usual6.source.octets.begin(), usual6.source.octets.end()},
                               {usual6.destination.octets.begin(), usual6.destination.octets.end()},
                               big(datagram6.size(), 4),
                               big(17, 4)});
  std::ranges::copy(big(test_support::word_sum(pseudo), 2), other.begin() + 6);
  EXPECT_EQ(state(other), ChecksumState::unfinished);
}

}  // namespace
}  // namespace relay::capture
