// The headers of the frame that carries a reply to a client without an address, with the checksum over its payload.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "relay/core/frame.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

void frame_headers(benchmark::State& state) {
  const relay::FrameAddresses addresses{.link_source = {{2, 0, 0, 0, 0, 1}},
                                        .link_destination = {{2, 0, 0, 1, 0, 1}},
                                        .source = {{10, 0, 0, 1}},
                                        .destination = {{10, 0, 0, 50}}};
  std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)));
  std::ranges::generate(payload, [octet = std::uint8_t{0}]() mutable { return octet += 7; });
  for (auto _ : state) {
    benchmark::DoNotOptimize(relay::frame_headers(addresses, payload));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(frame_headers)->Arg(300)->Arg(576)->Arg(1472);

}  // namespace
}  // namespace bench
