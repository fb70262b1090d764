#include "relay/capture/annotator.h"

#include <algorithm>
#include <utility>

#include "relay/capture/arrival.h"
#include "relay/core/bootp.h"
#include "relay/core/dhcpv6.h"

namespace relay::capture {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t most_points = 8192;

// How far a verdict's arrival may be behind the packet's time, for a relay that had to wait for the processor while
// packets came.
constexpr milliseconds most_delay{500};
// A difference of the clocks that is not for want of precision in measuring it.
constexpr milliseconds least_step{10};
// Identical messages that are looked at to find which of them a verdict is about.
constexpr std::size_t most_compared = 64;

/// What servers send to clients.
[[nodiscard]] bool is_reply(const UdpDatagram& datagram) noexcept {
  if (datagram.payload.empty()) {
    return false;
  }
  namespace type = dhcpv6::message_type;
  const std::uint8_t first = datagram.payload.front();
  return datagram.source.is_ipv6() ? first == type::advertise || first == type::reply || first == type::reconfigure
                                   : first == bootp::op_reply;
}

}  // namespace

void Annotator::add(const Verdict& verdict, std::chrono::nanoseconds now) {
  verdicts(verdict.family()).add(verdict, now, limits_.most_verdicts);
}

void Annotator::clock_offset(std::chrono::nanoseconds offset, std::chrono::nanoseconds now) {
  const auto is_near = [offset](const std::optional<nanoseconds>& other) {
    return other && std::chrono::abs(offset - *other) < least_step;
  };
  if (!offset_) {
    offset_ = offset;
  } else if (is_near(offset_)) {
    next_offset_.reset();  // and the small difference is left alone, which would disturb the order of packets
  } else {
    unsure_until_ = now + limits_.hold;
    if (is_near(next_offset_)) {  // not a measurement that was interrupted
      offset_ = offset;
    }
    next_offset_ = offset;
  }
}

void Annotator::set_time(Held& held, std::chrono::nanoseconds now) const noexcept {
  held.at = held.packet.time;
  if (offset_) {
    held.at -= *offset_;
    const bool is_possible = held.at <= now + limits_.window;  // more may pass while what has passed is given
    held.is_timed = is_possible && now >= unsure_until_;
    held.at = is_possible ? held.at : now;
  }
}

void Annotator::add(const Packet& packet, const HostView& view, const HostView::Point& point,
                    std::chrono::nanoseconds now) {
  Held held;
  held.octets.assign(packet.octets.begin(), packet.octets.end());
  held.packet = packet;
  held.packet.octets = held.octets;
  const auto ip = ip_packet(packet.link_type, held.octets);
  const auto datagram = ip ? udp_datagram(*ip) : std::nullopt;
  if (!datagram || !has_dhcp_ports(*datagram, scope_)) {
    return;
  }
  held.datagram = *datagram;
  held.point = shared(point);
  held.given = now;
  held.serial = ++packets_given_;
  held.fingerprint = fingerprint(datagram->payload);
  held.received_key = received_key(held.fingerprint, point.index, datagram->source);
  set_time(held, now);
  classify(held, *ip, view);
  if (held.finding == Finding::verdict) {
    rivals_.emplace(held.received_key, held.at, held.serial);
  }
  held_octets_ += held.octets.size();
  held_.emplace(held.at, std::move(held));
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
void Annotator::classify(Held& held, const IpPacket& packet, const HostView& view) const {
  const UdpDatagram& datagram = held.datagram;
  const Family family = datagram.source.family();
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
    held.is_source_foreign = !datagram.source.is_unspecified() && !view.holds(datagram.source, *held.point);
  } else if (!packet.is_header_intact) {
    lost_to(Cause::wrong_ip_checksum);
  } else if (packet.is_cut && held.packet.original_size <= held.octets.size()) {
    lost_to(Cause::wrong_ip_size);
  } else if (!view.takes(datagram.destination, *held.point)) {
    held.finding = Finding::in_transit;
  } else if (!scope_.listens_on(family, datagram.destination_port)) {
    if (datagram.destination_port == scope_.client_port(family) && is_reply(datagram)) {
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
    } else if (view.holds(datagram.source, *held.point)) {
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

bool Annotator::is_waiting(const Held& held, const KnownVerdict* known, std::chrono::nanoseconds now) const noexcept {
  if (held.finding == Finding::verdict && known == nullptr) {
    return now < held.given + limits_.window;
  }
  nanoseconds until = held.given + limits_.hold;
  if (held.finding == Finding::verdict && held.is_timed) {
    // By then the packets that may be nearer to the verdict were given.
    until = std::max(until, known->verdict.arrival + arrival_tolerance + limits_.hold);
    until = std::min(until, held.given + limits_.window);
  }
  return now < until;
}

Annotator::Match Annotator::match(const Held& held) noexcept {
  if (held.finding == Finding::sent) {
    KnownVerdict* const known = verdicts_on(held).find_sent(held.fingerprint, held.datagram.destination,
                                                            held.is_timed ? std::optional{held.at} : std::nullopt);
    if (known != nullptr) {
      return {known, Finding::sent};
    }
  }
  // What looks like one of our own frames may be a received one with our hardware address as its source, and what is
  // for another host or port may have been translated (DNAT) into what is for us.
  const bool is_for_another_port = held.finding == Finding::not_received && held.cause == Cause::wrong_port;
  if (held.finding == Finding::sent || held.finding == Finding::verdict || held.finding == Finding::in_transit ||
      is_for_another_port) {
    if (KnownVerdict* const known = match_received(held)) {
      return {known, Finding::verdict};
    }
  }
  return {nullptr, held.finding};
}

KnownVerdict* Annotator::match_received(const Held& held) noexcept {
  if (held.finding != Finding::verdict) {
    // Packets that are plainly for the relay come first.
    const auto rival = rivals_.lower_bound({held.received_key, nanoseconds::min(), 0});
    if (rival != rivals_.end() && std::get<0>(*rival) == held.received_key) {
      return nullptr;
    }
  }
  KnownVerdicts& verdicts = verdicts_on(held);
  if (!held.is_timed) {
    return verdicts.oldest_received(held.received_key);
  }
  const std::uint64_t first = verdicts.first_serial_since(held.at - arrival_tolerance);
  if (KnownVerdict* const known = verdicts.oldest_received(held.received_key, first)) {
    return has_share(held, *known) ? known : nullptr;
  }
  KnownVerdict* const late = verdicts.newest_received_before(held.received_key, first);
  return late != nullptr && late->verdict.arrival >= held.at - most_delay ? late : nullptr;
}

/// Where there are more identical packets than verdicts on them, each verdict is on the packet just before it. Walks on
/// from the packet until as many verdicts have come as packets.
bool Annotator::has_share(const Held& held, const KnownVerdict& candidate) noexcept {
  KnownVerdicts& verdicts = verdicts_on(held);
  auto rival = rivals_.upper_bound({held.received_key, held.at, held.serial});
  const KnownVerdict* known = &candidate;
  std::size_t rivals = 0;
  for (std::size_t compared = 0; compared < most_compared; ++compared) {
    if (known == nullptr) {
      return false;
    }
    if (rival != rivals_.end() && std::get<0>(*rival) == held.received_key &&
        std::get<1>(*rival) <= known->verdict.arrival + arrival_tolerance) {
      ++rivals;
      ++rival;
    } else if (rivals == 0) {
      return true;
    } else {
      --rivals;
      known = verdicts.next_received(*known);
    }
  }
  return true;  // a flood, in which it makes no difference
}

void Annotator::tell_first(KnownVerdict* known, Finding finding, const Tell& tell) {
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
    verdicts_on(held).is_received(*known, frame);
  } else if (known != nullptr) {
    verdicts_on(held).is_settled(*known, held.datagram.destination);
  }
  rivals_.erase({held.received_key, held.at, held.serial});
  held_octets_ -= held.octets.size();
  held_.erase(place);
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
  known_.forget_until(now - 2 * limits_.window);
  known6_.forget_until(now - 2 * limits_.window);
}

}  // namespace relay::capture
