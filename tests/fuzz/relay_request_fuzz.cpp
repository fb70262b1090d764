// Any message on the request side of any interface under any policy.
#include "relay/core/relay_request.h"
#include "tests/fuzz/scene.h"

namespace {

using fuzz::require;

relay::Decision relay_request(const fuzz::Scene& scene, relay::MessageBuffer& message) {
  return relay::relay_request(scene.policy, scene.interfaces, scene.ingress, message);
}

fuzz::Octets good_input() {
  fuzz::Octets input(fuzz::setup_size + 300, 0);
  const auto message = std::span{input}.subspan(fuzz::setup_size);
  message[0] = relay::bootp::op_request;
  message[1] = relay::bootp::htype_ethernet;
  message[2] = 6;
  message[28] = 2;
  std::ranges::copy(relay::bootp::magic_cookie, message.subspan(236).begin());
  std::ranges::copy(std::initializer_list<std::uint8_t>{53, 1, 1, 255}, message.subspan(240).begin());
  return input;
}

// The next good message is relayed, whatever came before it.
void relay_good_message() {
  static const fuzz::Octets input = good_input();
  static const auto scene = fuzz::make_scene(input, fuzz::downstream_index, {});
  const auto outcome = fuzz::run(relay_request, scene);
  require(std::holds_alternative<relay::ToServers>(outcome.decision), "the next good request is relayed");
}

void check_options(const fuzz::Scene& scene, const fuzz::Octets& after, const relay::ToServers& decision) {
  const auto before = scene.message;
  const auto& interface = *scene.interfaces.find(scene.ingress.interface_index);
  const bool was_relayed = !relay::bootp::giaddr(before.first<relay::bootp::header_size>()).is_unspecified();
  const auto own = (was_relayed ? interface.relayed_agent_information : interface.agent_information).octets();
  switch (decision.agent_information) {
    case relay::AgentInformationOutcome::untouched:
    case relay::AgentInformationOutcome::did_not_fit:
      require(std::ranges::equal(before.subspan(236), std::span{after}.subspan(236)), "options are left as they were");
      return;
    case relay::AgentInformationOutcome::added:
    case relay::AgentInformationOutcome::appended:
    case relay::AgentInformationOutcome::replaced:
      break;
  }
  const auto options_before = fuzz::read_slowly(before.subspan(240));
  const auto options_after = fuzz::read_slowly(std::span{after}.subspan(240));
  const bool is_appended = decision.agent_information == relay::AgentInformationOutcome::appended;
  require(options_after.has_end, "there is an END behind our option 82");
  require(fuzz::same(options_before.without(82), options_after.without(82)), "the other options keep their order");
  require(!options_after.options.empty() && options_after.options.back().code == 82 &&
              std::ranges::equal(options_after.options.back().value, own),
          "our option 82 is the last one");
  const std::size_t instances = options_after.options.size() - options_after.without(82).size();
  require(instances == (is_appended ? options_before.options.size() - options_before.without(82).size() + 1 : 1),
          "one option 82 was added");
  // Without -A a message that was too large for the MTU as it came may stay as large, option 82 in the place of PADs.
  const std::size_t limit =
      scene.policy.max_request_size.value_or(std::max(scene.policy.upstream_mtu - 28, before.size()));
  require(after.size() <= limit && after.size() >= 300, "an edited request has 300 octets and obeys the limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < fuzz::setup_size) {
    return -1;
  }
  const auto scene = fuzz::make_scene({data, size}, fuzz::downstream_index, {});
  const auto outcome = fuzz::run(relay_request, scene);
  require(!std::holds_alternative<relay::ToClient>(outcome.decision), "a request never goes to a client");
  if (const auto* decision = std::get_if<relay::ToServers>(&outcome.decision)) {
    const auto& ingress = *scene.interfaces.find(scene.ingress.interface_index);
    require(ingress.is_downstream && !decision->servers.empty(), "requests go from downstream to servers");
    fuzz::require_same_header(scene.message, outcome.message);
    const auto before = scene.message.first<relay::bootp::header_size>();
    const auto after = std::span{outcome.message}.first<relay::bootp::header_size>();
    require(relay::bootp::hops(after) == relay::bootp::hops(before) + 1, "hops is incremented");
    const auto giaddr = relay::bootp::giaddr(before);
    require(relay::bootp::giaddr(after) == (giaddr.is_unspecified() ? ingress.giaddr : giaddr),
            "giaddr is filled in where it was zero and left alone otherwise");
    check_options(scene, outcome.message, *decision);
  }
  relay_good_message();
  return 0;
}
