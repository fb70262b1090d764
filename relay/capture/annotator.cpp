#include "relay/capture/annotator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/core/bootp.h"

namespace relay::capture {

namespace {

constexpr std::size_t most_points = 8192;

/// A message is found by its octets, by who sent it and where it came in.
[[nodiscard]] std::uint64_t received_key(Fingerprint fingerprint, std::uint32_t interface_index,
                                         Ipv4Address source) noexcept {
  return fingerprint ^ (std::uint64_t{interface_index} << 32U | source.host_order()) * 0x9e3779b97f4a7c15U;
}

[[nodiscard]] std::uint64_t received_key(const Verdict& verdict) noexcept {
  return received_key(verdict.received, verdict.interface_index, verdict.source);
}

[[nodiscard]] bool is_reply(const UdpDatagram& datagram) noexcept {
  return !datagram.payload.empty() && datagram.payload.front() == bootp::op_reply;
}

}  // namespace

void Annotator::add(const Verdict& verdict, std::chrono::nanoseconds now) {
  if (verdict.kind == VerdictKind::send_failed) {
    add_failed_copy(verdict);
    return;
  }
  if (known_.size() == limits_.most_verdicts) {
    forget_first();
  }
  Known& known = known_.emplace_back();
  known.verdict = verdict;
  known.since = now;
  received_.emplace(received_key(verdict), verdict.serial);
  if (verdict.kind != VerdictKind::dropped) {
    known.copies_to_see = verdict.kind == VerdictKind::to_servers ? verdict.server_count : 1;
    sent_.emplace(verdict.sent, verdict.serial);
  }
}

void Annotator::add_failed_copy(const Verdict& verdict) {
  Known* const known = find(verdict.serial);
  if (known == nullptr) {
    return;
  }
  ++known->failed_count;
  if (known->failed_copies.size() < told_servers_max) {
    known->failed_copies.push_back({verdict.destination, verdict.reason, verdict.error});
  }
  copy_is_settled(*known);
}

/// A copy was seen, or will never be.
void Annotator::copy_is_settled(Known& known) {
  if (known.copies_to_see != 0 && --known.copies_to_see == 0) {
    sent_.erase({known.verdict.sent, known.verdict.serial});
  }
}

void Annotator::add(const Packet& packet, const HostView& view, const HostView::Point& point,
                    std::chrono::nanoseconds now) {
  Held held;
  held.octets.assign(packet.octets.begin(), packet.octets.end());
  held.packet = packet;
  held.packet.octets = held.octets;
  const auto ip = ipv4_packet(packet.link_type, held.octets);
  const auto datagram = ip ? udp_datagram(*ip) : std::nullopt;
  if (!datagram) {
    return;
  }
  held.datagram = *datagram;
  held.point = shared(point);
  held.given = now;
  held.fingerprint = fingerprint(datagram->payload);
  classify(held, *ip, view);
  held_octets_ += held.octets.size();
  held_.emplace(packet.time, std::move(held));
}

/// One copy of each point, for all packets that were seen there while it was the same.
std::shared_ptr<const HostView::Point> Annotator::shared(const HostView::Point& point) {
  if (points_.size() == most_points && !points_.contains(point.index)) {
    points_.clear();  // interfaces come and go: most of these have gone
  }
  std::shared_ptr<const HostView::Point>& copy = points_[point.index];
  if (!copy || *copy != point) {
    copy = std::make_shared<const HostView::Point>(point);
  }
  return copy;
}

/// What the packet is to the relay, in the order in which the kernel would turn it away.
void Annotator::classify(Held& held, const Ipv4Packet& packet, const HostView& view) const {
  const UdpDatagram& datagram = held.datagram;
  const auto lost_to = [&held](Cause cause) {
    held.finding = Finding::not_received;
    held.cause = cause;
  };
  if (!judges_) {
    held.finding = Finding::not_judged;
  } else if (packet.vlan_id.value_or(0) != 0) {
    held.finding = Finding::other_vlan;
    held.vlan_id = *packet.vlan_id;
  } else if (held.packet.direction == Direction::outbound) {
    held.finding = Finding::sent;
    held.is_source_foreign = !datagram.source.is_unspecified() && !view.addresses.contains(datagram.source);
  } else if (!packet.is_header_intact) {
    lost_to(Cause::wrong_ip_checksum);
  } else if (packet.is_cut && held.packet.original_size <= held.octets.size()) {
    lost_to(Cause::wrong_ip_size);
  } else if (!view.takes(datagram.destination)) {
    held.finding = Finding::in_transit;
  } else if (!ports_.listens_on(datagram.destination_port)) {
    if (datagram.destination_port == ports_.client() && is_reply(datagram)) {
      held.finding = Finding::for_clients;
    } else {
      lost_to(Cause::wrong_port);
    }
  } else if (datagram.checksum == ChecksumState::wrong) {
    lost_to(Cause::wrong_udp_checksum);
  } else if (!packet.is_fragment() && !packet.is_cut && !datagram.is_whole) {
    lost_to(Cause::wrong_udp_size);
  } else {
    held.finding = Finding::verdict;
    if (packet.is_fragment()) {
      held.cause = Cause::incomplete;
    } else if (view.addresses.contains(datagram.source)) {
      held.cause = Cause::source_is_ours;
    }
  }
}

void Annotator::release(std::chrono::nanoseconds now, const Tell& tell) {
  tell_due(now, tell);
  forget_old(now);
}

void Annotator::tell_due(std::chrono::nanoseconds now, const Tell& tell) {
  while (!held_.empty()) {
    const Held& held = held_.begin()->second;
    const Match found = match(held);
    const bool is_early = is_waiting(held, found.known, now);
    if (is_early && !is_crowded()) {
      return;
    }
    tell_first(found.known, found.known != nullptr ? found.finding : finding_without_verdict(held, false, is_early),
               tell);
  }
}

void Annotator::release_all(const Tell& tell) {
  while (!held_.empty()) {
    const Held& held = held_.begin()->second;
    const Match found = match(held);
    tell_first(found.known, found.known != nullptr ? found.finding : finding_without_verdict(held, true, false), tell);
  }
}

/// `is_early`: the verdict might still come, but there is no room to wait for it.
Finding Annotator::finding_without_verdict(const Held& held, bool is_ending, bool is_early) const noexcept {
  if (held.finding != Finding::sent && held.finding != Finding::verdict) {
    return held.finding;
  }
  if (held.is_source_foreign) {
    return Finding::in_transit;
  }
  if (is_early || (lost_at_ && *lost_at_ + limits_.window >= held.given)) {
    return Finding::lost_sight;
  }
  if (held.finding == Finding::sent) {
    return Finding::sent_by_other;
  }
  return is_ending ? Finding::capture_ended : Finding::not_received;
}

bool Annotator::is_crowded() const noexcept {
  return held_.size() > limits_.most_packets || held_octets_ > limits_.most_octets;
}

bool Annotator::is_waiting(const Held& held, const Known* known, std::chrono::nanoseconds now) const noexcept {
  const bool is_awaiting_verdict = held.finding == Finding::verdict && known == nullptr;
  return now < held.given + (is_awaiting_verdict ? limits_.window : limits_.hold);
}

Annotator::Match Annotator::match(const Held& held) noexcept {
  if (held.finding == Finding::sent) {
    if (Known* const known = first_of(sent_, held.fingerprint)) {
      return {known, Finding::sent};
    }
  }
  // What looks like one of our own frames may be a received one with our hardware address as its source, and what is
  // for another host may have been translated (DNAT) into what is for us.
  if (held.finding == Finding::sent || held.finding == Finding::verdict || held.finding == Finding::in_transit) {
    if (Known* const known =
            first_of(received_, received_key(held.fingerprint, held.point->index, held.datagram.source))) {
      return {known, Finding::verdict};
    }
  }
  return {nullptr, held.finding};
}

Annotator::Known* Annotator::first_of(const Queues& queues, std::uint64_t key) noexcept {
  const auto oldest = queues.lower_bound({key, 0});
  return oldest == queues.end() || oldest->first != key ? nullptr : find(oldest->second);
}

Annotator::Known* Annotator::find(std::uint64_t serial) noexcept {
  const auto place =
      std::ranges::lower_bound(known_, serial, {}, [](const Known& known) { return known.verdict.serial; });
  return place == known_.end() || place->verdict.serial != serial ? nullptr : &*place;
}

void Annotator::tell_first(Known* known, Finding finding, const Tell& tell) {
  const auto place = held_.begin();
  const Held& held = place->second;
  Annotated annotated{held.packet, *held.point, held.datagram, finding, held.cause, held.vlan_id};
  if (known != nullptr) {
    annotated.verdict = &known->verdict;
    annotated.failed_copies = known->failed_copies;
    annotated.failed_count = known->failed_count;
    annotated.source_frame = known->frame;
  }
  const std::uint64_t frame = tell(annotated);
  if (known != nullptr && finding == Finding::verdict) {
    known->frame = frame;
    received_.erase({received_key(known->verdict), known->verdict.serial});
  } else if (known != nullptr) {
    copy_is_settled(*known);
  }
  held_octets_ -= held.octets.size();
  held_.erase(place);
}

void Annotator::forget_first() {
  const Verdict& verdict = known_.front().verdict;
  received_.erase({received_key(verdict), verdict.serial});
  if (verdict.kind != VerdictKind::dropped) {
    sent_.erase({verdict.sent, verdict.serial});
  }
  known_.pop_front();
}

/// Whoever could not call for long may still have packets to give that are as old as the oldest verdicts.
void Annotator::forget_old(std::chrono::nanoseconds now) {
  if (now > released_at_ + limits_.window) {
    keep_until_ = now + 2 * limits_.window;
  }
  released_at_ = now;
  if (now < keep_until_) {
    return;
  }
  while (!known_.empty() && known_.front().since + 2 * limits_.window < now) {
    forget_first();
  }
}

}  // namespace relay::capture
