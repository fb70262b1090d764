// The client's message in what relay agents have put around it, for whoever asks which question an answer answers.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/core/address.h"
#include "relay/core/dhcpv6.h"

namespace relay {

/// A message of a client, or for one.
struct ClientMessage6 {
  dhcpv6::Octets octets;  ///< it has its header
  Ipv6Address client;     ///< as the relay agent next to it knows it: peer-address, or where the message came from
};

/// The message that is no relay message, at whatever depth: of each level the first one. `sender` is where `message`
/// came from. Nothing where a level is broken off or carries nothing. Reads no octet twice.
[[nodiscard]] std::optional<ClientMessage6> client_message_in(dhcpv6::Octets message,
                                                              const Ipv6Address& sender) noexcept;

}  // namespace relay
