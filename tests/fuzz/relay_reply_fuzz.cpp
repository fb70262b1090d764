// Any message on the reply side of any interface under any policy.
#include "tests/fuzz/scene.h"

namespace {

using fuzz::require;

fuzz::Octets good_input() {
  fuzz::Octets input(fuzz::setup_size + 300, 0);
  const auto message = std::span{input}.subspan(fuzz::setup_size);
  message[0] = relay::bootp::op_reply;
  message[1] = relay::bootp::htype_ethernet;
  message[2] = 6;
  std::ranges::copy(std::initializer_list<std::uint8_t>{10, 1, 0, 9}, message.subspan(16).begin());
  std::ranges::copy(std::initializer_list<std::uint8_t>{10, 1, 0, 1, 2}, message.subspan(24).begin());
  std::ranges::copy(relay::bootp::magic_cookie, message.subspan(236).begin());
  std::ranges::copy(std::initializer_list<std::uint8_t>{53, 1, 2, 255}, message.subspan(240).begin());
  return input;
}

// The next good message is relayed, whatever came before it.
void relay_good_message() {
  static const fuzz::Octets input = good_input();
  static const auto scene = fuzz::make_scene(input, fuzz::upstream_index, fuzz::server);
  const auto outcome = fuzz::run(fuzz::relay_reply, scene);
  const auto* decision = std::get_if<relay::ToClient>(&outcome.decision);
  require(decision != nullptr && decision->delivery == relay::Delivery::link_unicast, "the next good reply is relayed");
}

void check_delivery(const fuzz::Scene& scene, const relay::ToClient& decision) {
  require(decision.egress != nullptr && decision.egress == scene.interfaces.find(decision.egress->index) &&
              decision.egress->is_downstream && decision.egress->is_up,
          "replies leave on a downstream interface that is up");
  const auto header = scene.message.first<relay::bootp::header_size>();
  switch (decision.delivery) {
    case relay::Delivery::link_unicast:
      require(decision.link_destination.is_station() && (decision.destination == relay::bootp::yiaddr(header) ||
                                                         decision.destination == relay::bootp::ciaddr(header)),
              "a unicast frame goes to chaddr, and to yiaddr or ciaddr");
      break;
    case relay::Delivery::link_broadcast:
      require(decision.destination.is_limited_broadcast() && decision.link_destination == relay::broadcast_mac,
              "a broadcast goes to everyone");
      break;
    case relay::Delivery::routed:
      require(decision.destination == relay::bootp::ciaddr(header), "a datagram goes to ciaddr");
      break;
  }
  require(decision.delivery == relay::Delivery::link_broadcast || decision.destination.is_host(),
          "a unicast goes to an address that a host can have");
}

void check_options(const fuzz::Scene& scene, const relay::Interface& egress, const fuzz::Octets& after) {
  const auto before = scene.message;
  fuzz::Octets expected{before.begin(), before.end()};
  if (scene.policy.add_agent_information && relay::bootp::has_cookie(before)) {
    fuzz::SlowMessage message = fuzz::slow_message(scene);
    message.remove_own(fuzz::own_content(scene, egress, false), !egress.is_trusted);
    expected = message.octets();
  }
  require(std::ranges::equal(std::span{after}.subspan(236), std::span{expected}.subspan(236)),
          "the options are those that the twin leaves, octet by octet");
  if (std::ranges::equal(before.subspan(236), std::span{after}.subspan(236))) {
    return;
  }
  require(scene.policy.add_agent_information, "options are left alone without -a");
  const auto options_before = fuzz::read_slowly(before.subspan(240));
  const auto options_after = fuzz::read_slowly(std::span{after}.subspan(240));
  require(options_after.has_end, "a field that was edited has an END");
  require(fuzz::same(options_before.without(82), options_after.without(82)), "nothing but option 82 is taken out");
  require(after.size() <= std::max<std::size_t>(before.size(), 300), "a reply grows to 300 octets at most");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < fuzz::setup_size) {
    return -1;
  }
  const auto scene = fuzz::make_scene({data, size}, fuzz::upstream_index, fuzz::server);
  fuzz::compare_readers(relay::bootp::options_field(scene.message));
  const auto outcome = fuzz::run(fuzz::relay_reply, scene);
  require(!std::holds_alternative<relay::ToServers>(outcome.decision), "a reply never goes to a server");
  if (const auto* decision = std::get_if<relay::ToClient>(&outcome.decision)) {
    fuzz::require_same_header(scene.message, outcome.message);
    const auto before = scene.message.first<relay::bootp::header_size>();
    const auto after = std::span{outcome.message}.first<relay::bootp::header_size>();
    require(relay::bootp::hops(after) == relay::bootp::hops(before), "hops of a reply is left alone");
    const auto* giaddr = std::get_if<relay::Ipv4Address>(&scene.policy.reply_giaddr);
    require(relay::bootp::giaddr(after) == (giaddr != nullptr ? *giaddr : relay::bootp::giaddr(before)),
            "giaddr of a reply is left alone, or what -g says");
    check_delivery(scene, *decision);
    check_options(scene, *decision->egress, outcome.message);
  }
  relay_good_message();
  return 0;
}
