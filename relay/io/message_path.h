// What the ways of DHCPv4 and DHCPv6 messages share: taking them from their sockets, replies before requests and
// requests by turns of their interfaces, in batches; counting and telling of them; sending requests to servers.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "relay/core/counters.h"
#include "relay/core/events.h"
#include "relay/core/figures.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/pacing.h"
#include "relay/core/protocols.h"
#include "relay/core/relay.h"
#include "relay/core/response_times.h"
#include "relay/core/servers.h"
#include "relay/io/receive_batch.h"
#include "relay/io/receive_losses.h"
#include "relay/io/request_queue.h"
#include "relay/io/request_shedding.h"
#include "relay/io/seed.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"
#include "relay/io/turn.h"

namespace relay::io {

/// What a request has while it waits, besides itself: as given to `RequestQueueOf::push`.
struct Waiting {
  std::uint64_t epoch = 0;
  std::size_t headroom = 0;
};

/// `Path` derives from this and has it as a friend. It decides on messages in `settle_request` and `settle_reply`,
/// sends replies in `send_replies`, and says in `is_for_all` what both sockets get. Its other functions are told what
/// happens here: `before_taking`, `requests_taken`, `take_datagram`, `wait`, `queued`, `left_queue`, `before_deciding`.
template <typename Protocol, typename Path>
class MessagePath {
 public:
  MessagePath(const MessagePath&) = delete;
  MessagePath& operator=(const MessagePath&) = delete;

  /// Whether requests may leave in runs, at first not; for as long as each message is told they never do.
  void form_runs(bool on) noexcept {
    const bool is_possible = on && !listener_.per_message;
    requests_.form_runs(is_possible);
    requests_from_relay_port_.form_runs(is_possible);
  }

  /// The servers that requests go to from now on, as in `ServersOf::set`.
  void apply_servers(const std::vector<typename Protocol::Address>& servers, bool replies_from_anyone,
                     const std::vector<std::string>& zones = {}) {
    servers_.set(servers, replies_from_anyone, zones);
  }

  /// Tells `Listener::server_changed` of servers that fell silent or answer again. Whether to call it once more in a
  /// moment though no message comes.
  [[nodiscard]] bool judge_servers() { return servers_.judge(monotonic_time(), listener_.server_changed); }
  /// Whether there may be something for it to find since this was last asked.
  [[nodiscard]] bool has_asked_servers() noexcept { return servers_.take_news(); }

  /// What this counts, but for interfaces.
  void add_figures(Figures& figures) const {
    servers_.add_figures(figures.servers);
    const QueueFigures queue{queue_length_, requests_waiting_.capacity()};
    if constexpr (Protocol::family == Family::ipv4) {
      figures.unattributed = table_.shared_unattributed();
      figures.queue = queue;
    } else {
      figures.unattributed6 = table_.shared_unattributed6();
      figures.queue6 = queue;
    }
  }

  /// Whether many messages came of late.
  [[nodiscard]] bool is_busy() const noexcept { return is_busy_; }

  /// While each message is told, each leaves and arrives by itself, so that a capture shows what is on the wire.
  void tell_messages(bool per_message) {
    if (per_message && !listener_.per_message) {
      take_merged();
    }
    listener_.per_message = per_message;
    adjust_shedding();
    tell_refused(Offload::merged_receiving, merge_received(sockets_, !per_message));
    form_runs(false);
  }

  /// Takes what waits: replies first, then requests, of which a number is decided.
  [[nodiscard]] Turn serve() {
    now_ = monotonic_time();
    taken_ = 0;
    const bool more_replies = take_replies();
    const bool more_requests = take_requests();
    is_busy_ = pacing_.is_busy(taken_, tick_of(now_));
    if (is_busy_ || has_open_question()) {
      count_losses({!more_requests, !more_replies});
    }
    path().before_deciding(more_requests);
    decide_requests();
    adjust_shedding();
    queue_length_->set(requests_waiting_.size());
    if (more_replies || more_requests || requests_waiting_.size() != 0) {
      return Turn::more;
    }
    return taken_ != 0 && is_busy_ ? Turn::pause : Turn::idle;
  }

  /// Whether `serve` should be called once more in `ReceiveLosses::delay`, though no message comes.
  [[nodiscard]] bool has_open_question() const noexcept { return losses_.is_pending() || shedding_.is_unsettled(); }

 protected:
  using Ingress = typename Protocol::Ingress;
  using Kind = typename Protocol::Kind;
  using Decision = typename Protocol::Decision;
  using Address = typename Protocol::Address;
  using Queued = QueuedRequestOf<Protocol>;
  using ReceivedMessages = ReceivedOf<Protocol>;
  using SendingMessage = SendingOf<Protocol>;
  using OwnCounters = FamilyCounters<Protocol::family>;

  static constexpr std::size_t batch_size = 64;

  /// What is known of a message besides its octets.
  struct Message {
    Ingress ingress;
    Interface* interface;  ///< where it arrived; null if the table does not know it
    Direction direction;
    Kind kind;
    std::size_t number = 0;  ///< of a request, within the decided batch
  };

  /// `sockets`, which may be closed where the protocol is not relayed, and `table` must outlive this.
  MessagePath(const Sockets& sockets, const typename Protocol::Ports& ports, InterfaceTable& table, Listener listener)
      : sockets_(sockets),
        ports_(ports),
        table_(table),
        listener_(std::move(listener)),
        response_times_(unpredictable_number()),
        received_(batch_size),
        shedding_(sockets.requests, Protocol::family),
        requests_from_relay_port_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }),
        requests_(2 * batch_size, [this](int error) { tell_refused(Offload::run_sending, error); }) {
    tell_messages(listener_.per_message);
    if (const int error = sockets_.requests.is_open() ? segmentation_error(sockets_) : 0; error != 0) {
      requests_.refuse_runs(error);
      requests_from_relay_port_.refuse_runs(0);
    }
  }
  ~MessagePath() = default;

  /// Routes may have changed: what was too large for one may fit another.
  void forget_limits() noexcept {
    requests_.forget_limits();
    requests_from_relay_port_.forget_limits();
  }

  [[nodiscard]] OwnCounters& counters(const Interface* interface) noexcept {
    if constexpr (Protocol::family == Family::ipv4) {
      return interface != nullptr ? *interface->counters : table_.unattributed();
    } else {
      return interface != nullptr && interface->v6.counters != nullptr ? *interface->v6.counters
                                                                       : table_.unattributed6();
    }
  }

  /// Numbers a message that is about to be settled or dropped, and tells of it.
  void begin(Message& message, std::span<const std::uint8_t> octets) {
    message.ingress.arrival = now_;
    ++serial_;
    if (listener_.per_message) {
      tell(told_messages(), {MessageStage::received, message.ingress, message.interface, octets, nullptr, serial_});
    }
  }

  void drop(const Message& message, std::span<const std::uint8_t> octets, DropReason reason) {
    count_dropped(message.interface, message.direction, message.kind, reason);
    const Decision decision = Drop{reason};
    tell(told_drops(), {MessageStage::dropped, message.ingress, message.interface, octets, &decision, serial_});
  }

  void tell_forwarded(const Message& message, std::span<const std::uint8_t> octets, const Decision& decision) const {
    if (listener_.per_message) {
      tell(told_messages(), {MessageStage::forwarded, message.ingress, message.interface, octets, &decision, serial_});
    }
  }

  /// Servers answer what this request asks.
  void expect_answer(const Message& request) noexcept { fates_[request.number].is_question = true; }

  /// Sends a copy of the request with the batch that is decided. `from` and `interface_index` are as in
  /// `DatagramBatchOf::add`.
  void to_server(const Message& message, std::span<const std::uint8_t> octets, const Address& server,
                 const Address& from, bool from_relay_port, std::uint32_t interface_index) {
    auto& batch = from_relay_port && sockets_.upstream.is_open() ? requests_from_relay_port_ : requests_;
    if (batch.is_full()) {
      send_requests();
    }
    batch.add({message.interface, message.number, server, serial_, message.kind}, octets, from, ports_.server,
              interface_index);
  }

  void reply_sent(const SendingMessage& sending, int error) {
    if (error == 0) {
      counters(sending.interface).replies.forwarded(sending.kind).add();
      return;
    }
    count_dropped(sending.interface, Direction::reply, sending.kind, failure_reason(error));
    tell_failure(sending, error);
  }

  const Sockets& sockets_;
  typename Protocol::Ports ports_;
  InterfaceTable& table_;
  Listener listener_;
  std::chrono::nanoseconds now_{};  // looked at once for all messages of one `serve`
  RequestQueueOf<Protocol> requests_waiting_;
  std::shared_ptr<Gauge> queue_length_ = std::make_shared<Gauge>();
  std::uint64_t serial_ = 0;  // of the last message
  ServersOf<Address> servers_;
  ResponseTimes response_times_;

 private:
  /// What became of the copies of one request.
  struct RequestFate {
    Interface* interface = nullptr;
    Kind kind = Kind::unknown;
    bool is_question = false;           ///< servers answer it
    bool is_relayed = false;            ///< at least one copy was sent
    std::optional<DropReason> failure;  ///< why another was not
  };

  [[nodiscard]] Path& path() noexcept { return static_cast<Path&>(*this); }

  /// What the kernel has merged can be told apart only for as long as it may merge.
  void take_merged() {
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

  /// Until none is left, or enough were taken for this turn; whether there may be more.
  [[nodiscard]] bool take_replies() {
    while (taken_ < max_replies) {
      const std::size_t count =
          receive(sockets_.replies) + (sockets_.upstream.is_open() ? receive(sockets_.upstream) : 0);
      if (count < received_.capacity()) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool take_requests() {
    const std::size_t before = taken_;
    while (taken_ - before < max_taken_requests) {
      const std::size_t count = receive(sockets_.requests);
      path().requests_taken(count);
      if (count < received_.capacity()) {
        return false;
      }
    }
    return true;
  }

  /// One batch: replies are settled, requests wait for their turn. How many datagrams it had.
  std::size_t receive(const Descriptor& socket) {
    const std::size_t count = received_.receive(socket.number());
    if (count != 0) {
      path().before_taking(&socket == &sockets_.requests);
    }
    for (std::size_t position = 0; position < count; ++position) {
      take(received_.received(position), &socket != &sockets_.upstream);
    }
    path().send_replies();
    return count;
  }

  /// Each message by its own op or type: where datagrams were merged, the kernel has chosen a socket by the first
  /// one's. What came to the relay port is a reply, or bad.
  void take(const ReceivedMessages& received, bool may_be_requests) {
    Interface* const interface = table_.find(received.ingress.interface_index);
    path().take_datagram(received);
    for_each_message(received, [&](std::span<std::uint8_t> octets) {
      ++taken_;
      const bool is_request = may_be_requests && !Protocol::is_reply(octets);
      Message message{received.ingress, interface, is_request ? Direction::request : Direction::reply,
                      Protocol::kind_of(octets)};
      count_received(message);
      if (received.is_truncated) {
        begin(message, octets);
        drop(message, octets, DropReason::receive_truncated);
      } else if (is_request) {
        queue_request(message, octets);
      } else {
        path().settle_reply(message, octets, received);
      }
    });
    if (may_be_requests && path().is_for_all(received.ingress.destination)) {
      Protocol::is_reply(received.octets) ? losses_.received_broadcast_reply() : losses_.received_broadcast_request();
    }
  }

  void queue_request(Message& message, std::span<std::uint8_t> octets) {
    const std::uint32_t flow = message.ingress.interface_index;
    if (const auto refusal = Relay::refusal(message.interface, now_, Protocol::family)) {
      begin(message, octets);
      drop(message, octets, *refusal);
      return;
    }
    const Waiting waiting = path().wait(message, octets);
    const auto push = [&] {
      return requests_waiting_.push(message.ingress, octets, message.kind, waiting.epoch, waiting.headroom);
    };
    shedding_.took(flow, octets);
    bool has_room = push();
    if (!has_room) {
      if (const auto given_up =
              requests_waiting_.give_up_for(message.ingress, octets, message.kind, waiting.headroom)) {
        refuse(*given_up);
        requests_waiting_.release();
        has_room = push();
      }
    }
    if (has_room) {
      path().queued(waiting.epoch);
      return;
    }
    if (requests_waiting_.is_full()) {
      shedding_.gave_up(flow, octets);
    }
    begin(message, octets);
    drop(message, octets, DropReason::queue_full);
  }

  /// That of a request which waited, and gives way to another.
  void refuse(const Queued& request) {
    const auto octets = request.buffer.octets();
    path().left_queue(request.epoch);
    shedding_.gave_up(request.ingress.interface_index, octets);
    Message message = message_of(request);
    begin(message, octets);
    drop(message, octets, DropReason::queue_full);
  }

  [[nodiscard]] Message message_of(const Queued& request, std::size_t number = 0) {
    return {request.ingress, table_.find(request.ingress.interface_index), Direction::request, request.kind, number};
  }

  void decide_requests() {
    for (std::size_t batch = 0; batch < max_decided_batches && requests_waiting_.size() != 0; ++batch) {
      decide_batch();
    }
  }

  void decide_batch() {
    const std::size_t count = std::min(batch_size, requests_waiting_.size());
    for (std::size_t number = 0; number < count; ++number) {
      Queued request = *requests_waiting_.pop();
      shedding_.served(request.ingress.interface_index, std::as_const(request.buffer).octets());
      Message message = message_of(request, number);
      fates_[number] = {message.interface, message.kind, false, false, {}};
      path().settle_request(message, request);
      path().left_queue(request.epoch);
    }
    send_requests();
    count_relayed(count);
    requests_waiting_.release();
  }

  /// What the kernel turned away at our word is the interface's that floods, as what it sent before.
  void count_losses(ReceiveLosses::Emptied emptied) {
    ReceiveLosses::Lost lost = losses_.more(sockets_, emptied, now_);
    if (lost.requests != 0) {
      const bool was_shed = shedding_.split(lost.requests, [this](std::uint32_t flow, std::uint64_t part) {
        const Interface* const interface = table_.find(flow);
        auto& of_requests = counters(interface).requests;
        of_requests.received(Kind::unknown).add(part);
        of_requests.dropped(Kind::unknown, DropReason::queue_full).add(part);
        tell_lost({DropReason::queue_full, interface, part});
      });
      lost.others += was_shed ? 0 : lost.requests;
    }
    if (!losses_.is_pending() && emptied.requests && emptied.replies) {
      shedding_.all_told();
    }
    if (lost.others != 0) {
      counters(nullptr).lost_in_kernel.add(lost.others);
      tell_lost({DropReason::lost_in_kernel, nullptr, lost.others});
    }
  }

  /// Nothing is turned away while each message is told, nor when no request waits.
  void adjust_shedding() { shedding_.adjust(requests_waiting_.size() == 0 || listener_.per_message, now_); }

  void count_received(const Message& message) noexcept {
    OwnCounters& of_interface = counters(message.interface);
    (message.direction == Direction::request ? of_interface.requests.received(message.kind)
                                             : of_interface.replies.received(message.kind))
        .add();
  }

  void count_dropped(const Interface* interface, Direction direction, Kind kind, DropReason reason) noexcept {
    OwnCounters& of_interface = counters(interface);
    (direction == Direction::request ? of_interface.requests.dropped(kind, reason)
                                     : of_interface.replies.dropped(kind, reason))
        .add();
  }

  void send_requests() {
    const auto sent = [this](const SendingMessage& sending, int error) { request_sent(sending, error); };
    requests_.send(sockets_.requests.number(), sent);
    requests_from_relay_port_.send(sockets_.upstream.number(), sent);
  }

  void request_sent(const SendingMessage& sending, int error) {
    servers_.sent(sending.destination, fates_[sending.message].is_question, error == 0, now_);
    if (error == 0) {
      counters(sending.interface).request_copies.add();
      fates_[sending.message].is_relayed = true;
      return;
    }
    counters(sending.interface).request_copies_failed.add();
    fates_[sending.message].failure = failure_reason(error);
    tell_failure(sending, error);
  }

  /// Counts each of the first `count` requests of the batch once, however many servers it has.
  void count_relayed(std::size_t count) noexcept {
    for (const RequestFate& fate : std::span{fates_}.first(count)) {
      if (fate.is_relayed) {
        counters(fate.interface).requests.forwarded(fate.kind).add();
      } else if (fate.failure) {
        count_dropped(fate.interface, Direction::request, fate.kind, *fate.failure);
      }
    }
  }

  using Events = std::function<void(const MessageEventOf<Protocol>&)>;

  [[nodiscard]] const Events& told_messages() const noexcept {
    if constexpr (Protocol::family == Family::ipv4) {
      return listener_.message;
    } else {
      return listener_.message6;
    }
  }
  [[nodiscard]] const Events& told_drops() const noexcept {
    if constexpr (Protocol::family == Family::ipv4) {
      return listener_.dropped;
    } else {
      return listener_.dropped6;
    }
  }
  static void tell(const Events& events, const MessageEventOf<Protocol>& event) {
    if (events) {
      events(event);
    }
  }

  void tell_failure(const SendingMessage& sending, int error) const {
    const auto& failures = [this]() -> const std::function<void(const SendFailureOf<Protocol>&)>& {
      if constexpr (Protocol::family == Family::ipv4) {
        return listener_.send_failed;
      } else {
        return listener_.send_failed6;
      }
    }();
    if (failures) {
      failures({failure_reason(error), sending.interface, sending.destination, error, sending.serial});
    }
  }

  void tell_lost(const KernelLoss& loss) const {
    if (listener_.kernel_lost) {
      listener_.kernel_lost(loss);
    }
  }

  void tell_refused(Offload offload, int error) const {
    if (error != 0 && listener_.offload_refused) {
      listener_.offload_refused(offload, error);
    }
  }

  Pacing pacing_;
  bool is_busy_ = false;
  std::size_t taken_ = 0;  // messages in this turn
  ReceiveLosses losses_;
  ReceiveBatchOf<Protocol> received_;
  RequestShedding shedding_;
  DatagramBatchOf<Protocol> requests_from_relay_port_;
  DatagramBatchOf<Protocol> requests_;           // to servers
  std::array<RequestFate, batch_size> fates_{};  // of the requests of one decided batch
};

}  // namespace relay::io
