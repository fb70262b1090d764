// A request and a reply through the core as the data path puts them there, on one interface and spread over 4,000, and
// what the fresh copy costs that each of them is.
#include <cstddef>
#include <type_traits>
#include <variant>
#include <vector>

#include "relay/core/relay.h"
#include "tests/bench/micro/batch.h"
#include "tests/bench/micro/scene.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

using Rules = relay::Decision (relay::Relay::*)(const relay::Ingress&, relay::MessageBuffer&) noexcept;

/// Fails where a message is not sent on: its way through the rules would be another than what is measured.
template <typename Sent>
void relay_batches(benchmark::State& state, Scene& scene, Rules rules, bool adds_agent_information) {
  constexpr bool are_requests = std::is_same_v<Sent, relay::ToServers>;
  relay::Relay relay{scene.interfaces(), 1};
  relay::Policy policy;
  policy.add_agent_information = adds_agent_information;
  relay.apply(policy);
  Batch batch{are_requests ? scene.requests() : scene.replies()};
  std::vector<relay::Ingress> ingress(batch_size, Scene::reply_ingress());
  std::size_t refused = 0;
  measure(
      state,
      [&] {
        for (std::size_t number = 0; are_requests && number < batch_size; ++number) {
          ingress[number] = scene.request_ingress((batch.next() + number) % static_cast<std::size_t>(state.range(0)));
        }
        batch.refill();
      },
      [&](std::size_t number) {
        relay::MessageBuffer message = batch.message(number);
        const relay::Decision decision = (relay.*rules)(ingress[number], message);
        refused += std::holds_alternative<Sent>(decision) ? 0U : 1U;
        benchmark::DoNotOptimize(message.size());
      });
  if (refused > 0) {
    state.SkipWithError("a message was dropped");
  }
}

void requests(benchmark::State& state, bool adds_agent_information) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  relay_batches<relay::ToServers>(state, scene, &relay::Relay::request, adds_agent_information);
}

void request_with_option82(benchmark::State& state) {
  requests(state, true);
}
BENCHMARK(request_with_option82)->Arg(1)->Arg(4000)->UseManualTime();

void request_without_option82(benchmark::State& state) {
  requests(state, false);
}
BENCHMARK(request_without_option82)->Arg(1)->Arg(4000)->UseManualTime();

void reply_with_strip(benchmark::State& state) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  relay_batches<relay::ToClient>(state, scene, &relay::Relay::reply, true);
}
BENCHMARK(reply_with_strip)->Arg(1)->Arg(4000)->UseManualTime();

/// What no figure above contains.
void fresh_copy(benchmark::State& state) {
  Batch batch{Scene{1}.requests()};
  while (state.KeepRunningBatch(batch_size)) {
    batch.refill();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(fresh_copy);

}  // namespace
}  // namespace bench
