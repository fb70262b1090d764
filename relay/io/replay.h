// A relay without sockets: packets of a capture go through the very functions that the daemon uses. Its interfaces are
// those that are given, and those that the capture describes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/capture/address.h"
#include "relay/capture/message_finder.h"
#include "relay/capture/packet.h"
#include "relay/capture/replayed.h"
#include "relay/capture/scope.h"
#include "relay/capture/sent_frames.h"
#include "relay/core/events.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/relay.h"
#include "relay/io/interface_view.h"

namespace relay::io {

class Replay {
 public:
  /// An interface that exists whatever the capture says; it hides one of the same name there.
  struct GivenInterface {
    std::string name;
    std::vector<Ipv4Prefix> addresses;
    MacAddress mac{};  ///< zero: not known
    std::vector<Ipv6Prefix> addresses6{};
  };

  /// What the operator decided: the protocols that are replayed, and the rules of each. The ports are those of `scope`.
  struct Rules {
    capture::Scope scope{};
    Policy policy{};
    Policy6 policy6{};
  };

  /// All are called during `run` and `finish`; empty ones are not.
  struct Listener {
    /// Once, before any other: a first message is there. Must throw where there is no interface that has a role.
    std::function<void()> beginning;
    /// A message, and the packet that carries it or completes it.
    std::function<void(const capture::Packet&, const capture::ReplayedMessage&)> message;
    /// Called behind that, for each copy that would be sent.
    std::function<void(const capture::Packet&, const capture::ReplayedMessage&, const capture::SentFrame&)> sent;
    /// A packet with a fragment of a message whose rest did not come yet.
    std::function<void(const capture::Packet&)> fragment;
    /// The beginning of a message, once it is known that its rest does not come.
    std::function<void(const capture::ReplayedMessage&)> unfinished;
  };

  Replay(const Rules& rules, const InterfaceSettings& settings, const std::vector<GivenInterface>& given,
         Listener listener);

  /// All interfaces of the capture that are known by now, those of earlier calls first. A new one is what its name
  /// stands for from now on, with its addresses or without any, until a packet of another one of this name comes.
  void follow(const std::vector<capture::CapturedInterface>& interfaces);

  /// Whether any interface has a role.
  [[nodiscard]] bool has_role() const noexcept;

  /// Needs `packet.interface` to be one of those that `follow` was told of. `frame` is the packet's number.
  void run(const capture::Packet& packet, std::uint64_t frame);

  /// The capture is over.
  void finish();

  /// The interface that the capture's interface of this number is; null where it has no name.
  [[nodiscard]] const Interface* find(std::size_t captured) const noexcept;

  /// Every interface that there is now, in the order in which they came.
  [[nodiscard]] std::vector<const Interface*> interfaces() const;

  /// The number of the capture's interface that this one is at the moment; nothing where it is in no capture.
  [[nodiscard]] std::optional<std::size_t> captured(const Interface& interface) const noexcept;

  /// Whether the interface of `-U` changed its addresses more often than this was followed: each time costs as much as
  /// there are interfaces.
  [[nodiscard]] bool has_passed_over_changes() const noexcept { return has_passed_over_changes_; }

 private:
  /// What an interface has.
  struct Facts {
    MacAddress mac;
    bool is_ethernet = true;
    std::vector<Ipv4Prefix> addresses;
    std::vector<Ipv6Prefix> addresses6;
  };
  /// An interface of the relay.
  struct Known {
    LinkState link;
    std::vector<Ipv4Prefix> addresses;
    std::vector<Ipv6Prefix> addresses6;
    bool is_given = false;
    std::optional<std::size_t> captured;  // which interface of the capture it is now
  };
  /// An interface of the capture; without a name it is none of the relay.
  struct Captured {
    Known* known = nullptr;
    Facts facts;
  };
  /// Where what has no interface in the capture is taken to have arrived, as far as there is such an interface.
  struct Arrivals {
    const Interface* first_downstream = nullptr;
    const Interface* first_upstream = nullptr;
    const Interface* first_not_downstream = nullptr;

    void add(const Interface& interface, bool is_downstream, bool is_upstream) noexcept;
  };

  [[nodiscard]] Known& enter(const std::string& name, const MacAddress& mac, bool is_ethernet);
  void put_in_force(std::size_t number);
  void apply(Known& known, const Facts& facts);
  void apply_addresses(Known& known, const std::vector<Ipv4Prefix>& addresses);
  void apply_addresses6(Known& known, const std::vector<Ipv6Prefix>& addresses);
  [[nodiscard]] bool may_change(const Known& known, std::size_t steps) noexcept;
  void count_broadcast(const Ipv4Prefix& address, int change);
  [[nodiscard]] bool is_to_subnet(const capture::Address& destination) const noexcept;
  void choose_arrivals(const Interface& added);
  [[nodiscard]] const Interface* arrival(const capture::UdpDatagram& datagram) const noexcept;
  [[nodiscard]] const Interface* egress(const capture::Address& server);
  void advance(std::chrono::nanoseconds time) noexcept;
  void decide(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
              capture::ReplayedMessage& message);
  void decide6(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
               capture::ReplayedMessage& message);
  [[nodiscard]] Decision6 decision6(const Ingress6& ingress, bool is_reply, MessageBuffer& message);
  template <typename Protocol>
  void tell(const capture::Packet& packet, capture::ReplayedMessage& message, const MessageEventOf<Protocol>& event,
            const typename Protocol::Policy& policy);
  void tell_unfinished(const std::vector<capture::UnfinishedMessage>& messages) const;

  Rules rules_;
  Listener listener_;
  InterfaceTable table_;
  InterfaceView view_;
  Relay relay_;
  capture::MessageFinder finder_;
  std::string giaddr_interface_;  // `-U`
  std::map<std::string, Known> known_;
  std::vector<const Known*> in_order_;
  std::vector<Captured> captured_;
  std::size_t updates_left_;
  bool has_passed_over_changes_ = false;
  std::unordered_map<Ipv4Address, int> broadcasts_;                          // of all subnets, with the number of these
  std::unordered_map<capture::Address, const Interface*> egress_by_server_;  // as far as asked for
  const Interface* first_ = nullptr;
  Arrivals arrivals_;
  Arrivals arrivals6_;
  bool has_begun_ = false;
  std::vector<std::uint8_t> storage_;
  std::chrono::nanoseconds now_{};                  // the relay's: never goes back
  std::optional<std::chrono::nanoseconds> latest_;  // the capture's, that `now_` stands for
  capture::Verdict verdict_;
};

}  // namespace relay::io
