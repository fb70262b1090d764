#include "relay/core/relay.h"

#include <utility>
#include <variant>

#include "relay/core/relay_reply.h"
#include "relay/core/relay_request.h"

namespace relay {

std::optional<DropReason> Relay::refusal(Interface* interface, std::chrono::nanoseconds arrival,
                                         Family family) noexcept {
  if (interface == nullptr) {
    return std::nullopt;
  }
  const bool is_downstream = family == Family::ipv4 ? interface->is_downstream : interface->is_downstream6();
  if (is_downstream && interface->rate_limit && !interface->rate_meter.admit(*interface->rate_limit, arrival)) {
    return DropReason::rate_limited;
  }
  return std::nullopt;
}

Decision Relay::request(const Ingress& ingress, MessageBuffer& message) noexcept {
  if (const auto why = refusal(interfaces_.find(ingress.interface_index), ingress.arrival)) {
    return Drop{*why};
  }
  return admitted_request(ingress, message);
}

Decision Relay::admitted_request(const Ingress& ingress, MessageBuffer& message) noexcept {
  const Interface* const interface = std::as_const(interfaces_).find(ingress.interface_index);
  const Decision decision = relay_request(policy_, interfaces_, located(ingress, interface, message), message);
  if (std::holds_alternative<ToServers>(decision)) {
    remember(ingress, *interface, std::as_const(message).octets().first<bootp::header_size>());
  }
  return decision;
}

Decision Relay::reply(const Ingress& ingress, MessageBuffer& message) noexcept {
  return relay_reply(policy_, interfaces_, transactions_, ingress, message);
}

/// With the bridge port of the client, asked for anew with each request, since clients move.
Ingress Relay::located(const Ingress& ingress, const Interface* interface,
                       const MessageBuffer& message) const noexcept {
  Ingress result = ingress;
  if (port_of_ && interface != nullptr && interface->bridge_index != 0 && message.size() >= bootp::header_size &&
      interface->agent_information.has(options82::Blank::client_port)) {
    if (const auto mac = bootp::client_mac(message.octets().first<bootp::header_size>())) {
      result.bridge_port_index = port_of_(*interface, *mac);
    }
  }
  return result;
}

/// Remembers what came through an interface that is not the only one with its giaddr, and will be answered to it.
void Relay::remember(const Ingress& ingress, const Interface& interface, bootp::Header relayed) noexcept {
  const Ipv4Address giaddr = bootp::giaddr(relayed);
  if (giaddr == interface.giaddr && interfaces_.downstream_by_giaddr(giaddr).size() > 1) {
    transactions_.remember(relayed, ingress.interface_index, ingress.arrival);
  }
}

}  // namespace relay
