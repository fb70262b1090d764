#include "relay/io/replay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "relay/core/dhcpv6.h"
#include "relay/core/frame.h"
#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"

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
  return type != LinkType::raw && type != LinkType::ipv4 && type != LinkType::ipv6 && type != LinkType::null &&
         type != LinkType::loop;
}

/// Those that an interface can have, each once.
template <typename Prefix>
[[nodiscard]] std::vector<Prefix> possible(const std::vector<Prefix>& addresses) {
  std::vector<Prefix> result;
  for (const Prefix& each : addresses) {
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

[[nodiscard]] MessageStage stage_of(const auto& decision) noexcept {
  return std::holds_alternative<Drop>(decision) ? MessageStage::dropped : MessageStage::forwarded;
}

/// Name of the interface where the message would leave; empty where there is none, or not one for all copies.
[[nodiscard]] std::string_view egress_name(const Decision& decision) noexcept {
  const auto* const client = std::get_if<ToClient>(&decision);
  return client != nullptr ? std::string_view{client->egress->name} : std::string_view{};
}

[[nodiscard]] std::string_view egress_name(const Decision6& decision) noexcept {
  const auto* const peer = std::get_if<ToPeer6>(&decision);
  return peer != nullptr && peer->egress != nullptr ? std::string_view{peer->egress->name} : std::string_view{};
}

}  // namespace

Replay::Replay(const Rules& rules, const InterfaceSettings& settings, const std::vector<GivenInterface>& given,
               Listener listener)
    : rules_(rules),
      listener_(std::move(listener)),
      view_(table_, settings, {}),
      relay_(table_, seed),
      finder_(rules.scope),
      giaddr_interface_(settings.giaddr_interface),
      updates_left_(max_updates),
      storage_(max_udp_payload + room_for_options) {
  relay_.apply(rules_.policy);
  rules_.policy6.ports = rules_.scope.ipv6;
  for (const GivenInterface& each : given) {
    Known& known = enter(each.name, each.mac, true);
    known.is_given = true;
    apply(known, {each.mac, true, possible(each.addresses), possible(each.addresses6)});
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
    captured.facts = {facts.mac.value_or(MacAddress{}), has_frames(facts.link_type), possible(facts.addresses),
                      possible(facts.addresses6)};
    captured.known = &enter(facts.name, captured.facts.mac, captured.facts.is_ethernet);
    put_in_force(number);
  }
}

bool Replay::has_role() const noexcept {
  return std::ranges::any_of(
      table_.all(), [](const auto& entry) { return entry.second.is_downstream6() || entry.second.is_upstream6(); });
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
  const Interface& interface = named != nullptr ? *named : *arrival(found->datagram);
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
      {packet, found->ip, found->datagram, interface, named != nullptr, is_to_subnet(found->ip.destination)},
      rules_.scope, table_);
  if (message.not_run) {
    listener_.message(packet, message);
    return;
  }
  advance(packet.time);
  if (found->ip.source.is_ipv6()) {
    decide6(packet, *found, interface, message);
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
      apply(*captured.known, captured.facts);
    }
  }
}

void Replay::apply(Known& known, const Facts& facts) {
  LinkState link = known.link;
  link.mac = facts.mac;
  link.is_ethernet = facts.is_ethernet;
  if (link != known.link) {
    known.link = link;
    view_.link_changed(link);
  }
  apply_addresses6(known, facts.addresses6);
  apply_addresses(known, facts.addresses);
}

/// On none of them does another interface depend.
void Replay::apply_addresses6(Known& known, const std::vector<Ipv6Prefix>& addresses) {
  if (addresses == known.addresses6) {
    return;
  }
  egress_by_server_.clear();
  for (const Ipv6Prefix& old : known.addresses6) {
    view_.address6_removed(known.link.index, old.address);
  }
  for (const Ipv6Prefix& address : addresses) {
    view_.address6_added(known.link.index, {address});
  }
  known.addresses6 = addresses;
}

void Replay::apply_addresses(Known& known, const std::vector<Ipv4Prefix>& addresses) {
  if (addresses == known.addresses || !may_change(known, known.addresses.size() + addresses.size())) {
    return;
  }
  egress_by_server_.clear();
  for (const Ipv4Prefix& old : known.addresses) {
    view_.address_removed(known.link.index, {old});
    count_broadcast(old, -1);
  }
  known.addresses.clear();
  for (const Ipv4Prefix& address : addresses) {
    LinkAddress added{address};
    added.is_secondary = is_secondary(address, known.addresses);
    view_.address_added(known.link.index, added);
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

/// Interfaces come in order of index.
void Replay::Arrivals::add(const Interface& interface, bool is_downstream, bool is_upstream) noexcept {
  const auto keep_first = [&interface](const Interface*& first, bool is_wanted) {
    if (first == nullptr && is_wanted) {
      first = &interface;
    }
  };
  keep_first(first_downstream, is_downstream);
  keep_first(first_upstream, is_upstream);
  keep_first(first_not_downstream, !is_downstream);
}

void Replay::choose_arrivals(const Interface& added) {
  first_ = first_ != nullptr ? first_ : &added;
  arrivals_.add(added, added.is_downstream, added.is_upstream);
  arrivals6_.add(added, added.is_downstream6(), added.is_upstream6());
}

/// Requests are taken to have arrived on the first downstream one, replies on the first upstream one, else the first
/// that is not downstream; else on the first of all.
const Interface* Replay::arrival(const capture::UdpDatagram& datagram) const noexcept {
  const Arrivals& arrivals = datagram.source.is_ipv6() ? arrivals6_ : arrivals_;
  if (!capture::is_reply(datagram, rules_.scope)) {
    return arrivals.first_downstream != nullptr ? arrivals.first_downstream : first_;
  }
  if (arrivals.first_upstream != nullptr) {
    return arrivals.first_upstream;
  }
  return arrivals.first_not_downstream != nullptr ? arrivals.first_not_downstream : first_;
}

const Interface* Replay::egress(const capture::Address& server) {
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
  const Ingress ingress{.interface_index = interface.index,
                        .source = found.ip.source.ipv4(),
                        .source_port = found.datagram.source_port,
                        .destination = found.ip.destination.ipv4(),
                        .arrival = now_};
  const Decision decision =
      capture::is_reply(found.datagram, rules_.scope) ? relay_.reply(ingress, buffer) : relay_.request(ingress, buffer);
  const auto octets = std::as_const(buffer).octets();
  tell<Dhcpv4>(packet, message, {stage_of(decision), ingress, &interface, octets, &decision, message.frame},
               rules_.policy);
  if (!std::holds_alternative<Drop>(decision) && listener_.sent && octets.size() <= max_udp_payload) {
    capture::for_each_sent_frame(
        decision, octets, rules_.scope.ipv4, [this](const capture::Address& server) { return egress(server); },
        [&](const capture::SentFrame& sent) { listener_.sent(packet, message, sent); });
  }
}

void Replay::decide6(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
                     ReplayedMessage& message) {
  const auto payload = found.datagram.payload;
  const std::size_t headroom = relay_forward_headroom(interface.v6);
  storage_.resize(std::max(storage_.size(), headroom + dhcpv6::max_message_size));
  std::ranges::copy(payload, storage_.begin() + static_cast<std::ptrdiff_t>(headroom));
  MessageBuffer buffer{storage_, payload.size(), headroom};
  const Ingress6 ingress{.interface_index = interface.index,
                         .source = found.ip.source.ipv6(),
                         .source_port = found.datagram.source_port,
                         .destination = found.ip.destination.ipv6(),
                         .link_source = found.ip.link_source,
                         .arrival = now_};
  const Decision6 decision = decision6(ingress, capture::is_reply(found.datagram, rules_.scope), buffer);
  const auto* const peer = std::get_if<ToPeer6>(&decision);
  const auto octets = peer != nullptr ? peer->message : std::as_const(buffer).octets();
  tell<Dhcpv6>(packet, message, {stage_of(decision), ingress, &interface, octets, &decision, message.frame},
               rules_.policy6);
  if (!std::holds_alternative<Drop>(decision) && listener_.sent) {
    capture::for_each_sent_frame(
        decision, octets, rules_.scope.ipv6, table_, [this](const capture::Address& server) { return egress(server); },
        [&](const capture::SentFrame& sent) { listener_.sent(packet, message, sent); });
  }
}

Decision6 Replay::decision6(const Ingress6& ingress, bool is_reply, MessageBuffer& message) {
  if (is_reply) {
    return relay_reply6(rules_.policy6, table_, ingress, std::as_const(message).octets());
  }
  if (const auto refusal = Relay::refusal(table_.find(ingress.interface_index), ingress.arrival, Family::ipv6)) {
    return Drop{*refusal};
  }
  return relay_request6(rules_.policy6, table_, ingress, message);
}

/// `event` has the message as it leaves, or as it came where it is dropped.
template <typename Protocol>
void Replay::tell(const capture::Packet& packet, ReplayedMessage& message, const MessageEventOf<Protocol>& event,
                  const typename Protocol::Policy& policy) {
  capture::write_verdict(verdict_, event, policy);
  message.interface = event.interface->name;
  message.verdict = &verdict_;
  message.egress = egress_name(*event.decision);
  listener_.message(packet, message);
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
