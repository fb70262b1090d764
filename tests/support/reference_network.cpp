#include "tests/support/reference_network.h"

#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "relay/core/bootp.h"
#include "relay/core/relay_reply.h"
#include "relay/core/relay_request.h"
#include "tests/support/guarded_message.h"
#include "tests/support/test_network.h"

namespace reference {

namespace {

options82::Blank counterpart(Blank blank) {
  switch (blank) {
    case Blank::client_hardware_address:
      return options82::Blank::client_hardware_address;
    case Blank::client_port:
      return options82::Blank::client_port;
    case Blank::relay_flags:
      return options82::Blank::relay_flags;
  }
  return {};
}

/// The form of the same sub-options; those that do not fit any more are taken out of `information`.
options82::AgentInformationForm form_of(std::vector<OwnSubOption>& information) {
  options82::AgentInformationForm form;
  std::vector<OwnSubOption> fitting;
  for (const OwnSubOption& sub_option : information) {
    options82::FormValue value;
    for (const auto& piece : sub_option.pieces) {
      if (const auto* const octets = std::get_if<Bytes>(&piece)) {
        value.emplace_back(std::string{octets->begin(), octets->end()});
      } else {
        value.emplace_back(counterpart(std::get<Blank>(piece)));
      }
    }
    if (form.add(static_cast<options82::SubOption>(sub_option.code), value)) {
      fitting.push_back(sub_option);
    }
  }
  information = std::move(fitting);
  return form;
}

}  // namespace

void Network::put(relay::Interface interface, OwnInformation own) {
  interface.agent_information = form_of(own.own);
  interface.relayed_agent_information = form_of(own.relayed);
  information[interface.index] = std::move(own);
  interfaces.put(std::move(interface));
}

Expected Network::relayed(const Arrival& arrival) const {
  test_support::GuardedMessage guarded{arrival.message, arrival.room};
  const relay::Decision decision =
      arrival.direction == Direction::request
          ? relay::relay_request(policy, interfaces, arrival.ingress, guarded.buffer())
          : relay::relay_reply(policy, interfaces, transactions, arrival.ingress, guarded.buffer());
  const bool is_sound =
      guarded.is_intact_beside() && (!std::holds_alternative<relay::Drop>(decision) || guarded.is_untouched());
  const auto* const to_servers = std::get_if<relay::ToServers>(&decision);
  return {test_support::described(decision), is_sound ? guarded.octets() : Bytes{},
          to_servers != nullptr && to_servers->from_relay_port};
}

Expected Network::expected(const Arrival& arrival) const {
  const Scene scene{policy, interfaces, information};
  const std::size_t capacity = arrival.message.size() + arrival.room;
  if (arrival.direction == Direction::request) {
    return expected_request(scene, arrival.ingress, arrival.message, capacity);
  }
  std::optional<std::uint32_t> transaction;
  if (arrival.message.size() >= relay::bootp::header_size) {
    const std::span<const std::uint8_t> octets{arrival.message};
    transaction = transactions.find(octets.first<relay::bootp::header_size>(), arrival.ingress.arrival);
  }
  return expected_reply(scene, transaction, arrival.ingress, arrival.message, capacity);
}

}  // namespace reference
