// The way of every message: taken from its socket, decided on, edited in place, sent. Replies go before requests.
// In the steady state nothing here allocates, locks or formats, and the time is asked for once a batch.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "relay/core/decision.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/relay.h"
#include "relay/io/bridge_ports.h"
#include "relay/io/receive_batch.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"

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
  /// `sockets` and `table` must outlive the data path; the table changes only between calls of `serve`, and in
  /// `news.read`, which `serve` calls before it decides on requests.
  DataPath(const Sockets& sockets, const Ports& ports, InterfaceTable& table, LinkNews news, Listener listener);

  void apply(const Policy& policy) { relay_.apply(policy); }
  void tell_messages(bool per_message) noexcept { listener_.per_message = per_message; }

  /// Takes what waits: all replies first, then one batch of requests. True if there may be more at once.
  [[nodiscard]] bool serve();

 private:
  static constexpr std::size_t batch_size = 64;

  /// What became of the copies of one request.
  struct RequestFate {
    Interface* interface = nullptr;
    bool is_relayed = false;            ///< at least one copy was sent
    std::optional<DropReason> failure;  ///< why another was not
  };

  using Rules = Decision (Relay::*)(const Ingress&, MessageBuffer&) noexcept;

  [[nodiscard]] bool serve_replies(int socket);
  [[nodiscard]] bool serve_requests();
  void read_news();
  [[nodiscard]] std::optional<DropReason> not_ours(const Interface* ingress);
  [[nodiscard]] bool has_lost(Ipv4Address giaddr);
  void settle(Received& received, Interface* ingress, std::size_t number, Rules rules,
              std::optional<DropReason> refusal = {});
  void to_servers(Received& received, const ToServers& decision, Interface* ingress, std::size_t number);
  void to_client(Received& received, const ToClient& decision);
  void send_frame(const Sending& sending, MessageBuffer& message, const ToClient& decision);
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
  std::chrono::nanoseconds now_{};  // coarse, looked at once for all messages of one `serve`

  ReceiveBatch received_;
  DatagramBatch requests_from_relay_port_;
  DatagramBatch requests_;                       // to servers
  DatagramBatch datagrams_;                      // to clients that have an address, or on links without frames
  FrameBatch frames_;                            // to clients that have none
  std::array<RequestFate, batch_size> fates_{};  // of the requests of one received batch
  std::vector<std::uint32_t> passive_before_;    // interfaces that were passive before the last news, sorted
  std::size_t early_batches_ = 0;                // that may still hold requests from before the last news
  bool is_behind_ = false;                       // the table was, when this batch had been received
  std::optional<Ipv4Address> asked_for_;         // the last giaddr that the kernel was asked for in this batch
  bool holds_asked_ = false;                     // its answer
  std::uint64_t serial_ = 0;                     // of the last message
  std::uint16_t identification_ = 0;             // of the last datagram that was sent in fragments
};

}  // namespace relay::io
