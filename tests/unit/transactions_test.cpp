// Which interface a transaction came from: what is found, what is forgotten, and what a full table lets go.
#include "relay/core/transactions.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/bootp.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

constexpr std::optional<std::uint32_t> nothing{};

/// The header of one client's message.
struct Client {
  std::uint32_t xid = 0x11223344;
  std::array<std::uint8_t, 16> chaddr{2, 0, 0, 0, 0, 1};
  std::uint8_t hlen = 6;

  [[nodiscard]] std::array<std::uint8_t, bootp::header_size> header() const {
    std::array<std::uint8_t, bootp::header_size> octets{};
    octets[2] = hlen;
    const auto xid_octets = Ipv4Address::from_host_order(xid).octets;
    std::ranges::copy(xid_octets, octets.begin() + 4);
    std::ranges::copy(chaddr, octets.begin() + 28);
    return octets;
  }
};

Client with_xid(std::uint32_t xid) {
  Client client;
  client.xid = xid;
  return client;
}

void remember(Transactions& transactions, const Client& client, std::uint32_t interface,
              std::chrono::nanoseconds now = 1s) {
  transactions.remember(bootp::Header{client.header()}, interface, now);
}

std::optional<std::uint32_t> find(const Transactions& transactions, const Client& client,
                                  std::chrono::nanoseconds now = 1s) {
  return transactions.find(bootp::Header{client.header()}, now);
}

/// How many of the transactions with xid 1 to `count` are known.
std::size_t known_count(const Transactions& transactions, std::uint32_t count, std::chrono::nanoseconds now = 1s) {
  std::size_t known = 0;
  for (std::uint32_t xid = 1; xid <= count; ++xid) {
    known += find(transactions, with_xid(xid), now).has_value() ? 1U : 0U;
  }
  return known;
}

TEST(Transactions, finds_what_was_remembered) {
  Transactions transactions{1};
  EXPECT_EQ(find(transactions, {}), nothing);
  remember(transactions, {}, 7);
  EXPECT_EQ(find(transactions, {}), 7U);
  EXPECT_EQ(find(transactions, {}), 7U) << "finding does not take it out: there may be several servers";
}

TEST(Transactions, tells_transactions_apart_by_xid_and_chaddr) {
  Transactions transactions{1, 4};  // one place, so that the key alone tells them apart
  remember(transactions, {}, 7);
  std::vector<Client> others;
  for (const std::uint32_t bit : {0U, 8U, 16U, 31U}) {
    others.push_back(with_xid(Client{}.xid ^ 1U << bit));
  }
  for (std::size_t at = 0; at < Client{}.hlen; ++at) {
    Client other;
    other.chaddr[at] ^= 0x10U;
    others.push_back(other);
  }
  Client shorter;
  shorter.hlen = 5;
  others.push_back(shorter);
  for (const Client& other : others) {
    EXPECT_EQ(find(transactions, other), nothing);
  }
  Client without_address;
  without_address.hlen = 0;
  remember(transactions, without_address, 8);
  EXPECT_EQ(find(transactions, without_address), 8U);
  EXPECT_EQ(find(transactions, {}), 7U);
}

TEST(Transactions, row_4R_15_what_is_behind_hlen_does_not_count) {
  Transactions transactions{1};
  Client padded;
  padded.chaddr[6] = 0xff;
  padded.chaddr[15] = 0xff;
  remember(transactions, padded, 7);
  EXPECT_EQ(find(transactions, {}), 7U);

  Client longest;
  longest.hlen = 16;
  longest.chaddr.fill(0xaa);
  remember(transactions, longest, 8);
  EXPECT_EQ(find(transactions, longest), 8U);
  Client too_long = longest;
  too_long.hlen = 255;
  EXPECT_EQ(find(transactions, too_long), 8U) << "chaddr ends after 16 octets";
  longest.chaddr[15] = 0;
  EXPECT_EQ(find(transactions, longest), nothing);
}

TEST(Transactions, a_client_of_zeros_is_one_like_any_other) {
  Transactions transactions{1, 4};
  const Client zeros{0, {}, 6};
  EXPECT_EQ(find(transactions, zeros, 0s), nothing);
  remember(transactions, with_xid(1), 6, 0s);
  remember(transactions, zeros, 7, 0s);
  EXPECT_EQ(find(transactions, zeros, 0s), 7U);
  EXPECT_EQ(find(transactions, with_xid(1), 0s), 6U);
}

TEST(Transactions, is_forgotten_after_the_lifetime) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 100s);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime - 1ns), 7U);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime), nothing);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime + 1h), nothing);
}

TEST(Transactions, a_repeated_request_renews_it) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 100s);
  remember(transactions, {}, 7, 130s);
  EXPECT_EQ(find(transactions, {}, 130s + Transactions::lifetime - 1ns), 7U);
  EXPECT_EQ(find(transactions, {}, 130s + Transactions::lifetime), nothing);
}

TEST(Transactions, requests_from_two_interfaces_make_it_ambiguous) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 100s);
  remember(transactions, {}, 8, 101s);
  EXPECT_EQ(find(transactions, {}, 101s), nothing);
  remember(transactions, {}, 7, 102s);
  EXPECT_EQ(find(transactions, {}, 102s), nothing) << "it stays so";
  remember(transactions, {}, 7, 100s + Transactions::lifetime - 1ns);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime - 1ns), nothing);
}

TEST(Transactions, ambiguity_ends_with_what_was_remembered_first_however_often_somebody_asks) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 100s);
  for (auto now = 101s; now < 100s + Transactions::lifetime; now += 1s) {
    remember(transactions, {}, 8, now);
    EXPECT_EQ(find(transactions, {}, now), nothing);
  }
  remember(transactions, {}, 8, 100s + Transactions::lifetime);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime), 8U);
}

TEST(Transactions, another_interface_after_the_lifetime_is_not_ambiguous) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 100s);
  remember(transactions, {}, 8, 100s + Transactions::lifetime);
  EXPECT_EQ(find(transactions, {}, 100s + Transactions::lifetime), 8U);
}

TEST(Transactions, the_oldest_goes_where_there_is_no_room) {
  Transactions transactions{1, 4};
  for (std::uint32_t xid = 1; xid <= 4; ++xid) {
    remember(transactions, with_xid(xid), 10 + xid, std::chrono::seconds{xid});
  }
  for (std::uint32_t xid = 1; xid <= 4; ++xid) {
    EXPECT_EQ(find(transactions, with_xid(xid), 4s), 10 + xid);
  }
  remember(transactions, with_xid(1), 11, 5s);  // renewed: the second is the oldest now
  remember(transactions, with_xid(5), 15, 6s);
  EXPECT_EQ(find(transactions, with_xid(2), 6s), nothing);
  for (const std::uint32_t xid : {1U, 3U, 4U, 5U}) {
    EXPECT_EQ(find(transactions, with_xid(xid), 6s), 10 + xid) << xid;
  }
}

TEST(Transactions, what_is_over_goes_first) {
  Transactions transactions{1, 4};
  remember(transactions, with_xid(1), 1, 50s);
  remember(transactions, with_xid(2), 2, 1s);  // over at 61 s
  remember(transactions, with_xid(3), 3, 51s);
  remember(transactions, with_xid(4), 4, 52s);
  remember(transactions, with_xid(5), 5, 62s);
  for (const std::uint32_t xid : {1U, 3U, 4U, 5U}) {
    EXPECT_EQ(find(transactions, with_xid(xid), 62s), xid) << xid;
  }
}

TEST(Transactions, never_more_than_its_capacity) {
  for (const std::size_t capacity : {std::size_t{4}, std::size_t{7}, std::size_t{8}, std::size_t{64}}) {
    Transactions transactions{1, capacity};
    for (std::uint32_t xid = 1; xid <= 5'000; ++xid) {
      remember(transactions, with_xid(xid), 7);
      ASSERT_EQ(find(transactions, with_xid(xid)), 7U) << "the last one is always known";
    }
    EXPECT_EQ(known_count(transactions, 5'000), capacity / 4 * 4) << capacity;
  }
}

TEST(Transactions, a_good_one_survives_many_others) {
  Transactions transactions{1};
  remember(transactions, {}, 7, 1s);
  for (std::uint32_t xid = 1; xid <= 8'192; ++xid) {
    remember(transactions, with_xid(xid), 8, 2s);
  }
  EXPECT_EQ(find(transactions, {}, 3s), 7U);
  EXPECT_GT(known_count(transactions, 8'192), 8'150U) << "clients that count their xids up do not meet";
}

TEST(Transactions, is_used_up_evenly) {
  Transactions transactions{1};
  constexpr std::uint32_t half = Transactions::default_capacity / 2;
  for (std::uint32_t xid = 1; xid <= half; ++xid) {
    remember(transactions, with_xid(xid), 7);
  }
  EXPECT_GT(known_count(transactions, half), half * 9 / 10);
  for (std::uint32_t xid = half + 1; xid <= 10 * half; ++xid) {
    remember(transactions, with_xid(xid), 7);
  }
  EXPECT_GT(known_count(transactions, 10 * half), Transactions::default_capacity * 9 / 10);
}

TEST(Transactions, the_seed_decides_on_the_places) {
  // Which of many survive in a small table differs, so that nobody can choose transactions that push out others.
  const auto survivors = [](std::uint64_t seed) {
    Transactions transactions{seed, 16};
    for (std::uint32_t xid = 1; xid <= 64; ++xid) {
      remember(transactions, with_xid(xid), 7, std::chrono::milliseconds{xid});
    }
    std::vector<std::uint32_t> known;
    for (std::uint32_t xid = 1; xid <= 64; ++xid) {
      if (find(transactions, with_xid(xid))) {
        known.push_back(xid);
      }
    }
    return known;
  };
  EXPECT_EQ(survivors(1), survivors(1));
  EXPECT_NE(survivors(1), survivors(2));
  EXPECT_NE(survivors(1), survivors(std::uint64_t{1} << 63U));
}

TEST(Transactions, every_octet_of_the_key_decides_on_the_place) {
  // 64 clients that differ in one octet alone spread over 16 places; in one place, 4 of them would be left.
  for (std::size_t at = 0; at < 20; ++at) {
    Transactions transactions{1, 64};
    const auto client = [at](std::uint32_t value) {
      Client each;
      each.hlen = 16;
      if (at < 16) {
        each.chaddr[at] = static_cast<std::uint8_t>(value);
      } else {
        each.xid = value << (at - 16) * 8;
      }
      return each;
    };
    std::size_t known = 0;
    for (std::uint32_t value = 0; value < 64; ++value) {
      remember(transactions, client(value), 7);
    }
    for (std::uint32_t value = 0; value < 64; ++value) {
      known += find(transactions, client(value)).has_value() ? 1U : 0U;
    }
    EXPECT_GT(known, 40U) << at;
  }
}

}  // namespace
}  // namespace relay
