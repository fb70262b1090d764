#include "relay/log/annotation_text.h"

#include <algorithm>
#include <string_view>

#include "relay/core/bootp.h"
#include "relay/log/message_text.h"
#include "relay/log/verdict_text.h"

namespace relay {

namespace {

using capture::Annotated;
using capture::Cause;
using capture::Finding;
using capture::VerdictKind;

[[nodiscard]] std::string received_text(const Annotated& annotated, std::string_view egress) {
  const capture::Verdict& verdict = *annotated.verdict;
  const std::size_t copies = verdict.kind == VerdictKind::to_servers ? verdict.server_count : 1;
  if (!annotated.failed_copies.empty() && annotated.failed_count >= copies) {
    return unsent_text(annotated.failed_copies.front());
  }
  std::string result = verdict_text(verdict, annotated.datagram.payload, egress);
  for (const capture::FailedCopy& failed : annotated.failed_copies) {
    result += "; " + failed_copy_text(failed);
  }
  if (annotated.failed_count > annotated.failed_copies.size()) {
    result += "; not sent to " + std::to_string(annotated.failed_count - annotated.failed_copies.size()) + " more";
  }
  return result;
}

[[nodiscard]] std::string sent_text(const Annotated& annotated, std::optional<std::uint64_t> source_frame) {
  const std::string frame =
      source_frame ? "frame " + std::to_string(*source_frame) : std::string{"a frame that is not in this file"};
  if (annotated.verdict->kind == VerdictKind::to_servers) {
    return "request of " + frame + ", relayed to " + address_text(annotated.datagram.destination);
  }
  return "reply of " + frame + ", delivered to " +
         (annotated.verdict->family() == Family::ipv4 ? client_text(annotated.datagram.payload)
                                                      : address_text(annotated.datagram.destination));
}

/// Whether rp_filter, which is for IPv4 alone, may be against this source there.
[[nodiscard]] bool is_of_elsewhere(const capture::Address& source, const capture::HostView::Point& point) noexcept {
  return !source.is_ipv6() && !source.is_unspecified() &&
         std::ranges::none_of(point.addresses, [address = source.ipv4()](const Ipv4Prefix& own) {
           return (address.host_order() & own.mask()) == own.network().host_order();
         });
}

[[nodiscard]] std::string cause_text(const Annotated& annotated, const capture::Scope& scope,
                                     const capture::HostFacts& facts) {
  switch (annotated.cause) {
    case Cause::wrong_ip_checksum:
      return "bad IP header checksum";
    case Cause::wrong_ip_size:
      return "its IP header tells a wrong length";
    case Cause::wrong_udp_checksum:
      return "bad UDP checksum";
    case Cause::wrong_udp_size:
      return "its UDP header tells a wrong length";
    case Cause::wrong_port:
      return "to port " + std::to_string(annotated.datagram.destination_port) + ", the relay listens on " +
             std::to_string(scope.server_port(annotated.datagram.source.family()));
    case Cause::incomplete:
      return "a fragment whose rest did not come";
    case Cause::source_is_ours:
      return "its source " + address_text(annotated.datagram.source) + " is an address of this host";
    case Cause::unknown:
      break;
  }
  if (!facts.master.empty()) {
    return printable_text(annotated.point.name) + " is a port of " + printable_text(facts.master) +
           ", which receives in its place: name that one";
  }
  if (facts.receive_buffer_was_full) {
    return "a receive buffer of this host was full";
  }
  if (facts.has_strict_rp_filter && is_of_elsewhere(annotated.datagram.source, annotated.point)) {
    return "rp_filter on " + printable_text(annotated.point.name) + " is strict and " +
           address_text(annotated.datagram.source) + " may not be routed there; or a firewall rule";
  }
  return "probably a firewall rule (nftables or iptables, hook input)";
}

}  // namespace

std::string annotation_text(const Annotated& annotated, std::string_view egress,
                            std::optional<std::uint64_t> source_frame, const capture::Scope& scope,
                            const capture::HostFacts& facts) {
  switch (annotated.finding) {
    case Finding::verdict:
      return received_text(annotated, egress);
    case Finding::sent:
      return sent_text(annotated, source_frame);
    case Finding::not_received:
      return "not received by the relay: " + cause_text(annotated, scope, facts);
    case Finding::sent_by_other:
      return "sent by another program of this host";
    case Finding::for_clients:
      return "not for the relay: to port " + std::to_string(annotated.datagram.destination_port);
    case Finding::in_transit:
      return "in transit: to " + address_text(annotated.datagram.destination) +
             ", which is not an address of this host";
    case Finding::other_vlan:
      return "in VLAN " + std::to_string(annotated.vlan_id) + ", which is another interface";
    case Finding::lost_sight:
      return "verdict not known: the capture could not keep up";
    case Finding::capture_ended:
      return "verdict not known: the capture ended";
    case Finding::not_judged:
      return message_summary(annotated.datagram.payload, annotated.datagram.source.family());
  }
  return {};
}

}  // namespace relay
