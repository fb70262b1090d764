// What the data path pays for a message while a capture is written: its verdict, from the fingerprint of what arrived
// to the place in the queue. The thread that reads the queue is not part of it.
#include <array>
#include <cstddef>
#include <cstdint>

#include "relay/capture/verdict_queue.h"
#include "relay/capture/verdict_tap.h"
#include "tests/bench/micro/batch.h"
#include "tests/bench/micro/scene.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

void verdict_record(benchmark::State& state) {
  Scene scene{1};
  const test_support::Bytes message = scene.requests().front();
  const relay::Ingress ingress = scene.request_ingress(0);
  const relay::Interface* const interface = scene.interfaces().find(ingress.interface_index);
  const relay::Decision decision = relay::ToServers{interface->servers, *interface->giaddr};
  relay::capture::VerdictQueue queue{2 * batch_size};
  relay::capture::VerdictTap tap{queue};
  tap.open();
  std::uint64_t serial = 0;
  measure(
      state,
      [&] {
        while (queue.front() != nullptr) {
          queue.pop();
        }
      },
      [&](std::size_t /*number*/) {
        ++serial;
        tap.message({relay::MessageStage::received, ingress, interface, message, nullptr, serial});
        tap.message({relay::MessageStage::forwarded, ingress, interface, message, &decision, serial});
      });
  if (queue.lost() > 0) {
    state.SkipWithError("a verdict found no place");
  }
}
BENCHMARK(verdict_record)->UseManualTime();

}  // namespace
}  // namespace bench
