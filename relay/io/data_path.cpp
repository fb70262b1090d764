#include "relay/io/data_path.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "relay/core/liveness.h"
#include "relay/io/seed.h"

namespace relay::io {

namespace {

constexpr std::size_t max_early = 65536;  // more than a receive buffer holds

/// Whether a message that was dropped for `reason` came from a server all the same, and the way that they come.
[[nodiscard]] bool is_answer(DropReason reason) noexcept {
  // The rule of options_malformed, of which requests have one too, comes after that of server_unknown.
  return reason == DropReason::options_malformed ||
         (reason > DropReason::server_unknown && reason <= DropReason::interface_down);
}

}  // namespace

DataPath::DataPath(const Sockets& sockets, const Ports& ports, InterfaceTable& table, LinkNews news, Listener listener)
    : MessagePath(sockets, ports, table, std::move(listener)),
      news_(std::move(news)),
      relay_(table, unpredictable_number(),
             [this](const Interface& interface, const MacAddress& client) {
               return bridge_ports_.port_of(interface.bridge_index, interface.bridge_vlan_id, client);
             }),
      datagrams_(batch_size),
      frames_(batch_size) {}

void DataPath::apply(const Policy& policy) {
  relay_.apply(policy);
  forget_limits();
}

void DataPath::add_figures(Figures& figures) const {
  MessagePath::add_figures(figures);
  figures.transactions = relay_.transactions();
}

/// Both sockets get what is sent to all hosts.
bool DataPath::is_for_all(Ipv4Address destination) const {
  return destination == limited_broadcast || !table_.is_local(destination);
}

void DataPath::requests_taken(std::size_t count) noexcept {
  early_left_ = count == batch_size ? early_left_ - std::min(early_left_, count) : 0;
}

Waiting DataPath::wait(const Message&, std::span<const std::uint8_t>) const noexcept {
  return {early_left_ != 0 ? epoch_ - 1 : epoch_, 0};
}

/// A reply that loses option 82 becomes no shorter than `min_message_size`. Of merged ones each has the next behind it,
/// so that a short one goes elsewhere; there it stays until it is sent, which is before as many more came.
MessageBuffer DataPath::with_room(std::span<std::uint8_t> octets, const Received& received) noexcept {
  const auto offset = static_cast<std::size_t>(octets.data() - received.room.data());
  if (offset + octets.size() == received.octets.size()) {
    return {received.room.subspan(offset), octets.size()};
  }
  if (octets.size() >= options82::min_message_size) {
    return {octets, octets.size()};
  }
  auto& room = short_replies_[next_short_reply_++ % short_replies_.size()];
  std::copy(octets.begin(), octets.end(), room.begin());
  return {room, octets.size()};
}

/// Where a giaddr moves between routers, a request is for the one that had it when the request came. News that wait are
/// read after the requests were received, so none of these is decided by an address that had gone before it came.
void DataPath::read_news(bool more_requests) {
  if (news_.is_waiting()) {
    if (early_left_ == 0 && early_waiting_ == 0) {
      passive_before_.clear();
    }
    const std::size_t known = passive_before_.size();
    const auto passive = table_.passive();
    passive_before_.insert(passive_before_.end(), passive.begin(), passive.end());
    std::inplace_merge(passive_before_.begin(), passive_before_.begin() + static_cast<std::ptrdiff_t>(known),
                       passive_before_.end());
    passive_before_.erase(std::unique(passive_before_.begin(), passive_before_.end()), passive_before_.end());
    news_.read();
    ++epoch_;
    early_left_ = more_requests ? max_early : 0;
    early_waiting_ = requests_waiting_.size();
  }
  is_behind_ = news_.is_behind();
  asked_for_.reset();
}

/// Whether the request may be the other router's, where the giaddr moves: what was received by now may have come before
/// the giaddr did, and while the table is behind, after the giaddr had gone.
std::optional<DropReason> DataPath::not_ours(const QueuedRequest& request, const Interface* ingress) {
  if (ingress == nullptr || !ingress->giaddr_is_given) {
    return std::nullopt;
  }
  const bool came_too_early = request.epoch != epoch_ && std::ranges::binary_search(passive_before_, ingress->index);
  if (came_too_early || (is_behind_ && has_lost(*ingress->giaddr))) {
    return DropReason::interface_passive;
  }
  return std::nullopt;
}

bool DataPath::has_lost(Ipv4Address giaddr) {
  if (std::exchange(asked_for_, giaddr) != giaddr) {
    holds_asked_ = news_.holds_now(giaddr);
  }
  return !holds_asked_;
}

void DataPath::settle_request(Message& message, QueuedRequest& request) {
  const auto octets = [&request] { return std::as_const(request.buffer).octets(); };
  begin(message, octets());
  const auto refusal = not_ours(request, message.interface);
  const Decision decision =
      refusal ? Decision{Drop{*refusal}} : relay_.admitted_request(message.ingress, request.buffer);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, octets(), dropped->reason);
    return;
  }
  tell_forwarded(message, octets(), decision);
  to_servers(message, octets(), std::get<ToServers>(decision));
}

void DataPath::settle_reply(Message& message, std::span<std::uint8_t> octets, const Received& received) {
  MessageBuffer buffer = with_room(octets, received);
  const auto edited = [&buffer] { return std::as_const(buffer).octets(); };
  begin(message, edited());
  const Decision decision = relay_.reply(message.ingress, buffer);
  note_answer(message, edited(), decision);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, edited(), dropped->reason);
    return;
  }
  tell_forwarded(message, edited(), decision);
  to_client(message, edited(), std::get<ToClient>(decision));
}

void DataPath::to_servers(const Message& message, std::span<const std::uint8_t> octets, const ToServers& decision) {
  if (decision.agent_information == AgentInformationOutcome::did_not_fit) {
    counters(message.interface).option82_omitted.add();
  }
  response_times_.asked(octets.first<bootp::header_size>(), message.kind, now_);
  if (expects_answer(message.kind)) {
    expect_answer(message);
  }
  for (const Ipv4Address server : decision.servers) {
    to_server(message, octets, server, decision.source, decision.from_relay_port, 0);
  }
}

/// Whoever may not reply has no say in what is known of a server whose address it shows.
void DataPath::note_answer(const Message& message, std::span<const std::uint8_t> octets, const Decision& decision) {
  const auto* dropped = std::get_if<Drop>(&decision);
  if (dropped == nullptr || is_answer(dropped->reason)) {
    const auto header = octets.first<bootp::header_size>();
    servers_.answered(message.ingress.source, response_times_.since_asked(header, message.kind, now_), now_);
  }
}

void DataPath::to_client(const Message& message, std::span<const std::uint8_t> octets, const ToClient& decision) {
  const Sending sending{table_.find(decision.egress->index), 0, decision.destination, serial_, message.kind};
  if (decision.delivery == Delivery::routed || !decision.egress->is_ethernet) {
    // An ordinary datagram: the client answers ARP, or the link has no frames that we could write.
    if (datagrams_.is_full()) {
      send_replies();
    }
    datagrams_.add(sending, octets, decision.source, ports_.client(), decision.egress->index);
    return;
  }
  FrameAddresses addresses{decision.egress->mac, decision.link_destination,
                           decision.source,      decision.destination,
                           ports_.server,        ports_.client()};
  if (ipv4_header_size + udp_header_size + octets.size() > decision.egress->mtu) {
    addresses.identification = ++identification_;
    reply_sent(sending, send_fragments(sockets_.frames.number(), *decision.egress, addresses, octets));
    return;
  }
  if (frames_.is_full()) {
    send_replies();
  }
  frames_.add(sending, addresses, octets);
}

void DataPath::send_replies() {
  const auto count = [this](const Sending& sending, int error) { reply_sent(sending, error); };
  frames_.send(sockets_.frames.number(), count);
  datagrams_.send(sockets_.requests.number(), count);
}

}  // namespace relay::io
