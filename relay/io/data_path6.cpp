#include "relay/io/data_path6.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "relay/core/dhcpv6.h"
#include "relay/core/relay.h"
#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "relay/core/urgency.h"

namespace relay::io {

namespace {

[[nodiscard]] bool is_relay_reply(std::span<const std::uint8_t> octets) noexcept {
  return !octets.empty() && dhcpv6::msg_type(octets) == dhcpv6::message_type::relay_reply;
}

}  // namespace

DataPath6::DataPath6(const Sockets& sockets, const Ports6& ports, InterfaceTable& table, LinkSources* link_sources,
                     Listener listener)
    : sockets_(sockets),
      ports_(ports),
      table_(table),
      link_sources_(link_sources),
      listener_(std::move(listener)),
      received_(batch_size),
      shedding_(sockets.requests, Family::ipv6),
      requests_from_relay_port_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }),
      requests_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }),
      replies_(batch_size) {
  tell_messages(listener_.per_message);
  if (const int error = segmentation_error(sockets_); error != 0) {
    requests_.refuse_runs(error);
    requests_from_relay_port_.refuse_runs(0);
  }
}

void DataPath6::apply(const Policy6& policy) {
  policy_ = policy;
  policy_.ports = ports_;
  requests_.forget_limits();
  requests_from_relay_port_.forget_limits();
}

void DataPath6::tell_messages(bool per_message) {
  if (per_message && !listener_.per_message) {
    take_merged();
  }
  listener_.per_message = per_message;
  shedding_.adjust(requests_waiting_.size() == 0 || per_message, now_);
  tell_refused(Offload::merged_receiving, merge_received(sockets_, !per_message));
  form_runs(false);
}

void DataPath6::form_runs(bool on) noexcept {
  const bool is_possible = on && !listener_.per_message;
  requests_.form_runs(is_possible);
  requests_from_relay_port_.form_runs(is_possible);
}

void DataPath6::tell_refused(Offload offload, int error) const {
  if (error != 0 && listener_.offload_refused) {
    listener_.offload_refused(offload, error);
  }
}

/// What the kernel has merged can be told apart only for as long as it may merge.
void DataPath6::take_merged() {
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

Turn DataPath6::serve() {
  now_ = monotonic_time();
  taken_ = 0;
  const bool more_replies = take_replies();
  const bool more_requests = take_requests();
  is_busy_ = pacing_.is_busy(taken_, tick_of(now_));
  if (is_busy_ || has_open_question()) {
    count_losses({!more_requests, !more_replies});
  }
  decide_requests();
  shedding_.adjust(requests_waiting_.size() == 0 || listener_.per_message, now_);
  if (more_replies || more_requests || requests_waiting_.size() != 0) {
    return Turn::more;
  }
  return taken_ != 0 && is_busy_ ? Turn::pause : Turn::idle;
}

/// Until none is left, or enough were taken for this turn; whether there may be more.
bool DataPath6::take_replies() {
  while (taken_ < max_replies) {
    const std::size_t count =
        receive(sockets_.replies) + (sockets_.upstream.is_open() ? receive(sockets_.upstream) : 0);
    if (count < received_.capacity()) {
      return false;
    }
  }
  return true;
}

bool DataPath6::take_requests() {
  const std::size_t before = taken_;
  while (taken_ - before < max_taken_requests) {
    if (receive(sockets_.requests) < received_.capacity()) {
      return false;
    }
  }
  return true;
}

/// One batch: replies are settled, requests wait for their turn. How many datagrams it had.
std::size_t DataPath6::receive(const Descriptor& socket) {
  const std::size_t count = received_.receive(socket.number());
  if (count != 0 && link_sources_ != nullptr && &socket == &sockets_.requests) {
    link_sources_->take();
  }
  for (std::size_t position = 0; position < count; ++position) {
    take(received_.received(position), &socket != &sockets_.upstream);
  }
  send_replies();
  return count;
}

/// Each message by its own type: where datagrams were merged, the kernel has chosen a socket by the first one's. What
/// came to the relay port is a reply, or bad.
void DataPath6::take(const Received6& received, bool may_be_requests) {
  Interface* const interface = table_.find(received.ingress.interface_index);
  for_each_message(received, [&](std::span<std::uint8_t> octets) {
    ++taken_;
    const bool is_request = may_be_requests && !is_relay_reply(octets);
    if (is_request && !received.is_truncated) {
      queue_request(received.ingress, interface, octets);
      return;
    }
    Ingress6 ingress = received.ingress;
    ingress.arrival = now_;
    const Direction direction = is_request ? Direction::request : Direction::reply;
    const Message message{ingress, interface, direction, kind6_of(octets)};
    begin(message, octets);
    received.is_truncated ? drop(message, octets, DropReason::receive_truncated) : settle_reply(message, octets);
  });
  if (may_be_requests && received.ingress.destination.is_multicast()) {
    is_relay_reply(received.octets) ? losses_.received_broadcast_reply() : losses_.received_broadcast_request();
  }
}

/// Counted here, and told of when its turn has come.
void DataPath6::queue_request(Ingress6 ingress, Interface* interface, std::span<const std::uint8_t> octets) {
  ingress.arrival = now_;
  if (link_sources_ != nullptr) {
    ingress.link_source = link_sources_->of(ingress, octets);
  }
  const MessageKind6 kind = kind6_of(octets);
  counters(interface).requests.received(kind).add();
  const Message message{ingress, interface, Direction::request, kind};
  if (const auto refusal = Relay::refusal(interface, now_, Family::ipv6)) {
    begin(message, octets);
    drop(message, octets, *refusal);
    return;
  }
  shedding_.took(ingress.interface_index, octets);
  const std::size_t headroom = interface == nullptr ? 0 : relay_forward_headroom(interface->v6);
  bool has_room = requests_waiting_.push(ingress, octets, kind, 0, headroom);
  if (!has_room) {
    if (const auto given_up = requests_waiting_.give_up_for(ingress, urgency_of(kind))) {
      refuse(*given_up);
      requests_waiting_.release();
      has_room = requests_waiting_.push(ingress, octets, kind, 0, headroom);
    }
  }
  if (has_room) {
    return;
  }
  if (requests_waiting_.is_full()) {
    shedding_.gave_up(ingress.interface_index, octets);
  }
  begin(message, octets);
  drop(message, octets, DropReason::queue_full);
}

void DataPath6::refuse(const QueuedRequest6& request) {
  const auto octets = request.buffer.octets();
  shedding_.gave_up(request.ingress.interface_index, octets);
  const Message message{request.ingress, table_.find(request.ingress.interface_index), Direction::request,
                        request.kind};
  begin(message, octets);
  drop(message, octets, DropReason::queue_full);
}

void DataPath6::decide_requests() {
  for (std::size_t batch = 0; batch < max_decided_batches && requests_waiting_.size() != 0; ++batch) {
    decide_batch();
  }
}

void DataPath6::decide_batch() {
  const std::size_t count = std::min(batch_size, requests_waiting_.size());
  std::ranges::fill(std::span{fates_}.first(count), RequestFate{});
  for (std::size_t number = 0; number < count; ++number) {
    QueuedRequest6 request = *requests_waiting_.pop();
    shedding_.served(request.ingress.interface_index, std::as_const(request.buffer).octets());
    settle_request(
        {request.ingress, table_.find(request.ingress.interface_index), Direction::request, request.kind, number},
        request.buffer);
  }
  send_requests();
  count_relayed(count);
  requests_waiting_.release();
}

/// What the kernel turned away at our word is the interface's that floods, as what it sent before.
void DataPath6::count_losses(ReceiveLosses::Emptied emptied) {
  ReceiveLosses::Lost lost = losses_.more(sockets_, emptied, now_);
  if (lost.requests != 0) {
    const bool was_shed = shedding_.split(lost.requests, [this](std::uint32_t flow, std::uint64_t part) {
      const Interface* const interface = table_.find(flow);
      auto& of_requests = counters(interface).requests;
      of_requests.received(MessageKind6::unknown).add(part);
      of_requests.dropped(MessageKind6::unknown, DropReason::queue_full).add(part);
      tell_lost({DropReason::queue_full, interface, part});
    });
    lost.others += was_shed ? 0 : lost.requests;
  }
  if (!losses_.is_pending() && emptied.requests && emptied.replies) {
    shedding_.all_told();
  }
  if (lost.others != 0) {
    table_.unattributed6().lost_in_kernel.add(lost.others);
    tell_lost({DropReason::lost_in_kernel, nullptr, lost.others});
  }
}

void DataPath6::tell_lost(const KernelLoss& loss) const {
  if (listener_.kernel_lost) {
    listener_.kernel_lost(loss);
  }
}

Counters6& DataPath6::counters(const Interface* interface) noexcept {
  return interface != nullptr && interface->v6.counters != nullptr ? *interface->v6.counters : table_.unattributed6();
}

/// Numbers the message, and tells of it.
void DataPath6::begin(const Message& message, std::span<const std::uint8_t> octets) {
  ++serial_;
  if (message.direction == Direction::reply) {
    counters(message.interface).replies.received(message.kind).add();
  }
  if (listener_.per_message && listener_.message6) {
    listener_.message6({MessageStage::received, message.ingress, message.interface, octets, nullptr, serial_});
  }
}

void DataPath6::drop(const Message& message, std::span<const std::uint8_t> octets, DropReason reason) {
  Counters6& of_interface = counters(message.interface);
  (message.direction == Direction::request ? of_interface.requests.dropped(message.kind, reason)
                                           : of_interface.replies.dropped(message.kind, reason))
      .add();
  if (listener_.dropped6) {
    const Decision6 decision = Drop{reason};
    listener_.dropped6({MessageStage::dropped, message.ingress, message.interface, octets, &decision, serial_});
  }
}

void DataPath6::tell_forwarded(const Message& message, std::span<const std::uint8_t> octets,
                               const Decision6& decision) const {
  if (listener_.per_message && listener_.message6) {
    listener_.message6({MessageStage::forwarded, message.ingress, message.interface, octets, &decision, serial_});
  }
}

void DataPath6::settle_request(const Message& message, MessageBuffer& buffer) {
  const auto octets = [&buffer] { return std::as_const(buffer).octets(); };
  begin(message, octets());
  const Decision6 decision = relay_request6(policy_, table_, message.ingress, buffer);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, octets(), dropped->reason);
    return;
  }
  tell_forwarded(message, octets(), decision);
  to_servers(message, octets(), std::get<ToServers6>(decision));
}

void DataPath6::settle_reply(const Message& message, std::span<const std::uint8_t> octets) {
  const Decision6 decision = relay_reply6(policy_, table_, message.ingress, octets);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, octets, dropped->reason);
    return;
  }
  const auto& to = std::get<ToPeer6>(decision);
  tell_forwarded(message, to.message, decision);
  to_peer(message, to);
}

void DataPath6::to_servers(const Message& message, std::span<const std::uint8_t> octets, const ToServers6& decision) {
  fates_[message.number].interface = message.interface;
  fates_[message.number].kind = message.kind;
  DatagramBatch6& batch =
      decision.from_relay_port && sockets_.upstream.is_open() ? requests_from_relay_port_ : requests_;
  for (const Server6& server : decision.servers) {
    if (batch.is_full()) {
      send_requests();
    }
    batch.add({message.interface, message.number, server.address, serial_, message.kind}, octets, decision.source,
              ports_.server, server.interface_index);
  }
}

/// RFC 8415 section 19.2. A peer that routes lead to is counted where its message came from the server.
void DataPath6::to_peer(const Message& message, const ToPeer6& decision) {
  Interface* const egress = decision.egress == nullptr ? message.interface : table_.find(decision.egress->index);
  if (replies_.is_full()) {
    send_replies();
  }
  replies_.add({egress, 0, decision.destination, serial_, message.kind}, decision.message, decision.source,
               decision.destination_port, decision.egress == nullptr ? 0 : decision.egress->index);
}

void DataPath6::send_requests() {
  const auto sent = [this](const Sending6& sending, int error) { request_sent(sending, error); };
  requests_.send(sockets_.requests.number(), sent);
  requests_from_relay_port_.send(sockets_.upstream.number(), sent);
}

void DataPath6::send_replies() {
  replies_.send(sockets_.requests.number(), [this](const Sending6& sending, int error) { reply_sent(sending, error); });
}

void DataPath6::request_sent(const Sending6& sending, int error) {
  Counters6& of_interface = counters(sending.interface);
  if (error == 0) {
    of_interface.request_copies.add();
    fates_[sending.message].is_relayed = true;
    return;
  }
  of_interface.request_copies_failed.add();
  fates_[sending.message].failure = failure_reason(error);
  tell_failure(sending, error);
}

/// Counts each of the first `count` requests of the batch once, however many servers it has.
void DataPath6::count_relayed(std::size_t count) {
  for (const RequestFate& fate : std::span{fates_}.first(count)) {
    if (fate.is_relayed) {
      counters(fate.interface).requests.forwarded(fate.kind).add();
    } else if (fate.failure) {
      counters(fate.interface).requests.dropped(fate.kind, *fate.failure).add();
    }
  }
}

void DataPath6::reply_sent(const Sending6& sending, int error) {
  auto& of_replies = counters(sending.interface).replies;
  if (error == 0) {
    of_replies.forwarded(sending.kind).add();
    return;
  }
  of_replies.dropped(sending.kind, failure_reason(error)).add();
  tell_failure(sending, error);
}

void DataPath6::tell_failure(const Sending6& sending, int error) const {
  if (listener_.send_failed6) {
    listener_.send_failed6({failure_reason(error), sending.interface, sending.destination, error, sending.serial});
  }
}

}  // namespace relay::io
