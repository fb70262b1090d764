// What became of one message, as a record of fixed size that travels from the data path to a capture, and the
// fingerprint by which a capture finds the packet that it is about.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>
#include <vector>

#include "options82/options.h"
#include "relay/capture/address.h"
#include "relay/core/address.h"
#include "relay/core/decision.h"
#include "relay/core/drop_reason.h"
#include "relay/core/events.h"
#include "relay/core/families.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"

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

/// What a verdict on a message of DHCPv4 has room for.
struct Told4 {
  std::array<Ipv4Address, told_servers_max> servers{};  ///< the first of them
  std::uint8_t option82_size = 0;
  std::array<std::uint8_t, options82::max_option_value_size>
      option82{};  ///< the last one of a request that was given any
};

/// The same of DHCPv6. No larger, since a verdict has room for either.
struct Told6 {
  static constexpr std::size_t most_options = 128;

  std::array<Ipv6Address, told_servers_max> servers{};
  Ipv6Address link_address{};  ///< as it leaves; of `to_servers`
  std::uint16_t port = 0;      ///< where it leaves to; of `to_client`
  /// What our Relay-forward says beside the message, but for Client Link-Layer Address, which the packet shows; of
  /// `to_servers`. Whole options, as many as there is room for, and of those that found none the number and the first.
  std::uint16_t options_size = 0;
  std::uint16_t left_out_count = 0;
  std::uint16_t left_out_code = 0;
  std::uint16_t left_out_size = 0;  ///< of its value
  std::array<std::uint8_t, most_options> options{};

  [[nodiscard]] std::span<const std::uint8_t> told_options() const noexcept {
    return std::span{options}.first(options_size);
  }
};
static_assert(sizeof(Told6) <= sizeof(Told4));

struct Verdict {
  std::uint64_t serial = 0;            ///< of the message, as in `MessageEventOf`
  std::chrono::nanoseconds arrival{};  ///< `Ingress::arrival`; not of `send_failed`
  Fingerprint received = 0;            ///< of the message as it came
  Fingerprint sent = 0;                ///< as it leaves; of `to_servers` and `to_client`
  VerdictKind kind = VerdictKind::dropped;
  DropReason reason{};                ///< of `dropped` and `send_failed`
  std::uint32_t limit = 0;            ///< what the message went beyond: `-c`, `--min-secs`, `--strict-size`; else 0
  std::uint32_t interface_index = 0;  ///< where it came in
  std::uint32_t egress_index = 0;     ///< of `to_client`; 0: where routes lead
  AgentInformationOutcome agent_information = AgentInformationOutcome::untouched;  ///< of DHCPv4
  Delivery delivery = Delivery::link_broadcast;                                    ///< of DHCPv4
  MacAddress link_destination{};                                                   ///< of DHCPv4
  Address source{};                                                                ///< who sent the message that came
  Address destination{};                                                           ///< of `to_client` and `send_failed`
  Ipv4Address giaddr{};            ///< of DHCPv4: as it leaves; of `dropped` as it came
  std::uint32_t server_count = 0;  ///< of all of them
  int error = 0;                   ///< errno, of `send_failed`
  std::variant<Told4, Told6> told{};

  [[nodiscard]] Family family() const noexcept { return told.index() == 0 ? Family::ipv4 : Family::ipv6; }

  // NOLINTBEGIN(bugprone-exception-escape): of what the library may throw in general, these types throw nothing
  /// What is told of this protocol; makes the verdict one of it.
  [[nodiscard]] Told4& told4() noexcept { return as<Told4>(); }
  [[nodiscard]] Told6& told6() noexcept { return as<Told6>(); }

  /// The first servers.
  [[nodiscard]] std::vector<Address> told_servers() const;

  /// Empty where there is none.
  [[nodiscard]] options82::Octets option82_content() const noexcept {
    const auto* const of_dhcpv4 = std::get_if<Told4>(&told);
    return of_dhcpv4 == nullptr ? options82::Octets{}
                                : options82::Octets{of_dhcpv4->option82}.first(of_dhcpv4->option82_size);
  }

 private:
  template <typename Told>
  [[nodiscard]] Told& as() noexcept {
    auto* const present = std::get_if<Told>(&told);
    return present != nullptr ? *present : told.template emplace<Told>();
  }
  // NOLINTEND(bugprone-exception-escape)

  static_assert(std::is_nothrow_default_constructible_v<Told4> && std::is_nothrow_default_constructible_v<Told6>);
};

/// What a verdict of `send_failed` says, and no more.
struct FailedCopy {
  Address destination;
  DropReason reason{};
  int error = 0;  ///< errno

  friend bool operator==(const FailedCopy&, const FailedCopy&) = default;
};

// NOLINTBEGIN(bugprone-exception-escape): as those of Verdict
/// Makes `verdict` an empty one of this protocol, but for what is behind the sizes and counts that it tells, which
/// nobody reads.
void clear(Verdict& verdict, Family family) noexcept;

/// Writes the verdict of a `forwarded` or `dropped` message over all of `verdict` but `received`.
/// No more of `Told4::option82` is written than the message has.
void write_verdict(Verdict& verdict, const MessageEvent& event, const Policy& policy) noexcept;
void write_verdict(Verdict& verdict, const MessageEvent6& event, const Policy6& policy) noexcept;
// NOLINTEND(bugprone-exception-escape)

}  // namespace relay::capture
