// Any DHCPv6 message on either side of any interface under any policy. Input: eight octets that choose the side and the
// scene, zeros for what is usual; then the message. What is relayed is made into its own answer, which has to find the
// way back.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "relay/core/options6.h"
#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using View = std::span<const std::uint8_t>;

constexpr std::size_t setup_size = 8;
constexpr std::uint32_t downstream_index = 1;
constexpr std::uint32_t twin_index = 2;  // downstream too, perhaps with the same address or Interface-Id
constexpr std::uint32_t upstream_index = 3;
constexpr relay::Ipv6Address server{{0x20, 1, 0xd, 0xb8, 0, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}};
constexpr relay::Ipv6Address client{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

/// 2001:db8:LINK::HOST
constexpr relay::Ipv6Address global(std::uint8_t link, std::uint8_t host) {
  return {{0x20, 1, 0xd, 0xb8, 0, link, 0, 0, 0, 0, 0, 0, 0, 0, 0, host}};
}

constexpr std::array sources{client, global(1, 0x99), global(1, 1), relay::all_dhcp_servers, relay::Ipv6Address{}};

struct Scene {
  bool is_reply = false;
  relay::Policy6 policy;
  relay::InterfaceTable interfaces;
  relay::Ingress6 ingress;
  std::size_t headroom = 0;
  View message;
};

relay::Interface interface_with(std::uint32_t index, const char* name, relay::Ipv6Address address) {
  relay::Interface interface;
  interface.index = index;
  interface.name = name;
  interface.is_up = interface.is_ethernet = true;
  relay::Ipv6Address link_local = client;
  link_local.octets[15] = static_cast<std::uint8_t>(0xc0 + index);
  interface.v6.addresses = {{{address, 64}}, {{link_local, 64}}};
  relay::choose_addresses(interface.v6, std::nullopt);
  return interface;
}

void encode(relay::Interface& interface, std::uint8_t choice) {
  relay::RelayForwardSettings settings;
  settings.interface_id = (choice & 1U) != 0;
  settings.vss = (choice & 2U) != 0 ? std::string{"\0r", 2} : std::string{};
  settings.relay_id = std::string(choice >> 4U, 'd');
  if ((choice & 4U) != 0) {
    settings.options.emplace_back(std::uint16_t{65000}, std::string(300, 'o'));
  }
  relay::encode_relay_forward(interface, {}, settings);
}

Scene scene_of(View input) {
  Scene scene;
  scene.is_reply = (input[0] & 1U) != 0;
  scene.message = input.subspan(setup_size);
  scene.headroom = input[3] == 0 ? 600 : input[3];
  scene.policy.client_link_layer_address = (input[1] & 1U) == 0;
  scene.policy.relays_reconfigure_requests = (input[1] & 2U) == 0;
  scene.policy.relays_relay_supplied_options = (input[1] & 4U) == 0;
  scene.policy.replies_from_anyone = (input[1] & 8U) != 0;
  scene.policy.upstream_named = (input[1] & 16U) != 0;
  scene.policy.hop_count_limit = input[7] == 0 ? 8 : input[7];
  if ((input[1] & 32U) != 0) {
    scene.policy.ports.relay = std::uint16_t{1000};
  }

  relay::Interface downstream = interface_with(downstream_index, "c0", global(1, 1));
  downstream.is_downstream = true;
  downstream.v6.servers = {{server}};
  encode(downstream, input[6]);
  downstream.is_trusted = (input[2] & 1U) == 0;
  downstream.is_ethernet = (input[2] & 2U) == 0;
  downstream.is_up = (input[2] & 4U) == 0;
  relay::Interface twin = interface_with(twin_index, (input[2] & 8U) == 0 ? "c1" : "c0",
                                         global((input[2] & 16U) == 0 ? 2 : 1, (input[2] & 32U) == 0 ? 2 : 1));
  twin.is_downstream = true;
  twin.v6.servers = downstream.v6.servers;
  encode(twin, 0);
  if ((input[2] & 64U) != 0) {
    downstream.v6.link_address = {};
  }
  if ((input[2] & 128U) != 0) {
    downstream.v6.servers.clear();
  }
  relay::Interface upstream = interface_with(upstream_index, "s0", global(5, 1));
  upstream.is_upstream = true;
  for (auto* each : {&downstream, &twin, &upstream}) {
    scene.interfaces.put(*each);
  }
  const std::uint32_t where = input[0] >> 1U;
  const std::uint32_t usual = scene.is_reply ? upstream_index : downstream_index;
  scene.ingress = {
      where % 5 == 0 ? usual : where % 5, scene.is_reply && input[4] == 0 ? server : sources[input[4] % sources.size()],
      input[5] == 0 ? std::uint16_t{547} : std::uint16_t{2000}, global(1, 1), relay::MacAddress{{2, 0, 0, 0, 0, 9}}};
  return scene;
}

struct SlowOption6 {
  std::uint16_t code = 0;
  Octets value;
};

/// The options of a relay message; nothing where they are damaged.
std::optional<std::vector<SlowOption6>> read_options(View octets) {
  std::vector<SlowOption6> options;
  std::size_t at = 0;
  while (at != octets.size()) {
    if (octets.size() - at < 4) {
      return std::nullopt;
    }
    const std::size_t size = octets[at + 2] * 256U + octets[at + 3];
    if (octets.size() - at - 4 < size) {
      return std::nullopt;
    }
    const View value = octets.subspan(at + 4, size);
    options.push_back({static_cast<std::uint16_t>(octets[at] * 256U + octets[at + 1]), {value.begin(), value.end()}});
    at += 4 + size;
  }
  return options;
}

void compare_readers(View octets) {
  relay::dhcpv6::OptionReader reader{octets};
  const auto slow = read_options(octets);
  std::size_t count = 0;
  while (const auto option = reader.next()) {
    if (slow) {
      require(count < slow->size() && (*slow)[count].code == option->code &&
                  std::ranges::equal((*slow)[count].value, option->value),
              "the reader agrees with its twin");
    }
    ++count;
  }
  require(reader.is_damaged() == !slow && (!slow || count == slow->size()), "the reader stops where its twin does");
}

struct Outcome {
  relay::Decision6 decision;
  Octets message;
};

/// Runs the request side between two zones of `poison` and checks what holds for all messages.
Outcome request_once(const Scene& scene, std::uint8_t poison) {
  constexpr std::size_t guard = 64;
  const std::size_t size = scene.message.size();
  Octets storage(guard + scene.headroom + size, poison);  // nothing behind it: the address sanitizer watches
  std::ranges::copy(scene.message, storage.end() - static_cast<std::ptrdiff_t>(size));
  const Octets before = storage;
  relay::MessageBuffer buffer{std::span{storage}.subspan(guard), size, scene.headroom};
  const auto decision = relay::relay_request6(scene.policy, scene.interfaces, scene.ingress, buffer);
  if (std::holds_alternative<relay::Drop>(decision)) {
    require(buffer.size() == size && storage == before, "Drop leaves every octet and the size unchanged");
  }
  require(std::ranges::equal(View{storage}.last(size), scene.message), "the message stays as it is, where it is");
  require(std::ranges::all_of(View{storage}.first(guard + buffer.headroom()),
                              [poison](std::uint8_t octet) { return octet == poison; }),
          "no octet outside the message is written");
  const auto octets = buffer.octets();
  return {decision, {octets.begin(), octets.end()}};
}

/// The reply that a server would give to what was sent: all options copied, but that another message is in it.
Octets answer_to(View sent, View message, View inner) {
  Octets answer{sent.begin(), sent.end() - static_cast<std::ptrdiff_t>(message.size() + 4)};
  answer[0] = 13;
  answer.insert(answer.end(),
                {0, 9, static_cast<std::uint8_t>(inner.size() / 256), static_cast<std::uint8_t>(inner.size() % 256)});
  answer.insert(answer.end(), inner.begin(), inner.end());
  return answer;
}

/// Whether the answer to a relayed message cannot be delivered for reasons that have nothing to do with the message.
bool may_be_dropped(const Scene& scene, relay::DropReason reason) {
  const relay::Interface& ingress = *scene.interfaces.find(scene.ingress.interface_index);
  return (reason == relay::DropReason::interface_down && !ingress.is_up) ||
         (reason == relay::DropReason::interface_id_ambiguous &&
          scene.interfaces.downstream_by_interface_id(ingress.v6.options.interface_id()).size() > 1);
}

void send_back(const Scene& scene, View sent) {
  const bool was_relayed = scene.message[0] == 12;
  const Octets inner = was_relayed ? Octets{13, 0} : Octets{7, 1, 2, 3};
  const Octets answer = answer_to(sent, scene.message, inner);
  const auto decision = relay::relay_reply6(scene.policy, scene.interfaces,
                                            {upstream_index, server, 547, global(1, 1), std::nullopt}, answer);
  if (const auto* drop = std::get_if<relay::Drop>(&decision)) {
    require(may_be_dropped(scene, drop->reason), "the answer to a relayed message is relayed");
    return;
  }
  const auto& to_peer = std::get<relay::ToPeer6>(decision);
  require(to_peer.destination == scene.ingress.source, "the answer goes to who sent the message");
  require(to_peer.destination_port == (was_relayed ? scene.ingress.source_port : 546), "the answer goes to its port");
  require(std::ranges::equal(to_peer.message, inner), "the answer's message is sent as it is");
  require(to_peer.egress == nullptr ? was_relayed && scene.ingress.source.is_globally_scoped()
                                    : to_peer.egress->index == scene.ingress.interface_index,
          "the answer leaves where the message came from");
}

void check_request(const Scene& scene) {
  const Outcome outcome = request_once(scene, 0xa5);
  require(outcome.message == request_once(scene, 0x5a).message,
          "no octet comes from outside the input and the configuration");
  require(!std::holds_alternative<relay::ToPeer6>(outcome.decision), "a request never goes to a client");
  if (!std::holds_alternative<relay::ToServers6>(outcome.decision)) {
    return;
  }
  const View sent = outcome.message;
  require(sent.size() <= relay::dhcpv6::max_message_size && sent.size() > 34, "it fits into a datagram");
  const bool was_relayed = scene.message[0] == 12;
  require(sent[0] == 12 && sent[1] == (was_relayed ? scene.message[1] + 1 : 0) && sent[1] <= 32,
          "it is a Relay-forward with the number of relay agents");
  require(std::ranges::equal(sent.subspan(18, 16), scene.ingress.source.octets), "peer-address is the source");
  const auto options = read_options(sent.subspan(34));
  require(options && options->back().code == 9 && std::ranges::equal(options->back().value, scene.message),
          "the last option is the message");
  require(std::ranges::count(*options, 9, &SlowOption6::code) == 1, "there is one message");
  require(!was_relayed || std::ranges::count(*options, 79, &SlowOption6::code) == 0,
          "the link-layer address is a client's");
  send_back(scene, sent);
}

void check_reply(const Scene& scene) {
  const Octets copy{scene.message.begin(), scene.message.end()};  // of its size: the address sanitizer watches
  const auto decision = relay::relay_reply6(scene.policy, scene.interfaces, scene.ingress, copy);
  require(!std::holds_alternative<relay::ToServers6>(decision), "a reply never goes to a server");
  const auto* to_peer = std::get_if<relay::ToPeer6>(&decision);
  if (to_peer == nullptr) {
    return;
  }
  const auto options = read_options(View{copy}.subspan(34));
  require(copy[0] == 13 && options.has_value(), "what is delivered is a Relay-reply with whole options");
  const auto message = std::ranges::find(*options, 9, &SlowOption6::code);
  require(message != options->end() && std::ranges::equal(message->value, to_peer->message),
          "what is delivered is the message, as it is");
  require(std::ranges::equal(View{copy}.subspan(18, 16), to_peer->destination.octets) &&
              to_peer->destination.is_host() && !scene.interfaces.is_local(to_peer->destination),
          "it goes to peer-address, which is somebody else's");
  require(to_peer->egress == nullptr ? to_peer->destination.is_globally_scoped()
                                     : to_peer->egress->is_downstream && to_peer->egress->is_up,
          "it leaves on a downstream interface that is up, or is routed");
  require(to_peer->egress != nullptr || !scene.policy.replies_from_anyone ||
              scene.interfaces.find(downstream_index)->is_trusted,
          "nobody but a relay agent has routed to it what anyone sends");
  require(to_peer->message[0] == 13 || to_peer->destination_port == 546, "clients listen on port 546");
}

Octets good_input() {
  Octets input(setup_size, 0);
  input.insert(input.end(), {1, 1, 2, 3});
  return input;
}

// The next good message is relayed, whatever came before it.
void relay_good_message() {
  static const Octets input = good_input();
  static const Scene scene = scene_of(input);
  require(std::holds_alternative<relay::ToServers6>(request_once(scene, 0xa5).decision),
          "the next good message is relayed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < setup_size) {
    return -1;
  }
  const Scene scene = scene_of({data, size});
  compare_readers(scene.message);
  if (scene.is_reply) {
    check_reply(scene);
  } else {
    check_request(scene);
  }
  relay_good_message();
  return 0;
}
