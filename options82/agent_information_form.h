// Our option 82 as a form: what all requests of one interface have in common is encoded once, when the interface or the
// configuration changes; the blanks are what each message fills in. An echo of it is told by the same form.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "options82/agent_information.h"

namespace options82 {

/// What differs from message to message.
enum class Blank : std::uint8_t {
  client_hardware_address,  ///< chaddr in text, `02:00:00:00:00:01`; empty where hlen is 0
  client_port,              ///< the name of the bridge port on which the client's address was learnt
  relay_flags,              ///< one octet: 0x80 where the message came by unicast (RFC 5010 section 3)
};

inline constexpr std::size_t max_hardware_address_size = 16;  // chaddr, RFC 2131 section 2
inline constexpr std::size_t max_port_name_size = 15;         // IFNAMSIZ without its NUL

/// The most octets that `blank` can be filled with.
[[nodiscard]] constexpr std::size_t max_size(Blank blank) noexcept {
  switch (blank) {
    case Blank::client_hardware_address:
      return max_hardware_address_size * 3 - 1;
    case Blank::client_port:
      return max_port_name_size;
    case Blank::relay_flags:
      return 1;
  }
  return 0;
}

/// The value of one sub-option: octets that are known and blanks, in order.
using FormValue = std::vector<std::variant<std::string, Blank>>;

/// What fills the blanks of one request in.
struct ClientFacts {
  Octets hardware_address;  ///< at most 16 octets
  std::string_view port;    ///< at most 15 octets
  bool came_by_unicast = false;
};

/// What the blanks of an echo can have been filled in with.
struct EchoFacts {
  Octets hardware_address;             ///< of the reply's client
  std::string_view interface_name;     ///< takes the place of a port that is not known
  std::span<const std::string> ports;  ///< of the interface's bridge, sorted
};

/// What a value begins and ends with, whatever its blanks are filled in with. Both borrow from the form.
struct ValueEnds {
  Octets front;  ///< up to the first blank
  Octets back;   ///< from the last blank on
};

class AgentInformationForm {
 public:
  AgentInformationForm() = default;
  /// A form without blanks.
  explicit AgentInformationForm(const AgentInformation& content)
      : most_octets_(content.octets().size()), known_(content) {}

  /// Appends one sub-option. Fails, changing nothing, where the whole could get more than 255 octets once it is filled
  /// in.
  [[nodiscard]] bool add(SubOption sub_option, const FormValue& value);
  [[nodiscard]] bool add(SubOption sub_option, Octets value);

  /// The sub-options with their blanks left empty; valid until the next `add`.
  [[nodiscard]] Octets octets() const noexcept { return known_.octets(); }

  [[nodiscard]] bool empty() const noexcept { return known_.empty(); }
  [[nodiscard]] bool has_blanks() const noexcept { return !places_.empty(); }
  [[nodiscard]] bool has(Blank blank) const noexcept;

  /// The value of `sub_option` with its blanks left empty; borrows from the form.
  [[nodiscard]] std::optional<Octets> find(SubOption sub_option) const noexcept {
    return find_sub_option(known_.octets(), sub_option);
  }
  /// Whether the value of `sub_option` has blanks.
  [[nodiscard]] bool has_blanks(SubOption sub_option) const noexcept;

  /// The ends of the value of `sub_option`; nothing where it has no blanks.
  [[nodiscard]] std::optional<ValueEnds> ends(SubOption sub_option) const noexcept;

  /// The sub-options for one message: the form's own octets where there are no blanks, else filled in into `storage`.
  [[nodiscard]] Octets filled(const ClientFacts& facts,
                              std::span<std::uint8_t, max_option_value_size> storage) const noexcept;

  /// Whether `content`, the value of an option 82 or a part of it, is this form filled in for the client of `facts`,
  /// with one port in all its blanks, the flags of sub-option 10 and the absence of sub-option 152 left aside: a server
  /// that honours sub-option 151 takes 152 out (RFC 6607 section 4).
  [[nodiscard]] bool matches(Octets content, const EchoFacts& facts) const noexcept;

  /// Whether `value` is our circuit-id, filled in likewise. False where the form has none.
  [[nodiscard]] bool matches_circuit_id(Octets value, const EchoFacts& facts) const noexcept;

 private:
  /// A place in the known octets at which a blank is filled in.
  struct Place {
    Blank blank;
    std::size_t sub_option;  // offset of its code octet
    std::size_t offset;      // of the octet before which it goes
  };

  /// Texts that the blanks of one request can have been filled in with.
  struct Filling {
    std::string_view hardware_address;
    std::string_view port;
  };

  template <typename Fits>
  [[nodiscard]] static bool any_filling(bool has_port, const EchoFacts& facts, Fits&& fits) noexcept;
  [[nodiscard]] bool value_matches(std::size_t sub_option, Octets value, const Filling& filling) const noexcept;
  [[nodiscard]] bool content_matches(Octets content, const Filling& filling) const noexcept;

  std::vector<Place> places_;
  std::size_t most_octets_ = 0;  // once it is filled in
  AgentInformation known_;       // with its blanks empty
};

}  // namespace options82
