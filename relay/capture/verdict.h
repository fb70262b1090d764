// What became of one message, as a record of fixed size that travels from the data path to a capture, and the
// fingerprint by which a capture finds the packet that it is about.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "options82/options.h"
#include "relay/capture/address.h"
#include "relay/core/address.h"
#include "relay/core/decision.h"
#include "relay/core/drop_reason.h"
#include "relay/core/events.h"
#include "relay/core/policy.h"

namespace relay::capture {

/// Tells messages apart: equal for equal octets, unequal for others but for chance. Of the first 512 octets, so that
/// the first fragment of a datagram has the fingerprint of the whole on every link of at least 576 octets of MTU.
using Fingerprint = std::uint64_t;
inline constexpr std::size_t fingerprinted_size = 512;
[[nodiscard]] Fingerprint fingerprint(std::span<const std::uint8_t> message) noexcept;

enum class VerdictKind : std::uint8_t {
  to_servers,   ///< a request, relayed
  to_client,    ///< a reply, delivered
  dropped,      ///< neither, for `reason`
  send_failed,  ///< one copy of an earlier message, of the same serial, could not be sent to `destination`
};

inline constexpr std::size_t told_servers_max = 8;

struct Verdict {
  std::uint64_t serial = 0;            ///< of the message, as in `MessageEvent`
  std::chrono::nanoseconds arrival{};  ///< `Ingress::arrival`; not of `send_failed`
  Fingerprint received = 0;            ///< of the message as it came
  Fingerprint sent = 0;                ///< as it leaves; of `to_servers` and `to_client`
  VerdictKind kind = VerdictKind::dropped;
  DropReason reason{};                ///< of `dropped` and `send_failed`
  std::uint32_t limit = 0;            ///< what the message went beyond: `-c`, `--min-secs`, `--strict-size`; else 0
  std::uint32_t interface_index = 0;  ///< where it came in
  std::uint32_t egress_index = 0;     ///< of `to_client`
  AgentInformationOutcome agent_information = AgentInformationOutcome::untouched;
  Delivery delivery = Delivery::link_broadcast;
  MacAddress link_destination{};
  Address source{};                                     ///< who sent the message that came
  Address destination{};                                ///< of `to_client` and `send_failed`
  Ipv4Address giaddr{};                                 ///< as it leaves; of `dropped` as it came
  std::array<Ipv4Address, told_servers_max> servers{};  ///< the first of them
  std::uint32_t server_count = 0;                       ///< of them all
  int error = 0;                                        ///< errno, of `send_failed`
  std::uint8_t option82_size = 0;
  std::array<std::uint8_t, options82::max_option_value_size>
      option82{};  ///< the last one of a request that was given any

  [[nodiscard]] std::span<const Ipv4Address> told_servers() const noexcept {
    return std::span{servers}.first(std::min<std::size_t>(server_count, told_servers_max));
  }
  [[nodiscard]] options82::Octets option82_content() const noexcept {
    return options82::Octets{option82}.first(option82_size);
  }
};

/// What a verdict of `send_failed` says, and no more.
struct FailedCopy {
  Address destination;
  DropReason reason{};
  int error = 0;  ///< errno

  friend bool operator==(const FailedCopy&, const FailedCopy&) = default;
};

/// Makes `verdict` an empty one, but for the octets behind `option82_size`, which nobody reads.
void clear(Verdict& verdict) noexcept;

/// Writes the verdict of a `forwarded` or `dropped` message over all of `verdict` but `received`.
/// No more of `option82` is written than the message has.
void write_verdict(Verdict& verdict, const MessageEvent& event, const Policy& policy) noexcept;

}  // namespace relay::capture
