// Replies through the core that belong to 4,000 interfaces, by what the interface is told: giaddr, the echoed
// circuit-id where all share one giaddr, or a circuit-id that is another for each client.
#include <cstddef>
#include <cstdint>
#include <variant>

#include "relay/core/relay.h"
#include "tests/bench/micro/batch.h"
#include "tests/bench/micro/scene.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

void demultiplex_4000(benchmark::State& state, ToldBy told_by) {
  Scene scene{4000, told_by};
  relay::Relay relay{scene.interfaces(), 1};
  relay::Policy policy;
  policy.add_agent_information = true;
  relay.apply(policy);
  Batch batch{scene.replies()};
  const relay::Ingress ingress = Scene::reply_ingress();
  std::size_t misled = 0;
  std::size_t first = 0;
  measure(
      state,
      [&] {
        first = batch.next();
        batch.refill();
      },
      [&](std::size_t number) {
        relay::MessageBuffer message = batch.message(number);
        const relay::Decision decision = relay.reply(ingress, message);
        const auto* const to_client = std::get_if<relay::ToClient>(&decision);
        const std::uint32_t own = scene.request_ingress((first + number) % 4000).interface_index;
        misled += to_client != nullptr && to_client->egress->index == own ? 0U : 1U;
      });
  if (misled > 0) {
    state.SkipWithError("a reply went nowhere, or to another interface than its own");
  }
}
BENCHMARK_CAPTURE(demultiplex_4000, by_giaddr, ToldBy::giaddr)->UseManualTime();
BENCHMARK_CAPTURE(demultiplex_4000, by_circuit_id, ToldBy::circuit_id)->UseManualTime();
BENCHMARK_CAPTURE(demultiplex_4000, by_client_in_circuit_id, ToldBy::client_in_circuit_id)->UseManualTime();

}  // namespace
}  // namespace bench
