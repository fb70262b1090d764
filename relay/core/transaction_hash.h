// A hash of what tells a client's transaction from others', for tables that anybody who sends messages fills.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "relay/core/bootp.h"

namespace relay {

/// The finalizer of SplitMix64 over the words of the transaction, each mixed with what came before. What is behind hlen
/// octets of `chaddr` is zero; a client of DHCPv6 has its address there. `seed` keeps others from choosing transactions
/// whose hashes collide.
[[nodiscard]] inline std::uint64_t transaction_hash(std::uint32_t xid,
                                                    std::span<const std::uint8_t, bootp::max_hlen> chaddr,
                                                    std::uint64_t seed) noexcept {
  const auto mixed = [](std::uint64_t word) {
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31U);
  };
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), chaddr.data(), sizeof words);
  return mixed(mixed(mixed(seed + xid) + words[0]) + words[1] + seed);
}

}  // namespace relay
