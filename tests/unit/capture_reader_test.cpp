// Captures octet by octet: what each form says of its packets and interfaces, and the sentence for whatever is wrong.
#include "relay/capture/capture_reader.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/packet_octets.h"

namespace relay::capture {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using test_support::big;
using test_support::Bytes;
using test_support::ip;
using test_support::joined;
using test_support::little;
using test_support::text;

enum class Order : std::uint8_t { big, little };
constexpr Order both_orders[] = {Order::big, Order::little};

Bytes number(Order order, std::uint64_t value, std::size_t size) {
  return order == Order::big ? big(value, size) : little(value, size);
}

struct PacketCopy {
  Packet packet;
  Bytes octets;
};

/// All that was read of a file, and what ended it.
struct Reading {
  std::vector<PacketCopy> packets;
  std::vector<CapturedInterface> interfaces;
  std::string fault;
};

Reading read(const Bytes& file) {
  std::size_t at = 0;
  CaptureReader reader{[&](std::span<std::uint8_t> octets) {
    const std::size_t count = std::min(octets.size(), file.size() - at);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, octets.begin());
    at += count;
    return count;
  }};
  Reading reading;
  while (const auto packet = reader.next()) {
    reading.packets.push_back({*packet, {packet->octets.begin(), packet->octets.end()}});
  }
  EXPECT_FALSE(reader.next()) << "what is over stays over";
  reading.interfaces = reader.interfaces();
  reading.fault = reader.fault();
  return reading;
}

/// Reads what must be read whole.
Reading read_whole(const Bytes& file) {
  Reading reading = read(file);
  EXPECT_EQ(reading.fault, "");
  return reading;
}

/// "N packets: fault".
std::string outcome(const Bytes& file) {
  const Reading reading = read(file);
  return std::to_string(reading.packets.size()) + " packets: " + reading.fault;
}

// --- pcap
// ----------------------------------------------------------------------------------------------------------------

constexpr std::uint32_t microseconds_magic = 0xa1b2c3d4;
constexpr std::uint32_t nanoseconds_magic = 0xa1b23c4d;
constexpr std::uint32_t modified_magic = 0xa1b2cd34;

Bytes pcap_header(Order order, std::uint32_t magic = microseconds_magic, std::uint32_t link_type = 1) {
  return joined({number(order, magic, 4), number(order, 2, 2), number(order, 4, 2), Bytes(8), number(order, 65'535, 4),
                 number(order, link_type, 4)});
}

Bytes record(Order order, const Bytes& octets, std::uint32_t time = 1'700'000'000, std::uint32_t fraction = 123'456,
             std::uint32_t original_size = 400) {
  return joined({number(order, time, 4), number(order, fraction, 4), number(order, octets.size(), 4),
                 number(order, original_size, 4), octets});
}

TEST(Pcap, tells_packets_with_their_times_in_both_byte_orders) {
  for (const Order order : both_orders) {
    const Reading reading = read_whole(joined(
        {pcap_header(order), record(order, text("first")), record(order, text("second"), 1'700'000'001, 999'999)}));
    ASSERT_EQ(reading.packets.size(), 2U);
    EXPECT_EQ(reading.packets[0].octets, text("first"));
    EXPECT_EQ(reading.packets[0].packet.time, seconds{1'700'000'000} + nanoseconds{123'456'000});
    EXPECT_EQ(reading.packets[0].packet.original_size, 400U);
    EXPECT_EQ(reading.packets[0].packet.interface, 0U);
    EXPECT_EQ(reading.packets[0].packet.link_type, LinkType::ethernet);
    EXPECT_EQ(reading.packets[0].packet.direction, Direction::unknown);
    EXPECT_EQ(reading.packets[1].octets, text("second"));
    EXPECT_EQ(reading.packets[1].packet.time, seconds{1'700'000'001} + nanoseconds{999'999'000});
    ASSERT_EQ(reading.interfaces.size(), 1U);
    EXPECT_EQ(reading.interfaces[0].name, "");
    EXPECT_EQ(reading.interfaces[0].link_type, LinkType::ethernet);
  }
}

TEST(Pcap, times_are_nanoseconds_where_the_magic_says_so) {
  for (const Order order : both_orders) {
    const Reading reading = read_whole(joined({pcap_header(order, nanoseconds_magic), record(order, text("a"))}));
    ASSERT_EQ(reading.packets.size(), 1U);
    EXPECT_EQ(reading.packets[0].packet.time, seconds{1'700'000'000} + nanoseconds{123'456});
  }
}

TEST(Pcap, the_latest_time_fits) {
  const Reading reading =
      read_whole(joined({pcap_header(Order::little), record(Order::little, text("a"), 0xffffffff, 0xffffffff)}));
  ASSERT_EQ(reading.packets.size(), 1U);
  EXPECT_EQ(reading.packets[0].packet.time, seconds{4'294'967'295} + nanoseconds{4'294'967'295'000});
}

TEST(Pcap, modified_records_have_eight_more_octets_in_front) {
  for (const Order order : both_orders) {
    Bytes one = record(order, text("a"));
    one.insert(one.begin() + 16, 8, 0x55);
    const Reading reading = read_whole(joined({pcap_header(order, modified_magic), one, one}));
    ASSERT_EQ(reading.packets.size(), 2U);
    EXPECT_EQ(reading.packets[1].octets, text("a"));
  }
}

TEST(Pcap, link_types_are_told_without_what_is_above_them) {
  struct Case {
    std::uint32_t number;
    std::uint16_t link_type;
  };
  for (const Case& test : {Case{1, 1}, Case{0xf4000001, 1}, Case{12, 101}, Case{14, 101}, Case{101, 101},
                           Case{113, 113}, Case{276, 276}, Case{147, 147}}) {
    const Reading reading =
        read_whole(joined({pcap_header(Order::big, microseconds_magic, test.number), record(Order::big, text("a"))}));
    ASSERT_EQ(reading.packets.size(), 1U);
    EXPECT_EQ(reading.packets[0].packet.link_type, LinkType{test.link_type}) << test.number;
    EXPECT_EQ(reading.interfaces[0].link_type, LinkType{test.link_type}) << test.number;
  }
}

TEST(Pcap, packets_of_no_octet_and_of_256_kib_are_packets) {
  const Bytes large(262'144, 0xa5);
  const Reading reading = read_whole(joined(
      {pcap_header(Order::big), record(Order::big, {}), record(Order::big, large), record(Order::big, text("b"))}));
  ASSERT_EQ(reading.packets.size(), 3U);
  EXPECT_EQ(reading.packets[0].octets, Bytes{});
  EXPECT_EQ(reading.packets[1].octets, large);
  EXPECT_EQ(reading.packets[2].octets, text("b"));
}

TEST(Pcap, a_header_alone_is_a_file_without_packets) {
  const Reading reading = read_whole(pcap_header(Order::little));
  EXPECT_TRUE(reading.packets.empty());
  EXPECT_EQ(reading.interfaces.size(), 1U);
}

TEST(Pcap, what_is_wrong_ends_it_behind_what_was_right) {
  const Bytes good = joined({pcap_header(Order::little), record(Order::little, text("good"))});
  const Bytes next = record(Order::little, text("next"));
  const auto cut = [&](std::size_t size) {
    return joined({good, {next.begin(), next.begin() + static_cast<std::ptrdiff_t>(size)}});
  };
  const auto with_size = [&](std::uint32_t size) {
    return joined({good, Bytes(8), little(size, 4), Bytes(4), Bytes(100)});
  };
  EXPECT_EQ(outcome(cut(next.size())), "2 packets: ");
  EXPECT_EQ(outcome(cut(next.size() - 1)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(cut(16)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(cut(15)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(cut(1)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(with_size(101)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(with_size(16'777'216)), "1 packets: the file ends inside packet 2");
  EXPECT_EQ(outcome(with_size(16'777'217)),
            "1 packets: packet 2 has a length of 16777217, more than the 16777216 that are read");
  EXPECT_EQ(outcome(with_size(0xffffffff)),
            "1 packets: packet 2 has a length of 4294967295, more than the 16777216 that are read");
}

TEST(Pcap, headers_that_are_none) {
  const Bytes header = pcap_header(Order::big);
  Bytes version = header;
  version[5] = 3;
  EXPECT_EQ(outcome({header.begin(), header.end() - 1}), "0 packets: the file ends inside its header");
  EXPECT_EQ(outcome({header.begin(), header.begin() + 4}), "0 packets: the file ends inside its header");
  EXPECT_EQ(outcome(version), "0 packets: a pcap file of version 3, which is not known");
}

TEST(Capture, what_is_no_capture_is_named) {
  EXPECT_EQ(outcome({}), "0 packets: the file is empty");
  EXPECT_EQ(outcome({0x0a}), "0 packets: not a capture file: it begins with 0x0a");
  EXPECT_EQ(outcome({0xa1, 0xb2, 0xc3}), "0 packets: not a capture file: it begins with 0xa1b2c3");
  EXPECT_EQ(outcome(text("\x7f"
                         "ELF and more")),
            "0 packets: not a capture file: it begins with 0x7f454c46");
  EXPECT_EQ(outcome({0x1f, 0x8b, 0x08, 0}), "0 packets: the file is compressed with gzip; decompress it first");
  EXPECT_EQ(outcome({0x1f, 0x8b}), "0 packets: the file is compressed with gzip; decompress it first");
}

TEST(Capture, memory_grows_with_what_is_there_and_not_with_what_is_claimed) {
  // The source is asked for no more at a time than 64 KiB, and no more once it had less.
  const Bytes file = joined({pcap_header(Order::big), Bytes(8), big(16'000'000, 4), Bytes(4), Bytes(1'000)});
  std::size_t at = 0;
  std::size_t most = 0;
  CaptureReader reader{[&](std::span<std::uint8_t> octets) {
    most = std::max(most, octets.size());
    EXPECT_LT(at, file.size()) << "the end was told already";
    const std::size_t count = std::min(octets.size(), file.size() - at);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, octets.begin());
    at += count;
    return count;
  }};
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.fault(), "the file ends inside packet 1");
  EXPECT_EQ(most, 65'536U);
}

// --- pcapng
// --------------------------------------------------------------------------------------------------------------

/// Writes blocks one behind the other.
class PcapngFile {
 public:
  explicit PcapngFile(Order order) : order_(order) { section(); }

  PcapngFile& order(Order order) {
    order_ = order;
    return *this;
  }
  PcapngFile& raw(const Bytes& octets) {
    octets_ = joined({octets_, octets});
    return *this;
  }
  PcapngFile& block(std::uint32_t type, const Bytes& body) {
    const Bytes padded = joined({body, Bytes((4 - body.size() % 4) % 4)});
    const Bytes size = n(12 + padded.size(), 4);
    return raw(joined({n(type, 4), size, padded, size}));
  }
  PcapngFile& section(std::uint16_t version = 1) {
    return block(0x0a0d0d0a, joined({n(0x1a2b3c4d, 4), n(version, 2), n(0, 2), Bytes(8, 0xff)}));
  }
  PcapngFile& interface(const Bytes& options = {}, std::uint16_t link_type = 1, std::uint32_t snap_size = 0) {
    return block(1, joined({n(link_type, 2), n(0, 2), n(snap_size, 4), options}));
  }
  PcapngFile& enhanced(const Bytes& octets, std::uint32_t interface = 0, std::uint64_t time = 1'700'000'000'123'456,
                       const Bytes& options = {}) {
    return block(6, joined({n(interface, 4), n(time >> 32U, 4), n(time, 4), n(octets.size(), 4), n(400, 4), octets,
                            Bytes((4 - octets.size() % 4) % 4), options}));
  }
  PcapngFile& simple(std::uint32_t original_size, const Bytes& octets) {
    return block(3, joined({n(original_size, 4), octets}));
  }

  [[nodiscard]] Bytes n(std::uint64_t value, std::size_t size) const { return number(order_, value, size); }
  [[nodiscard]] Bytes option(std::uint16_t code, const Bytes& value) const {
    return joined({n(code, 2), n(value.size(), 2), value, Bytes((4 - value.size() % 4) % 4)});
  }
  [[nodiscard]] const Bytes& octets() const noexcept { return octets_; }

 private:
  Order order_;
  Bytes octets_;
};

/// The time of a packet of `units`, with these options of the interface.
nanoseconds time_of(std::uint64_t units, std::uint8_t resolution, std::optional<std::int64_t> offset = std::nullopt) {
  PcapngFile file{Order::little};
  file.interface(joined({file.option(9, {resolution}),
                         offset ? file.option(14, file.n(static_cast<std::uint64_t>(*offset), 8)) : Bytes{}}));
  const Reading reading = read_whole(file.enhanced(text("a"), 0, units).octets());
  return reading.packets.empty() ? nanoseconds{-1} : reading.packets[0].packet.time;
}

TEST(Pcapng, tells_packets_and_interfaces_in_both_byte_orders) {
  for (const Order order : both_orders) {
    PcapngFile file{order};
    file.interface(
        joined({file.option(2, text("eth0")), file.option(3, text("downstream")),
                file.option(4, {10, 1, 0, 1, 255, 255, 255, 0}), file.option(4, {10, 2, 0, 1, 255, 255, 255, 255}),
                file.option(6, {2, 0, 0, 0, 0, 1}), file.option(0, {}), file.option(2, text("behind the end"))}));
    file.interface({}, 113);
    file.enhanced(text("first"), 1).enhanced(text("second"));
    const Reading reading = read_whole(file.octets());

    ASSERT_EQ(reading.interfaces.size(), 2U);
    EXPECT_EQ(reading.interfaces[0].name, "eth0");
    EXPECT_EQ(reading.interfaces[0].description, "downstream");
    EXPECT_EQ(reading.interfaces[0].link_type, LinkType::ethernet);
    EXPECT_EQ(reading.interfaces[0].addresses, (std::vector<Ipv4Prefix>{{ip(10, 1, 0, 1), 24}, {ip(10, 2, 0, 1), 32}}));
    EXPECT_EQ(reading.interfaces[0].mac, (MacAddress{{2, 0, 0, 0, 0, 1}}));
    EXPECT_EQ(reading.interfaces[1].name, "");
    EXPECT_EQ(reading.interfaces[1].link_type, LinkType::linux_sll);
    EXPECT_EQ(reading.interfaces[1].mac, std::nullopt);

    ASSERT_EQ(reading.packets.size(), 2U);
    EXPECT_EQ(reading.packets[0].octets, text("first"));
    EXPECT_EQ(reading.packets[0].packet.interface, 1U);
    EXPECT_EQ(reading.packets[0].packet.link_type, LinkType::linux_sll);
    EXPECT_EQ(reading.packets[0].packet.original_size, 400U);
    EXPECT_EQ(reading.packets[0].packet.time, seconds{1'700'000'000} + nanoseconds{123'456'000});
    EXPECT_EQ(reading.packets[1].octets, text("second"));
    EXPECT_EQ(reading.packets[1].packet.interface, 0U);
  }
}

TEST(Pcapng, flags_tell_the_direction) {
  struct Case {
    std::uint32_t flags;
    Direction direction;
  };
  for (const Order order : both_orders) {
    for (const Case& test : {Case{0, Direction::unknown}, Case{1, Direction::inbound}, Case{2, Direction::outbound},
                             Case{3, Direction::unknown}, Case{0xff000005, Direction::inbound}}) {
      PcapngFile file{order};
      file.interface();
      for (const std::size_t size : {0U, 1U, 2U, 3U, 4U}) {  // whatever the padding in front of options
        file.enhanced(Bytes(size, 7), 0, 0,
                      joined({file.option(1, text("why")), file.option(2, file.n(test.flags, 4))}));
      }
      const Reading reading = read_whole(file.octets());
      ASSERT_EQ(reading.packets.size(), 5U);
      for (const PacketCopy& each : reading.packets) {
        EXPECT_EQ(each.packet.direction, test.direction) << test.flags;
      }
    }
  }
}

TEST(Pcapng, every_section_has_interfaces_of_its_own_and_its_byte_order) {
  PcapngFile file{Order::big};
  file.interface(file.option(2, text("a"))).interface(file.option(2, text("b"))).enhanced(text("1"), 1);
  file.order(Order::little).section();
  file.interface(file.option(2, text("c")), 101).enhanced(text("2"), 0);
  file.section();
  file.interface(file.option(2, text("d"))).simple(1, text("3"));
  const Reading reading = read_whole(file.octets());
  ASSERT_EQ(reading.interfaces.size(), 4U);
  EXPECT_EQ(reading.interfaces[2].name, "c");
  ASSERT_EQ(reading.packets.size(), 3U);
  EXPECT_EQ(reading.packets[0].packet.interface, 1U);
  EXPECT_EQ(reading.packets[1].packet.interface, 2U);
  EXPECT_EQ(reading.packets[1].packet.link_type, LinkType::raw);
  EXPECT_EQ(reading.packets[2].packet.interface, 3U);
  EXPECT_EQ(reading.packets[2].octets, text("3"));
}

TEST(Pcapng, simple_packets_have_no_time_and_may_be_cut_at_the_interfaces_limit) {
  PcapngFile file{Order::big};
  file.interface({}, 1, 6).simple(3, text("abc")).simple(400, text("abcdef"));
  const Reading reading = read_whole(file.octets());
  ASSERT_EQ(reading.packets.size(), 2U);
  EXPECT_EQ(reading.packets[0].octets, text("abc"));
  EXPECT_EQ(reading.packets[0].packet.original_size, 3U);
  EXPECT_EQ(reading.packets[0].packet.time, nanoseconds{0});
  EXPECT_EQ(reading.packets[1].octets, text("abcdef"));
  EXPECT_EQ(reading.packets[1].packet.original_size, 400U);
}

TEST(Pcapng, obsolete_packets_are_packets) {
  for (const Order order : both_orders) {
    PcapngFile file{order};
    file.interface().interface();
    const std::uint64_t time = 1'700'000'000'123'456;
    file.block(2, joined({file.n(1, 2),
                          file.n(99, 2),
                          file.n(time >> 32U, 4),
                          file.n(time, 4),
                          file.n(3, 4),
                          file.n(400, 4),
                          text("abc"),
                          {0},
                          file.option(2, file.n(2, 4))}));
    const Reading reading = read_whole(file.octets());
    ASSERT_EQ(reading.packets.size(), 1U);
    EXPECT_EQ(reading.packets[0].octets, text("abc"));
    EXPECT_EQ(reading.packets[0].packet.interface, 1U);
    EXPECT_EQ(reading.packets[0].packet.time, seconds{1'700'000'000} + nanoseconds{123'456'000});
    EXPECT_EQ(reading.packets[0].packet.direction, Direction::outbound);
    EXPECT_EQ(reading.packets[0].packet.original_size, 400U);
  }
}

TEST(Pcapng, blocks_of_other_types_are_skipped) {
  PcapngFile file{Order::big};
  file.interface();
  for (const std::uint32_t type : {4U, 5U, 7U, 9U, 10U, 0x0badU, 0x40000badU, 0xffffffffU}) {
    file.block(type, Bytes(40, 0xff));
  }
  file.block(4, {}).enhanced(text("a"));
  EXPECT_EQ(read_whole(file.octets()).packets.size(), 1U);
}

TEST(Pcapng, packets_of_no_octet_and_of_256_kib_are_packets) {
  const Bytes large(262'144, 0xa5);
  PcapngFile file{Order::little};
  const Reading reading = read_whole(file.interface().enhanced({}).enhanced(large).enhanced(text("b")).octets());
  ASSERT_EQ(reading.packets.size(), 3U);
  EXPECT_EQ(reading.packets[0].octets, Bytes{});
  EXPECT_EQ(reading.packets[1].octets, large);
  EXPECT_EQ(reading.packets[2].octets, text("b"));
}

TEST(Pcapng, times_have_the_resolution_of_the_interface) {
  EXPECT_EQ(time_of(1'700'000'000, 0), seconds{1'700'000'000});
  EXPECT_EQ(time_of(1'700'000'000'123, 3), seconds{1'700'000'000} + nanoseconds{123'000'000});
  EXPECT_EQ(time_of(1'700'000'000'123'456'789, 9), seconds{1'700'000'000} + nanoseconds{123'456'789});
  EXPECT_EQ(time_of(17'000'000'001'234'567'899U, 10), seconds{1'700'000'000} + nanoseconds{123'456'789});
  EXPECT_EQ(time_of(0xffffffffffffffff, 127), nanoseconds{0}) << "10^-127 seconds";
  EXPECT_EQ(time_of(1'700'000'000, 0x80), seconds{1'700'000'000}) << "2^0 in a second";
  EXPECT_EQ(time_of(7, 0x81), nanoseconds{3'500'000'000});
  EXPECT_EQ(time_of(std::uint64_t{1'700'000'000} << 32U | 0xc0000000U, 0x80 + 32),
            seconds{1'700'000'000} + nanoseconds{750'000'000});
  EXPECT_EQ(time_of(std::uint64_t{3} << 62U, 0x80 + 63), nanoseconds{1'500'000'000});
  EXPECT_EQ(time_of(0xffffffffffffffff, 0x80 + 64), nanoseconds{999'999'999});
  EXPECT_EQ(time_of(0xffffffffffffffff, 0xff), nanoseconds{0}) << "2^-127 seconds";
}

TEST(Pcapng, times_are_behind_the_offset_of_the_interface) {
  EXPECT_EQ(time_of(5'000'001, 6, 1'700'000'000), seconds{1'700'000'005} + nanoseconds{1'000});
  EXPECT_EQ(time_of(5'000'001, 6, -10), seconds{-5} + nanoseconds{1'000});
}

TEST(Pcapng, times_too_far_away_are_the_farthest_there_are) {
  EXPECT_EQ(time_of(9'223'372'035, 0), seconds{9'223'372'035});
  EXPECT_EQ(time_of(9'223'372'036, 0), nanoseconds::max());
  EXPECT_EQ(time_of(0xffffffffffffffff, 0), nanoseconds::max());
  EXPECT_EQ(time_of(0xffffffffffffffff, 0, std::int64_t{0x7fffffffffffffff}), nanoseconds::max());
  EXPECT_EQ(time_of(0, 0, std::int64_t{-0x7fffffffffffffff} - 1), nanoseconds::min());
  EXPECT_EQ(time_of(0, 0, -9'223'372'036), nanoseconds::min());
}

TEST(Pcapng, tells_ipv6_addresses_of_interfaces) {
  for (const Order order : both_orders) {
    PcapngFile file{order};
    const auto address = test_support::ip6("fe80::d1");
    const Bytes octets{address.octets.begin(), address.octets.end()};
    file.interface(joined(
        {file.option(5, joined({octets, {64}})), file.option(5, joined({octets, {200}})), file.option(5, octets)}));
    EXPECT_EQ(read_whole(file.octets()).interfaces[0].addresses6,
              (std::vector<Ipv6Prefix>{{address, 64}, {address, 128}}));
  }
}

TEST(Pcapng, options_of_another_size_than_theirs_are_passed_over) {
  PcapngFile file{Order::little};
  file.interface(joined({file.option(4, {10, 1, 0, 1}), file.option(6, {2, 0, 0}), file.option(9, {9, 9}),
                         file.option(14, {1, 2, 3}), file.option(2, text(std::string_view{"eth0\0x", 6}))}));
  const Reading reading = read_whole(file.enhanced(text("a"), 0, 5'000'000, file.option(2, {1})).octets());
  EXPECT_EQ(reading.interfaces[0].name, "eth0") << "up to the end of a C string";
  EXPECT_TRUE(reading.interfaces[0].addresses.empty());
  EXPECT_EQ(reading.interfaces[0].mac, std::nullopt);
  EXPECT_EQ(reading.packets[0].packet.time, seconds{5});
  EXPECT_EQ(reading.packets[0].packet.direction, Direction::unknown);
}

TEST(Pcapng, what_an_interface_says_of_itself_is_limited) {
  PcapngFile file{Order::little};
  Bytes addresses;
  for (std::uint8_t i = 0; i < 40; ++i) {
    addresses = joined({addresses, file.option(4, {10, 1, 0, i, 255, 0, 0, 0})});
  }
  file.interface(joined({file.option(2, Bytes(60'000, 'n')), file.option(3, Bytes(60'000, 'd')), addresses}));
  const Reading reading = read_whole(file.octets());
  ASSERT_EQ(reading.interfaces.size(), 1U);
  EXPECT_EQ(reading.interfaces[0].name, std::string(256, 'n'));
  EXPECT_EQ(reading.interfaces[0].description, std::string(256, 'd'));
  EXPECT_EQ(reading.interfaces[0].addresses.size(), 16U);
}

/// A section with an interface and a packet, in little-endian: blocks 1 to 3.
PcapngFile good_file() {
  PcapngFile file{Order::little};
  file.interface().enhanced(text("good"));
  return file;
}

TEST(Pcapng, lengths_that_lie_end_it_behind_what_was_right) {
  const auto with_length = [](std::uint32_t length) {
    return outcome(good_file().raw(joined({little(6, 4), little(length, 4), Bytes(100)})).octets());
  };
  EXPECT_EQ(with_length(0), "1 packets: block 4 has a length of 0");
  EXPECT_EQ(with_length(8), "1 packets: block 4 has a length of 8, too short for a block");
  EXPECT_EQ(with_length(33), "1 packets: block 4 has a length of 33, which is no multiple of 4");
  EXPECT_EQ(with_length(40), "1 packets: block 4 begins with a length of 40 and ends with one of 0");
  EXPECT_EQ(with_length(112), "1 packets: the file ends inside block 4");
  EXPECT_EQ(with_length(16'777'216), "1 packets: the file ends inside block 4");
  EXPECT_EQ(with_length(16'777'220),
            "1 packets: block 4 has a length of 16777220, more than the 16777216 that are read");
  EXPECT_EQ(with_length(0xfffffffc),
            "1 packets: block 4 has a length of 4294967292, more than the 16777216 that are read");
}

TEST(Pcapng, a_file_that_ends_within_a_block_is_told_whole_up_to_it) {
  const Bytes whole = good_file().enhanced(text("next")).octets();
  const std::size_t good = good_file().octets().size();
  EXPECT_EQ(outcome(whole), "2 packets: ");
  for (std::size_t size = good + 1; size < whole.size(); ++size) {
    const Bytes cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
    EXPECT_EQ(outcome(cut), "1 packets: the file ends inside block 4") << size;
  }
  EXPECT_EQ(outcome({whole.begin(), whole.begin() + 4}), "0 packets: the file ends inside block 1");
}

TEST(Pcapng, packets_that_lie_end_it) {
  const auto with_sizes = [](std::uint32_t type, std::uint32_t interface, std::uint32_t size) {
    return outcome(good_file()
                       .block(type, joined({little(interface, 4), Bytes(8), little(size, 4), little(400, 4), Bytes(8)}))
                       .octets());
  };
  EXPECT_EQ(with_sizes(6, 0, 8), "2 packets: ");
  EXPECT_EQ(with_sizes(6, 0, 9), "1 packets: block 4 has a packet of 9 octets, more than fit into it");
  EXPECT_EQ(with_sizes(6, 0, 0xffffffff),
            "1 packets: block 4 has a packet of 4294967295 octets, more than fit into it");
  EXPECT_EQ(with_sizes(2, 0, 9), "1 packets: block 4 has a packet of 9 octets, more than fit into it");
  EXPECT_EQ(with_sizes(6, 1, 8), "1 packets: block 4 names interface 1, which its section does not have");
  EXPECT_EQ(with_sizes(6, 0xffffffff, 8),
            "1 packets: block 4 names interface 4294967295, which its section does not have");
  EXPECT_EQ(with_sizes(2, 0xffff, 8), "1 packets: block 4 names interface 65535, which its section does not have");
  EXPECT_EQ(outcome(good_file().simple(9, Bytes(8)).octets()),
            "1 packets: block 4 has a packet of 9 octets, more than fit into it");
}

TEST(Pcapng, blocks_too_short_for_what_they_are_end_it) {
  EXPECT_EQ(outcome(good_file().block(6, Bytes(16)).octets()), "1 packets: block 4 is too short for a packet");
  EXPECT_EQ(outcome(good_file().block(2, Bytes(16)).octets()), "1 packets: block 4 is too short for a packet");
  EXPECT_EQ(outcome(good_file().block(3, {}).octets()), "1 packets: block 4 is too short for a packet");
  EXPECT_EQ(outcome(good_file().block(1, Bytes(4)).octets()), "1 packets: block 4 is too short for an interface");
  EXPECT_EQ(outcome(good_file().block(0x0a0d0d0a, little(0x1a2b3c4d, 4)).octets()),
            "1 packets: block 4 is too short for a section");
}

TEST(Pcapng, options_that_lie_end_it) {
  const Bytes lie = joined({little(2, 2), little(5, 2), Bytes(4)});
  EXPECT_EQ(outcome(good_file().interface(lie).octets()),
            "1 packets: block 4 has an option of 5 octets, more than fit into it");
  EXPECT_EQ(outcome(good_file().enhanced(text("abcd"), 0, 0, lie).octets()),
            "1 packets: block 4 has an option of 5 octets, more than fit into it");
}

TEST(Pcapng, interfaces_of_the_section_before_are_gone) {
  EXPECT_EQ(outcome(good_file().section().enhanced(text("a")).octets()),
            "1 packets: block 5 names interface 0, which its section does not have");
  EXPECT_EQ(outcome(good_file().section().simple(1, text("a")).octets()),
            "1 packets: block 5 names interface 0, which its section does not have");
}

TEST(Pcapng, sections_of_no_known_kind_end_it) {
  EXPECT_EQ(outcome(good_file().section(2).octets()),
            "1 packets: block 4 begins a section of version 2, which is not known");
  EXPECT_EQ(outcome(good_file().block(0x0a0d0d0a, Bytes(16, 0x55)).octets()),
            "1 packets: block 4 begins a section in no known byte order: 0x55555555");
  EXPECT_EQ(outcome(joined({{0x0a, 0x0d, 0x0d, 0x0a}, text("a text that begins with two lines")})),
            "0 packets: block 1 begins a section in no known byte order: 0x78742074");
}

TEST(Pcapng, has_at_most_4096_interfaces) {
  PcapngFile block{Order::little};
  const std::size_t begin = block.octets().size();
  const Bytes one{block.interface().octets().begin() + static_cast<std::ptrdiff_t>(begin), block.octets().end()};
  Bytes file = PcapngFile{Order::little}.octets();
  for (std::size_t i = 0; i < 4'096; ++i) {
    file.insert(file.end(), one.begin(), one.end());
  }
  EXPECT_EQ(outcome(file), "0 packets: ");
  file.insert(file.end(), one.begin(), one.end());
  EXPECT_EQ(outcome(file), "0 packets: block 4098 is one interface more than the 4096 that are read");
}

}  // namespace
}  // namespace relay::capture
