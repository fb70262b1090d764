// The reference: the relay's decisions once more, slowly and as the RFCs put them, with copies and without any code of
// the relay. Linked into tests alone, which compare it with the relay; it knows neither GoogleTest nor a fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "tests/support/reference_message.h"

namespace reference {

/// What a request fills in.
enum class Blank : std::uint8_t { client_hardware_address, client_port, relay_flags };

/// A sub-option of ours: octets and blanks in order.
struct OwnSubOption {
  std::uint8_t code = 0;
  std::vector<std::variant<Bytes, Blank>> pieces;
};

/// Our option 82 of one interface, as the operator wants it.
struct OwnInformation {
  std::vector<OwnSubOption> own;      ///< where giaddr is ours
  std::vector<OwnSubOption> relayed;  ///< where it is another relay agent's
};

/// What fills the blanks of one request in.
struct Facts {
  Bytes hardware_address;  ///< hlen octets of chaddr
  std::string port;        ///< the bridge port on which the client was learnt; else the interface's name
  bool is_unicast = false;
};

[[nodiscard]] Bytes filled_in(const std::vector<OwnSubOption>& information, const Facts& facts);

/// What both directions are decided on. Only the plain fields of `interfaces` are read; their option 82 is
/// `information`, by index.
struct Scene {
  const relay::Policy& policy;
  const relay::InterfaceTable& interfaces;
  const std::map<std::uint32_t, OwnInformation>& information;
};

struct Expected {
  std::string decision;  ///< in one line, as `test_support::described` has it
  Bytes message;         ///< afterwards
  bool from_relay_port = false;
};

/// What is to become of a request in a buffer of `capacity` octets.
[[nodiscard]] Expected expected_request(const Scene& scene, const relay::Ingress& ingress, const Bytes& message,
                                        std::size_t capacity);

/// The same of a reply. `transaction` is the interface that its xid and chaddr were last seen on, if it is known.
[[nodiscard]] Expected expected_reply(const Scene& scene, std::optional<std::uint32_t> transaction,
                                      const relay::Ingress& ingress, const Bytes& message, std::size_t capacity);

}  // namespace reference
