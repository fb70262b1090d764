// Any message on the request side of any interface under any policy.
#include "tests/fuzz/scene.h"

namespace {

using fuzz::require;

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
  const auto outcome = fuzz::run(fuzz::relay_request, scene);
  require(std::holds_alternative<relay::ToServers>(outcome.decision), "the next good request is relayed");
}

// The largest message that may leave, option 82 included. Without -A a message that was too large for the MTU as it
// came may stay as large, option 82 in the place of PADs.
std::size_t size_limit(const fuzz::Scene& scene) {
  const std::size_t size = scene.message.size();
  const std::size_t limit = scene.policy.max_request_size.value_or(std::max(scene.policy.upstream_mtu - 28, size));
  return std::min({limit, size + scene.room_behind, std::size_t{65507}});
}

// The options as the slow twin edits them.
fuzz::Octets expected_message(const fuzz::Scene& scene, const fuzz::Octets& own,
                              relay::AgentInformationOutcome outcome) {
  using Outcome = relay::AgentInformationOutcome;
  if (outcome == Outcome::untouched || outcome == Outcome::did_not_fit) {
    return {scene.message.begin(), scene.message.end()};
  }
  fuzz::SlowMessage message = fuzz::slow_message(scene);
  if (outcome == Outcome::replaced) {
    message.remove_all();
  }
  message.append(own);
  return message.octets();
}

void check_options(const fuzz::Scene& scene, const fuzz::Octets& after, const fuzz::Octets& own,
                   relay::AgentInformationOutcome outcome) {
  const fuzz::Octets expected = expected_message(scene, own, outcome);
  require(std::ranges::equal(std::span{after}.subspan(236), std::span{expected}.subspan(236)),
          "the options are those that the twin leaves, octet by octet");
  const bool has_cookie = relay::bootp::has_cookie(scene.message);
  switch (outcome) {
    case relay::AgentInformationOutcome::untouched:
      return;
    case relay::AgentInformationOutcome::did_not_fit: {
      fuzz::SlowMessage larger = fuzz::slow_message(scene);
      larger.capacity = fuzz::whole;
      if (scene.policy.existing_agent_information == relay::ExistingAgentInformation::replace) {
        larger.remove_all();
      }
      larger.append(own);
      require(has_cookie && larger.size() > size_limit(scene), "what was left out would not have fitted");
      return;
    }
    case relay::AgentInformationOutcome::added:
    case relay::AgentInformationOutcome::appended:
    case relay::AgentInformationOutcome::replaced:
      break;
  }
  require(has_cookie && scene.policy.add_agent_information, "what has options is edited, with -a");
  require(after.size() <= size_limit(scene) && after.size() >= 300,
          "an edited request has 300 octets and obeys the limit");
  const auto options_before = fuzz::read_slowly(scene.message.subspan(240));
  const auto options_after = fuzz::read_slowly(std::span{after}.subspan(240));
  const bool is_appended = outcome == relay::AgentInformationOutcome::appended;
  require(options_after.has_end, "there is an END behind our option 82");
  require(fuzz::same(options_before.without(82), options_after.without(82)), "the other options keep their order");
  require(!options_after.options.empty() && options_after.options.back().code == 82 &&
              options_after.options.back().value == own,
          "our option 82 is the last one");
  const std::size_t instances = options_after.options.size() - options_after.without(82).size();
  require(instances == (is_appended ? options_before.options.size() - options_before.without(82).size() + 1 : 1),
          "one option 82 was added");
}

// Why the reply to a request that left may be dropped: nothing that has to do with what the relay wrote into it.
bool may_be_dropped(const fuzz::Scene& scene, const relay::Interface& ingress, relay::DropReason reason) {
  if (reason == relay::DropReason::interface_down) {
    return !ingress.is_up;
  }
  if (reason == relay::DropReason::lease_query_reply) {
    const auto type = options82::survey(scene.message.subspan(240)).message_type;
    return type && *type >= 11 && *type <= 13;
  }
  if (reason == relay::DropReason::vss_unsupported || reason == relay::DropReason::vss_unknown) {
    return true;  // sub-options 151 and 152, of which the client may have sent its own
  }
  if (reason != relay::DropReason::reply_ambiguous) {
    return false;
  }
  const auto circuit_id = fuzz::circuit_id_of(fuzz::own_content(scene, ingress, false));
  return scene.interfaces.downstream_by_giaddr(*ingress.giaddr).size() > 1 &&
         (!circuit_id || scene.interfaces.downstream_by_circuit_id(*circuit_id).size() > 1);
}

// Whether all that was added can be told from what the client sent: the client sent no option 82, or another one.
bool comes_back(const fuzz::Scene& scene, const fuzz::Octets& own, relay::AgentInformationOutcome outcome) {
  if (outcome != relay::AgentInformationOutcome::appended) {
    return outcome == relay::AgentInformationOutcome::added;
  }
  const auto theirs = fuzz::slow_message(scene).values();
  return std::ranges::count(theirs, own) == 0 &&
         std::ranges::any_of(theirs, [](const fuzz::Octets& value) { return !value.empty(); });
}

// strip(append(m)) == m: the request that left comes back as its own reply, and the client sees what it sent.
void send_back(const fuzz::Scene& scene, const relay::ToServers& decision, const fuzz::Octets& left) {
  fuzz::Octets reply = left;
  reply[0] = relay::bootp::op_reply;
  fuzz::Scene back = scene;
  back.message = reply;
  back.ingress = {fuzz::upstream_index, decision.servers.front(), 67, decision.source};
  back.policy.reply_giaddr = relay::KeepGiaddr{};
  const auto outcome = fuzz::run(fuzz::relay_reply, back);
  const auto& ingress = *scene.interfaces.find(scene.ingress.interface_index);
  if (const auto* drop = std::get_if<relay::Drop>(&outcome.decision)) {
    require(may_be_dropped(scene, ingress, drop->reason), "the reply to a relayed request is relayed");
    return;
  }
  const auto& to_client = std::get<relay::ToClient>(outcome.decision);
  require(to_client.egress->index == ingress.index, "the reply leaves where the request came from");
  require(std::ranges::equal(std::span{outcome.message}.first(240), std::span{reply}.first(240)),
          "the header of the reply stays as it was");
  require(fuzz::normal(std::span{outcome.message}.subspan(240)) == fuzz::normal(scene.message.subspan(240)),
          "strip(append(m)) == m, trailing pad apart");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < fuzz::setup_size) {
    return -1;
  }
  const auto scene = fuzz::make_scene({data, size}, fuzz::downstream_index, {});
  fuzz::compare_readers(relay::bootp::options_field(scene.message));
  const auto outcome = fuzz::run(fuzz::relay_request, scene);
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
    const fuzz::Octets own = fuzz::own_content(scene, ingress, !giaddr.is_unspecified());
    check_options(scene, outcome.message, own, decision->agent_information);
    if (giaddr.is_unspecified() && comes_back(scene, own, decision->agent_information)) {
      send_back(scene, *decision, outcome.message);
    }
  }
  relay_good_message();
  return 0;
}
