// The way of every DHCPv6 message, as data_path.h is that of DHCPv4: replies before requests, requests by turns of
// their interfaces, both in batches. In the steady state nothing here allocates, locks or formats.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "relay/core/decision6.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_kind6.h"
#include "relay/core/pacing.h"
#include "relay/core/policy6.h"
#include "relay/io/link_sources.h"
#include "relay/io/receive_batch.h"
#include "relay/io/receive_losses.h"
#include "relay/io/request_queue.h"
#include "relay/io/request_shedding.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"
#include "relay/io/turn.h"

namespace relay::io {

class DataPath6 {
 public:
  /// `sockets`, `table` and `link_sources` must outlive the data path, and `link_sources` may be null: then no message
  /// gets option 79. The table changes only between calls of `serve`.
  DataPath6(const Sockets& sockets, const Ports6& ports, InterfaceTable& table, LinkSources* link_sources,
            Listener listener);

  /// Whether requests may leave in runs, at first not; for as long as each message is told they never do.
  void form_runs(bool on) noexcept;

  /// Whether many messages came of late.
  [[nodiscard]] bool is_busy() const noexcept { return is_busy_; }

  /// Also called when routes may have changed: what was too large for one may fit another. The ports stay those of the
  /// sockets, whatever `policy` says.
  void apply(const Policy6& policy);

  /// While each message is told, each leaves and arrives by itself, so that a capture shows what is on the wire.
  void tell_messages(bool per_message);

  /// Takes what waits: replies first, then requests, of which a number is decided.
  [[nodiscard]] Turn serve();

  /// Whether `serve` should be called once more in `ReceiveLosses::delay`, though no message comes.
  [[nodiscard]] bool has_open_question() const noexcept { return losses_.is_pending() || shedding_.is_unsettled(); }

 private:
  static constexpr std::size_t batch_size = 64;

  /// A message and where it came from.
  struct Message {
    const Ingress6& ingress;
    Interface* interface;  ///< where it arrived; null if the table does not know it
    Direction direction;
    MessageKind6 kind;
    std::size_t number = 0;  ///< of a request, within the decided batch
  };

  /// What became of the copies of one request.
  struct RequestFate {
    Interface* interface = nullptr;
    MessageKind6 kind = MessageKind6::unknown;
    bool is_relayed = false;            ///< at least one copy was sent
    std::optional<DropReason> failure;  ///< why another was not
  };

  [[nodiscard]] bool take_replies();
  [[nodiscard]] bool take_requests();
  void take_merged();
  [[nodiscard]] std::size_t receive(const Descriptor& socket);
  void take(const Received6& received, bool may_be_requests);
  void queue_request(Ingress6 ingress, Interface* interface, std::span<const std::uint8_t> octets);
  void refuse(const QueuedRequest6& request);
  void decide_requests();
  void decide_batch();
  void count_losses(ReceiveLosses::Emptied emptied);
  void tell_lost(const KernelLoss& loss) const;
  void tell_refused(Offload offload, int error) const;

  void begin(const Message& message, std::span<const std::uint8_t> octets);
  void drop(const Message& message, std::span<const std::uint8_t> octets, DropReason reason);
  void tell_forwarded(const Message& message, std::span<const std::uint8_t> octets, const Decision6& decision) const;
  void settle_request(const Message& message, MessageBuffer& buffer);
  void settle_reply(const Message& message, std::span<const std::uint8_t> octets);
  void to_servers(const Message& message, std::span<const std::uint8_t> octets, const ToServers6& decision);
  void to_peer(const Message& message, const ToPeer6& decision);

  void send_requests();
  void send_replies();
  void request_sent(const Sending6& sending, int error);
  void reply_sent(const Sending6& sending, int error);
  void count_relayed(std::size_t count);
  void tell_failure(const Sending6& sending, int error) const;
  [[nodiscard]] Counters6& counters(const Interface* interface) noexcept;

  const Sockets& sockets_;
  Ports6 ports_;
  InterfaceTable& table_;
  LinkSources* link_sources_;
  Listener listener_;
  Policy6 policy_;
  std::chrono::nanoseconds now_{};  // looked at once for all messages of one `serve`
  Pacing pacing_;
  bool is_busy_ = false;
  std::size_t taken_ = 0;  // messages in this turn
  ReceiveLosses losses_;

  ReceiveBatch6 received_;
  RequestQueue6 requests_waiting_;
  RequestShedding shedding_;
  DatagramBatch6 requests_from_relay_port_;
  DatagramBatch6 requests_;                      // to servers
  DatagramBatch6 replies_;                       // to clients and other relay agents
  std::array<RequestFate, batch_size> fates_{};  // of the requests of one decided batch
  std::uint64_t serial_ = 0;                     // of the last message
};

}  // namespace relay::io
