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
#include <vector>

#include "relay/capture/message_finder.h"
#include "relay/capture/packet.h"
#include "relay/capture/replayed.h"
#include "relay/capture/sent_frames.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/ports.h"
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
  };

  /// All are called during `run` and `finish`; empty ones are not.
  struct Listener {
    /// A message, and the packet that carries it or completes it.
    std::function<void(const capture::Packet&, const capture::ReplayedMessage&)> message;
    /// Called behind that, for each copy that would be sent.
    std::function<void(const capture::Packet&, const capture::ReplayedMessage&, const capture::SentFrame&)> sent;
    /// A packet with a fragment of a message whose rest did not come yet.
    std::function<void(const capture::Packet&)> fragment;
    /// The beginning of a message, once it is known that its rest does not come.
    std::function<void(const capture::ReplayedMessage&)> unfinished;
  };

  Replay(const Ports& ports, const Policy& policy, const InterfaceSettings& settings,
         const std::vector<GivenInterface>& given, Listener listener);

  /// All interfaces of the capture that are known by now, those of earlier calls first.
  void follow(const std::vector<capture::CapturedInterface>& interfaces);

  /// Whether any interface has a role.
  [[nodiscard]] bool has_role() const noexcept;

  /// Needs `packet.interface` to be one of those that `follow` was told of. `frame` is the packet's number.
  void run(const capture::Packet& packet, std::uint64_t frame);

  /// The capture is over.
  void finish();

  /// The interface that the capture's interface of this number is; null where it has no name.
  [[nodiscard]] const Interface* find(std::size_t captured) const noexcept;

 private:
  struct Known {
    std::uint32_t index = 0;
    std::vector<Ipv4Prefix> addresses;
    bool is_given = false;
  };

  [[nodiscard]] Known& enter(const std::string& name, const MacAddress& mac);
  void apply_addresses(Known& known, const std::vector<Ipv4Prefix>& addresses);
  void choose_arrivals();
  [[nodiscard]] const Interface* arrival(bool is_reply) const noexcept;
  void decide(const capture::Packet& packet, const capture::FoundMessage& found, const Interface& interface,
              capture::ReplayedMessage& message);
  void tell_unfinished(const std::vector<capture::UnfinishedMessage>& messages) const;

  Ports ports_;
  Policy policy_;
  Listener listener_;
  InterfaceTable table_;
  InterfaceView view_;
  Relay relay_;
  capture::MessageFinder finder_;
  std::map<std::string, Known> known_;
  std::vector<std::optional<std::uint32_t>> captured_;  // index of each of the capture's interfaces
  std::optional<std::uint32_t> arrival_of_requests_;    // without a name: where they are taken to have arrived
  std::optional<std::uint32_t> arrival_of_replies_;
  std::vector<std::uint8_t> storage_;
  std::chrono::nanoseconds now_{};
  capture::Verdict verdict_;
};

}  // namespace relay::io
