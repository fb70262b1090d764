#include "relay/capture/verdict.h"

#include <cstring>
#include <variant>

#include "relay/core/bootp.h"
#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"

// NOLINTBEGIN(bugprone-exception-escape): as those of Verdict

namespace relay::capture {

namespace {

constexpr std::size_t word_size = sizeof(std::uint64_t);

/// `count` octets, at most a word, as a number.
[[nodiscard]] std::uint64_t word_at(const std::uint8_t* octets, std::size_t count) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, octets, count);
  return word;
}

/// Spreads each bit over all: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
[[nodiscard]] std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
  return value ^ value >> 31U;
}

/// Four sums that the processor adds to at the same time, each with an odd factor of its own.
struct Lanes {
  std::array<std::uint64_t, 4> sums{1, 2, 3, 4};

  static constexpr std::size_t block_size = 4 * word_size;
  static constexpr std::array<std::uint64_t, 4> factors{0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU, 0x165667b19e3779f9U,
                                                        0x27d4eb2f165667c5U};

  void add(std::size_t lane, std::uint64_t word) noexcept {
    sums[lane] = (sums[lane] ^ word) * factors[lane];
    sums[lane] ^= sums[lane] >> 29U;
  }

  void add_block(const std::uint8_t* octets) noexcept {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) {
      add(lane, word_at(octets + lane * word_size, word_size));
    }
  }

  [[nodiscard]] std::uint64_t result(std::size_t size) const noexcept {
    std::uint64_t result = size;
    for (const std::uint64_t sum : sums) {
      result = (result ^ sum) * factors[0];
      result ^= result >> 32U;
    }
    return mixed(result);
  }
};

[[nodiscard]] std::uint32_t limit_of(DropReason reason, const Policy& policy) noexcept {
  if (reason == DropReason::hops_exceeded) {
    return policy.max_hops;
  }
  if (reason == DropReason::below_min_secs) {
    return policy.min_secs;
  }
  return reason == DropReason::too_short ? static_cast<std::uint32_t>(policy.min_size) : 0;
}

void write_option82(Verdict& verdict, std::span<const std::uint8_t> message) noexcept {
  options82::OptionReader options{bootp::options_field(message)};
  while (const auto option = options.next()) {
    if (option->code == options82::code::agent_information) {
      Told4& told = verdict.told4();
      told.option82_size = static_cast<std::uint8_t>(option->value.size());
      std::copy(option->value.begin(), option->value.end(), told.option82.begin());
    }
  }
}

void write_to_servers(Verdict& verdict, const ToServers& decision, const MessageEvent& event) noexcept {
  verdict.kind = VerdictKind::to_servers;
  verdict.agent_information = decision.agent_information;
  verdict.server_count = static_cast<std::uint32_t>(decision.servers.size());
  std::ranges::copy(decision.servers.first(std::min(decision.servers.size(), told_servers_max)),
                    verdict.told4().servers.begin());
  if (decision.agent_information != AgentInformationOutcome::untouched) {
    write_option82(verdict, event.message);
  }
}

void write_to_client(Verdict& verdict, const ToClient& decision) noexcept {
  verdict.kind = VerdictKind::to_client;
  verdict.egress_index = decision.egress->index;
  verdict.delivery = decision.delivery;
  verdict.destination = decision.destination;
  verdict.link_destination = decision.link_destination;
}

[[nodiscard]] std::uint32_t limit_of(DropReason reason, const Policy6& policy) noexcept {
  return reason == DropReason::hop_count_reached ? std::min(policy.hop_count_limit, Policy6::hop_count_ceiling) : 0;
}

/// Of our Relay-forward, whose options are ours, and in front of the message in it.
void write_options(Told6& told, dhcpv6::Octets relay_forward) noexcept {
  dhcpv6::OptionWriter room{told.options};
  dhcpv6::OptionReader options{dhcpv6::relay_options(relay_forward)};
  while (const auto option = options.next()) {
    if (option->code == dhcpv6::code::relay_message) {
      break;
    }
    if (option->code == dhcpv6::code::client_link_layer_address) {
      continue;
    }
    if (told.left_out_count == 0 && dhcpv6::option_head_size + option->value.size() <= room.rest().size()) {
      room.put_head(option->code, option->value.size());
      room.put(option->value);
    } else {
      if (told.left_out_count == 0) {
        told.left_out_code = option->code;
        told.left_out_size = static_cast<std::uint16_t>(option->value.size());
      }
      ++told.left_out_count;
    }
  }
  told.options_size = static_cast<std::uint16_t>(told.options.size() - room.rest().size());
}

void write_to_servers(Verdict& verdict, const ToServers6& decision, const MessageEvent6& event) noexcept {
  Told6& told = verdict.told6();
  verdict.kind = VerdictKind::to_servers;
  verdict.server_count = static_cast<std::uint32_t>(decision.servers.size());
  std::ranges::transform(decision.servers.first(std::min(decision.servers.size(), told_servers_max)),
                         told.servers.begin(), &Server6::address);
  if (event.message.size() >= dhcpv6::relay_header_size) {
    told.link_address = dhcpv6::link_address(event.message.first<dhcpv6::relay_header_size>());
    write_options(told, event.message);
  }
}

void write_to_peer(Verdict& verdict, const ToPeer6& decision) noexcept {
  verdict.kind = VerdictKind::to_client;
  verdict.egress_index = decision.egress == nullptr ? 0 : decision.egress->index;
  verdict.destination = decision.destination;
  verdict.told6().port = decision.destination_port;
}

/// What verdicts of both protocols begin with.
template <typename Protocol>
void begin_verdict(Verdict& verdict, const MessageEventOf<Protocol>& event) noexcept {
  const Fingerprint received = verdict.received;
  clear(verdict, Protocol::family);
  verdict.received = received;
  verdict.serial = event.serial;
  verdict.arrival = event.ingress.arrival;
  verdict.interface_index = event.ingress.interface_index;
  verdict.source = event.ingress.source;
}

/// Whether it is one of a drop, which is then written.
[[nodiscard]] bool write_drop(Verdict& verdict, const auto& decision, const auto& policy) noexcept {
  const auto* const dropped = std::get_if<Drop>(&decision);
  if (dropped == nullptr) {
    return false;
  }
  verdict.kind = VerdictKind::dropped;
  verdict.reason = dropped->reason;
  verdict.limit = limit_of(dropped->reason, policy);
  return true;
}

}  // namespace

Fingerprint fingerprint(std::span<const std::uint8_t> message) noexcept {
  const std::span<const std::uint8_t> octets = message.first(std::min(message.size(), fingerprinted_size));
  Lanes lanes;
  if (octets.size() < Lanes::block_size) {
    for (std::size_t offset = 0; offset < octets.size(); offset += word_size) {
      lanes.add(offset / word_size, word_at(octets.data() + offset, std::min(word_size, octets.size() - offset)));
    }
  } else {
    for (std::size_t offset = 0; offset + Lanes::block_size <= octets.size(); offset += Lanes::block_size) {
      lanes.add_block(octets.data() + offset);
    }
    lanes.add_block(octets.data() + octets.size() - Lanes::block_size);  // what is left, and some of it again
  }
  return lanes.result(octets.size());
}

std::vector<Address> Verdict::told_servers() const {
  return std::visit(
      [this](const auto& of_protocol) {
        const auto& servers = of_protocol.servers;
        return std::vector<Address>(servers.begin(),
                                    servers.begin() + std::min<std::ptrdiff_t>(server_count, told_servers_max));
      },
      told);
}

void clear(Verdict& verdict, Family family) noexcept {
  verdict.serial = verdict.received = verdict.sent = 0;
  verdict.arrival = {};
  verdict.kind = VerdictKind::dropped;
  verdict.reason = {};
  verdict.limit = verdict.interface_index = verdict.egress_index = verdict.server_count = 0;
  verdict.agent_information = AgentInformationOutcome::untouched;
  verdict.delivery = Delivery::link_broadcast;
  verdict.link_destination = {};
  verdict.source = verdict.destination = {};
  verdict.giaddr = {};
  verdict.error = 0;
  if (family == Family::ipv4) {
    verdict.told4().option82_size = 0;
  } else {
    Told6& told = verdict.told6();
    told.link_address = {};
    told.port = told.options_size = told.left_out_count = told.left_out_code = told.left_out_size = 0;
  }
}

void write_verdict(Verdict& verdict, const MessageEvent& event, const Policy& policy) noexcept {
  begin_verdict(verdict, event);
  verdict.giaddr = event.message.size() < bootp::header_size ? Ipv4Address{}
                                                             : bootp::giaddr(event.message.first<bootp::header_size>());
  if (write_drop(verdict, *event.decision, policy)) {
    return;
  }
  verdict.sent = fingerprint(event.message);
  if (const auto* const upstream = std::get_if<ToServers>(event.decision)) {
    write_to_servers(verdict, *upstream, event);
  } else {
    write_to_client(verdict, std::get<ToClient>(*event.decision));
  }
}

void write_verdict(Verdict& verdict, const MessageEvent6& event, const Policy6& policy) noexcept {
  begin_verdict(verdict, event);
  if (write_drop(verdict, *event.decision, policy)) {
    return;
  }
  verdict.sent = fingerprint(event.message);
  if (const auto* const upstream = std::get_if<ToServers6>(event.decision)) {
    write_to_servers(verdict, *upstream, event);
  } else {
    write_to_peer(verdict, std::get<ToPeer6>(*event.decision));
  }
}

}  // namespace relay::capture

// NOLINTEND(bugprone-exception-escape)
