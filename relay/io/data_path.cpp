#include "relay/io/data_path.h"

#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <variant>

#include "relay/core/urgency.h"

namespace relay::io {

namespace {

constexpr std::size_t max_early = 65536;  // more than a receive buffer holds

/// Whether a message that was dropped for `reason` came from a server all the same, and the way that they come.
[[nodiscard]] bool is_answer(DropReason reason) noexcept {
  // The rule of options_malformed, of which requests have one too, comes after that of server_unknown.
  return reason == DropReason::options_malformed ||
         (reason > DropReason::server_unknown && reason <= DropReason::interface_down);
}

[[nodiscard]] std::uint64_t unpredictable_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32U | source();
}

}  // namespace

DataPath::DataPath(const Sockets& sockets, const Ports& ports, InterfaceTable& table, LinkNews news, Listener listener)
    : sockets_(sockets),
      ports_(ports),
      table_(table),
      news_(std::move(news)),
      listener_(std::move(listener)),
      relay_(table, unpredictable_number(),
             [this](const Interface& interface, const MacAddress& client) {
               return bridge_ports_.port_of(interface.bridge_index, interface.bridge_vlan_id, client);
             }),
      response_times_(unpredictable_number()),
      received_(batch_size),
      shedding_(sockets.requests, Family::ipv4),
      requests_from_relay_port_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }),
      requests_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }),
      datagrams_(batch_size),
      frames_(batch_size) {
  tell_messages(listener_.per_message);
  if (const int error = sockets_.requests.is_open() ? segmentation_error(sockets_) : 0; error != 0) {
    requests_.refuse_runs(error);
    requests_from_relay_port_.refuse_runs(0);
  }
}

void DataPath::apply(const Policy& policy) {
  relay_.apply(policy);
  requests_.forget_limits();
  requests_from_relay_port_.forget_limits();
}

void DataPath::apply_servers(const std::vector<Ipv4Address>& servers, bool replies_from_anyone) {
  servers_.set(servers, replies_from_anyone);
}

bool DataPath::judge_servers() {
  return servers_.judge(monotonic_time(), [this](const ServerEvent& event) {
    if (listener_.server_changed) {
      listener_.server_changed(event);
    }
  });
}

Figures DataPath::figures() const {
  Figures figures;
  figures.unattributed = table_.shared_unattributed();
  for (const Servers::Server& server : servers_.all()) {
    figures.servers.push_back({server.address, server.counters});
  }
  figures.queue_length = queue_length_;
  figures.queue_capacity = requests_waiting_.capacity();
  figures.transactions = relay_.transactions();
  return figures;
}

void DataPath::tell_messages(bool per_message) {
  if (per_message && !listener_.per_message) {
    take_merged();
  }
  listener_.per_message = per_message;
  adjust_shedding();
  tell_refused(Offload::merged_receiving, merge_received(sockets_, !per_message));
  form_runs(false);
}

void DataPath::form_runs(bool on) noexcept {
  const bool is_possible = on && !listener_.per_message;
  requests_.form_runs(is_possible);
  requests_from_relay_port_.form_runs(is_possible);
}

void DataPath::tell_refused(Offload offload, int error) const {
  if (error != 0 && listener_.offload_refused) {
    listener_.offload_refused(offload, error);
  }
}

/// What the kernel has merged can be told apart only for as long as it may merge.
void DataPath::take_merged() {
  constexpr int most_turns = 100;  // a flood must not keep us here
  for (int turn = 0; turn < most_turns; ++turn) {
    now_ = monotonic_time();
    taken_ = 0;
    const bool more_replies = take_replies();
    if (!take_requests() && !more_replies) {
      return;
    }
  }
}

Turn DataPath::serve() {
  now_ = monotonic_time();
  taken_ = 0;
  const bool more_replies = take_replies();
  const bool more_requests = take_requests();
  is_busy_ = pacing_.is_busy(taken_, tick_of(now_));
  if (is_busy_ || has_open_question()) {
    count_losses({!more_requests, !more_replies});
  }
  read_news(more_requests);
  decide_requests();
  adjust_shedding();
  queue_length_->set(requests_waiting_.size());
  if (more_replies || more_requests || requests_waiting_.size() != 0) {
    return Turn::more;
  }
  return taken_ != 0 && is_busy_ ? Turn::pause : Turn::idle;
}

/// Until none is left, or enough were taken for this turn; whether there may be more.
bool DataPath::take_replies() {
  while (taken_ < max_replies) {
    const std::size_t count =
        receive(sockets_.replies) + (sockets_.upstream.is_open() ? receive(sockets_.upstream) : 0);
    if (count < received_.capacity()) {
      return false;
    }
  }
  return true;
}

bool DataPath::take_requests() {
  const std::size_t before = taken_;
  while (taken_ - before < max_taken_requests) {
    const std::size_t count = receive(sockets_.requests);
    early_left_ = count == received_.capacity() ? early_left_ - std::min(early_left_, count) : 0;
    if (count < received_.capacity()) {
      return false;
    }
  }
  return true;
}

/// One batch: replies are settled, requests wait for their turn. How many datagrams it had.
std::size_t DataPath::receive(const Descriptor& socket) {
  const std::size_t count = received_.receive(socket.number());
  for (std::size_t position = 0; position < count; ++position) {
    take(received_.received(position), &socket != &sockets_.upstream);
  }
  send_replies();
  return count;
}

/// Each message by its own op: where datagrams were merged, the kernel has chosen a socket by the first one's. What
/// came to the relay port is a reply, or bad.
void DataPath::take(const Received& received, bool may_be_requests) {
  Interface* const interface = table_.find(received.ingress.interface_index);
  const auto is_reply = [](std::span<const std::uint8_t> octets) {
    return !octets.empty() && octets.front() == bootp::op_reply;
  };
  for_each_message(received, [&](std::span<std::uint8_t> octets) {
    ++taken_;
    const bool is_request = may_be_requests && !is_reply(octets);
    if (is_request && !received.is_truncated) {
      queue_request(received.ingress, interface, octets);
      return;
    }
    const Direction direction = is_request ? Direction::request : Direction::reply;
    const MessageKind kind = kind_of(octets);
    count_received(interface, direction, kind);
    Message message{received.ingress, with_room(octets, received), interface, direction, kind};
    settle(message, &Relay::reply, received.is_truncated ? std::optional{DropReason::receive_truncated} : std::nullopt);
  });
  if (!may_be_requests) {
    return;  // a port that one socket has
  }
  if (received.ingress.destination == limited_broadcast || !table_.is_local(received.ingress.destination)) {
    is_reply(received.octets) ? losses_.received_broadcast_reply() : losses_.received_broadcast_request();
  }
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

void DataPath::queue_request(const Ingress& ingress, Interface* interface, std::span<std::uint8_t> octets) {
  const MessageKind kind = kind_of(octets);
  count_received(interface, Direction::request, kind);
  if (const auto refusal = Relay::refusal(interface, now_)) {
    Message message{ingress, {octets, octets.size()}, interface, Direction::request, kind};
    settle(message, &Relay::admitted_request, refusal);
    return;
  }
  const bool is_early = early_left_ != 0;
  const std::uint64_t epoch = is_early ? epoch_ - 1 : epoch_;
  const Urgency urgency = urgency_of(kind);
  shedding_.took(ingress.interface_index, octets);
  bool has_room = requests_waiting_.push(ingress, octets, kind, epoch);
  if (!has_room) {
    if (auto given_up = requests_waiting_.give_up_for(ingress, urgency)) {
      refuse(*given_up);
      requests_waiting_.release();
      has_room = requests_waiting_.push(ingress, octets, kind, epoch);
    }
  }
  if (has_room) {
    early_waiting_ += is_early ? 1 : 0;
    return;
  }
  if (requests_waiting_.is_full()) {
    shedding_.gave_up(ingress.interface_index, octets);
  }
  Message message{ingress, {octets, octets.size()}, interface, Direction::request, kind};
  settle(message, &Relay::admitted_request, DropReason::queue_full);
}

void DataPath::refuse(const QueuedRequest& request) {
  early_waiting_ -= request.epoch != epoch_ ? 1 : 0;
  shedding_.gave_up(request.ingress.interface_index, std::as_const(request.buffer).octets());
  Interface* const interface = table_.find(request.ingress.interface_index);
  Message message{request.ingress, request.buffer, interface, Direction::request, request.kind};
  settle(message, &Relay::admitted_request, DropReason::queue_full);
}

void DataPath::decide_requests() {
  for (std::size_t batch = 0; batch < max_decided_batches && requests_waiting_.size() != 0; ++batch) {
    decide_batch();
  }
}

void DataPath::decide_batch() {
  const std::size_t count = std::min(batch_size, requests_waiting_.size());
  std::ranges::fill(std::span{fates_}.first(count), RequestFate{});
  for (std::size_t number = 0; number < count; ++number) {
    const QueuedRequest request = *requests_waiting_.pop();
    shedding_.served(request.ingress.interface_index, std::as_const(request.buffer).octets());
    Interface* const interface = table_.find(request.ingress.interface_index);
    const auto refusal = not_ours(request, interface);
    early_waiting_ -= request.epoch != epoch_ ? 1 : 0;
    Message message{request.ingress, request.buffer, interface, Direction::request, request.kind, number};
    settle(message, &Relay::admitted_request, refusal);
  }
  send_requests();
  count_relayed(count);
  requests_waiting_.release();
}

/// What the kernel turned away at our word is the interface's that floods, as what it sent before.
void DataPath::count_losses(ReceiveLosses::Emptied emptied) {
  ReceiveLosses::Lost lost = losses_.more(sockets_, emptied, now_);
  if (lost.requests != 0) {
    const bool was_shed = shedding_.split(lost.requests, [this](std::uint32_t flow, std::uint64_t part) {
      Interface* const interface = table_.find(flow);
      Counters& of_interface = counters(interface);
      of_interface.requests.received(MessageKind::unknown).add(part);
      of_interface.requests.dropped(MessageKind::unknown, DropReason::queue_full).add(part);
      tell_lost({DropReason::queue_full, interface, part});
    });
    lost.others += was_shed ? 0 : lost.requests;
  }
  if (!losses_.is_pending() && emptied.requests && emptied.replies) {
    shedding_.all_told();
  }
  if (lost.others != 0) {
    table_.unattributed().lost_in_kernel.add(lost.others);
    tell_lost({DropReason::lost_in_kernel, nullptr, lost.others});
  }
}

void DataPath::tell_lost(const KernelLoss& loss) const {
  if (listener_.kernel_lost) {
    listener_.kernel_lost(loss);
  }
}

/// Nothing is turned away while each message is told, nor when no request waits.
void DataPath::adjust_shedding() {
  shedding_.adjust(requests_waiting_.size() == 0 || listener_.per_message, now_);
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

Counters& DataPath::counters(Interface* interface) noexcept {
  return interface != nullptr ? *interface->counters : table_.unattributed();
}

void DataPath::count_received(Interface* interface, Direction direction, MessageKind kind) {
  Counters& of_interface = counters(interface);
  (direction == Direction::request ? of_interface.requests.received(kind) : of_interface.replies.received(kind)).add();
}

void DataPath::count_dropped(const Message& message, DropReason reason) {
  Counters& of_interface = counters(message.interface);
  (message.direction == Direction::request ? of_interface.requests.dropped(message.kind, reason)
                                           : of_interface.replies.dropped(message.kind, reason))
      .add();
}

void DataPath::settle(Message& message, Rules rules, std::optional<DropReason> refusal) {
  message.ingress.arrival = now_;
  ++serial_;
  const auto octets = [&message] { return std::as_const(message.buffer).octets(); };
  if (listener_.per_message && listener_.message) {
    listener_.message({MessageStage::received, message.ingress, message.interface, octets(), nullptr, serial_});
  }
  const Decision decision = refusal ? Decision{Drop{*refusal}} : (relay_.*rules)(message.ingress, message.buffer);
  if (message.direction == Direction::reply) {
    note_answer(message, decision);
  }
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    count_dropped(message, dropped->reason);
    if (listener_.dropped) {
      listener_.dropped({MessageStage::dropped, message.ingress, message.interface, octets(), &decision, serial_});
    }
    return;
  }
  if (listener_.per_message && listener_.message) {
    listener_.message({MessageStage::forwarded, message.ingress, message.interface, octets(), &decision, serial_});
  }
  if (const auto* upstream = std::get_if<ToServers>(&decision)) {
    to_servers(message, *upstream);
  } else {
    to_client(message, std::get<ToClient>(decision));
  }
}

void DataPath::to_servers(const Message& message, const ToServers& decision) {
  if (decision.agent_information == AgentInformationOutcome::did_not_fit) {
    counters(message.interface).option82_omitted.add();
  }
  response_times_.asked(std::as_const(message.buffer).octets().first<bootp::header_size>(), message.kind, now_);
  fates_[message.number].interface = message.interface;
  fates_[message.number].kind = message.kind;
  DatagramBatch& batch =
      decision.from_relay_port && sockets_.upstream.is_open() ? requests_from_relay_port_ : requests_;
  for (const Ipv4Address server : decision.servers) {
    if (batch.is_full()) {
      send_requests();
    }
    batch.add({message.interface, message.number, server, serial_, message.kind}, message.buffer.octets(),
              decision.source, ports_.server, 0);
  }
}

/// Whoever may not reply has no say in what is known of a server whose address it shows.
void DataPath::note_answer(const Message& message, const Decision& decision) {
  const auto* dropped = std::get_if<Drop>(&decision);
  if (dropped == nullptr || is_answer(dropped->reason)) {
    const auto header = std::as_const(message.buffer).octets().first<bootp::header_size>();
    servers_.answered(message.ingress.source, response_times_.since_asked(header, message.kind, now_), now_);
  }
}

void DataPath::to_client(const Message& message, const ToClient& decision) {
  const Sending sending{table_.find(decision.egress->index), 0, decision.destination, serial_, message.kind};
  const auto payload = message.buffer.octets();
  if (decision.delivery == Delivery::routed || !decision.egress->is_ethernet) {
    // An ordinary datagram: the client answers ARP, or the link has no frames that we could write.
    if (datagrams_.is_full()) {
      send_replies();
    }
    datagrams_.add(sending, payload, decision.source, ports_.client(), decision.egress->index);
    return;
  }
  FrameAddresses addresses{decision.egress->mac, decision.link_destination,
                           decision.source,      decision.destination,
                           ports_.server,        ports_.client()};
  if (ipv4_header_size + udp_header_size + payload.size() > decision.egress->mtu) {
    addresses.identification = ++identification_;
    reply_sent(sending, send_fragments(sockets_.frames.number(), *decision.egress, addresses, payload));
    return;
  }
  if (frames_.is_full()) {
    send_replies();
  }
  frames_.add(sending, addresses, payload);
}

void DataPath::send_requests() {
  const auto sent = [this](const Sending& sending, int error) { request_sent(sending, error); };
  requests_.send(sockets_.requests.number(), sent);
  requests_from_relay_port_.send(sockets_.upstream.number(), sent);
}

void DataPath::send_replies() {
  const auto count = [this](const Sending& sending, int error) { reply_sent(sending, error); };
  frames_.send(sockets_.frames.number(), count);
  datagrams_.send(sockets_.requests.number(), count);
}

void DataPath::request_sent(const Sending& sending, int error) {
  servers_.sent(sending.destination, sending.kind, error == 0, now_);
  if (error == 0) {
    sending.interface->counters->request_copies.add();
    fates_[sending.message].is_relayed = true;
    return;
  }
  sending.interface->counters->request_copies_failed.add();
  fates_[sending.message].failure = failure_reason(error);
  tell_failure(sending, error);
}

/// Counts each of the first `count` requests of the batch once, however many servers it has.
void DataPath::count_relayed(std::size_t count) {
  for (const RequestFate& fate : std::span{fates_}.first(count)) {
    if (fate.is_relayed) {
      fate.interface->counters->requests.forwarded(fate.kind).add();
    } else if (fate.failure) {
      fate.interface->counters->requests.dropped(fate.kind, *fate.failure).add();
    }
  }
}

void DataPath::reply_sent(const Sending& sending, int error) {
  if (error == 0) {
    sending.interface->counters->replies.forwarded(sending.kind).add();
    return;
  }
  sending.interface->counters->replies.dropped(sending.kind, failure_reason(error)).add();
  tell_failure(sending, error);
}

void DataPath::tell_failure(const Sending& sending, int error) const {
  if (listener_.send_failed) {
    listener_.send_failed({failure_reason(error), sending.interface, sending.destination, error, sending.serial});
  }
}

}  // namespace relay::io
