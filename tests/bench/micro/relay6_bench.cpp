// What one DHCPv6 message costs: a batch of messages through the core as the data path would put them there, on one
// interface and spread over 4,000. The twin of relay_bench.cpp, whose fresh copy is no part of these figures either.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "tests/bench/micro/batch.h"
#include "tests/bench/micro/scene.h"
#include "tests/support/message6.h"

#include <benchmark/benchmark.h>

namespace bench {
namespace {

using test_support::Bytes;
using test_support::ip6;

const relay::Ipv6Address server6 = ip6("2001:db8:53::10");

/// How the link of a reply is told.
enum class Link : std::uint8_t { by_address, by_interface_id };

/// 2001:db8:INDEX::1
relay::Ipv6Address address_of(std::uint32_t index) {
  relay::Ipv6Address address = ip6("2001:db8::1");
  address.octets[4] = static_cast<std::uint8_t>(index >> 8U);
  address.octets[5] = static_cast<std::uint8_t>(index);
  return address;
}

/// A router's table, and messages in an order in which no interface follows its neighbour.
class Scene6 {
 public:
  Scene6(std::size_t vlan_count, Link link) : link_(link), order_(vlan_count) {
    std::iota(order_.begin(), order_.end(), first_vlan);
    for (const std::uint32_t index : order_) {
      interfaces_.put(vlan(index));
    }
    relay::Interface upstream;
    upstream.index = uplink;
    upstream.name = "uplink";
    upstream.is_up = upstream.is_ethernet = upstream.is_upstream = true;
    upstream.v6.addresses = {{{ip6("2001:db8:ffff::1"), 64}}};
    interfaces_.put(upstream);
    std::ranges::shuffle(order_, std::mt19937{8415});  // the same order in every run
  }

  [[nodiscard]] const relay::InterfaceTable& interfaces() const noexcept { return interfaces_; }

  [[nodiscard]] relay::Ingress6 request_ingress(std::size_t number) const {
    return {order_[number], ip6("fe80::1"), 546, relay::all_dhcp_relay_agents_and_servers,
            relay::MacAddress{{2, 0, 0, 0, 0, 1}}};
  }

  [[nodiscard]] std::vector<Bytes> replies() const {
    std::vector<Bytes> messages;
    for (const std::uint32_t index : order_) {
      const auto id = interfaces_.find(index)->v6.options.interface_id();
      const Bytes option =
          link_ == Link::by_interface_id ? test_support::option6(18, Bytes{id.begin(), id.end()}) : Bytes{};
      messages.push_back(test_support::relay_message6(13, 0, address_of(index), ip6("fe80::1"),
                                                      {option, test_support::option6(9, test_support::advertise6())}));
    }
    return messages;
  }

 private:
  [[nodiscard]] relay::Interface vlan(std::uint32_t index) const {
    relay::Interface interface;
    interface.index = index;
    interface.name = "vlan" + std::to_string(index);
    interface.is_up = interface.is_ethernet = interface.is_downstream = true;
    interface.v6.addresses = {{{address_of(index), 64}}, {{ip6("fe80::c0"), 64}}};
    interface.v6.servers = {{server6}};
    relay::RelayForwardSettings settings;
    settings.interface_id = link_ == Link::by_interface_id;
    relay::choose_addresses(interface.v6, std::nullopt);
    relay::encode_relay_forward(interface, {}, settings);
    return interface;
  }

  Link link_;
  std::vector<std::uint32_t> order_;  // indices of the VLANs
  relay::InterfaceTable interfaces_;
};

void requests6(benchmark::State& state, Link link) {
  const Scene6 scene{static_cast<std::size_t>(state.range(0)), link};
  const relay::Policy6 policy;
  Batch batch{{test_support::solicit6()}};
  std::vector<relay::Ingress6> ingress(batch_size);
  std::size_t next = 0;
  std::size_t refused = 0;
  measure(
      state,
      [&] {
        for (relay::Ingress6& each : ingress) {
          each = scene.request_ingress(next++ % static_cast<std::size_t>(state.range(0)));
        }
        batch.refill();
      },
      [&](std::size_t number) {
        relay::MessageBuffer message = batch.message(number);
        const auto decision = relay::relay_request6(policy, scene.interfaces(), ingress[number], message);
        refused += std::holds_alternative<relay::ToServers6>(decision) ? 0U : 1U;
        benchmark::DoNotOptimize(message.size());
      });
  if (refused > 0) {
    state.SkipWithError("a message was dropped");
  }
}

void request6(benchmark::State& state) {
  requests6(state, Link::by_address);
}
BENCHMARK(request6)->Arg(1)->Arg(4000)->UseManualTime();

void request6_with_interface_id(benchmark::State& state) {
  requests6(state, Link::by_interface_id);
}
BENCHMARK(request6_with_interface_id)->Arg(1)->Arg(4000)->UseManualTime();

void replies6(benchmark::State& state, Link link) {
  const Scene6 scene{static_cast<std::size_t>(state.range(0)), link};
  const relay::Policy6 policy;
  const relay::Ingress6 ingress{uplink, server6, 547, ip6("2001:db8:ffff::1"), std::nullopt};
  Batch batch{scene.replies()};
  std::size_t refused = 0;
  measure(
      state, [&] { batch.refill(); },
      [&](std::size_t number) {
        const relay::MessageBuffer message = batch.message(number);
        const auto decision = relay::relay_reply6(policy, scene.interfaces(), ingress, message.octets());
        refused += std::holds_alternative<relay::ToPeer6>(decision) ? 0U : 1U;
      });
  if (refused > 0) {
    state.SkipWithError("a message was dropped");
  }
}

void reply6(benchmark::State& state) {
  replies6(state, Link::by_address);
}
BENCHMARK(reply6)->Arg(1)->Arg(4000)->UseManualTime();

void reply6_with_interface_id(benchmark::State& state) {
  replies6(state, Link::by_interface_id);
}
BENCHMARK(reply6_with_interface_id)->Arg(1)->Arg(4000)->UseManualTime();

}  // namespace
}  // namespace bench
