#include "relay/core/frame.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::ip;
using test_support::joined;

const FrameAddresses to_client{.link_source = {{2, 0, 0, 0, 0, 0xc0}},
                               .link_destination = {{2, 0, 0, 0, 0, 1}},
                               .source = ip(10, 1, 0, 1),
                               .destination = ip(10, 1, 0, 50),
                               .source_port = 67,
                               .destination_port = 68,
                               .identification = 0x1234};

std::uint32_t word_at(std::span<const std::uint8_t> octets, std::size_t offset) {
  return std::uint32_t{octets[offset]} << 8U | octets[offset + 1];
}

/// The slow twin: the ones' complement sum of 16-bit words, the last octet padded with zero (RFC 1071 section 1).
std::uint16_t slow_sum(const Bytes& octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += std::uint32_t{octets[i]} * 256;
    sum += i + 1 < octets.size() ? octets[i + 1] : 0U;
    if (sum > 0xffff) {
      sum -= 0xffff;
    }
  }
  return static_cast<std::uint16_t>(sum);
}

/// The pseudo header of RFC 768 in front of the datagram.
Bytes with_pseudo_header(const FrameAddresses& addresses, const Bytes& datagram) {
  const auto size = static_cast<std::uint16_t>(datagram.size());
  return joined({Bytes(addresses.source.octets.begin(), addresses.source.octets.end()),
                 Bytes(addresses.destination.octets.begin(), addresses.destination.octets.end()),
                 {0, 17, static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)},
                 datagram});
}

Bytes datagram_of(const FrameAddresses& addresses, const Bytes& payload) {
  const auto header = udp_header(addresses, payload);
  return joined({Bytes(header.begin(), header.end()), payload});
}

TEST(InternetSum, is_the_example_of_RFC_1071) {
  // RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 sum up to ddf2.
  const Bytes octets{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(internet_sum(octets), 0xddf2);
}

struct SumCase {
  const char* description;
  Bytes octets;
  std::uint32_t start;
  std::uint16_t sum;
};

TEST(InternetSum, folds_and_pads) {
  const std::vector<SumCase> cases{
      {"nothing", {}, 0, 0},
      {"nothing, continued", {}, 0x1234, 0x1234},
      {"nothing, continued and folded", {}, 0x12345, 0x2346},
      {"a start that folds twice", {}, 0xffffffff, 0xffff},
      {"one octet is the high one of its word", {0x12}, 0, 0x1200},
      {"three octets", {0x12, 0x34, 0x56}, 0, 0x6834},
      {"a carry comes around", {0xff, 0xff, 0x00, 0x01}, 0, 0x0001},
      {"continued", {0x00, 0x01}, 0xfffe, 0xffff},
      {"continued with a carry", {0x00, 0x02}, 0xffff, 0x0002},
  };
  for (const SumCase& test : cases) {
    EXPECT_EQ(internet_sum(test.octets, test.start), test.sum) << test.description;
  }
}

TEST(InternetSum, agrees_with_its_slow_twin_for_every_size) {
  std::mt19937 random{1071};  // the same octets in every run
  for (std::size_t size = 0; size < 700; ++size) {
    Bytes octets(size);
    for (std::uint8_t& octet : octets) {
      octet = static_cast<std::uint8_t>(random());
    }
    ASSERT_EQ(internet_sum(octets), slow_sum(octets)) << size;
    // In parts of an even size, at any alignment.
    const std::size_t part = size / 2 & ~std::size_t{1};
    ASSERT_EQ(internet_sum(std::span{octets}.subspan(part), internet_sum(std::span{octets}.first(part))),
              slow_sum(octets))
        << size;
    if (size > 0) {
      const Bytes shifted(octets.begin() + 1, octets.end());
      ASSERT_EQ(internet_sum(std::span{octets}.subspan(1)), slow_sum(shifted)) << size;
    }
  }
}

TEST(InternetSum, the_largest_datagram_of_ones_does_not_overflow) {
  EXPECT_EQ(internet_sum(Bytes(65'534, 0xff)), 0xffff);
  EXPECT_EQ(internet_sum(Bytes(65'535, 0xff)), slow_sum(Bytes(65'535, 0xff)));
}

TEST(UdpHeader, row_4D_09_has_ports_size_and_a_checksum_that_verifies) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{236}, std::size_t{299}, std::size_t{300},
        std::size_t{301}, std::size_t{576}, std::size_t{1472}, std::size_t{1473}, std::size_t{3000}, max_udp_payload}) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i) {
      payload[i] = static_cast<std::uint8_t>(i * 7 + 1);
    }
    const Bytes datagram = datagram_of(to_client, payload);
    EXPECT_EQ(word_at(datagram, 0), 67U);
    EXPECT_EQ(word_at(datagram, 2), 68U);
    EXPECT_EQ(word_at(datagram, 4), size + 8);
    EXPECT_NE(word_at(datagram, 6), 0U);
    EXPECT_EQ(slow_sum(with_pseudo_header(to_client, datagram)), 0xffff) << size;
    EXPECT_EQ(Bytes(datagram.begin() + 8, datagram.end()), payload) << "the payload stays as it was";
  }
}

TEST(UdpHeader, takes_ports_from_its_addresses) {
  FrameAddresses addresses = to_client;
  addresses.source_port = 0x1267;
  addresses.destination_port = 0x2368;
  const Bytes datagram = datagram_of(addresses, {1, 2, 3});
  EXPECT_EQ(word_at(datagram, 0), 0x1267U);
  EXPECT_EQ(word_at(datagram, 2), 0x2368U);
  EXPECT_EQ(slow_sum(with_pseudo_header(addresses, datagram)), 0xffff);
}

TEST(UdpHeader, a_checksum_of_zero_is_sent_as_ones) {
  // RFC 768: zero means that there is none.
  const Bytes without_word = datagram_of(to_client, {0, 0});
  const std::uint32_t checksum = word_at(without_word, 6);  // the complement of the sum without the payload's word
  const Bytes payload{static_cast<std::uint8_t>(checksum >> 8U), static_cast<std::uint8_t>(checksum)};
  const Bytes datagram = datagram_of(to_client, payload);
  EXPECT_EQ(word_at(datagram, 6), 0xffffU);
  EXPECT_EQ(slow_sum(with_pseudo_header(to_client, datagram)), 0xffff);
}

TEST(UdpHeader, verifies_for_random_payloads_and_addresses) {
  std::mt19937 random{768};  // the same datagrams in every run
  for (int round = 0; round < 2'000; ++round) {
    FrameAddresses addresses = to_client;
    addresses.source = Ipv4Address::from_host_order(static_cast<std::uint32_t>(random()));
    addresses.destination = Ipv4Address::from_host_order(static_cast<std::uint32_t>(random()));
    Bytes payload(random() % 700);
    for (std::uint8_t& octet : payload) {
      octet = static_cast<std::uint8_t>(random());
    }
    const Bytes datagram = datagram_of(addresses, payload);
    ASSERT_EQ(slow_sum(with_pseudo_header(addresses, datagram)), 0xffff) << round;
  }
}

Bytes headers(const FrameAddresses& addresses, std::size_t size, std::size_t offset, bool more_fragments) {
  const auto result = link_and_ip_headers(addresses, size, offset, more_fragments);
  return {result.begin(), result.end()};
}

TEST(LinkAndIpHeaders, decode_to_what_was_asked_for) {
  const Bytes frame = headers(to_client, 308, 0, false);
  ASSERT_EQ(frame.size(), 34U);
  EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 6), (Bytes{2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(Bytes(frame.begin() + 6, frame.begin() + 12), (Bytes{2, 0, 0, 0, 0, 0xc0}));
  EXPECT_EQ(word_at(frame, 12), 0x0800U);

  const Bytes header(frame.begin() + 14, frame.end());
  EXPECT_EQ(header[0], 0x45);
  EXPECT_EQ(word_at(header, 2), 20U + 308U);
  EXPECT_EQ(word_at(header, 6) & 0x3fffU, 0U) << "the only fragment";
  EXPECT_EQ(word_at(header, 6) & 0x8000U, 0U) << "RFC 791: the reserved flag is zero";
  EXPECT_GT(header[8], 0) << "time to live";
  EXPECT_EQ(header[9], 17);
  EXPECT_EQ(Bytes(header.begin() + 12, header.begin() + 16), (Bytes{10, 1, 0, 1}));
  EXPECT_EQ(Bytes(header.begin() + 16, header.end()), (Bytes{10, 1, 0, 50}));
  EXPECT_EQ(slow_sum(header), 0xffff);
}

TEST(LinkAndIpHeaders, row_4D_03_broadcast_is_broadcast_at_both_layers) {
  FrameAddresses addresses = to_client;
  addresses.link_destination = broadcast_mac;
  addresses.destination = limited_broadcast;
  const Bytes frame = headers(addresses, 308, 0, false);
  EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 6), Bytes(6, 255));
  EXPECT_EQ(Bytes(frame.begin() + 30, frame.end()), Bytes(4, 255));
  EXPECT_EQ(slow_sum(Bytes(frame.begin() + 14, frame.end())), 0xffff);
}

TEST(LinkAndIpHeaders, row_4D_14_fragments_cover_the_datagram_once_and_in_order) {
  for (const std::size_t mtu : {std::size_t{68}, std::size_t{576}, std::size_t{1280}, std::size_t{1500}}) {
    for (const std::size_t total : {std::size_t{8}, std::size_t{308}, std::size_t{1480}, std::size_t{1481},
                                    std::size_t{1488}, std::size_t{3008}, std::size_t{65'515}}) {
      std::size_t covered = 0;
      while (covered < total) {
        const std::size_t size = std::min(fragment_size(mtu), total - covered);
        const bool more = covered + size < total;
        const Bytes frame = headers(to_client, size, covered, more);
        const Bytes header(frame.begin() + 14, frame.end());
        const std::uint32_t flags_and_offset = word_at(header, 6);
        ASSERT_LE(word_at(header, 2), mtu);
        ASSERT_EQ(word_at(header, 2), 20 + size);
        ASSERT_EQ((flags_and_offset & 0x1fffU) * 8, covered);
        ASSERT_EQ((flags_and_offset & 0x2000U) != 0, more);
        if (more || covered > 0) {
          ASSERT_EQ(flags_and_offset & 0x4000U, 0U) << "a fragment that may not be fragmented";
        }
        ASSERT_EQ(word_at(header, 4), 0x1234U) << "all fragments of a datagram have one identification";
        ASSERT_EQ(slow_sum(header), 0xffff);
        covered += size;
      }
    }
  }
}

const FrameAddresses6 to_client6{.link_source = {{2, 0, 0, 0, 0, 0xc0}},
                                 .link_destination = {{2, 0, 0, 0, 0, 1}},
                                 .source = {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0}},
                                 .destination = {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
                                 .source_port = 547,
                                 .destination_port = 546,
                                 .hop_limit = 8};

Bytes frame_of(const FrameAddresses6& addresses, const Bytes& payload) {
  const auto headers = frame_headers(addresses, payload);
  return joined({Bytes(headers.begin(), headers.end()), payload});
}

/// What a receiver adds up: the pseudo header of RFC 8200 section 8.1 and the datagram.
std::uint16_t udp_sum6(const Bytes& frame) {
  const Bytes datagram(frame.begin() + 54, frame.end());
  const auto size = static_cast<std::uint32_t>(datagram.size());
  return slow_sum(joined({Bytes(frame.begin() + 22, frame.begin() + 54),
                          {static_cast<std::uint8_t>(size >> 24U), static_cast<std::uint8_t>(size >> 16U),
                           static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size), 0, 0, 0, 17},
                          datagram}));
}

TEST(FrameHeaders6, row_6D_09_decode_to_what_was_asked_for) {
  const Bytes payload{7, 1, 2, 3, 0, 1};
  const Bytes frame = frame_of(to_client6, payload);
  ASSERT_EQ(frame.size(), 14U + 40U + 8U + payload.size());
  EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 6), (Bytes{2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(Bytes(frame.begin() + 6, frame.begin() + 12), (Bytes{2, 0, 0, 0, 0, 0xc0}));
  EXPECT_EQ(word_at(frame, 12), 0x86ddU);
  EXPECT_EQ(Bytes(frame.begin() + 14, frame.begin() + 22), (Bytes{0x60, 0, 0, 0, 0, 14, 17, 8}));
  EXPECT_TRUE(std::equal(frame.begin() + 22, frame.begin() + 38, to_client6.source.octets.begin()));
  EXPECT_TRUE(std::equal(frame.begin() + 38, frame.begin() + 54, to_client6.destination.octets.begin()));
  EXPECT_EQ(word_at(frame, 54), 547U);
  EXPECT_EQ(word_at(frame, 56), 546U);
  EXPECT_EQ(word_at(frame, 58), 14U);
  EXPECT_EQ(Bytes(frame.begin() + 62, frame.end()), payload);
  EXPECT_EQ(udp_sum6(frame), 0xffff);
}

TEST(FrameHeaders6, row_6D_09_a_checksum_of_zero_is_sent_as_ones) {
  // RFC 8200 section 8.1: there has to be one.
  const std::uint32_t checksum = word_at(frame_of(to_client6, {0, 0}), 60);
  const Bytes payload{static_cast<std::uint8_t>(checksum >> 8U), static_cast<std::uint8_t>(checksum)};
  const Bytes frame = frame_of(to_client6, payload);
  EXPECT_EQ(word_at(frame, 60), 0xffffU);
  EXPECT_EQ(udp_sum6(frame), 0xffff);
}

TEST(FrameHeaders6, row_6D_09_verify_for_random_payloads_and_addresses) {
  std::mt19937 random{8200};  // the same frames in every run
  const auto fill = [&random](auto& octets) {
    for (std::uint8_t& octet : octets) {
      octet = static_cast<std::uint8_t>(random());
    }
  };
  for (int round = 0; round < 2'000; ++round) {
    FrameAddresses6 addresses = to_client6;
    fill(addresses.source.octets);
    fill(addresses.destination.octets);
    Bytes payload(round == 0 ? 65'527 : random() % 700);
    fill(payload);
    ASSERT_EQ(udp_sum6(frame_of(addresses, payload)), 0xffff) << round;
  }
}

TEST(FragmentSize, is_the_largest_multiple_of_8_that_fits) {
  struct Case {
    std::size_t mtu;
    std::size_t size;
  };
  const std::vector<Case> cases{{1500, 1480}, {1501, 1480}, {1507, 1480}, {1508, 1488}, {576, 552},
                                {9000, 8976}, {68, 48},     {36, 16},     {35, 8},      {28, 8}};
  for (const Case& test : cases) {
    EXPECT_EQ(fragment_size(test.mtu), test.size) << test.mtu;
  }
}

TEST(FragmentSize, is_8_where_not_even_that_fits) {
  for (std::size_t mtu = 0; mtu < 28; ++mtu) {
    EXPECT_EQ(fragment_size(mtu), 8U) << mtu;
  }
}

TEST(FragmentSize, an_interface_of_65536_octets_carries_the_largest_datagram_whole) {
  EXPECT_GE(fragment_size(65'536), 65'515U & ~std::size_t{7});
  EXPECT_EQ(fragment_size(65'536) % 8, 0U);
}

}  // namespace
}  // namespace relay
