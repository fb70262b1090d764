// Fields of a message as text, for lines and comments. Printable ASCII, whatever the message contains.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "options82/options.h"
#include "relay/capture/address.h"
#include "relay/core/address.h"
#include "relay/core/bootp.h"
#include "relay/core/dhcpv6.h"

namespace relay {

/// `DISCOVER`, `type-77` for a type without a name; without option 53 `BOOTREQUEST` or `BOOTREPLY`; `op-7` for any
/// other op.
[[nodiscard]] std::string type_text(bootp::Header header, std::span<const std::uint8_t> message);

[[nodiscard]] std::string xid_text(bootp::Header header);

/// The same of DHCPv6: `SOLICIT`, and so on in the words of RFC 8415 section 7.3, `type-77` for a type without one.
[[nodiscard]] std::string type6_text(std::uint8_t type);
/// The transaction-id, of a message that has one and is not shorter than its header.
[[nodiscard]] std::string xid6_text(dhcpv6::Octets message);

/// `02:00:00:00:00:01`; as many octets as hlen says, 16 at most.
[[nodiscard]] std::string chaddr_text(bootp::Header header);

[[nodiscard]] std::string address_text(Ipv4Address address);
/// As RFC 5952 section 4 says: one text for each address.
[[nodiscard]] std::string address_text(const Ipv6Address& address);
[[nodiscard]] std::string address_text(const IpAddress& address);
/// With `zone`, an interface, behind it where it is one that is found on its own link alone, or a group's:
/// `fe80::1%d1`.
[[nodiscard]] std::string address_text(const IpAddress& address, std::string_view zone);
[[nodiscard]] std::string address_text(const capture::Address& address);
[[nodiscard]] std::string mac_text(const MacAddress& mac);

/// `text` with everything but printable ASCII as `\xNN`.
[[nodiscard]] std::string printable_text(std::string_view text);

/// Octets for a sentence: `"d1"`, in digits where that would not be plain text, and `empty`.
[[nodiscard]] std::string octets_sentence(std::span<const std::uint8_t> octets);

/// An option that relay agents of DHCPv6 add, by the name of its RFC: `remote-id`, `option-77` for one without a name
/// here.
[[nodiscard]] std::string relay_option_name(std::uint16_t code);
/// With its value: `interface-id "d1"`, `remote-id 0x0102 of enterprise 9`.
[[nodiscard]] std::string relay_option_sentence(std::uint16_t code, dhcpv6::Octets value);
/// All in front of the message that a Relay-forward carries: `interface-id=d1,remote-id=9:0x0102`; of a value of more
/// than 255 octets its size. Empty where there is none.
[[nodiscard]] std::string relay_options_field(dhcpv6::Octets relay_message);

/// The sub-options of an option 82 for a sentence: `circuit-id "d1", remote-id 0x0102, link-selection 10.1.0.0`. Octets
/// behind damage follow as `damaged 0x...`. Without any octets: `empty`.
[[nodiscard]] std::string agent_information_sentence(options82::Octets content);

/// The same for a field of a line: `circuit-id=d1,remote-id=0x0102`.
[[nodiscard]] std::string agent_information_field(options82::Octets content);

/// The values of all option 82s of a message as one, which they are (RFC 3396 section 7), up to `max_joined_size`;
/// nothing where there is none.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> agent_information_of(std::span<const std::uint8_t> message);

}  // namespace relay
