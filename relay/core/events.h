// What the data path and the interface view tell whoever listens: the log today, capture and metrics beside it.
// Plain data that borrows from the teller and is valid during the call alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "relay/core/delegations.h"
#include "relay/core/interface_table.h"
#include "relay/core/protocols.h"

namespace relay {

/// A stage in the life of one message, in this order: received, then one of the others.
enum class MessageStage : std::uint8_t {
  received,   ///< as it arrived; `decision` is null
  forwarded,  ///< sent, as edited: `decision` is `ToServers` or `ToClient`, or one of their DHCPv6 twins
  dropped,    ///< `decision` is `Drop`
};

template <typename Protocol>
struct MessageEventOf {
  MessageStage stage;
  const typename Protocol::Ingress& ingress;
  const Interface* interface;             ///< where it arrived; null if the table does not know it
  std::span<const std::uint8_t> message;  ///< UDP payload; of any size and content
  const typename Protocol::Decision* decision;
  std::uint64_t serial = 0;  ///< of the message, the same in each stage; numbered in the order of receiving
};
using MessageEvent = MessageEventOf<Dhcpv4>;
using MessageEvent6 = MessageEventOf<Dhcpv6>;

/// A copy that could not be sent to one server, or a reply that could not be sent to its client.
template <typename Protocol>
struct SendFailureOf {
  DropReason reason;  ///< `send_buffer_full` or `send_failed`
  const Interface* interface;
  typename Protocol::Address destination;
  int error;                 ///< errno
  std::uint64_t serial = 0;  ///< of the message
};
using SendFailure = SendFailureOf<Dhcpv4>;
using SendFailure6 = SendFailureOf<Dhcpv6>;

/// Messages that the kernel gave up or turned away before they were received.
struct KernelLoss {
  DropReason reason;           ///< `lost_in_kernel`, or `queue_full` of an interface that floods
  const Interface* interface;  ///< null: of any
  std::uint64_t count;
};

/// A server fell silent, or answers again.
struct ServerEvent {
  IpAddress server;
  std::string_view zone{};  ///< its interface, where it was given with one
  bool is_answering = false;
  bool has_answered = false;     ///< ever, since it was named
  bool others_answer = false;    ///< while it does not
  std::uint64_t unanswered = 0;  ///< requests since its last answer, or the first ones
  std::chrono::seconds
      time{};  ///< since the first of them; of one that answers again, since the first it had not answered
};

enum class InterfaceChange : std::uint8_t {
  appeared,
  vanished,
  released,  ///< it is there, but no flag names it any more: by another configuration or another name
  renamed,   ///< `previous_name` says from what
  came_up,
  went_down,
  giaddr_changed,        ///< `Interface::giaddr` is the new one; none: the interface has no address now
  link_address_changed,  ///< `Interface6::link_address` is the new one; unspecified: Interface-Id alone tells the link
  no_link_local,         ///< it is up, and no client of DHCPv6 is served there
  has_link_local,        ///< after that
  became_passive,        ///< this host does not hold the giaddr that the operator gave
  became_active,
};

/// Something happened to an interface that the relay uses.
struct InterfaceEvent {
  InterfaceChange change;
  const Interface& interface;
  std::string_view previous_name{};
  std::string_view new_name{};  ///< of `released`, where it has got another one, under which no flag names it
};

/// This host cannot become a member of the clients' group on an interface: it hears of no client of DHCPv6 there.
struct MembershipRefusal {
  const Interface& interface;
  int error;  ///< errno
};

/// The kernel does not take the route to a delegated prefix.
struct RouteRefusal {
  Ipv6Prefix prefix;
  std::string_view interface;  ///< empty: it has gone
  int error;                   ///< errno; EEXIST: somebody else has a route to it
  std::size_t count = 1;       ///< of this one since it was told last, and of those that were beyond what is kept
};

enum class PrefixStateChange : std::uint8_t {
  taken_over,   ///< what a relay before this one left in the file
  absent,       ///< there is no file
  damaged,      ///< it is not as a relay writes it, and nothing was taken
  not_written,  ///< from now on, for a reason
  writable,     ///< again
  routes_left,  ///< of a relay before this one, which nothing is known of: they stay
};

/// Something about the file that delegated prefixes are kept in.
struct PrefixStateEvent {
  PrefixStateChange change;
  std::string_view file;
  std::string_view why{};  ///< of `not_written`, a sentence
  std::size_t count = 0;   ///< of `taken_over`: delegations; of `routes_left`: routes
};

/// What the kernel can do for many messages at once. Where it is refused, each goes alone.
enum class Offload : std::uint8_t {
  run_sending,       ///< UDP_SEGMENT
  merged_receiving,  ///< UDP_GRO
};

/// Where events go. An empty function is not called. None of them may throw.
struct Listener {
  std::function<void(const MessageEvent&)> dropped;  ///< every drop, at any log level
  std::function<void(const MessageEvent&)> message;  ///< `received` and `forwarded`, only while `per_message`
  std::function<void(const SendFailure&)> send_failed;
  std::function<void(const MessageEvent6&)> dropped6;  ///< the same three of DHCPv6
  std::function<void(const MessageEvent6&)> message6;
  std::function<void(const SendFailure6&)> send_failed6;
  std::function<void(const MembershipRefusal&)> membership_refused;
  std::function<void(const KernelLoss&)> kernel_lost;
  std::function<void(Offload, int error)> offload_refused;  ///< by the kernel or a driver, with this errno
  std::function<void(const InterfaceEvent&)> interface_changed;
  std::function<void(const ServerEvent&)> server_changed;
  std::function<void(const DelegationEvent&)> delegation_changed;
  std::function<void(const RouteRefusal&)> route_refused;
  std::function<void(const PrefixStateEvent&)> prefix_state;
  bool per_message = false;
};

}  // namespace relay
