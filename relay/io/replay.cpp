#include "relay/io/replay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "relay/core/events.h"
#include "relay/core/frame.h"

namespace relay::io {

namespace {

using capture::ReplayedMessage;

constexpr std::uint64_t seed = 0;  // the same input gives the same output
constexpr std::size_t room_for_options = 512;

/// libpcap's name for all interfaces together, which is none.
constexpr std::string_view every_interface = "any";

/// How often interfaces may be brought up to date because that of `-U` changed.
constexpr std::size_t max_updates = 262'144;

constexpr auto usual_disorder = std::chrono::seconds{10};  // of packets in a capture
constexpr auto longest_pause = std::chrono::hours{24};     // longer than anything that the relay remembers

/// Packets have link-layer addresses, and so would what is sent there.
[[nodiscard]] bool has_frames(capture::LinkType type) noexcept {
  using capture::LinkType;
  return type != LinkType::raw && type != LinkType::ipv4 && type != LinkType::null && type != LinkType::loop;
}

/// Those that an interface can have, each once.
[[nodiscard]] std::vector<Ipv4Prefix> possible(const std::vector<Ipv4Prefix>& addresses) {
  std::vector<Ipv4Prefix> result;
  for (const Ipv4Prefix& each : addresses) {
    if (each.address.is_host() && std::ranges::find(result, each) == result.end()) {
      result.push_back(each);
    }
  }
  return result;
}

[[nodiscard]] bool is_secondary(const Ipv4Prefix& address, const std::vector<Ipv4Prefix>& earlier) {
  return std::ranges::any_of(earlier, [&address](const Ipv4Prefix& each) {
    return each.length == address.length && each.network() == address.network();
  });
}

}  // namespace

Replay::Replay(const capture::Scope& scope, const Policy& policy, const InterfaceSettings& settings,
               const std::vector<GivenInterface>& given, Listener listener)
    : scope_(scope),
      policy_(policy),
      listener_(std::move(listener)),
      view_(table_, settings, {}),
      relay_(table_, seed),
      finder_(scope),
      giaddr_interface_(settings.giaddr_interface),
      updates_left_(max_updates),
      storage_(max_udp_payload + room_for_options) {
  relay_.apply(policy);
  for (const GivenInterface& each : given) {
    Known& known = enter(each.name, each.mac, true);
    known.is_given = true;
    apply(known, each.mac, true, possible(each.addresses));
  }
}

void Replay::follow(const std::vector<capture::CapturedInterface>& interfaces) {
  for (std::size_t number = captured_.size(); number < interfaces.size(); ++number) {
    const capture::CapturedInterface& facts = interfaces[number];
    if (facts.name.empty() || facts.name == every_interface) {
      captured_.emplace_back();
      continue;
    }
    Captured& captured = captured_.emplace_back();
    captured.mac = facts.mac.value_or(MacAddress{});
    captured.is_ethernet = has_frames(facts.link_type);
    captured.addresses = possible(facts.addresses);
    captured.known = &enter(facts.name, captured.mac, captured.is_ethernet);
    put_in_force(number);
  }
}

bool Replay::has_role() const noexcept {
  return std::ranges::any_of(table_.all(),
                             [](const auto& entry) { return entry.second.is_downstream || entry.second.is_upstream; });
}

void Replay::run(const capture::Packet& packet, std::uint64_t frame) {
  const auto found = finder_.find(packet, frame);
  tell_unfinished(finder_.take_given_up());
  if (!found) {
    return;
  }
  if (!std::exchange(has_begun_, true) && listener_.beginning) {
    listener_.beginning();
  }
  if (found->awaits_rest) {
    if (listener_.fragment) {
      listener_.fragment(packet);
    }
    return;
  }
  put_in_force(packet.interface);
  const Interface* const named = find(packet.interface);
  const Interface& interface = named != nullptr ? *named : *arrival(capture::is_reply(found->datagram, scope_));
  ReplayedMessage message{.frame = frame,
                          .time = packet.time,
                          .octets = found->datagram.payload,
                          .size = found->datagram.payload_size,
                          .interface = named != nullptr ? std::string_view{named->name} : std::string_view{},
                          .source = found->ip.source,
                          .destination = found->ip.destination,
                          .destination_port = found->datagram.destination_port,
                          .vlan_id = found->ip.vlan_id.value_or(0)};
  message.not_run = capture::why_not_run(
      {packet, found->ip, found->datagram, interface, named != nullptr, is_to_subnet(found->ip.destination)}, scope_,
      table_);
  if (message.not_run) {
    listener_.message(packet, message);
  } else {
    decide(packet, *found, interface, message);
  }
}

void Replay::finish() {
  tell_unfinished(finder_.take_unfinished());
}

const Interface* Replay::find(std::size_t captured) const noexcept {
  const Known* const known = captured_[captured].known;
  return known != nullptr ? table_.find(known->link.index) : nullptr;
}

std::vector<const Interface*> Replay::interfaces() const {
  std::vector<const Interface*> result;
  for (const Known* const known : in_order_) {
    result.push_back(table_.find(known->link.index));
  }
  return result;
}

std::optional<std::size_t> Replay::captured(const Interface& interface) const noexcept {
  return in_order_[interface.index - 1]->captured;
}

Replay::Known& Replay::enter(const std::string& name, const MacAddress& mac, bool is_ethernet) {
  const auto [entry, is_new] = known_.try_emplace(name);
  Known& known = entry->second;
  if (is_new) {
    known.link.index = static_cast<std::uint32_t>(known_.size());
    known.link.name = name;
    known.link.mac = mac;
    known.link.is_ethernet = is_ethernet;
    known.link.is_up = true;
    known.link.has_carrier = true;
    in_order_.push_back(&known);
    view_.link_changed(known.link);
    choose_arrivals(*table_.find(known.link.index));
    egress_by_server_.clear();
  }
  return known;
}

/// The relay's interface of this name is now the capture's one of this number.
void Replay::put_in_force(std::size_t number) {
  const Captured& captured = captured_[number];
  if (captured.known != nullptr && captured.known->captured != number) {
    captured.known->captured = number;
    if (!captured.known->is_given) {
      apply(*captured.known, captured.mac, captured.is_ethernet, captured.addresses);
    }
  }
}

void Replay::apply(Known& known, const MacAddress& mac, bool is_ethernet, const std::vector<Ipv4Prefix>& addresses) {
  LinkState link = known.link;
  link.mac = mac;
  link.is_ethernet = is_ethernet;
  if (link != known.link) {
    known.link = link;
    view_.link_changed(link);
  }
  if (addresses == known.addresses || !may_change(known, known.addresses.size() + addresses.size())) {
    return;
  }
  egress_by_server_.clear();
  for (const Ipv4Prefix& old : known.addresses) {
    view_.address_removed(link.index, {old});
    count_broadcast(old, -1);
  }
  known.addresses.clear();
  for (const Ipv4Prefix& address : addresses) {
    LinkAddress added{address};
    added.is_secondary = is_secondary(address, known.addresses);
    view_.address_added(link.index, added);
    count_broadcast(address, 1);
    known.addresses.push_back(address);
  }
}

/// The addresses of the interface of `-U` may be those of all.
bool Replay::may_change(const Known& known, std::size_t steps) noexcept {
  if (known.link.name != giaddr_interface_) {
    return true;
  }
  const std::size_t updates = steps * known_.size();
  if (updates > updates_left_) {
    has_passed_over_changes_ = true;
    return false;
  }
  updates_left_ -= updates;
  return true;
}

void Replay::count_broadcast(const Ipv4Prefix& address, int change) {
  const auto broadcast = Ipv4Address::from_host_order(address.address.host_order() | ~address.mask());
  if (address.is_broadcast(broadcast) && (broadcasts_[broadcast] += change) == 0) {
    broadcasts_.erase(broadcast);
  }
}

bool Replay::is_to_subnet(const capture::Address& destination) const noexcept {
  return !destination.is_ipv6() && broadcasts_.contains(destination.ipv4());
}

/// Requests are taken to have arrived on the first downstream one, replies on the first upstream one, else the first
/// that is not downstream; else on the first of all. Interfaces come in order of index.
void Replay::choose_arrivals(const Interface& added) {
  const auto keep_first = [&added](const Interface*& first, bool is_wanted) {
    if (first == nullptr && is_wanted) {
      first = &added;
    }
  };
  keep_first(first_, true);
  keep_first(first_downstream_, added.is_downstream);
  keep_first(first_upstream_, added.is_upstream);
  keep_first(first_not_downstream_, !added.is_downstream);
}

const Interface* Replay::arrival(bool is_reply) const noexcept {
  if (!is_reply) {
    return first_downstream_ != nullptr ? first_downstream_ : first_;
  }
  if (first_upstream_ != nullptr) {
    return first_upstream_;
  }
  return first_not_downstream_ != nullptr ? first_not_downstream_ : first_;
}

const Interface* Replay::egress(Ipv4Address server) {
  const auto [entry, is_new] = egress_by_server_.try_emplace(server);
  if (is_new) {
    entry->second = capture::egress_towards(server, table_);
  }
  return entry->second;
}

/// Brings the relay's clock forward with the capture's. Where that goes back by more than packets get out of order, it
/// was set, or one packet had a wrong time: from there the relay's goes on.
void Replay::advance(std::chrono::nanoseconds time) noexcept {
  using std::chrono::nanoseconds;
  constexpr nanoseconds most = nanoseconds::max();
  const nanoseconds latest = latest_.value_or(time);
  if (time > latest) {
    const nanoseconds earliest = time < nanoseconds::min() + longest_pause ? nanoseconds::min() : time - longest_pause;
    now_ += std::min(most - now_, time - std::max(latest, earliest));
  }
  const bool is_set_back =
      time < latest && (time < nanoseconds::min() + usual_disorder || time < latest - usual_disorder);
  if (!latest_ || time > latest || is_set_back) {
    latest_ = time;
  }
}

void Replay::decide(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
                    ReplayedMessage& message) {
  const auto payload = found.datagram.payload;
  std::ranges::copy(payload, storage_.begin());
  MessageBuffer buffer{storage_, payload.size()};
  advance(packet.time);
  const Ingress ingress{.interface_index = interface.index,
                        .source = found.ip.source.ipv4(),
                        .source_port = found.datagram.source_port,
                        .destination = found.ip.destination.ipv4(),
                        .arrival = now_};
  const Decision decision =
      capture::is_reply(found.datagram, scope_) ? relay_.reply(ingress, buffer) : relay_.request(ingress, buffer);
  const bool is_dropped = std::holds_alternative<Drop>(decision);
  const auto octets = std::as_const(buffer).octets();
  capture::write_verdict(verdict_,
                         {is_dropped ? MessageStage::dropped : MessageStage::forwarded, ingress, &interface, octets,
                          &decision, message.frame},
                         policy_);
  message.interface = interface.name;
  message.verdict = &verdict_;
  if (const auto* const client = std::get_if<ToClient>(&decision)) {
    message.egress = client->egress->name;
  }
  listener_.message(packet, message);
  if (!is_dropped && listener_.sent && octets.size() <= max_udp_payload) {
    capture::for_each_sent_frame(
        decision, octets, scope_.ipv4, [this](Ipv4Address server) { return egress(server); },
        [&](const capture::SentFrame& sent) { listener_.sent(packet, message, sent); });
  }
}

void Replay::tell_unfinished(const std::vector<capture::UnfinishedMessage>& messages) const {
  for (const capture::UnfinishedMessage& each : messages) {
    const Interface* const named = find(each.interface);
    listener_.unfinished({.frame = each.frame,
                          .time = each.time,
                          .octets = each.payload,
                          .size = each.payload.size(),
                          .interface = named != nullptr ? std::string_view{named->name} : std::string_view{},
                          .source = each.ip.source,
                          .destination = each.ip.destination,
                          .destination_port = each.destination_port,
                          .vlan_id = each.ip.vlan_id.value_or(0),
                          .not_run = capture::NotRun::fragment});
  }
}

}  // namespace relay::io
