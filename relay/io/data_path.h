// The way of every message: taken from its socket, decided on, edited in place, sent. Replies go before requests, and
// requests by turns of their interfaces. In the steady state nothing here allocates, locks or formats, and the time is
// asked for once a turn.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "options82/edit.h"
#include "relay/core/decision.h"
#include "relay/core/events.h"
#include "relay/core/figures.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_kind.h"
#include "relay/core/pacing.h"
#include "relay/core/policy.h"
#include "relay/core/relay.h"
#include "relay/core/response_times.h"
#include "relay/core/servers.h"
#include "relay/io/bridge_ports.h"
#include "relay/io/receive_batch.h"
#include "relay/io/receive_losses.h"
#include "relay/io/request_queue.h"
#include "relay/io/request_shedding.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"
#include "relay/io/turn.h"

namespace relay::io {

/// Changes of links and addresses that the kernel has reported and nobody has read yet.
struct LinkNews {
  std::function<bool()> is_waiting;
  std::function<void()> read;                  ///< brings the table in step, or some of the way
  std::function<bool()> is_behind;             ///< whether the rest of the way was left for later
  std::function<bool(Ipv4Address)> holds_now;  ///< asks the kernel whether this host has the address
};

class DataPath {
 public:
  /// `sockets`, which may be closed where DHCPv4 is not relayed, and `table` must outlive the data path; the table
  /// changes only between calls of `serve`, and in `news.read`, which `serve` calls before it decides on requests.
  DataPath(const Sockets& sockets, const Ports& ports, InterfaceTable& table, LinkNews news, Listener listener);

  /// Whether requests may leave in runs, at first not; for as long as each message is told they never do.
  void form_runs(bool on) noexcept;

  /// Whether many messages came of late.
  [[nodiscard]] bool is_busy() const noexcept { return is_busy_; }

  /// The servers that requests go to from now on, none twice.
  void apply_servers(const std::vector<Ipv4Address>& servers, bool replies_from_anyone);

  /// Tells `Listener::server_changed` of servers that fell silent or answer again. Whether to call it once more in a
  /// moment though no message comes.
  [[nodiscard]] bool judge_servers();
  /// Whether there may be something for it to find since this was last asked.
  [[nodiscard]] bool has_asked_servers() noexcept { return servers_.take_news(); }

  /// All but the interfaces.
  [[nodiscard]] Figures figures() const;

  /// Also called when routes may have changed: what was too large for one may fit another.
  void apply(const Policy& policy);

  /// While each message is told, each leaves and arrives by itself, so that a capture shows what is on the wire.
  void tell_messages(bool per_message);

  /// Takes what waits: replies first, then requests, of which a number is decided.
  [[nodiscard]] Turn serve();

  /// Whether `serve` should be called once more in `ReceiveLosses::delay`, though no message comes.
  [[nodiscard]] bool has_open_question() const noexcept { return losses_.is_pending() || shedding_.is_unsettled(); }

 private:
  static constexpr std::size_t batch_size = 64;

  /// A message in its buffer, and where it came from.
  struct Message {
    Ingress ingress;
    MessageBuffer buffer;
    Interface* interface;  ///< where it arrived; null if the table does not know it
    Direction direction;
    MessageKind kind;
    std::size_t number = 0;  ///< of a request, within the decided batch
  };

  /// What became of the copies of one request.
  struct RequestFate {
    Interface* interface = nullptr;
    MessageKind kind = MessageKind::unknown;
    bool is_relayed = false;            ///< at least one copy was sent
    std::optional<DropReason> failure;  ///< why another was not
  };

  using Rules = Decision (Relay::*)(const Ingress&, MessageBuffer&) noexcept;

  [[nodiscard]] bool take_replies();
  [[nodiscard]] bool take_requests();
  [[nodiscard]] std::size_t receive(const Descriptor& socket);
  void take(const Received& received, bool may_be_requests);
  [[nodiscard]] MessageBuffer with_room(std::span<std::uint8_t> octets, const Received& received) noexcept;
  void take_merged();
  void tell_refused(Offload offload, int error) const;
  void queue_request(const Ingress& ingress, Interface* interface, std::span<std::uint8_t> octets);
  void refuse(const QueuedRequest& request);
  void decide_requests();
  void decide_batch();
  void count_losses(ReceiveLosses::Emptied emptied);
  void tell_lost(const KernelLoss& loss) const;
  void adjust_shedding();
  void read_news(bool more_requests);
  [[nodiscard]] std::optional<DropReason> not_ours(const QueuedRequest& request, const Interface* ingress);
  [[nodiscard]] bool has_lost(Ipv4Address giaddr);
  void settle(Message& message, Rules rules, std::optional<DropReason> refusal = {});
  void count_received(Interface* interface, Direction direction, MessageKind kind);
  void count_dropped(const Message& message, DropReason reason);
  void to_servers(const Message& message, const ToServers& decision);
  void to_client(const Message& message, const ToClient& decision);
  void note_answer(const Message& message, const Decision& decision);
  void send_requests();
  void send_replies();
  void request_sent(const Sending& sending, int error);
  void reply_sent(const Sending& sending, int error);
  void count_relayed(std::size_t count);
  void tell_failure(const Sending& sending, int error) const;
  [[nodiscard]] Counters& counters(Interface* interface) noexcept;

  const Sockets& sockets_;
  Ports ports_;
  InterfaceTable& table_;
  LinkNews news_;
  Listener listener_;
  BridgePorts bridge_ports_;
  Relay relay_;
  Servers servers_;
  ResponseTimes response_times_;
  std::shared_ptr<Gauge> queue_length_ = std::make_shared<Gauge>();
  std::chrono::nanoseconds now_{};  // looked at once for all messages of one `serve`
  Pacing pacing_;
  bool is_busy_ = false;
  std::size_t taken_ = 0;  // messages in this turn
  ReceiveLosses losses_;

  ReceiveBatch received_;
  std::array<std::array<std::uint8_t, options82::min_message_size>, 3 * batch_size> short_replies_{};  // a ring
  std::size_t next_short_reply_ = 0;
  RequestQueue requests_waiting_;
  RequestShedding shedding_;
  DatagramBatch requests_from_relay_port_;
  DatagramBatch requests_;                       // to servers
  DatagramBatch datagrams_;                      // to clients that have an address, or on links without frames
  FrameBatch frames_;                            // to clients that have none
  std::array<RequestFate, batch_size> fates_{};  // of the requests of one decided batch
  std::uint64_t epoch_ = 0;                      // how often there were news
  std::vector<std::uint32_t> passive_before_;    // interfaces that were passive before recent news, sorted
  std::size_t early_left_ = 0;                   // in the socket, at most: requests from before the last news
  std::size_t early_waiting_ = 0;                // in the queue
  bool is_behind_ = false;                       // the table was, in this turn
  std::optional<Ipv4Address> asked_for_;         // the last giaddr that the kernel was asked for in this turn
  bool holds_asked_ = false;                     // its answer
  std::uint64_t serial_ = 0;                     // of the last message
  std::uint16_t identification_ = 0;             // of the last datagram that was sent in fragments
};

}  // namespace relay::io
