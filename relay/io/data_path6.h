// The way of every DHCPv6 message, as data_path.h is that of DHCPv4. In the steady state nothing here allocates, locks
// or formats.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/decision6.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy6.h"
#include "relay/io/link_sources.h"
#include "relay/io/message_path.h"

namespace relay::io {

/// Who looks on as leases pass. An empty function is not called.
struct LeasesPassing {
  std::function<void(const ToPeer6& to_client, std::chrono::nanoseconds now)> reply;  ///< that goes to a client
  /// That goes to servers, as the client sent it.
  std::function<void(const Ingress6& ingress, const Interface& interface, std::span<const std::uint8_t>)> release;
};

class DataPath6 : public MessagePath<Dhcpv6, DataPath6> {
 public:
  /// `sockets`, `table` and `link_sources` must outlive the data path, and `link_sources` may be null: then no message
  /// gets option 79, and clients are neighbours of the kernel. Else `sockets.frames` has to be open. The table changes
  /// only between calls of `serve`.
  DataPath6(const Sockets& sockets, const Ports6& ports, InterfaceTable& table, LinkSources* link_sources,
            Listener listener);

  /// Also called when routes may have changed: what was too large for one may fit another. The ports stay those of the
  /// sockets, whatever `policy` says.
  void apply(const Policy6& policy);

  /// Where one address is given with several interfaces, it is one server, shown with the first of them.
  void apply_servers(const std::vector<ServerName6>& servers, bool replies_from_anyone);

  /// From now on.
  void show_leases(LeasesPassing passing) { passing_ = std::move(passing); }

 private:
  friend MessagePath;

  // What MessagePath asks for.
  [[nodiscard]] static bool is_for_all(const Ipv6Address& destination) noexcept { return destination.is_multicast(); }
  void before_taking(bool are_requests);
  void requests_taken(std::size_t) noexcept {}
  void take_datagram(const Received6& received) noexcept;
  [[nodiscard]] Waiting wait(Message& message, std::span<const std::uint8_t> octets);
  void queued(std::uint64_t) noexcept {}
  void left_queue(std::uint64_t) noexcept {}
  void before_deciding(bool) noexcept {}
  void settle_request(Message& message, QueuedRequest6& request);
  void settle_reply(Message& message, std::span<const std::uint8_t> octets, const Received6& received);
  void send_replies();

  void note_question(const Message& message, std::span<const std::uint8_t> octets) noexcept;
  void note_answer(const Message& message, std::span<const std::uint8_t> octets, const Decision6& decision) noexcept;
  void to_peer(const Message& message, const ToPeer6& decision);
  [[nodiscard]] std::optional<MacAddress> link_destination(const ToPeer6& decision) const noexcept;

  LinkSources* link_sources_;
  Policy6 policy_;
  LeasesPassing passing_;
  DatagramBatch6 replies_;  // to other relay agents, and clients of unknown hardware address
  FrameBatch6 frames_;      // to clients
};

}  // namespace relay::io
