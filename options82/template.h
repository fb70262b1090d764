// Templates of circuit-id, remote-id and subscriber-id: text in which `%i` and the like stand for what is known of the
// interface or of the client. Read once from the command line, expanded for each interface into the value of a form.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "options82/agent_information_form.h"

namespace options82 {

/// What is known of one interface. Texts borrow from the caller.
struct InterfaceFacts {
  std::string_view name;
  std::uint32_t index = 0;
  std::string_view alias;
  std::string_view host;  ///< this host's name
  std::optional<std::array<std::uint8_t, 6>> mac;
  std::optional<std::uint16_t> vlan_id;
  std::optional<std::array<std::uint8_t, 4>> giaddr;
};

/// Why a text is no template.
enum class TemplateFault : std::uint8_t {
  empty,
  unknown_token,    ///< `%` with another character behind it than those of `Token`, or with none
  broken_octets,    ///< `0x` without an even number of hexadecimal digits behind it
  bad_access_node,  ///< `tr101:` without a name of visible characters behind it (TR-101 R-124)
  too_long,         ///< could get more than 255 octets, or 63 with `tr101:`
};

/// What stands for something else in a template.
enum class Token : std::uint8_t {
  interface_name,           ///< %i
  interface_index,          ///< %I
  interface_alias,          ///< %d, its first 64 octets
  host_name,                ///< %h, its first 64 octets
  interface_mac,            ///< %m, empty where there is none
  client_hardware_address,  ///< %M
  vlan_id,                  ///< %v, empty outside a VLAN
  client_port,              ///< %p
  giaddr,                   ///< %g
  slot,                     ///< of `tr101:`: the number before the port's in the interface's name, else 0
  port,                     ///< of `tr101:`: the last number in the interface's name without its VLAN, else 0
  vlan_suffix,              ///< of `tr101:`: `:` and the VLAN id, empty outside a VLAN
};

class Template {
 public:
  /// Stands for nothing: the sub-option is left out.
  Template() = default;

  /// `0x` and hexadecimal digits are octets as they are; `tr101:NAME` is `NAME eth slot/port:vlan` (Broadband Forum
  /// TR-101 R-124); anything else is text with tokens, `%%` for a percent sign.
  [[nodiscard]] static std::variant<Template, TemplateFault> parse(std::string_view text);

  /// The value for one interface; empty where all that the template names is.
  [[nodiscard]] FormValue expand(const InterfaceFacts& facts) const;

  /// Whether the value can come out empty for one client and not for another: one without a hardware address.
  [[nodiscard]] bool may_be_empty_for_a_client() const noexcept;

  /// The most octets that a value can have, whatever the interface and the client.
  [[nodiscard]] std::size_t most_octets() const noexcept;

 private:
  using Part = std::variant<std::string, Token>;
  [[nodiscard]] bool append_text(std::string_view text);

  std::vector<Part> parts_;
};

}  // namespace options82
