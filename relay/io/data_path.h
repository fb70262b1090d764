// The way of every DHCPv4 message: taken from its socket, decided on, edited in place, sent. In the steady state
// nothing here and in message_path.h allocates, locks or formats, and the time is asked for once a turn.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "options82/edit.h"
#include "relay/core/figures.h"
#include "relay/core/policy.h"
#include "relay/core/relay.h"
#include "relay/io/bridge_ports.h"
#include "relay/io/message_path.h"

namespace relay::io {

/// Changes of links and addresses that the kernel has reported and nobody has read yet.
struct LinkNews {
  std::function<bool()> is_waiting;
  std::function<void()> read;                  ///< brings the table in step, or some of the way
  std::function<bool()> is_behind;             ///< whether the rest of the way was left for later
  std::function<bool(Ipv4Address)> holds_now;  ///< asks the kernel whether this host has the address
};

class DataPath : public MessagePath<Dhcpv4, DataPath> {
 public:
  /// `sockets`, which may be closed where DHCPv4 is not relayed, and `table` must outlive the data path; the table
  /// changes only between calls of `serve`, and in `news.read`, which `serve` calls before it decides on requests.
  DataPath(const Sockets& sockets, const Ports& ports, InterfaceTable& table, LinkNews news, Listener listener);

  /// All of DHCPv4 but the interfaces.
  void add_figures(Figures& figures) const;

  /// Also called when routes may have changed: what was too large for one may fit another.
  void apply(const Policy& policy);

 private:
  friend MessagePath;

  // What MessagePath asks for.
  [[nodiscard]] bool is_for_all(Ipv4Address destination) const;
  void before_taking(bool) noexcept {}
  void requests_taken(std::size_t count) noexcept;
  void take_datagram(const Received&) noexcept {}
  [[nodiscard]] Waiting wait(const Message&, std::span<const std::uint8_t>) const noexcept;
  void queued(std::uint64_t epoch) noexcept { early_waiting_ += epoch != epoch_ ? 1 : 0; }
  void left_queue(std::uint64_t epoch) noexcept { early_waiting_ -= epoch != epoch_ ? 1 : 0; }
  void before_deciding(bool more_requests) { read_news(more_requests); }
  void settle_request(Message& message, QueuedRequest& request);
  void settle_reply(Message& message, std::span<std::uint8_t> octets, const Received& received);
  void send_replies();

  void read_news(bool more_requests);
  [[nodiscard]] std::optional<DropReason> not_ours(const QueuedRequest& request, const Interface* ingress);
  [[nodiscard]] bool has_lost(Ipv4Address giaddr);
  [[nodiscard]] MessageBuffer with_room(std::span<std::uint8_t> octets, const Received& received) noexcept;
  void to_servers(const Message& message, std::span<const std::uint8_t> octets, const ToServers& decision);
  void to_client(const Message& message, std::span<const std::uint8_t> octets, const ToClient& decision);
  void note_answer(const Message& message, std::span<const std::uint8_t> octets, const Decision& decision);

  LinkNews news_;
  BridgePorts bridge_ports_;
  Relay relay_;

  std::array<std::array<std::uint8_t, options82::min_message_size>, 3 * batch_size> short_replies_{};  // a ring
  std::size_t next_short_reply_ = 0;
  DatagramBatch datagrams_;                    // to clients that have an address, or on links without frames
  FrameBatch frames_;                          // to clients that have none
  std::uint64_t epoch_ = 0;                    // how often there were news
  std::vector<std::uint32_t> passive_before_;  // interfaces that were passive before recent news, sorted
  std::size_t early_left_ = 0;                 // in the socket, at most: requests from before the last news
  std::size_t early_waiting_ = 0;              // in the queue
  bool is_behind_ = false;                     // the table was, in this turn
  std::optional<Ipv4Address> asked_for_;       // the last giaddr that the kernel was asked for in this turn
  bool holds_asked_ = false;                   // its answer
  std::uint16_t identification_ = 0;           // of the last datagram that was sent in fragments
};

}  // namespace relay::io
