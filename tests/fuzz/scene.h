// The router on which both relay targets run: four interfaces, and a policy, chosen by the first octets of the input.
// The rest of the input is the message. Octets of zero choose what is usual, so that a recorded message with eight
// zeros in front is a good seed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>

#include "options82/agent_information_form.h"
#include "relay/core/bootp.h"
#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy.h"
#include "relay/core/relay_reply.h"
#include "relay/core/relay_request.h"
#include "relay/core/transactions.h"
#include "tests/fuzz/compare_readers.h"
#include "tests/fuzz/slow_edit.h"
#include "tests/fuzz/slow_options.h"

namespace fuzz {

inline constexpr std::size_t setup_size = 8;
inline constexpr std::uint32_t downstream_index = 1;
inline constexpr std::uint32_t twin_index = 2;  // downstream too, perhaps with the same giaddr
inline constexpr std::uint32_t upstream_index = 3;
inline constexpr std::uint32_t both_index = 4;
inline constexpr relay::Ipv4Address server{{10, 9, 0, 2}};

struct Scene {
  relay::Policy policy;
  relay::InterfaceTable interfaces;
  relay::Transactions transactions{1, 64};
  relay::Ingress ingress;
  std::size_t room_behind = 0;
  std::span<const std::uint8_t> message;
};

/// Puts the client's hardware address, its port and its flags into sub-options of their own.
inline void add_blanks(options82::AgentInformationForm& form) {
  using options82::Blank;
  (void)form.add(options82::SubOption::remote_id,
                 {"r/", Blank::client_hardware_address, "/", Blank::client_port, "/", Blank::client_port});
  (void)form.add(options82::SubOption::relay_flags, {Blank::relay_flags});
}

/// What our option 82 holds: the sub-options that the message's first one has, so that replies meet their own, or ours.
inline options82::AgentInformationForm agent_information(std::uint8_t choice, std::span<const std::uint8_t> message) {
  options82::AgentInformationForm result;
  const Octets text((choice & 1U) == 0 ? 3 : 200, 'd');
  if ((choice & 2U) == 0) {
    (void)result.add(options82::SubOption::circuit_id, options82::Octets{text});
  }
  if ((choice & 4U) != 0) {
    (void)result.add(options82::SubOption::link_selection, options82::Octets{relay::Ipv4Address{{10, 1, 0, 0}}.octets});
  }
  if ((choice & 8U) == 0 && message.size() > relay::bootp::options_offset) {
    for (const SlowOption& option : read_slowly(message.subspan(relay::bootp::options_offset)).options) {
      const SlowOptions sub_options = read_slowly(option.value, false);
      if (option.code == 82 && !sub_options.damaged && !sub_options.options.empty()) {
        result = {};
        for (const SlowOption& each : sub_options.options) {
          (void)result.add(static_cast<options82::SubOption>(each.code), options82::Octets{each.value});
        }
        break;
      }
    }
  }
  return result;
}

inline relay::Interface make_interface(std::uint32_t index, relay::Ipv4Address address, std::uint8_t choice) {
  relay::Interface interface;
  interface.index = index;
  interface.is_up = (choice & 1U) == 0;
  interface.is_ethernet = (choice & 2U) == 0;
  interface.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}};
  interface.addresses = {{address, 24}};
  interface.is_trusted = (choice & 4U) != 0;
  interface.refuses_relayed = (choice & 8U) != 0;
  interface.reply_delivery = static_cast<relay::ReplyDelivery>((choice >> 4U & 3U) % 3);
  if ((choice & 0x40U) == 0) {
    interface.giaddr = address;
  }
  if ((choice & 0x80U) == 0) {
    interface.servers = {server, {{10, 9, 0, 3}}};
  }
  return interface;
}

inline relay::Policy make_policy(std::span<const std::uint8_t, 4> choice) {
  relay::Policy policy;
  policy.add_agent_information = (choice[0] & 1U) == 0;
  policy.drop_unmatched_replies = (choice[0] & 2U) != 0;
  policy.upstream_named = (choice[0] & 4U) != 0;
  policy.replies_from_anyone = (choice[0] & 8U) != 0;
  policy.min_size = (choice[0] & 16U) != 0 ? 300 : 236;
  if ((choice[0] & 32U) != 0) {
    policy.source_address = relay::Ipv4Address{{10, 9, 0, 1}};
  }
  if ((choice[0] & 0xc0U) != 0) {
    policy.reply_giaddr = relay::Ipv4Address{{0, 0, 0, static_cast<std::uint8_t>(choice[0] >> 7U)}};
  }
  policy.existing_agent_information = static_cast<relay::ExistingAgentInformation>(choice[1] % 5);
  if (choice[2] != 0) {
    policy.max_request_size = std::size_t{choice[2]} * 4;
  }
  policy.max_hops = choice[3] == 0 ? 4 : static_cast<std::uint8_t>(1 + choice[3] % 16);
  policy.min_secs = choice[3] >> 7U;
  return policy;
}

/// Needs at least `setup_size` octets. `usual_ingress` is where such a message arrives.
inline Scene make_scene(std::span<const std::uint8_t> input, std::uint32_t usual_ingress, relay::Ipv4Address source) {
  Scene scene;
  scene.policy = make_policy(input.first<4>());
  scene.message = input.subspan(setup_size);
  const std::uint8_t where = input[6];
  scene.ingress = {where % 6 == 0 ? usual_ingress : where % 6, (where & 0x40U) == 0 ? source : relay::Ipv4Address{}, 67,
                   relay::limited_broadcast};
  scene.room_behind = input[7] == 0 ? 600 : (input[7] & 0x7fU);

  // The giaddr of replies is ours, unless the input wants it otherwise.
  relay::Ipv4Address address{{10, 1, 0, 1}};
  if ((where & 0x80U) == 0 && scene.message.size() >= relay::bootp::header_size) {
    const auto giaddr = relay::bootp::giaddr(scene.message.first<relay::bootp::header_size>());
    if (relay::bootp::op(scene.message.first<relay::bootp::header_size>()) == relay::bootp::op_reply &&
        giaddr.is_host()) {
      address = giaddr;
    }
  }
  auto downstream = make_interface(downstream_index, address, input[4]);
  downstream.is_downstream = true;
  downstream.agent_information = agent_information(input[5], scene.message);
  downstream.relayed_agent_information = agent_information(input[5] & 3U, {});
  if ((input[7] & 0x80U) != 0) {
    add_blanks(downstream.agent_information);
    add_blanks(downstream.relayed_agent_information);
  }
  const bool shared = (input[5] & 0x80U) != 0;
  auto twin = make_interface(twin_index, shared ? address : relay::Ipv4Address{{10, 2, 0, 1}}, 0);
  twin.is_downstream = true;
  twin.agent_information = agent_information(input[5] >> 4U | 8U, {});
  auto upstream = make_interface(upstream_index, {{10, 9, 0, 1}}, 0);
  upstream.is_upstream = true;
  auto both = make_interface(both_index, {{10, 3, 0, 1}}, input[4]);
  both.is_upstream = both.is_downstream = true;
  for (const auto& each : {downstream, twin, upstream, both}) {
    scene.interfaces.put(each);
  }
  return scene;
}

/// The core's functions: the one place in which the targets call them.
inline relay::Decision relay_request(const Scene& scene, relay::MessageBuffer& buffer) {
  return relay::relay_request(scene.policy, scene.interfaces, scene.ingress, buffer);
}
inline relay::Decision relay_reply(const Scene& scene, relay::MessageBuffer& buffer) {
  return relay::relay_reply(scene.policy, scene.interfaces, scene.transactions, scene.ingress, buffer);
}

/// What `interface` adds to a request of the scene's client, with a giaddr of ours or another relay agent's.
inline Octets own_content(const Scene& scene, const relay::Interface& interface, bool was_relayed) {
  const auto header = scene.message.first<relay::bootp::header_size>();
  std::array<std::uint8_t, options82::max_option_value_size> storage{};
  const auto own = (was_relayed ? interface.relayed_agent_information : interface.agent_information)
                       .filled({relay::bootp::hardware_address(header), interface.name, false}, storage);
  return {own.begin(), own.end()};
}

struct Outcome {
  relay::Decision decision;
  Octets message;
};

inline bool is_same(const relay::Drop& left, const relay::Drop& right) {
  return left.reason == right.reason;
}
inline bool is_same(const relay::ToServers& left, const relay::ToServers& right) {
  return std::ranges::equal(left.servers, right.servers) && left.source == right.source &&
         left.agent_information == right.agent_information && left.from_relay_port == right.from_relay_port;
}
inline bool is_same(const relay::ToClient& left, const relay::ToClient& right) {
  return left.egress == right.egress && left.delivery == right.delivery && left.source == right.source &&
         left.destination == right.destination && left.link_destination == right.link_destination;
}
inline bool is_same(const relay::Decision& left, const relay::Decision& right) {
  return std::visit(
      [&](const auto& each) {
        const auto* other = std::get_if<std::decay_t<decltype(each)>>(&right);
        return other != nullptr && is_same(each, *other);
      },
      left);
}

/// Runs `relay` on the message between two zones of `poison`, and checks what holds for requests and replies alike.
template <typename Relay>
Outcome run_once(Relay relay, const Scene& scene, std::uint8_t poison) {
  constexpr std::size_t guard = 64;
  const std::size_t size = scene.message.size();
  Octets storage(guard + size + scene.room_behind, poison);  // nothing behind it: the address sanitizer watches
  std::ranges::copy(scene.message, storage.begin() + guard);
  const Octets before = storage;
  relay::MessageBuffer buffer{std::span{storage}.subspan(guard), size};
  const relay::Decision decision = relay(scene, buffer);

  require(buffer.size() <= buffer.capacity(), "the size never exceeds the capacity");
  if (std::holds_alternative<relay::Drop>(decision)) {
    require(buffer.size() == size && storage == before, "Drop leaves every octet and the size unchanged");
  }
  const std::size_t end = guard + std::max(size, buffer.size());
  for (std::size_t i = 0; i < storage.size(); ++i) {
    require((i >= guard && i < end) || storage[i] == poison, "no octet outside the message is written");
  }
  const auto octets = buffer.octets();
  return {decision, {octets.begin(), octets.end()}};
}

/// The same with two poisons: an octet that came from outside the message would differ.
template <typename Relay>
Outcome run(Relay relay, const Scene& scene) {
  Outcome outcome = run_once(relay, scene, 0xa5);
  const Outcome again = run_once(relay, scene, 0x5a);
  require(outcome.message == again.message && is_same(outcome.decision, again.decision),
          "no output octet comes from outside the input and the configuration");
  return outcome;
}

/// The message for the slow twin, which may edit it. Needs 240 octets, as a message with options has.
inline SlowMessage slow_message(const Scene& scene) {
  const auto header = scene.message.first(relay::bootp::options_offset);
  const auto field = scene.message.subspan(relay::bootp::options_offset);
  return {{header.begin(), header.end()}, {field.begin(), field.end()}, scene.message.size() + scene.room_behind};
}

/// Octets of the fixed header that a relay agent may not touch.
inline void require_same_header(std::span<const std::uint8_t> before, std::span<const std::uint8_t> after) {
  for (std::size_t i = 0; i < relay::bootp::header_size; ++i) {
    const bool is_hops = i == 3;
    const bool is_giaddr = i >= 24 && i < 28;
    require(is_hops || is_giaddr || before[i] == after[i], "the header is unchanged but for hops and giaddr");
  }
}

}  // namespace fuzz
