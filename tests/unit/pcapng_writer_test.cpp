// The octets of each pcapng block. Numbers are written by hand for both byte orders, so that a wrong field or offset
// shows.
#include "relay/capture/pcapng_writer.h"

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay::capture {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::joined;
using test_support::text;

/// The lowest `size` octets of `value` in this host's order.
Bytes number(std::uint64_t value, std::size_t size) {
  Bytes octets;
  for (std::size_t at = 0; at < size; ++at) {
    const std::size_t place = std::endian::native == std::endian::little ? at : size - 1 - at;
    octets.push_back(static_cast<std::uint8_t>(value >> 8U * place));
  }
  return octets;
}

Bytes u16(std::uint64_t value) {
  return number(value, 2);
}

Bytes u32(std::uint64_t value) {
  return number(value, 4);
}

Bytes u64(std::uint64_t value) {
  return number(value, 8);
}

Bytes zeros(std::size_t count) {
  return Bytes(count, 0);
}

const Bytes end_of_options(4, 0);

/// What stands in front of an option's `size` octets.
Bytes head(std::uint64_t code, std::size_t size) {
  return joined({u16(code), u16(size)});
}

/// A packet of no octets beside which `comment` stands.
Bytes block_with_comment(std::string_view comment) {
  const std::size_t padding = (4 - comment.size() % 4) % 4;
  const Bytes size = u32(28 + 4 + comment.size() + padding + 4 + 4);
  return joined(
      {u32(6), size, zeros(20), head(1, comment.size()), text(comment), zeros(padding), end_of_options, size});
}

class PcapngWriterTest : public testing::Test {
 protected:
  /// The writer with an interface, and nothing in the buffer.
  void begin() {
    writer_.section({});
    number_ = writer_.interface({}, {});
    buffer_.clear();
  }

  Bytes packet_block(const Packet& packet, const PacketNotes& notes) {
    begin();
    writer_.packet(number_, packet, notes);
    return buffer_;
  }

  Bytes buffer_;
  PcapngWriter writer_{buffer_};
  std::uint32_t number_ = 0;
};

TEST_F(PcapngWriterTest, a_section_of_which_nothing_is_known) {
  writer_.section({});
  EXPECT_EQ(buffer_,
            joined({{0x0a, 0x0d, 0x0d, 0x0a}, u32(28), u32(0x1a2b3c4d), u16(1), u16(0), Bytes(8, 0xff), u32(28)}));
}

TEST_F(PcapngWriterTest, a_section_with_all_texts) {
  writer_.section({.hardware = "x86", .system = "Linux", .application = "dhcp", .comment = "c"});
  EXPECT_EQ(buffer_, joined({{0x0a, 0x0d, 0x0d, 0x0a},
                             u32(68),
                             u32(0x1a2b3c4d),
                             u16(1),
                             u16(0),
                             Bytes(8, 0xff),
                             head(1, 1),
                             text("c"),
                             zeros(3),
                             head(2, 3),
                             text("x86"),
                             zeros(1),
                             head(3, 5),
                             text("Linux"),
                             zeros(3),
                             head(4, 4),
                             text("dhcp"),
                             end_of_options,
                             u32(68)}));
}

TEST_F(PcapngWriterTest, an_interface_of_which_nothing_is_known_has_nanoseconds_and_the_limit_of_readers) {
  writer_.section({});
  buffer_.clear();
  EXPECT_EQ(writer_.interface({}, {}), 0U);
  EXPECT_EQ(
      buffer_,
      joined({u32(1), u32(32), u16(1), u16(0), u32(262'144), head(9, 1), {9}, zeros(3), end_of_options, u32(32)}));
}

TEST_F(PcapngWriterTest, an_interface_with_all_facts) {
  writer_.section({});
  buffer_.clear();
  const CapturedInterface facts{.name = "d1",
                                .description = "downstream",
                                .link_type = LinkType::linux_sll2,
                                .addresses = {{ip(10, 101, 0, 1), 24}, {ip(192, 0, 2, 130), 25}},
                                .mac = MacAddress{{2, 0, 0, 0, 1, 1}}};
  EXPECT_EQ(writer_.interface(facts, "udp"), 0U);
  EXPECT_EQ(buffer_, joined({u32(1),
                             u32(100),
                             u16(276),
                             u16(0),
                             u32(262'144),
                             head(2, 2),
                             text("d1"),
                             zeros(2),
                             head(3, 10),
                             text("downstream"),
                             zeros(2),
                             head(4, 8),
                             {10, 101, 0, 1, 255, 255, 255, 0},
                             head(4, 8),
                             {192, 0, 2, 130, 255, 255, 255, 128},
                             head(6, 6),
                             {2, 0, 0, 0, 1, 1},
                             zeros(2),
                             head(9, 1),
                             {9},
                             zeros(3),
                             head(11, 4),
                             {0},
                             text("udp"),
                             end_of_options,
                             u32(100)}));
}

TEST_F(PcapngWriterTest, an_interface_with_ipv6_addresses) {
  writer_.section({});
  buffer_.clear();
  CapturedInterface interface;
  interface.name = "d1";
  interface.addresses6 = {{test_support::ip6("fe80::d1"), 64}};
  static_cast<void>(writer_.interface(interface, {}));
  EXPECT_EQ(buffer_, joined({u32(1),
                             u32(64),
                             u16(1),
                             u16(0),
                             u32(262'144),
                             head(2, 2),
                             text("d1"),
                             zeros(2),
                             head(5, 17),
                             {0xfe, 0x80},
                             zeros(13),
                             {0xd1, 64},
                             zeros(3),
                             head(9, 1),
                             {9},
                             zeros(3),
                             end_of_options,
                             u32(64)}));
}

TEST_F(PcapngWriterTest, interfaces_count_from_zero_in_each_section) {
  writer_.section({});
  EXPECT_EQ(writer_.interface({}, {}), 0U);
  EXPECT_EQ(writer_.interface({}, {}), 1U);
  writer_.section({});
  EXPECT_EQ(writer_.interface({}, {}), 0U);
}

TEST_F(PcapngWriterTest, a_packet_without_options) {
  const Bytes octets{1, 2, 3, 4, 5};
  const Packet packet{.time = std::chrono::nanoseconds{0x0123456789abcdef}, .octets = octets, .original_size = 9};
  EXPECT_EQ(packet_block(packet, {}), joined({u32(6), u32(40), u32(0), u32(0x01234567), u32(0x89abcdef), u32(5), u32(9),
                                              octets, zeros(3), u32(40)}));
}

TEST_F(PcapngWriterTest, a_packet_with_all_options) {
  writer_.section({});
  (void)writer_.interface({}, {});
  const std::uint32_t second = writer_.interface({}, {});
  buffer_.clear();
  const Bytes octets{1, 2, 3, 4};
  const Packet packet{
      .interface = 7, .direction = Direction::inbound, .octets = octets, .original_size = octets.size()};
  writer_.packet(second, packet, {.comment = "dropped", .lost_before = 0x0102030405060708});
  EXPECT_EQ(buffer_,
            joined({u32(6), u32(72), u32(1), u32(0), u32(0), u32(4), u32(4), octets, head(1, 7), text("dropped"),
                    zeros(1), head(2, 4), u32(1), head(4, 8), u64(0x0102030405060708), end_of_options, u32(72)}));
}

TEST_F(PcapngWriterTest, an_outbound_packet) {
  EXPECT_EQ(packet_block({.direction = Direction::outbound, .octets = {}}, {}),
            joined({u32(6), u32(44), zeros(20), head(2, 4), u32(2), end_of_options, u32(44)}));
}

TEST_F(PcapngWriterTest, a_count_of_no_lost_packets_is_told) {
  EXPECT_EQ(packet_block({}, {.lost_before = 0}),
            joined({u32(6), u32(48), zeros(20), head(4, 8), u64(0), end_of_options, u32(48)}));
}

TEST_F(PcapngWriterTest, a_packet_of_more_than_readers_take_is_cut) {
  const Bytes octets(262'145, 0xab);
  const Bytes block = packet_block({.octets = octets, .original_size = octets.size()}, {});
  ASSERT_EQ(block.size(), 32U + 262'144U);
  EXPECT_EQ(Bytes(block.begin() + 20, block.begin() + 28), joined({u32(262'144), u32(262'145)}));
}

TEST_F(PcapngWriterTest, sizes_that_contradict_each_other_are_made_to_agree) {
  const Bytes octets(8, 1);
  Bytes block = packet_block({.octets = octets, .original_size = 3}, {});
  EXPECT_EQ(Bytes(block.begin() + 20, block.begin() + 28), joined({u32(8), u32(8)})) << "less than was captured";
  block = packet_block({.octets = octets, .original_size = std::numeric_limits<std::size_t>::max()}, {});
  EXPECT_EQ(Bytes(block.begin() + 20, block.begin() + 28), joined({u32(8), u32(0xffffffff)})) << "over 32 bits";
}

TEST_F(PcapngWriterTest, a_time_before_1970_is_1970) {
  const Bytes block = packet_block({.time = std::chrono::nanoseconds{-1}, .octets = {}}, {});
  EXPECT_EQ(Bytes(block.begin() + 12, block.begin() + 20), zeros(8));
}

TEST_F(PcapngWriterTest, statistics) {
  begin();
  writer_.statistics(number_, std::chrono::nanoseconds{0x0000000500000006},
                     {.received = 10, .dropped = 2, .delivered = 0x100000003, .comment = "end"});
  EXPECT_EQ(buffer_, joined({u32(5), u32(84), u32(0), u32(5), u32(6), head(1, 3), text("end"), zeros(1), head(3, 8),
                             u32(5), u32(6), head(4, 8), u64(10), head(7, 8), u64(2), head(8, 8), u64(0x100000003),
                             end_of_options, u32(84)}));
}

TEST_F(PcapngWriterTest, texts_are_printable_ascii) {
  struct Case {
    std::string_view comment;
    std::string_view expected;
  };
  for (const auto& [comment, expected] : std::vector<Case>{
           {"a b~", "a b~"},
           {R"(circuit-id "\x00d1")", R"(circuit-id "\x00d1")"},  // escapes stay as they are
           {"two\nlines\r", R"(two\x0alines\x0d)"},
           {{"\0\x1f\x7f\x80\xff", 5}, R"(\x00\x1f\x7f\x80\xff)"},
           {"\xc3\xa9", R"(\xc3\xa9)"},
       }) {
    EXPECT_EQ(packet_block({}, {.comment = comment}), block_with_comment(expected)) << expected;
  }
}

TEST_F(PcapngWriterTest, texts_end_where_16_bits_do) {
  const std::string longest(65'535, 'x');
  EXPECT_EQ(packet_block({}, {.comment = longest}), block_with_comment(longest));
  EXPECT_EQ(packet_block({}, {.comment = longest + "y"}), block_with_comment(longest));
  const std::string start(65'531, 'x');
  EXPECT_EQ(packet_block({}, {.comment = start + "\n"}), block_with_comment(start + R"(\x0a)"));
  EXPECT_EQ(packet_block({}, {.comment = start + "x\ny"}), block_with_comment(start + "x"))
      << "no half of an escape, and nothing behind what is left out";
}

TEST_F(PcapngWriterTest, a_filter_is_cut_with_its_first_octet) {
  writer_.section({});
  buffer_.clear();
  (void)writer_.interface({}, std::string(70'000, 'f'));
  EXPECT_EQ(Bytes(buffer_.begin() + 24, buffer_.begin() + 30), joined({head(11, 65'535), {0, 'f'}}));
  EXPECT_EQ(buffer_.size(), 24U + 4U + 65'536U + 4U + 4U);
  EXPECT_EQ(buffer_.at(24 + 4 + 65'535), 0U) << "padding";
}

TEST_F(PcapngWriterTest, blocks_stand_one_behind_the_other_wherever_the_buffer_begins) {
  begin();
  writer_.packet(number_, {}, {.comment = "a"});
  const Bytes alone = buffer_;
  buffer_ = {1, 2, 3};
  writer_.packet(number_, {}, {.comment = "a"});
  writer_.packet(number_, {}, {.comment = "a"});
  EXPECT_EQ(buffer_, joined({{1, 2, 3}, alone, alone}));
}

}  // namespace
}  // namespace relay::capture
