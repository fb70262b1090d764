// Joins the packets of a running capture with the relay's verdicts on them. Packets and verdicts come in any order and
// late; each packet is held until what can be known of it is known, and told in the order in which they passed.
// Knows no clock and no file. Memory is bounded: beyond `most_packets` the oldest packets are told with what is known.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/capture/datagram.h"
#include "relay/capture/host_view.h"
#include "relay/capture/known_verdicts.h"
#include "relay/capture/packet.h"
#include "relay/capture/scope.h"
#include "relay/capture/verdict.h"

namespace relay::capture {

/// What is told of one packet.
enum class Finding : std::uint8_t {
  verdict,        ///< received by the relay: `verdict` and `failed_copies`
  sent,           ///< by the relay: `verdict` is that on the message that `source_frame` carried
  not_received,   ///< it should have reached the relay and did not: `cause`
  sent_by_other,  ///< by another program of this host
  for_clients,    ///< from a server to a client on this link, past the relay
  in_transit,     ///< to an address that is not this host's
  other_vlan,     ///< tagged: it belongs to another interface
  lost_sight,     ///< the capture could not keep up
  capture_ended,  ///< before the verdict was known
  not_judged,     ///< nothing relays here
};

/// Why a packet did not reach the relay, as far as the packet itself tells.
enum class Cause : std::uint8_t {
  unknown,  ///< something on this host took it: the firewall, a full buffer, the reverse path filter
  wrong_ip_checksum,
  wrong_ip_size,  ///< more than the frame has
  wrong_udp_checksum,
  wrong_udp_size,  ///< less than a UDP header, or more than came
  wrong_port,      ///< not one that the relay listens on
  incomplete,      ///< a fragment
  source_is_ours,  ///< its source is an address of this host, which the kernel does not take from outside
};

/// What the host's kernel says about a packet that did not reach the relay and should have.
struct HostFacts {
  bool receive_buffer_was_full = false;
  bool has_strict_rp_filter = false;  ///< the interface where the packet was seen
  std::string master{};  ///< the bridge, bond or VRF that the interface is a port of, and which receives in its place
};

/// A packet with what is known of it. Borrows; valid during the call alone.
struct Annotated {
  const Packet& packet;
  const HostView::Point& point;  ///< where it was seen
  const UdpDatagram& datagram;
  Finding finding = Finding::not_judged;
  Cause cause = Cause::unknown;
  std::uint16_t vlan_id = 0;                    ///< of `other_vlan`
  const Verdict* verdict = nullptr;             ///< of `verdict` and `sent`
  std::span<const FailedCopy> failed_copies{};  ///< of `verdict`, the first of them
  std::uint32_t failed_count = 0;               ///< of them all
  std::uint64_t source_frame = 0;  ///< of `sent`: what `tell` returned for the received packet; 0: not told
};

class Annotator {
 public:
  struct Limits {
    std::chrono::nanoseconds hold{};    ///< how long after it was given each packet waits for earlier ones and verdicts
    std::chrono::nanoseconds window{};  ///< how long one without a verdict waits; also how long verdicts are kept
    std::size_t most_packets = 16384;
    std::size_t most_octets = 32U << 20U;
    std::size_t most_verdicts = 65536;  ///< of each protocol
  };
  /// Returns the number of the packet's frame, which `Annotated::source_frame` refers to.
  using Tell = std::function<std::uint64_t(const Annotated&)>;

  /// Packets of other protocols than those of `scope` are left out. With `judges` false, no verdicts are awaited:
  /// nothing relays here.
  Annotator(const Scope& scope, const Limits& limits, bool judges = true)
      : scope_(scope), limits_(limits), judges_(judges) {}

  /// `now` is of a clock that does not go back, the same for all functions, and that of the verdicts' `arrival` if
  /// `clock_offset` is ever called.
  void add(const Verdict& verdict, std::chrono::nanoseconds now);
  /// What is not UDP is left out. `view` and the point of this index in it have to be there at the call alone.
  void add(const Packet& packet, const HostView& view, const HostView::Point& point, std::chrono::nanoseconds now);
  /// How far the clock of packets is ahead of that of `now`. Known from the first packet on and at every turn, it keeps
  /// packets in order when their clock steps, and tells which of identical messages a verdict is about; otherwise
  /// packets are in the order of their times, and the oldest of identical messages has the oldest verdict.
  void clock_offset(std::chrono::nanoseconds offset, std::chrono::nanoseconds now);
  /// Verdicts were lost: what has none may have had one. Of lost packets nothing need be told here: they have no effect
  /// on others but for identical ones, which may then have the verdicts on them.
  void verdicts_were_lost(std::chrono::nanoseconds now) noexcept { lost_at_ = now; }

  /// Tells of every packet that is due. To be called several times in each window, or the verdicts are kept longer.
  void release(std::chrono::nanoseconds now, const Tell& tell);
  /// Tells of every packet: the capture ends.
  void release_all(const Tell& tell);

  /// Whether packets are held.
  [[nodiscard]] bool empty() const noexcept { return held_.empty(); }

 private:
  struct Held {
    std::vector<std::uint8_t> octets;
    Packet packet;
    std::shared_ptr<const HostView::Point> point;
    std::chrono::nanoseconds given{};
    std::chrono::nanoseconds at{};  // when it passed, by which packets are in order: by the clock of `now` if possible
    bool is_timed = false;          // that is sure
    std::uint64_t serial = 0;       // in the order of giving
    Finding finding = Finding::not_judged;  // what the packet alone says; `verdict` and `sent`: to be found
    Cause cause = Cause::unknown;
    std::uint16_t vlan_id = 0;
    bool is_source_foreign = false;  // of a packet that leaves: its source is an address, and none of this host's
    Fingerprint fingerprint = 0;
    std::uint64_t received_key = 0;
    UdpDatagram datagram;
  };
  /// The verdict that a packet is about, and how; null where there is none (yet).
  struct Match {
    KnownVerdict* known;
    Finding finding;
  };
  /// Packets that wait for a verdict: key, time and serial.
  using Rivals = std::set<std::tuple<std::uint64_t, std::chrono::nanoseconds, std::uint64_t>>;

  [[nodiscard]] bool is_crowded() const noexcept;
  [[nodiscard]] bool is_waiting(const Held& held, const KnownVerdict* known,
                                std::chrono::nanoseconds now) const noexcept;
  [[nodiscard]] KnownVerdicts& verdicts(Family family) noexcept { return family == Family::ipv4 ? known_ : known6_; }
  [[nodiscard]] KnownVerdicts& verdicts_on(const Held& held) noexcept {
    return verdicts(held.datagram.source.family());
  }
  [[nodiscard]] KnownVerdict* match_received(const Held& held) noexcept;
  [[nodiscard]] bool has_share(const Held& held, const KnownVerdict& candidate) noexcept;
  [[nodiscard]] Match match(const Held& held) noexcept;
  [[nodiscard]] Finding finding_without_verdict(const Held& held, bool is_ending, bool is_early) const noexcept;
  [[nodiscard]] std::shared_ptr<const HostView::Point> shared(const HostView::Point& point);
  void set_time(Held& held, std::chrono::nanoseconds now) const noexcept;
  void classify(Held& held, const IpPacket& packet, const HostView& view) const;
  void tell_due(std::chrono::nanoseconds now, const Tell& tell);
  void tell_first(KnownVerdict* known, Finding finding, const Tell& tell);
  void forget_old(std::chrono::nanoseconds now);

  Scope scope_;
  Limits limits_;
  bool judges_;
  std::multimap<std::chrono::nanoseconds, Held> held_;  // by `at`
  std::size_t held_octets_ = 0;
  std::unordered_map<std::uint32_t, std::shared_ptr<const HostView::Point>> points_;  // by index
  KnownVerdicts known_;                                                               // of DHCPv4
  KnownVerdicts known6_;                                                              // of DHCPv6
  Rivals rivals_;
  std::uint64_t packets_given_ = 0;
  std::optional<std::chrono::nanoseconds> offset_;
  std::optional<std::chrono::nanoseconds> next_offset_;  // another one, seen once
  std::chrono::nanoseconds unsure_until_{};              // since the clocks may have moved
  std::optional<std::chrono::nanoseconds> lost_at_;
  std::chrono::nanoseconds released_at_{};
  std::chrono::nanoseconds keep_until_{};  // verdicts, however old
};

}  // namespace relay::capture
