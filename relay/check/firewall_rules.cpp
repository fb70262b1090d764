#include "relay/check/firewall_rules.h"

#include <algorithm>
#include <variant>

namespace relay::check {

namespace {

/// As deep as the kernel lets chains call one another (NFT_JUMP_STACK_SIZE).
constexpr int most_jumps = 16;
constexpr std::uint64_t udp = 17;

enum class Match : std::uint8_t { no, unknown, yes };

/// A field of the message in the form of `FieldValue`.
struct Told {
  std::string_view text{};
  std::uint64_t number = 0;
  const Ipv6Address* address = nullptr;
};

[[nodiscard]] Told told(const IpAddress& address) {
  if (const auto* const ipv6 = std::get_if<Ipv6Address>(&address)) {
    return {.address = ipv6};
  }
  return {.number = std::get<Ipv4Address>(address).host_order()};
}

/// Where the message goes, `one` being the word for one host.
[[nodiscard]] std::string_view reach_of(const MessageOnWay& message, std::string_view one) {
  const auto* const ipv6 = std::get_if<Ipv6Address>(&message.destination);
  if (ipv6 != nullptr && ipv6->is_multicast()) {
    return "multicast";
  }
  return message.is_broadcast ? "broadcast" : one;
}

[[nodiscard]] Told told(const MessageOnWay& message, PacketField field) {
  switch (field) {
    case PacketField::unknown:
      return {};
    case PacketField::ingress:
      return {.text = message.ingress};
    case PacketField::egress:
      return {.text = message.egress};
    case PacketField::source:
      return told(message.source);
    case PacketField::destination:
      return told(message.destination);
    case PacketField::source_port:
      return {.number = message.source_port};
    case PacketField::destination_port:
      return {.number = message.destination_port};
    case PacketField::network_protocol:
      return {.text = family_of(message.destination) == Family::ipv4 ? "ipv4" : "ipv6"};
    case PacketField::transport_protocol:
      return {.text = "udp", .number = udp};
    case PacketField::connection:
      return {.text = message.is_answer ? "established" : "new"};
    case PacketField::packet_type:
      return {.text = reach_of(message, "host")};
    case PacketField::destination_type:
      return {.text = reach_of(message, "local")};
  }
  return {};
}

[[nodiscard]] bool equals(const FieldValue& value, const Told& field) {
  if (value.addresses || field.address != nullptr) {
    return value.addresses && field.address != nullptr && value.addresses->first <= *field.address &&
           *field.address <= value.addresses->last;
  }
  if (value.text.empty()) {
    return value.first <= field.number && field.number <= value.last;
  }
  const std::string_view text = value.text;
  return text.ends_with('*') ? field.text.starts_with(text.substr(0, text.size() - 1)) : field.text == text;
}

[[nodiscard]] Match match(const Condition& condition, const MessageOnWay& message) {
  if (condition.field == PacketField::unknown) {
    return Match::unknown;
  }
  const Told field = told(message, condition.field);
  const bool is_one =
      std::ranges::any_of(condition.values, [&field](const FieldValue& value) { return equals(value, field); });
  return is_one != condition.is_negated ? Match::yes : Match::no;
}

[[nodiscard]] Match match(const Rule& rule, const MessageOnWay& message) {
  Match result = Match::yes;
  for (const Condition& condition : rule.conditions) {
    result = std::min(result, match(condition, message));
  }
  return result;
}

[[nodiscard]] bool sees(const Chain& chain, const MessageOnWay& message) {
  return chain.family != (family_of(message.destination) == Family::ipv4 ? "ip6" : "ip");
}

/// One message in the chains of one hook.
class Walk {
 public:
  Walk(const Ruleset& ruleset, const MessageOnWay& message) : ruleset_(ruleset), message_(message) {}

  [[nodiscard]] FirewallAnswer through(const Chain& base) {
    doubt_ = {};
    may_be_accepted_ = false;
    const Step end = walk(base, 0);
    const bool is_dropped = end.kind == StepKind::dropped || (end.kind == StepKind::through && base.drops_by_policy);
    if (!is_dropped) {
      return doubt_;
    }
    FirewallAnswer answer =
        end.kind == StepKind::dropped ? end.where : FirewallAnswer{Passage::is_dropped, &base, nullptr};
    answer.passage = may_be_accepted_ ? Passage::may_be_dropped : Passage::is_dropped;
    return answer;
  }

 private:
  enum class StepKind : std::uint8_t { through, accepted, dropped };
  struct Step {
    StepKind kind = StepKind::through;
    FirewallAnswer where{};
  };

  [[nodiscard]] const Chain* find(const Chain& from, const std::string& name) const {
    const auto chain = std::ranges::find_if(ruleset_, [&](const Chain& each) {
      return each.family == from.family && each.table == from.table && each.name == name;
    });
    return chain == ruleset_.end() ? nullptr : &*chain;
  }

  [[nodiscard]] Step walk(const Chain& chain, int depth) {
    for (const Rule& rule : chain.rules) {
      const Match matched = match(rule, message_);
      if (matched == Match::no || rule.verdict == RuleVerdict::none) {
        continue;
      }
      const Step step = taken(chain, rule, depth);
      const bool leaves_chain = rule.verdict == RuleVerdict::go_to || rule.verdict == RuleVerdict::go_back;
      if (matched == Match::unknown) {
        note_doubt(step, leaves_chain);
      } else if (step.kind != StepKind::through || leaves_chain) {
        return step;
      }
    }
    return {};
  }

  /// What the rule's verdict leads to.
  [[nodiscard]] Step taken(const Chain& chain, const Rule& rule, int depth) {
    switch (rule.verdict) {
      case RuleVerdict::accept:
        return {.kind = StepKind::accepted, .where = {}};
      case RuleVerdict::drop:
        return {.kind = StepKind::dropped, .where = {.passage = Passage::is_dropped, .chain = &chain, .rule = &rule}};
      case RuleVerdict::jump:
      case RuleVerdict::go_to:
        if (const Chain* const target = find(chain, rule.target); target != nullptr && depth < most_jumps) {
          return walk(*target, depth + 1);
        }
        return {};
      case RuleVerdict::none:
      case RuleVerdict::go_back:
        return {};
    }
    return {};
  }

  /// The rule may apply or not.
  void note_doubt(const Step& step, bool leaves_chain) {
    if (step.kind == StepKind::accepted || (step.kind == StepKind::through && leaves_chain)) {
      may_be_accepted_ = true;
    } else if (step.kind == StepKind::dropped && doubt_.passage == Passage::passes) {
      doubt_ = step.where;
      doubt_.passage = Passage::may_be_dropped;
    }
  }

  const Ruleset& ruleset_;
  const MessageOnWay& message_;
  FirewallAnswer doubt_;
  bool may_be_accepted_ = false;
};

}  // namespace

FirewallAnswer ask_firewall(const Ruleset& ruleset, std::string_view hook, const MessageOnWay& message) {
  std::vector<const Chain*> bases;
  for (const Chain& chain : ruleset) {
    if (chain.hook == hook && sees(chain, message)) {
      bases.push_back(&chain);
    }
  }
  std::ranges::stable_sort(bases, {}, [](const Chain* chain) { return chain->priority; });
  Walk walk{ruleset, message};
  FirewallAnswer doubt;
  for (const Chain* const base : bases) {
    const FirewallAnswer answer = walk.through(*base);
    if (answer.passage == Passage::is_dropped) {
      return answer;
    }
    if (answer.passage == Passage::may_be_dropped && doubt.passage == Passage::passes) {
      doubt = answer;
    }
  }
  return doubt;
}

}  // namespace relay::check
