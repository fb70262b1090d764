#include "relay/io/data_path6.h"

#include <string>
#include <unordered_set>
#include <utility>
#include <variant>

#include "relay/core/client_message6.h"
#include "relay/core/frame.h"
#include "relay/core/liveness.h"
#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"

namespace relay::io {

namespace {

/// Whether a message that was dropped for `reason` came from a server all the same, and the way that they come: these
/// are the reasons that `relay_reply6` has before it knows the sender.
[[nodiscard]] bool is_answer(DropReason reason) noexcept {
  return reason != DropReason::header_too_short && reason != DropReason::not_relay_reply &&
         reason != DropReason::interface_unknown && reason != DropReason::not_upstream &&
         reason != DropReason::server_unknown;
}

}  // namespace

DataPath6::DataPath6(const Sockets& sockets, const Ports6& ports, InterfaceTable& table, LinkSources* link_sources,
                     Listener listener)
    : MessagePath(sockets, ports, table, std::move(listener)),
      link_sources_(link_sources),
      replies_(batch_size),
      frames_(batch_size) {}

void DataPath6::apply(const Policy6& policy) {
  policy_ = policy;
  policy_.ports = ports_;
  forget_limits();
}

void DataPath6::apply_servers(const std::vector<ServerName6>& servers, bool replies_from_anyone) {
  std::vector<Ipv6Address> addresses;
  std::vector<std::string> zones;
  std::unordered_set<Ipv6Address> seen;
  for (const ServerName6& server : servers) {
    if (seen.insert(server.address).second) {
      addresses.push_back(server.address);
      zones.push_back(server.interface_name);
    }
  }
  MessagePath::apply_servers(addresses, replies_from_anyone, zones);
}

void DataPath6::before_taking(bool are_requests) {
  if (are_requests && link_sources_ != nullptr) {
    link_sources_->take(now_);
  }
}

void DataPath6::take_datagram(const Received6& received) noexcept {
  if (link_sources_ != nullptr && received.message_size != 0) {
    link_sources_->learn_run(received, now_);
  }
}

Waiting DataPath6::wait(Message& message, std::span<const std::uint8_t> octets) {
  if (link_sources_ != nullptr) {
    message.ingress.link_source = link_sources_->of(message.ingress, octets);
  }
  return {0, message.interface == nullptr ? 0 : relay_forward_headroom(message.interface->v6)};
}

void DataPath6::settle_request(Message& message, QueuedRequest6& request) {
  const auto octets = [&request] { return std::as_const(request.buffer).octets(); };
  const std::span<const std::uint8_t> received = octets();  // which stay where they are when they are wrapped
  begin(message, received);
  const Decision6 decision = relay_request6(policy_, table_, message.ingress, request.buffer);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, octets(), dropped->reason);
    return;
  }
  tell_forwarded(message, octets(), decision);
  note_question(message, received);
  if (link_sources_ != nullptr) {
    link_sources_->relayed(message.ingress, received);
  }
  const auto& upstream = std::get<ToServers6>(decision);
  for (const Server6& server : upstream.servers) {
    to_server(message, octets(), server.address, upstream.source, upstream.from_relay_port, server.interface_index);
  }
  if (message.kind == MessageKind6::release && passing_.release && message.interface != nullptr) {
    passing_.release(message.ingress, *message.interface, received);
  }
}

void DataPath6::settle_reply(Message& message, std::span<const std::uint8_t> octets, const Received6&) {
  begin(message, octets);
  const Decision6 decision = relay_reply6(policy_, table_, message.ingress, octets);
  note_answer(message, octets, decision);
  if (const auto* dropped = std::get_if<Drop>(&decision)) {
    drop(message, octets, dropped->reason);
    return;
  }
  const auto& to = std::get<ToPeer6>(decision);
  tell_forwarded(message, to.message, decision);
  to_peer(message, to);
  if (message.kind == MessageKind6::reply && passing_.reply) {
    passing_.reply(to, now_);
  }
}

/// What the client asks, whoever has relayed it before.
void DataPath6::note_question(const Message& message, std::span<const std::uint8_t> octets) noexcept {
  const auto question = client_message_in(octets, message.ingress.source);
  if (!question) {
    return;
  }
  response_times_.asked(*question, now_);
  if (expects_answer(kind6_of(question->octets))) {
    expect_answer(message);
  }
}

/// Whoever may not reply has no say in what is known of a server whose address it shows.
void DataPath6::note_answer(const Message& message, std::span<const std::uint8_t> octets,
                            const Decision6& decision) noexcept {
  const auto* const dropped = std::get_if<Drop>(&decision);
  if (!table_.is_server(message.ingress.source, message.ingress.interface_index) ||
      (dropped != nullptr && !is_answer(dropped->reason))) {
    return;
  }
  const auto answer = client_message_in(octets, message.ingress.source);
  servers_.answered(message.ingress.source, answer ? response_times_.since_asked(*answer, now_) : std::nullopt, now_);
}

/// RFC 8415 section 19.2. A peer that routes lead to is counted where its message came from the server.
void DataPath6::to_peer(const Message& message, const ToPeer6& decision) {
  Interface* const egress = decision.egress == nullptr ? message.interface : table_.find(decision.egress->index);
  const Sending6 sending{egress, 0, decision.destination, serial_, message.kind};
  if (replies_.is_full() || frames_.is_full()) {
    send_replies();
  }
  if (const auto mac = link_destination(decision)) {
    frames_.add(
        sending,
        {decision.egress->mac, *mac, decision.source, decision.destination, ports_.server, decision.destination_port},
        decision.message);
    return;
  }
  replies_.add(sending, decision.message, decision.source, decision.destination_port,
               decision.egress == nullptr ? 0 : decision.egress->index);
}

/// Where the frame came from that this answers: as in DHCPv4, the kernel need not know thousands of clients as its
/// neighbours, of whom it knows 1,024. Nothing where that was not seen, or the message is for a relay agent, or takes
/// fragments, which the kernel makes.
std::optional<MacAddress> DataPath6::link_destination(const ToPeer6& decision) const noexcept {
  const Interface* const egress = decision.egress;
  if (link_sources_ == nullptr || egress == nullptr || !egress->is_ethernet || Dhcpv6::is_reply(decision.message) ||
      !decision.destination.is_link_local() || decision.source.is_unspecified() ||
      ipv6_header_size + udp_header_size + decision.message.size() > egress->v6.mtu) {
    return std::nullopt;
  }
  return link_sources_->of_asker(egress->index, decision.destination, decision.message, now_);
}

void DataPath6::send_replies() {
  const auto count = [this](const Sending6& sending, int error) { reply_sent(sending, error); };
  frames_.send(sockets_.frames.number(), count);
  replies_.send(sockets_.requests.number(), count);
}

}  // namespace relay::io
