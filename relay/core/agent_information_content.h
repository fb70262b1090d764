// What our option 82 says of one interface: the operator's templates and values, joined with what is known of the
// interface and encoded in the order of the sub-options' codes.
#pragma once

#include <cstddef>
#include <optional>

#include "relay/core/address.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"

namespace relay {

/// The templates of one interface.
struct AgentInformationTemplates {
  options82::Template circuit_id;
  options82::Template remote_id;
  options82::Template subscriber_id;
};

/// Encodes `interface.agent_information` and `relayed_agent_information`. The interface is otherwise complete;
/// `primary` is its primary address with its subnet. Needs settings for which `most_agent_information_octets` is 255 at
/// most.
void encode_agent_information(Interface& interface, const std::optional<Ipv4Prefix>& primary,
                              const AgentInformationTemplates& templates, const AgentInformationSettings& settings);

/// The most octets that an option 82 can have with these settings, whatever the interface and the client.
[[nodiscard]] std::size_t most_agent_information_octets(const InterfaceSettings& settings);

/// The circuit-id without a setting: the interface's name.
[[nodiscard]] options82::Template default_circuit_id();

}  // namespace relay
