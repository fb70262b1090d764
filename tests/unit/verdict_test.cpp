// Fingerprints, and what a verdict keeps of each decision.
#include "relay/capture/verdict.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network6.h"

namespace relay::capture {
namespace {

using test_support::Bytes;
using test_support::discover;
using test_support::ip;
using test_support::ip6;
using test_support::option6;
using test_support::text;

Bytes octets_of(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

/// Octets that differ from their neighbours.
Bytes mixture(std::size_t size) {
  Bytes octets(size);
  std::uint32_t state = 1;
  for (std::uint8_t& octet : octets) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<std::uint8_t>(state >> 24U);
  }
  return octets;
}

TEST(Fingerprint, equal_octets_have_one) {
  const Bytes message = mixture(300);
  EXPECT_EQ(fingerprint(message), fingerprint(Bytes{message}));
  EXPECT_EQ(fingerprint({}), fingerprint({}));
}

TEST(Fingerprint, each_of_the_first_512_octets_counts_and_none_behind) {
  const Bytes message = mixture(600);
  std::set<Fingerprint> all{fingerprint(message)};
  for (std::size_t offset = 0; offset < 512; ++offset) {
    for (const std::uint8_t change : Bytes{0x01, 0x80, 0xff}) {
      Bytes changed = message;
      changed[offset] ^= change;
      EXPECT_TRUE(all.insert(fingerprint(changed)).second) << offset;
    }
  }
  for (std::size_t offset = 512; offset < message.size(); ++offset) {
    Bytes changed = message;
    changed[offset] ^= 0xff;
    EXPECT_EQ(fingerprint(changed), fingerprint(message)) << offset;
  }
}

TEST(Fingerprint, what_is_longer_than_512_octets_has_that_of_its_start) {
  const Bytes message = mixture(1400);
  for (const std::size_t size : {512U, 513U, 544U, 1400U}) {
    EXPECT_EQ(fingerprint(std::span{message}.first(size)), fingerprint(std::span{message}.first(512))) << size;
  }
  EXPECT_NE(fingerprint(std::span{message}.first(511)), fingerprint(std::span{message}.first(512)));
}

TEST(Fingerprint, zero_octets_count) {
  std::set<Fingerprint> all;
  for (std::size_t size = 0; size <= 40; ++size) {
    EXPECT_TRUE(all.insert(fingerprint(Bytes(size, 0))).second) << size;
  }
}

TEST(Fingerprint, words_that_change_places_count) {
  const Bytes message = mixture(64);
  for (std::size_t one = 0; one < 8; ++one) {
    for (std::size_t other = one + 1; other < 8; ++other) {
      Bytes changed = message;
      const auto at = [&changed](std::size_t word) { return changed.begin() + static_cast<std::ptrdiff_t>(8 * word); };
      std::swap_ranges(at(one), at(one + 1), at(other));
      EXPECT_NE(fingerprint(changed), fingerprint(message)) << one << ' ' << other;
    }
  }
}

TEST(Fingerprint, octets_may_stand_anywhere_in_memory) {
  const Bytes message = mixture(301);
  Bytes storage(message.size() + 16);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    const auto place = std::span{storage}.subspan(offset, message.size());
    std::ranges::copy(message, place.begin());
    EXPECT_EQ(fingerprint(place), fingerprint(message)) << offset;
  }
}

/// One verdict after the other in the same place, as in a queue.
class VerdictTest : public testing::Test {
 protected:
  void write(const Bytes& message, const Decision& decision) {
    const bool is_drop = std::holds_alternative<Drop>(decision);
    write_verdict(
        verdict_,
        {is_drop ? MessageStage::dropped : MessageStage::forwarded, ingress_, &clients_, message, &decision, ++serial_},
        policy_);
  }

  Interface clients_;
  Ingress ingress_{2, ip(10, 1, 0, 7), 68, limited_broadcast, 0, std::chrono::nanoseconds{123}};
  Policy policy_;
  std::uint64_t serial_ = 0;
  Verdict verdict_;
};

TEST_F(VerdictTest, a_request_that_was_relayed) {
  verdict_.received = 77;
  const std::vector<Ipv4Address> servers{ip(10, 9, 0, 2), ip(10, 9, 0, 3)};
  const Bytes message = discover().giaddr(ip(10, 1, 0, 1)).agent_information(text("\1\2d1")).octets();
  write(message, ToServers{servers, ip(10, 1, 0, 1), AgentInformationOutcome::added});
  EXPECT_EQ(verdict_.serial, 1U);
  EXPECT_EQ(verdict_.arrival, std::chrono::nanoseconds{123});
  EXPECT_EQ(verdict_.received, 77U);
  EXPECT_EQ(verdict_.sent, fingerprint(message));
  EXPECT_EQ(verdict_.kind, VerdictKind::to_servers);
  EXPECT_EQ(verdict_.interface_index, 2U);
  EXPECT_EQ(verdict_.source, ip(10, 1, 0, 7));
  EXPECT_EQ(verdict_.giaddr, ip(10, 1, 0, 1));
  EXPECT_EQ(verdict_.agent_information, AgentInformationOutcome::added);
  EXPECT_EQ(verdict_.server_count, 2U);
  EXPECT_TRUE(std::ranges::equal(verdict_.told_servers(), servers));
  EXPECT_EQ(octets_of(verdict_.option82_content()), text("\1\2d1"));
}

TEST_F(VerdictTest, the_first_servers_of_many) {
  for (const std::uint8_t count : Bytes{0, 1, 7, 8, 9, 48}) {
    std::vector<Ipv4Address> servers;
    for (std::uint8_t number = 0; number < count; ++number) {
      servers.push_back(ip(10, 9, 0, number));
    }
    write(discover().octets(), ToServers{servers, {}});
    EXPECT_EQ(verdict_.server_count, count);
    servers.resize(std::min<std::size_t>(servers.size(), 8));
    EXPECT_TRUE(std::ranges::equal(verdict_.told_servers(), servers)) << unsigned{count};
  }
}

TEST_F(VerdictTest, the_last_option_82_is_taken) {
  const Bytes first(255, 'x');
  const auto content_in = [this](const Bytes& message) {
    write(message, ToServers{{}, {}, AgentInformationOutcome::added});
    return octets_of(verdict_.option82_content());
  };
  EXPECT_EQ(content_in(discover().octets()), Bytes{});
  EXPECT_EQ(content_in(discover().agent_information(first).octets()), first);
  EXPECT_EQ(content_in(discover().agent_information(first).agent_information({1, 1, 7}).octets()), (Bytes{1, 1, 7}));
  EXPECT_EQ(content_in(discover().agent_information(first).agent_information({}).octets()), Bytes{});
  EXPECT_EQ(content_in(discover().agent_information({1, 1, 7}).raw({82, 200, 1}).without_end().octets()),
            (Bytes{1, 1, 7}))
      << "one that is broken off is none";
  EXPECT_EQ(content_in(discover().agent_information({1, 1, 7}).without_cookie().octets()), Bytes{});
}

TEST_F(VerdictTest, a_reply_that_was_delivered) {
  const MacAddress mac{{2, 0, 0, 0, 0, 1}};
  clients_.index = 4;
  const Bytes message = test_support::offer().agent_information({1, 1, 7}).octets();
  write(message, ToClient{&clients_, Delivery::link_unicast, ip(10, 1, 0, 1), ip(10, 1, 0, 50), mac});
  EXPECT_EQ(verdict_.kind, VerdictKind::to_client);
  EXPECT_EQ(verdict_.sent, fingerprint(message));
  EXPECT_EQ(verdict_.egress_index, 4U);
  EXPECT_EQ(verdict_.delivery, Delivery::link_unicast);
  EXPECT_EQ(verdict_.destination, ip(10, 1, 0, 50));
  EXPECT_EQ(verdict_.link_destination, mac);
  EXPECT_EQ(verdict_.giaddr, ip(10, 1, 0, 1));
  EXPECT_TRUE(verdict_.option82_content().empty());
}

TEST_F(VerdictTest, dropped_messages_and_the_limits_that_they_went_beyond) {
  policy_.max_hops = 7;
  policy_.min_secs = 40000;
  policy_.min_size = 300;
  for (const DropReason reason : all_drop_reasons()) {
    write(discover().giaddr(ip(10, 7, 7, 7)).octets(), Drop{reason});
    EXPECT_EQ(verdict_.kind, VerdictKind::dropped);
    EXPECT_EQ(verdict_.reason, reason);
    EXPECT_EQ(verdict_.giaddr, ip(10, 7, 7, 7));
    const std::uint32_t limit = reason == DropReason::hops_exceeded    ? 7
                                : reason == DropReason::below_min_secs ? 40000
                                : reason == DropReason::too_short      ? 300
                                                                       : 0;
    EXPECT_EQ(verdict_.limit, limit) << relay::text(reason).name;
  }
}

TEST_F(VerdictTest, messages_that_are_shorter_than_a_header) {
  const Bytes whole = discover().giaddr(ip(10, 7, 7, 7)).octets();
  for (std::size_t size = 0; size <= 236; ++size) {
    const Bytes message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    write(message, Drop{DropReason::too_short});
    EXPECT_EQ(verdict_.giaddr, size < 236 ? Ipv4Address{} : ip(10, 7, 7, 7)) << size;
  }
}

TEST_F(VerdictTest, nothing_of_an_earlier_verdict_shows_up) {
  const std::vector<Ipv4Address> servers(9, ip(10, 9, 0, 2));
  const Bytes message = discover().agent_information(Bytes(200, 'x')).octets();
  const auto fill = [&] {
    write(message, ToServers{servers, {}, AgentInformationOutcome::replaced});
    verdict_.error = 101;
  };
  fill();
  write(discover().octets(), Drop{DropReason::hops_exceeded});
  EXPECT_EQ(verdict_.sent, 0U);
  EXPECT_EQ(verdict_.server_count, 0U);
  EXPECT_TRUE(verdict_.told_servers().empty());
  EXPECT_EQ(verdict_.agent_information, AgentInformationOutcome::untouched);
  EXPECT_TRUE(verdict_.option82_content().empty());
  EXPECT_EQ(verdict_.error, 0);

  fill();
  write(discover().octets(), ToClient{&clients_, Delivery::link_broadcast, {}});
  EXPECT_EQ(verdict_.server_count, 0U);
  EXPECT_TRUE(verdict_.option82_content().empty());
  EXPECT_EQ(verdict_.limit, 0U);

  fill();
  write(discover().agent_information({1, 1, 7}).octets(), ToServers{{}, {}, AgentInformationOutcome::added});
  EXPECT_EQ(octets_of(verdict_.option82_content()), (Bytes{1, 1, 7}));
  EXPECT_EQ(verdict_.destination, Ipv4Address{});
}

// DHCPv6, in the same place

class Verdict6Test : public VerdictTest {
 protected:
  void write6(const Bytes& message, const Decision6& decision) {
    const bool is_drop = std::holds_alternative<Drop>(decision);
    write_verdict(verdict_,
                  {is_drop ? MessageStage::dropped : MessageStage::forwarded, ingress6_, &clients_, message, &decision,
                   ++serial_},
                  policy6_);
  }
  [[nodiscard]] const Told6& told() const { return std::get<Told6>(verdict_.told); }

  Ingress6 ingress6_ = [] {
    Ingress6 ingress = test_support::from_client();
    ingress.arrival = std::chrono::nanoseconds{123};
    return ingress;
  }();
  Policy6 policy6_;
};

TEST_F(Verdict6Test, a_request_that_was_relayed) {
  const std::vector<Server6> servers{{ip6("2001:db8:53::10")}, {ip6("ff05::1:3"), 9}};
  const Bytes message = test_support::relay_message6(
      12, 0, ip6("2001:db8:1::1"), ip6("fe80::1"),
      {option6(18, text("d1")), option6(38, text("s1")), option6(79, Bytes(8)), option6(9, test_support::solicit6())});
  write6(message, ToServers6{servers, ip6("2001:db8:1::1")});
  EXPECT_EQ(verdict_.family(), Family::ipv6);
  EXPECT_EQ(verdict_.serial, 1U);
  EXPECT_EQ(verdict_.arrival, std::chrono::nanoseconds{123});
  EXPECT_EQ(verdict_.kind, VerdictKind::to_servers);
  EXPECT_EQ(verdict_.sent, fingerprint(message));
  EXPECT_EQ(verdict_.interface_index, ingress6_.interface_index);
  EXPECT_EQ(verdict_.source, ip6("fe80::1"));
  EXPECT_EQ(verdict_.server_count, 2U);
  EXPECT_EQ(verdict_.told_servers(), (std::vector<Address>{ip6("2001:db8:53::10"), ip6("ff05::1:3")}));
  EXPECT_EQ(told().link_address, ip6("2001:db8:1::1"));
  Bytes options = option6(18, text("d1"));
  const Bytes second = option6(38, text("s1"));
  options.insert(options.end(), second.begin(), second.end());
  EXPECT_EQ(octets_of(told().told_options()), options) << "but for the client's address";
  EXPECT_EQ(told().left_out_count, 0);
}

TEST_F(Verdict6Test, options_are_ours_and_whole) {
  const auto write_with = [this](std::initializer_list<Bytes> options) {
    write6(test_support::relay_message6(12, 0, {}, ip6("fe80::1"), options), ToServers6{});
  };
  write_with({option6(18, Bytes(124, 'x')), option6(9, {1, 2, 3, 4})});
  EXPECT_EQ(octets_of(told().told_options()), option6(18, Bytes(124, 'x')));
  EXPECT_EQ(told().left_out_count, 0);
  write_with(
      {option6(18, text("d1")), option6(37, Bytes(300, 'x')), option6(38, text("s1")), option6(9, {1, 2, 3, 4})});
  EXPECT_EQ(octets_of(told().told_options()), option6(18, text("d1")));
  EXPECT_EQ(told().left_out_count, 2) << "in their order";
  EXPECT_EQ(told().left_out_code, 37);
  EXPECT_EQ(told().left_out_size, 300);
  write_with({option6(9, {1, 2, 3, 4}), option6(18, text("d1"))});
  EXPECT_EQ(told().options_size, 0) << "behind the message is nothing of ours";
  EXPECT_EQ(told().left_out_count, 0);
}

TEST_F(Verdict6Test, a_reply_that_was_delivered) {
  clients_.index = 4;
  const Bytes message = test_support::advertise6();
  write6(message, ToPeer6{&clients_, ip6("fe80::c0"), ip6("fe80::1"), 546, message});
  EXPECT_EQ(verdict_.kind, VerdictKind::to_client);
  EXPECT_EQ(verdict_.sent, fingerprint(message));
  EXPECT_EQ(verdict_.egress_index, 4U);
  EXPECT_EQ(verdict_.destination, ip6("fe80::1"));
  EXPECT_EQ(told().port, 546);
  write6(message, ToPeer6{nullptr, {}, ip6("2001:db8:1::99"), 547, message});
  EXPECT_EQ(verdict_.egress_index, 0U);
}

TEST_F(Verdict6Test, dropped_messages_and_the_limit_of_relay_agents) {
  policy6_.hop_count_limit = 200;
  for (const DropReason reason : all_drop_reasons()) {
    write6(test_support::solicit6(), Drop{reason});
    EXPECT_EQ(verdict_.kind, VerdictKind::dropped);
    EXPECT_EQ(verdict_.reason, reason);
    EXPECT_EQ(verdict_.limit, reason == DropReason::hop_count_reached ? 32U : 0U) << relay::text(reason).name;
  }
}

TEST_F(Verdict6Test, protocols_take_turns_in_one_place) {
  const std::vector<Ipv4Address> servers4{ip(10, 9, 0, 2)};
  const std::vector<Server6> servers6{{ip6("2001:db8:53::10")}};
  const Bytes message = discover().agent_information({1, 1, 7}).octets();
  for (int round = 0; round < 2; ++round) {
    write(message, ToServers{servers4, {}, AgentInformationOutcome::added});
    EXPECT_EQ(verdict_.family(), Family::ipv4);
    EXPECT_EQ(verdict_.told_servers(), (std::vector<Address>{ip(10, 9, 0, 2)}));
    EXPECT_EQ(octets_of(verdict_.option82_content()), (Bytes{1, 1, 7}));
    write6(test_support::solicit6(), ToServers6{servers6, {}});
    EXPECT_EQ(verdict_.told_servers(), (std::vector<Address>{ip6("2001:db8:53::10")}));
    EXPECT_TRUE(verdict_.option82_content().empty());
    EXPECT_EQ(verdict_.giaddr, Ipv4Address{});
  }
}

TEST(VerdictSize, a_ring_of_them_stays_in_the_cache) {
  EXPECT_LE(sizeof(Verdict), 400U);
}

}  // namespace
}  // namespace relay::capture
