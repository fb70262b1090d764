#include "tests/bench/micro/scene.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>

#include "options82/agent_information_form.h"

namespace bench {

namespace {

using options82::Blank;
using options82::SubOption;
using test_support::Bytes;
using test_support::MessageBuilder;
using test_support::text;

[[nodiscard]] Bytes chaddr_of(std::uint32_t index) {
  return {2, 0, 0, 1, static_cast<std::uint8_t>(index >> 8U), static_cast<std::uint8_t>(index)};
}

[[nodiscard]] MessageBuilder message_of(std::uint32_t index, std::uint8_t op) {
  MessageBuilder message;
  message.op(op).htype(1).hlen(6).xid(0x10000000U + index * 2654435761U).flags(0).chaddr(chaddr_of(index));
  return message;
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

Scene::Scene(std::size_t vlan_count, ToldBy told_by) : told_by_(told_by), order_(vlan_count) {
  std::uint32_t index = first_vlan;
  std::ranges::generate(order_, [&] { return index++; });
  for (const std::uint32_t each : order_) {
    interfaces_.put(vlan(each));
  }
  relay::Interface upstream;
  upstream.index = uplink;
  upstream.name = "uplink";
  upstream.is_up = upstream.is_ethernet = upstream.is_upstream = true;
  upstream.addresses = {{test_support::ip(192, 0, 2, 1), 24}};
  interfaces_.put(std::move(upstream));
  std::ranges::shuffle(order_, std::mt19937{1542});  // the same order in every run
}

relay::Ipv4Address Scene::giaddr(std::uint32_t index) const noexcept {
  return told_by_ == ToldBy::giaddr ? relay::Ipv4Address::from_host_order(0x0a000001U + index * 256)
                                    : test_support::ip(10, 0, 0, 1);
}

relay::Interface Scene::vlan(std::uint32_t index) const {
  relay::Interface interface;
  interface.index = index;
  interface.name = "vlan" + std::to_string(index);
  interface.is_up = interface.is_ethernet = interface.is_downstream = true;
  interface.mac = {{2, 0, 0, 0, static_cast<std::uint8_t>(index >> 8U), static_cast<std::uint8_t>(index)}};
  interface.addresses = {{giaddr(index), 24}};
  interface.giaddr = giaddr(index);
  interface.servers = {server};
  const auto circuit_id = told_by_ == ToldBy::client_in_circuit_id
                              ? options82::FormValue{interface.name + ":", Blank::client_hardware_address}
                              : options82::FormValue{interface.name};
  require(interface.agent_information.add(SubOption::circuit_id, circuit_id));
  interface.relayed_agent_information = interface.agent_information;
  return interface;
}

std::vector<Bytes> Scene::requests() const {
  std::vector<Bytes> messages;
  for (const std::uint32_t index : order_) {
    messages.push_back(message_of(index, 1)
                           .message_type(1)
                           .option(61, test_support::joined({{1}, chaddr_of(index)}))
                           .option(12, text("client-" + std::to_string(index)))
                           .option(60, text("dhcpcd-9.4.1:Linux"))
                           .option(57, {0x05, 0xdc})
                           .option(55, {1, 121, 33, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 119})
                           .padded_to(300)
                           .octets());
  }
  return messages;
}

std::vector<Bytes> Scene::replies() const {
  std::vector<Bytes> messages;
  for (const std::uint32_t index : order_) {
    std::array<std::uint8_t, options82::max_option_value_size> storage{};
    const Bytes chaddr = chaddr_of(index);
    const options82::Octets own = interfaces_.find(index)->agent_information.filled({chaddr, {}}, storage);
    const relay::Ipv4Address yiaddr = relay::Ipv4Address::from_host_order(giaddr(index).host_order() + 49);
    messages.push_back(message_of(index, 2)
                           .giaddr(giaddr(index))
                           .yiaddr(yiaddr)
                           .message_type(2)
                           .option(54, {198, 51, 100, 10})
                           .option(51, {0, 0, 14, 16})
                           .option(58, {0, 0, 7, 8})
                           .option(59, {0, 0, 12, 78})
                           .option(1, {255, 255, 255, 0})
                           .option(3, {10, 0, 0, 1})
                           .option(6, {192, 0, 2, 53, 192, 0, 2, 54})
                           .option(15, text("access.example.net"))
                           .agent_information({own.begin(), own.end()})
                           .padded_to(320)
                           .octets());
  }
  return messages;
}

relay::Ingress Scene::request_ingress(std::size_t number) const noexcept {
  return {order_[number], {}, 68, relay::limited_broadcast};
}

relay::Ingress Scene::reply_ingress() noexcept {
  return {uplink, server, 67, test_support::ip(10, 0, 0, 1)};
}

}  // namespace bench
