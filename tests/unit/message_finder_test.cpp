// DHCP messages among packets: whole, in fragments, and those whose fragments do not all come.
#include "relay/capture/message_finder.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"
#include "tests/support/packet_octets.h"

namespace relay::capture {
namespace {

using test_support::Bytes;

class MessageFinderTest : public testing::Test {
 protected:
  /// Frame after frame: `whole SIZE`, `fragment SIZE` for a beginning alone, `waits`, or `-`.
  std::string find(const Bytes& frame) {
    Packet packet;
    packet.octets = frame;
    packet.original_size = frame.size();
    const auto found = finder_.find(packet, ++frame_);
    if (!found) {
      return "-";
    }
    return found->awaits_rest
               ? "waits"
               : (found->ip.is_fragment() ? "fragment " : "whole ") + std::to_string(found->datagram.payload.size());
  }

  /// Octets `begin` to `end` of a datagram of 8 + 300 octets.
  static Bytes fragment(std::size_t begin, std::size_t end, std::uint16_t identification = 1) {
    const Bytes datagram = test_support::udp({}, 68, 67, Bytes(300, 1));
    return test_support::ethernet(0x0800, test_support::ipv4({.identification = identification,
                                                              .fragment_offset = begin,
                                                              .more_fragments = end < datagram.size()},
                                                             {datagram.begin() + static_cast<std::ptrdiff_t>(begin),
                                                              datagram.begin() + static_cast<std::ptrdiff_t>(end)}));
  }

  std::vector<std::uint64_t> unfinished() {
    std::vector<std::uint64_t> frames;
    for (const UnfinishedMessage& message : finder_.take_unfinished()) {
      frames.push_back(message.frame);
    }
    return frames;
  }

  MessageFinder finder_{Scope{}};
  std::uint64_t frame_ = 0;
};

using Frames = std::vector<std::uint64_t>;

TEST_F(MessageFinderTest, WholeOnes) {
  const Bytes datagram = test_support::udp({}, 68, 67, Bytes(300, 1));
  EXPECT_EQ(find(test_support::ethernet(0x0800, test_support::ipv4({}, datagram))), "whole 300");
  EXPECT_EQ(find(test_support::ethernet(0x0800, test_support::ipv4({}, test_support::udp({}, 53, 53, {1})))), "-");
  EXPECT_EQ(find(test_support::ethernet(0x0806, Bytes(28))), "-");
  EXPECT_EQ(find({}), "-");
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, InFragments) {
  EXPECT_EQ(find(fragment(0, 104)), "waits");
  EXPECT_EQ(find(fragment(200, 308)), "waits");
  EXPECT_EQ(find(fragment(104, 200)), "whole 300");
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, TheBeginningLast) {
  EXPECT_EQ(find(fragment(104, 308)), "-");
  EXPECT_EQ(find(fragment(0, 104)), "whole 300");
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, FragmentsOfSomethingElse) {
  const Bytes datagram = test_support::udp({}, 53, 53, Bytes(300, 1));
  const Bytes first{datagram.begin(), datagram.begin() + 104};
  EXPECT_EQ(find(test_support::ethernet(0x0800, test_support::ipv4({.more_fragments = true}, first))), "-");
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, WhoseRestDoesNotCome) {
  EXPECT_EQ(find(fragment(0, 104, 1)), "waits");
  EXPECT_EQ(find(fragment(0, 104, 2)), "waits");
  EXPECT_EQ(find(fragment(104, 308, 2)), "whole 300");
  EXPECT_TRUE(finder_.take_given_up().empty());
  const auto left = finder_.take_unfinished();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].frame, 1U);
  EXPECT_EQ(left[0].destination_port, 67);
  EXPECT_EQ(left[0].payload, Bytes(96, 1));
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, TheSameFragmentTwiceIsOneMessage) {
  EXPECT_EQ(find(fragment(0, 104)), "waits");
  EXPECT_EQ(find(fragment(0, 104)), "waits");
  EXPECT_TRUE(finder_.take_given_up().empty());
  EXPECT_EQ(find(fragment(104, 308)), "whole 300");
  EXPECT_EQ(find(fragment(0, 104)), "waits");
  EXPECT_EQ(unfinished(), Frames{4});
}

TEST_F(MessageFinderTest, DirectionsAreTwoMessages) {
  const auto cooked = [](const Bytes& frame, std::uint8_t type) {
    Bytes result = frame;
    const Bytes header{0, type, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
    result.erase(result.begin(), result.begin() + 12);
    result.insert(result.begin(), header.begin(), header.end());
    return result;
  };
  const auto find_cooked = [&](const Bytes& octets) {
    Packet packet;
    packet.link_type = LinkType::linux_sll;
    packet.octets = octets;
    packet.original_size = octets.size();
    const auto found = finder_.find(packet, ++frame_);
    return found && !found->awaits_rest;
  };
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{4}}) {
    EXPECT_FALSE(find_cooked(cooked(fragment(0, 104), type)));
  }
  EXPECT_TRUE(finder_.take_given_up().empty());
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{4}}) {
    EXPECT_TRUE(find_cooked(cooked(fragment(104, 308), type)));
  }
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, ABeginningThatContradictsAnotherOne) {
  Bytes other = fragment(0, 104);
  other.back() ^= 1;
  EXPECT_EQ(find(fragment(0, 104)), "waits");
  EXPECT_EQ(find(other), "waits");
  EXPECT_EQ(unfinished(), (Frames{1, 2}));
}

TEST_F(MessageFinderTest, CutByTheCapture) {
  Bytes cut = fragment(0, 104);
  cut.erase(cut.end() - 10, cut.end());
  EXPECT_EQ(find(cut), "fragment 86");
  EXPECT_EQ(unfinished(), Frames{});
}

TEST_F(MessageFinderTest, GivesUpTheOldestOfMany) {
  for (std::uint16_t number = 1; number <= 256; ++number) {
    EXPECT_EQ(find(fragment(0, 104, number)), "waits");
  }
  EXPECT_TRUE(finder_.take_given_up().empty());
  EXPECT_EQ(find(fragment(0, 104, 257)), "waits");
  const auto given_up = finder_.take_given_up();
  ASSERT_EQ(given_up.size(), 1U);
  EXPECT_EQ(given_up[0].frame, 1U);
  EXPECT_EQ(unfinished().size(), 256U);
}

// DHCPv6

/// Octets `begin` to `end` of a packet with destination options of 8 octets and a datagram of 8 + 300 octets.
Bytes fragment_of_ipv6(std::size_t begin, std::size_t end) {
  const Bytes whole =
      test_support::joined({test_support::extension6(17), test_support::udp6({}, 546, 547, Bytes(300, 1))});
  const auto place = [&whole](std::size_t offset) { return whole.begin() + static_cast<std::ptrdiff_t>(offset); };
  return test_support::ethernet(
      0x86dd, test_support::ipv6({.next_header = 44},
                                 test_support::joined({test_support::fragment6(60, begin, end < whole.size(), 7),
                                                       {place(begin), place(end)}})));
}

TEST_F(MessageFinderTest, Dhcpv6) {
  const auto of = [](std::uint16_t source, std::uint16_t destination) {
    return test_support::ethernet(0x86dd,
                                  test_support::ipv6({}, test_support::udp6({}, source, destination, Bytes(300, 1))));
  };
  EXPECT_EQ(find(of(546, 547)), "whole 300");
  EXPECT_EQ(find(of(68, 67)), "-");
}

TEST_F(MessageFinderTest, Dhcpv6InFragments) {
  EXPECT_EQ(find(fragment_of_ipv6(0, 104)), "waits");
  EXPECT_EQ(find(fragment_of_ipv6(104, 316)), "whole 300");
  EXPECT_EQ(find(fragment_of_ipv6(0, 104)), "waits");
  EXPECT_EQ(unfinished(), Frames{3});
}

}  // namespace
}  // namespace relay::capture
