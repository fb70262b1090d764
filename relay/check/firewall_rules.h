// The rules of the firewall as far as DHCP messages meet them, and what becomes of one message there. A condition that
// cannot be judged is carried along, and makes the answer a doubtful one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/core/address.h"

namespace relay::check {

/// What a condition looks at.
enum class PacketField : std::uint8_t {
  unknown,  ///< something that is not told of a message here
  ingress,
  egress,
  source,
  destination,
  source_port,
  destination_port,
  network_protocol,    ///< `ipv4`, `ipv6`
  transport_protocol,  ///< `udp`
  connection,          ///< conntrack's state: `new`, `established`
  packet_type,         ///< `broadcast`, `multicast`, `host`
  destination_type,    ///< `broadcast`, `multicast`, `local`
};

struct Ipv6Range {
  Ipv6Address first;
  Ipv6Address last;
};

/// A text, in which `*` at the end stands for any, or the numbers from `first` to `last`, which an IPv4 address is, or
/// IPv6 addresses.
struct FieldValue {
  std::string text{};
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<Ipv6Range> addresses{};
};

struct Condition {
  PacketField field = PacketField::unknown;
  bool is_negated = false;
  std::vector<FieldValue> values{};  ///< any of them
};

enum class RuleVerdict : std::uint8_t { none, accept, drop, jump, go_to, go_back };

struct Rule {
  std::vector<Condition> conditions{};  ///< all of them
  RuleVerdict verdict = RuleVerdict::none;
  std::string target{};  ///< chain of `jump` and `go_to`
  std::uint64_t handle = 0;
};

struct Chain {
  std::string family{};  ///< `ip`, `ip6` or `inet`
  std::string table{};
  std::string name{};
  std::string hook{};  ///< `prerouting`, `input`, `output`, `postrouting`; empty: rules of other chains lead here
  int priority = 0;
  bool drops_by_policy = false;
  std::vector<Rule> rules{};
};

using Ruleset = std::vector<Chain>;

/// One message on its way; both addresses are of one family.
struct MessageOnWay {
  std::string ingress{};  ///< empty where this host sends it
  std::string egress{};
  IpAddress source{};
  IpAddress destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  bool is_broadcast = false;
  bool is_answer = false;  ///< to what this host has sent, so that conntrack knows it
};

enum class Passage : std::uint8_t { passes, may_be_dropped, is_dropped };

struct FirewallAnswer {
  Passage passage = Passage::passes;
  const Chain* chain = nullptr;  ///< where it is, or may be, dropped
  const Rule* rule = nullptr;    ///< null: by the policy of the chain
};

/// What becomes of the message in all chains of `hook` that see its family, which are asked in the order of their
/// priorities.
[[nodiscard]] FirewallAnswer ask_firewall(const Ruleset& ruleset, std::string_view hook, const MessageOnWay& message);

}  // namespace relay::check
