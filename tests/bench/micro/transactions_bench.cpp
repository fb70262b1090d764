// The table of transactions when it is full: each request pushes another out, and each reply is looked up.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "relay/core/bootp.h"
#include "relay/core/transactions.h"
#include "tests/bench/micro/batch.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

using Header = std::array<std::uint8_t, relay::bootp::header_size>;

/// The header of the client with the number `client`.
void number_header(Header& header, std::uint32_t client) noexcept {
  header[2] = 6;
  for (std::size_t octet = 0; octet < 4; ++octet) {
    const auto part = static_cast<std::uint8_t>(client >> (8 * octet));
    header[4 + octet] = part;                                      // xid
    header[28 + octet] = static_cast<std::uint8_t>(part ^ 0x5aU);  // chaddr
  }
}

void transactions_full(benchmark::State& state) {
  constexpr std::chrono::seconds now{1};
  relay::Transactions transactions{1};
  std::uint32_t client = 0;
  for (; client < 4 * relay::Transactions::default_capacity; ++client) {
    Header header{};
    number_header(header, client);
    transactions.remember(header, 3, now);
  }
  std::vector<Header> headers(batch_size);
  std::size_t lost = 0;
  measure(
      state,
      [&] {
        for (Header& header : headers) {
          number_header(header, client++);
        }
      },
      [&](std::size_t number) {
        transactions.remember(headers[number], 3, now);
        lost += transactions.find(headers[number], now) == 3 ? 0U : 1U;
      });
  if (lost > 0) {
    state.SkipWithError("a transaction was forgotten at once");
  }
}
BENCHMARK(transactions_full)->UseManualTime();

}  // namespace
}  // namespace bench
