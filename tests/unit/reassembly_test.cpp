// Fragments in any order give the datagram; those that contradict each other, or come too late, give nothing.
#include "relay/capture/reassembly.h"

#include <algorithm>
#include <chrono>
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

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using test_support::Bytes;
using test_support::ip;

/// Octets that differ from one another near each other.
Bytes counted(std::size_t size) {
  Bytes octets(size);
  for (std::size_t i = 0; i < size; ++i) {
    octets[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  }
  return octets;
}

/// A fragment of `whole`, `size` octets from `offset` on.
struct Part {
  std::size_t offset;
  std::size_t size;
};

/// Gives fragments of one datagram to a reassembly, all with the same identification unless told otherwise.
class ReassemblyTest : public testing::Test {
 protected:
  IpPacket fragment(Part part, bool more_fragments, const Bytes& of) {
    IpPacket result;
    result.source = ip(10, 1, 0, 50);
    result.destination = ip(10, 9, 0, 2);
    result.protocol = 17;
    result.identification = 7;
    result.fragment_offset = part.offset;
    result.more_fragments = more_fragments;
    result.is_header_intact = true;
    result.payload = std::span{of}.subspan(part.offset, part.size);
    return result;
  }
  IpPacket fragment(Part part) { return fragment(part, part.offset + part.size < datagram_.size(), datagram_); }

  /// The size of the datagram that the fragment completes.
  std::optional<std::size_t> add(const IpPacket& fragment, std::size_t interface = 0, nanoseconds time = {}) {
    const auto whole = reassembly_.add(fragment, interface, time);
    if (whole) {
      EXPECT_FALSE(whole->is_fragment());
      EXPECT_FALSE(whole->is_cut);
      last_ = {whole->payload.begin(), whole->payload.end()};
    }
    return whole ? std::optional{whole->payload.size()} : std::nullopt;
  }
  std::optional<std::size_t> add(Part part, std::size_t interface = 0, nanoseconds time = {}) {
    return add(fragment(part), interface, time);
  }

  Bytes datagram_ = counted(100);
  Reassembly reassembly_;
  Bytes last_;
};

constexpr auto nothing = std::nullopt;

TEST_F(ReassemblyTest, fragments_in_every_order_give_the_datagram) {
  std::vector<Part> parts{{0, 24}, {24, 8}, {32, 64}, {96, 4}};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    EXPECT_EQ(add(parts[order[0]]), nothing);
    EXPECT_EQ(add(parts[order[1]]), nothing);
    EXPECT_EQ(add(parts[order[2]]), nothing);
    EXPECT_EQ(add(parts[order[3]]), 100U);
    EXPECT_EQ(last_, datagram_);
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(ReassemblyTest, the_packet_has_the_header_of_the_fragment_in_front) {
  IpPacket first = fragment({0, 48});
  first.link_source = MacAddress{{2, 0, 0, 0, 0, 9}};
  IpPacket last = fragment({48, 52});
  EXPECT_EQ(add(last), nothing);
  const auto whole = reassembly_.add(first, 0, nanoseconds{0});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->link_source, first.link_source);
  EXPECT_EQ(whole->source, ip(10, 1, 0, 50));
  EXPECT_EQ(whole->destination, ip(10, 9, 0, 2));
  EXPECT_EQ(whole->protocol, 17);
  EXPECT_EQ(whole->identification, 7);
  EXPECT_EQ(whole->fragment_offset, 0U);
  EXPECT_FALSE(whole->more_fragments);
  EXPECT_TRUE(whole->is_header_intact);
}

TEST_F(ReassemblyTest, one_damaged_header_is_told_of_the_packet) {
  IpPacket last = fragment({48, 52});
  last.is_header_intact = false;
  EXPECT_EQ(add(last), nothing);
  const auto whole = reassembly_.add(fragment({0, 48}), 0, nanoseconds{0});
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->is_header_intact);
}

TEST_F(ReassemblyTest, the_same_octets_may_come_twice) {
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add({24, 48}), nothing);
  EXPECT_EQ(add({96, 4}), nothing);
  EXPECT_EQ(add({96, 4}), nothing);
  EXPECT_EQ(add({0, 8}), nothing);
  EXPECT_EQ(add({64, 36}), 100U);
  EXPECT_EQ(last_, datagram_);
}

TEST_F(ReassemblyTest, overlaps_with_other_octets_forget_the_datagram) {
  Bytes other = datagram_;
  other[40] ^= 1U;
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add(fragment({40, 24}, true, other)), nothing);
  EXPECT_EQ(add({48, 52}), nothing) << "nothing is left of what was there before";
  EXPECT_EQ(add({0, 48}), 100U);
  EXPECT_EQ(last_, datagram_);
}

TEST_F(ReassemblyTest, ends_that_contradict_each_other_forget_the_datagram) {
  const Bytes longer = counted(200);
  EXPECT_EQ(add({48, 52}), nothing);
  EXPECT_EQ(add(fragment({96, 8}, true, longer)), nothing) << "beyond the end";
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add({48, 52}), 100U) << "from the beginning again";

  EXPECT_EQ(add({48, 52}), nothing);
  EXPECT_EQ(add(fragment({48, 48}, false, longer)), nothing) << "an end in front of the end";
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add({48, 52}), 100U);

  EXPECT_EQ(add(fragment({96, 8}, true, longer)), nothing);
  EXPECT_EQ(add({48, 52}), nothing) << "an end within what is there";
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add({48, 52}), 100U);
}

TEST_F(ReassemblyTest, only_the_last_fragment_may_have_any_size) {
  EXPECT_EQ(add(fragment({0, 47}, true, datagram_)), nothing);
  EXPECT_EQ(add(fragment({0, 0}, true, datagram_)), nothing);
  EXPECT_EQ(add(fragment({96, 0}, false, datagram_)), nothing);
  EXPECT_EQ(add({48, 52}), nothing);
  EXPECT_EQ(add({0, 48}), 100U);
}

TEST_F(ReassemblyTest, the_largest_datagram_is_put_together_and_none_beyond_it) {
  datagram_ = counted(65'515);
  EXPECT_EQ(add({0, 65'512}), nothing);
  EXPECT_EQ(add({65'512, 3}), 65'515U);
  EXPECT_EQ(last_, datagram_);
  datagram_ = counted(65'516);
  EXPECT_EQ(add({0, 65'512}), nothing);
  EXPECT_EQ(add({65'512, 4}), nothing);
  datagram_ = counted(131'064);
  EXPECT_EQ(add({65'528, 65'535}), nothing);
}

TEST_F(ReassemblyTest, what_tells_datagrams_apart) {
  const auto incomplete = [this](const IpPacket& other, std::size_t interface) {
    EXPECT_EQ(add({0, 48}), nothing);
    const bool is_incomplete = add(other, interface) == nothing;
    EXPECT_EQ(add({48, 52}).has_value(), is_incomplete);
    (void)add(fragment({0, 48}), interface);  // no rest for the next case
    return is_incomplete;
  };
  const IpPacket last = fragment({48, 52});
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add(last), 100U);
  EXPECT_TRUE(incomplete(last, 1)) << "interface";
  const auto with = [&last](auto change) {
    IpPacket other = last;
    change(other);
    return other;
  };
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.source = ip(10, 1, 0, 51); }), 0));
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.destination = ip(10, 9, 0, 3); }), 0));
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.protocol = 6; }), 0));
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.identification = 8; }), 0));
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.vlan_id = 100; }), 0));
  EXPECT_TRUE(incomplete(with([](IpPacket& other) { other.direction = Direction::outbound; }), 0));
}

TEST_F(ReassemblyTest, after_thirty_seconds_a_datagram_is_forgotten) {
  EXPECT_EQ(add({0, 48}, 0, seconds{100}), nothing);
  EXPECT_EQ(add({48, 52}, 0, seconds{130}), 100U);
  EXPECT_EQ(add({0, 48}, 0, seconds{100}), nothing);
  EXPECT_EQ(add({48, 52}, 0, seconds{130} + nanoseconds{1}), nothing);
  EXPECT_EQ(add({0, 48}, 0, seconds{131}), 100U) << "the late one waits from its own time on";
}

TEST_F(ReassemblyTest, times_may_go_backwards_and_be_anything) {
  EXPECT_EQ(add({0, 48}, 0, seconds{100}), nothing);
  EXPECT_EQ(add({48, 52}, 0, seconds{70}), 100U);
  EXPECT_EQ(add({0, 48}, 0, seconds{100}), nothing);
  EXPECT_EQ(add({48, 52}, 0, milliseconds{69'999}), nothing);
  EXPECT_EQ(add({0, 48}, 0, nanoseconds::min()), nothing);
  EXPECT_EQ(add({48, 52}, 0, nanoseconds::max()), nothing);
}

TEST_F(ReassemblyTest, fragments_that_the_capture_cut_are_passed_over) {
  IpPacket cut = fragment({48, 40});
  cut.is_cut = true;
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add(cut), nothing);
  EXPECT_EQ(add({48, 52}), 100U);
}

TEST_F(ReassemblyTest, more_than_256_datagrams_at_a_time_push_out_the_oldest) {
  const auto numbered = [this](std::uint16_t identification, Part part) {
    IpPacket result = fragment(part);
    result.identification = identification;
    return result;
  };
  for (std::uint16_t i = 0; i < 257; ++i) {
    EXPECT_EQ(add(numbered(i, {0, 48})), nothing);
  }
  for (std::uint16_t i = 1; i < 257; ++i) {
    EXPECT_EQ(add(numbered(i, {48, 52})), 100U) << i;
  }
  EXPECT_EQ(add(numbered(0, {48, 52})), nothing);
}

/// The same of IPv6.
class Reassembly6Test : public ReassemblyTest {
 protected:
  IpPacket fragment6(Part part, std::uint8_t protocol = 17) {
    IpPacket result = fragment(part);
    result.source = Ipv6Address{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    result.destination = all_dhcp_relay_agents_and_servers;
    result.protocol = protocol;
    return result;
  }
};

TEST_F(Reassembly6Test, fragments_give_the_packet_with_the_protocol_of_the_first) {
  EXPECT_EQ(add(fragment6({48, 52}, 99)), nothing);
  const auto whole = reassembly_.add(fragment6({0, 48}, 60), 0, nanoseconds{0});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->protocol, 60);
  EXPECT_TRUE(whole->source.is_ipv6());
}

TEST_F(Reassembly6Test, overlaps_forget_the_packet_but_for_the_same_fragment_twice) {
  EXPECT_EQ(add(fragment6({0, 48})), nothing);
  EXPECT_EQ(add(fragment6({0, 48})), nothing);
  EXPECT_EQ(add(fragment6({48, 52})), 100U);
  EXPECT_EQ(add(fragment6({0, 48})), nothing);
  EXPECT_EQ(add(fragment6({40, 24})), nothing) << "the same octets, but not the same fragment";
  EXPECT_EQ(add(fragment6({48, 52})), nothing);
}

TEST_F(Reassembly6Test, the_largest_payload_and_none_beyond_it) {
  datagram_ = counted(65'535);
  EXPECT_EQ(add(fragment6({0, 65'528})), nothing);
  EXPECT_EQ(add(fragment6({65'528, 7})), 65'535U);
  datagram_ = counted(65'536);
  EXPECT_EQ(add(fragment6({0, 65'528})), nothing);
  EXPECT_EQ(add(fragment6({65'528, 8})), nothing);
}

TEST_F(Reassembly6Test, families_do_not_mix) {
  EXPECT_EQ(add({0, 48}), nothing);
  EXPECT_EQ(add(fragment6({48, 52})), nothing);
  EXPECT_EQ(add({48, 52}), 100U);
}

}  // namespace
}  // namespace relay::capture
