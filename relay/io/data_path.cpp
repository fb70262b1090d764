#include "relay/io/data_path.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <span>
#include <utility>
#include <variant>

namespace relay::io {

namespace {

constexpr std::size_t max_reply_batches = 16;  // in a row; then requests have their turn, so that neither side starves

constexpr std::size_t max_early_batches = 1024;  // more than a receive buffer holds

[[nodiscard]] DropReason failure_reason(int error) noexcept {
  return error == EAGAIN || error == ENOBUFS ? DropReason::send_buffer_full : DropReason::send_failed;
}

/// Since the system started, at the resolution of its clock tick: no system call.
[[nodiscard]] std::chrono::nanoseconds coarse_time() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
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
      received_(batch_size),
      requests_from_relay_port_(2 * batch_size),
      requests_(2 * batch_size),
      datagrams_(batch_size),
      frames_(batch_size) {}

bool DataPath::serve() {
  now_ = coarse_time();
  bool more = false;
  for (std::size_t batches = 0; batches < max_reply_batches; ++batches) {
    more = serve_replies(sockets_.replies.number());
    if (sockets_.upstream.is_open() && serve_replies(sockets_.upstream.number())) {
      more = true;
    }
    if (!more) {
      break;
    }
  }
  return serve_requests() || more;
}

bool DataPath::serve_replies(int socket) {
  const std::size_t count = received_.receive(socket);
  for (std::size_t number = 0; number < count; ++number) {
    Received received = received_.message(number);
    Interface* ingress = table_.find(received.ingress.interface_index);
    counters(ingress).replies_received.add();
    settle(received, ingress, number, &Relay::reply);
  }
  send_replies();
  return count == received_.capacity();
}

bool DataPath::serve_requests() {
  const std::size_t count = received_.receive(sockets_.requests.number());
  fates_.fill({});
  read_news();
  for (std::size_t number = 0; number < count; ++number) {
    Received received = received_.message(number);
    Interface* ingress = table_.find(received.ingress.interface_index);
    counters(ingress).requests_received.add();
    settle(received, ingress, number, &Relay::request, not_ours(ingress));
  }
  early_batches_ = count == received_.capacity() && early_batches_ > 0 ? early_batches_ - 1 : 0;
  send_requests();
  count_relayed(count);
  return count == received_.capacity();
}

/// Where a giaddr moves between routers, a request is for the one that had it when the request came. News that wait are
/// read after the requests were received, so none of these is decided by an address that had gone before it came.
void DataPath::read_news() {
  if (news_.is_waiting()) {
    if (early_batches_ == 0) {
      passive_before_.clear();
    }
    const std::size_t known = passive_before_.size();
    const auto passive = table_.passive();
    passive_before_.insert(passive_before_.end(), passive.begin(), passive.end());
    std::inplace_merge(passive_before_.begin(), passive_before_.begin() + static_cast<std::ptrdiff_t>(known),
                       passive_before_.end());
    passive_before_.erase(std::unique(passive_before_.begin(), passive_before_.end()), passive_before_.end());
    news_.read();
    early_batches_ = max_early_batches;
  }
  is_behind_ = news_.is_behind();
  asked_for_.reset();
}

/// Whether the request may be the other router's, where the giaddr moves: what was received by now may have come before
/// the giaddr did, and while the table is behind, after the giaddr had gone.
std::optional<DropReason> DataPath::not_ours(const Interface* ingress) {
  if (ingress == nullptr || !ingress->giaddr_is_given) {
    return std::nullopt;
  }
  const bool came_too_early = early_batches_ > 0 && std::ranges::binary_search(passive_before_, ingress->index);
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
  return interface != nullptr ? interface->counters : table_.unattributed();
}

void DataPath::settle(Received& received, Interface* ingress, std::size_t number, Rules rules,
                      std::optional<DropReason> refusal) {
  received.ingress.arrival = now_;
  ++serial_;
  if (listener_.per_message && listener_.message) {
    listener_.message(
        {MessageStage::received, received.ingress, ingress, std::as_const(received.buffer).octets(), nullptr, serial_});
  }
  if (received.is_truncated) {
    refusal = DropReason::receive_truncated;
  }
  const Decision decision = refusal ? Decision{Drop{*refusal}} : (relay_.*rules)(received.ingress, received.buffer);
  const MessageEvent event{
      MessageStage::forwarded, received.ingress, ingress, std::as_const(received.buffer).octets(), &decision, serial_};
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    counters(ingress).of(dropped->reason).add();
    if (listener_.dropped) {
      listener_.dropped(
          {MessageStage::dropped, event.ingress, event.interface, event.message, event.decision, serial_});
    }
    return;
  }
  if (listener_.per_message && listener_.message) {
    listener_.message(event);
  }
  if (const auto* upstream = std::get_if<ToServers>(&decision)) {
    to_servers(received, *upstream, ingress, number);
  } else {
    to_client(received, std::get<ToClient>(decision));
  }
}

void DataPath::to_servers(Received& received, const ToServers& decision, Interface* ingress, std::size_t number) {
  if (decision.agent_information == AgentInformationOutcome::did_not_fit) {
    counters(ingress).option82_omitted.add();
  }
  fates_[number].interface = ingress;
  DatagramBatch& batch =
      decision.from_relay_port && sockets_.upstream.is_open() ? requests_from_relay_port_ : requests_;
  for (const Ipv4Address server : decision.servers) {
    if (batch.is_full()) {
      send_requests();
    }
    batch.add({ingress, number, server, serial_}, std::as_const(received.buffer).octets(), decision.source,
              ports_.server, 0);
  }
}

void DataPath::to_client(Received& received, const ToClient& decision) {
  const Sending sending{table_.find(decision.egress->index), 0, decision.destination, serial_};
  if (decision.delivery != Delivery::routed && decision.egress->is_ethernet) {
    send_frame(sending, received.buffer, decision);
    return;
  }
  // An ordinary datagram: the client answers ARP, or the link has no frames that we could write.
  if (datagrams_.is_full()) {
    send_replies();
  }
  datagrams_.add(sending, std::as_const(received.buffer).octets(), decision.source, ports_.client(),
                 decision.egress->index);
}

void DataPath::send_frame(const Sending& sending, MessageBuffer& message, const ToClient& decision) {
  FrameAddresses addresses{decision.egress->mac, decision.link_destination,
                           decision.source,      decision.destination,
                           ports_.server,        ports_.client()};
  const auto datagram = message.with_headers(udp_header_size);
  write_udp_header(addresses, datagram);
  if (ipv4_header_size + datagram.size() > decision.egress->mtu) {
    addresses.identification = ++identification_;
    reply_sent(sending, send_fragments(sockets_.frames.number(), *decision.egress, addresses, datagram));
    return;
  }
  if (frames_.is_full()) {
    send_replies();
  }
  const auto frame = message.with_headers(frame_headers_size);
  std::ranges::copy(link_and_ip_headers(addresses, datagram.size(), 0, false), frame.begin());
  frames_.add(sending, frame);
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
  if (error == 0) {
    sending.interface->counters.request_copies.add();
    fates_[sending.message].is_relayed = true;
    return;
  }
  sending.interface->counters.request_copies_failed.add();
  fates_[sending.message].failure = failure_reason(error);
  tell_failure(sending, error);
}

/// Counts each of the first `count` requests of the batch once, however many servers it has.
void DataPath::count_relayed(std::size_t count) {
  for (const RequestFate& fate : std::span{fates_}.first(count)) {
    if (fate.is_relayed) {
      fate.interface->counters.requests_relayed.add();
    } else if (fate.failure) {
      fate.interface->counters.of(*fate.failure).add();
    }
  }
}

void DataPath::reply_sent(const Sending& sending, int error) {
  if (error == 0) {
    sending.interface->counters.replies_delivered.add();
    return;
  }
  sending.interface->counters.of(failure_reason(error)).add();
  tell_failure(sending, error);
}

void DataPath::tell_failure(const Sending& sending, int error) const {
  if (listener_.send_failed) {
    listener_.send_failed({failure_reason(error), sending.interface, sending.destination, error, sending.serial});
  }
}

}  // namespace relay::io
