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

[[nodiscard]] bool is_secondary(const Ipv4Prefix& address, const std::vector<Ipv4Prefix>& earlier) {
  return std::ranges::any_of(earlier, [&address](const Ipv4Prefix& each) {
    return each.length == address.length && each.network() == address.network();
  });
}

}  // namespace

Replay::Replay(const Ports& ports, const Policy& policy, const InterfaceSettings& settings,
               const std::vector<GivenInterface>& given, Listener listener)
    : ports_(ports),
      policy_(policy),
      listener_(std::move(listener)),
      view_(table_, settings, {}),
      relay_(table_, seed),
      finder_(ports),
      storage_(frame_headers_size + max_udp_payload + room_for_options) {
  relay_.apply(policy);
  for (const GivenInterface& each : given) {
    Known& known = enter(each.name, each.mac);
    known.is_given = true;
    apply_addresses(known, each.addresses);
  }
  choose_arrivals();
}

void Replay::follow(const std::vector<capture::CapturedInterface>& interfaces) {
  if (captured_.size() == interfaces.size()) {
    return;
  }
  for (std::size_t number = captured_.size(); number < interfaces.size(); ++number) {
    const capture::CapturedInterface& facts = interfaces[number];
    if (facts.name.empty() || facts.name == every_interface) {
      captured_.emplace_back();
      continue;
    }
    Known& known = enter(facts.name, facts.mac.value_or(MacAddress{}));
    if (!known.is_given && !facts.addresses.empty()) {
      apply_addresses(known, facts.addresses);
    }
    captured_.emplace_back(known.index);
  }
  choose_arrivals();
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
  if (found->awaits_rest) {
    if (listener_.fragment) {
      listener_.fragment(packet);
    }
    return;
  }
  const Interface* const named = find(packet.interface);
  const Interface* const interface = named != nullptr ? named : arrival(capture::is_reply(found->datagram, ports_));
  ReplayedMessage message{.frame = frame,
                          .time = packet.time,
                          .octets = found->datagram.payload,
                          .size = found->datagram.payload_size,
                          .interface = named != nullptr ? std::string_view{named->name} : std::string_view{},
                          .source = found->ip.source,
                          .destination = found->ip.destination,
                          .destination_port = found->datagram.destination_port,
                          .vlan_id = found->ip.vlan_id.value_or(0)};
  message.not_run =
      capture::why_not_run({packet, found->ip, found->datagram, interface, named != nullptr}, ports_, table_);
  if (message.not_run) {
    listener_.message(packet, message);
  } else {
    decide(packet, *found, *interface, message);
  }
}

void Replay::finish() {
  tell_unfinished(finder_.take_unfinished());
}

const Interface* Replay::find(std::size_t captured) const noexcept {
  return captured_[captured] ? table_.find(*captured_[captured]) : nullptr;
}

Replay::Known& Replay::enter(const std::string& name, const MacAddress& mac) {
  const auto [entry, is_new] = known_.try_emplace(name);
  Known& known = entry->second;
  if (is_new) {
    known.index = static_cast<std::uint32_t>(known_.size());
    LinkState link;
    link.index = known.index;
    link.name = name;
    link.mac = mac;
    link.is_ethernet = true;
    link.is_up = true;
    link.has_carrier = true;
    view_.link_changed(link);
  }
  return known;
}

void Replay::apply_addresses(Known& known, const std::vector<Ipv4Prefix>& addresses) {
  if (known.addresses == addresses) {
    return;
  }
  for (const Ipv4Prefix& old : known.addresses) {
    view_.address_removed(known.index, {old});
  }
  known.addresses.clear();
  for (const Ipv4Prefix& address : addresses) {
    LinkAddress added{address};
    added.is_secondary = is_secondary(address, known.addresses);
    view_.address_added(known.index, added);
    known.addresses.push_back(address);
  }
}

/// Where what has no interface in the capture is taken to have arrived: requests on the first downstream one, replies
/// on the first upstream one, else the first that is not downstream alone; else on the first of all.
void Replay::choose_arrivals() {
  const auto first = [this](auto is_wanted) {
    std::optional<std::uint32_t> least;
    for (const auto& [index, interface] : table_.all()) {
      if (is_wanted(interface) && (!least || index < *least)) {
        least = index;
      }
    }
    return least;
  };
  const auto any = first([](const Interface&) { return true; });
  const auto downstream = first([](const Interface& each) { return each.is_downstream; });
  const auto upstream = first([](const Interface& each) { return each.is_upstream; });
  const auto other = first([](const Interface& each) { return !each.is_downstream; });
  arrival_of_requests_ = downstream ? downstream : any;
  arrival_of_replies_ = upstream ? upstream : other ? other : any;
}

const Interface* Replay::arrival(bool is_reply) const noexcept {
  const auto index = is_reply ? arrival_of_replies_ : arrival_of_requests_;
  return index ? table_.find(*index) : nullptr;
}

void Replay::decide(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
                    ReplayedMessage& message) {
  const auto payload = found.datagram.payload;
  std::ranges::copy(payload, storage_.begin() + frame_headers_size);
  MessageBuffer buffer{storage_, frame_headers_size, payload.size()};
  now_ = std::max(now_, packet.time);
  const Ingress ingress{.interface_index = interface.index,
                        .source = found.ip.source,
                        .source_port = found.datagram.source_port,
                        .destination = found.ip.destination,
                        .arrival = now_};
  const Decision decision =
      capture::is_reply(found.datagram, ports_) ? relay_.reply(ingress, buffer) : relay_.request(ingress, buffer);
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
    capture::for_each_sent_frame(decision, octets, ports_, table_,
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
