#include "relay/core/client_message6.h"

#include "relay/core/options6.h"

namespace relay {

std::optional<ClientMessage6> client_message_in(dhcpv6::Octets message, const Ipv6Address& sender) noexcept {
  ClientMessage6 found{message, sender};
  while (dhcpv6::has_header(found.octets)) {
    if (!dhcpv6::is_of_relays(found.octets)) {
      return found;
    }
    found.client = dhcpv6::peer_address(found.octets.first<dhcpv6::relay_header_size>());
    found.octets = dhcpv6::carried_message(found.octets);
  }
  return std::nullopt;
}

}  // namespace relay
