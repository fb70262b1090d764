#include "relay/capture/reassembly.h"

#include <algorithm>
#include <bitset>
#include <compare>
#include <vector>

#include "relay/capture/octets.h"

namespace relay::capture {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t max_size = 65'535;  // what a length of 16 bits can say
constexpr std::size_t smallest_ipv4_header = 20;
constexpr std::size_t unit = 8;  // octets; of these are offsets
constexpr std::size_t max_units = max_size / unit + 1;
constexpr std::size_t max_pending = 256;  // datagrams; the oldest makes room
constexpr auto patience = std::chrono::seconds{30};

/// What fragments of one datagram have in common (RFC 791 section 3.2; in IPv6 the protocol is not of it). A capture of
/// all interfaces may see a datagram once more as it goes on, elsewhere or in the other direction.
struct Key {
  std::size_t interface = 0;
  Direction direction = Direction::unknown;
  std::optional<std::uint16_t> vlan_id;
  Address source;
  Address destination;
  std::uint8_t protocol = 0;
  std::uint32_t identification = 0;

  friend bool operator==(const Key&, const Key&) = default;
};

[[nodiscard]] Key key_of(const IpPacket& fragment, std::size_t interface) noexcept {
  return {.interface = interface,
          .direction = fragment.direction,
          .vlan_id = fragment.vlan_id,
          .source = fragment.source,
          .destination = fragment.destination,
          .protocol = fragment.source.is_ipv6() ? std::uint8_t{0} : fragment.protocol,
          .identification = fragment.identification};
}

/// Without overflow, whatever the times are.
[[nodiscard]] bool is_apart(nanoseconds a, nanoseconds b) noexcept {
  const auto later = static_cast<std::uint64_t>(std::max(a, b).count());
  const auto earlier = static_cast<std::uint64_t>(std::min(a, b).count());
  return later - earlier > static_cast<std::uint64_t>(nanoseconds{patience}.count());
}

/// The fragments of one datagram so far.
class Pending {
 public:
  Pending(std::uint64_t number, const Key& key, nanoseconds time) : number_(number), key_(key), time_(time) {}

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

  [[nodiscard]] const Key& key() const noexcept { return key_; }
  [[nodiscard]] nanoseconds time() const noexcept { return time_; }

  /// Whether the fragment is of one piece with those that are there. Changes nothing if not.
  [[nodiscard]] bool add(const IpPacket& fragment) {
    const Octets octets = fragment.payload;
    const std::size_t begin = fragment.fragment_offset;
    const std::size_t end = begin + octets.size();
    const bool is_last = !fragment.more_fragments;
    if (octets.empty() || end > most_octets() || (!is_last && octets.size() % unit != 0) ||
        (size_ && (end > *size_ || (is_last && end != *size_))) || (is_last && end < payload_.size())) {
      return false;
    }
    std::size_t overlap = 0;
    for (std::size_t at = begin; at < std::min(end, payload_.size()); ++at) {
      const bool is_there = present_.test(at / unit);
      overlap += is_there ? 1 : 0;
      if (is_there && payload_[at] != octets[at - begin]) {
        return false;
      }
    }
    // RFC 5722 section 4: whoever overlaps means harm, but the network may have doubled a fragment.
    if (key_.source.is_ipv6() && overlap != 0 && overlap != octets.size()) {
      return false;
    }
    payload_.resize(std::max(payload_.size(), end));
    std::ranges::copy(octets, payload_.begin() + static_cast<std::ptrdiff_t>(begin));
    for (std::size_t at = begin; at < end; at += unit) {
      present_.set(at / unit);
    }
    if (is_last) {
      size_ = end;
    }
    if (begin == 0) {
      first_ = fragment;
      first_.payload = {};
    }
    is_intact_ = is_intact_ && fragment.is_header_intact;
    return true;
  }

  [[nodiscard]] bool is_complete() const noexcept { return size_ && present_.count() == (*size_ + unit - 1) / unit; }

  /// Needs `is_complete()`. The payload is that of this object.
  [[nodiscard]] IpPacket whole() const noexcept {
    IpPacket packet = first_;
    packet.more_fragments = false;
    packet.is_header_intact = is_intact_;
    packet.payload = payload_;
    return packet;
  }

 private:
  /// The length in the header of IPv4 is of header and payload.
  [[nodiscard]] std::size_t most_octets() const noexcept {
    return key_.source.is_ipv6() ? max_size : max_size - smallest_ipv4_header;
  }

  std::uint64_t number_;
  Key key_;
  nanoseconds time_;  ///< of the first fragment that came
  IpPacket first_;    ///< the fragment with the datagram's beginning; without its payload
  bool is_intact_ = true;
  std::optional<std::size_t> size_;  ///< known from the last fragment
  std::vector<std::uint8_t> payload_;
  std::bitset<max_units> present_;
};

}  // namespace

class Reassembly::Impl {
 public:
  [[nodiscard]] std::optional<IpPacket> add(const IpPacket& fragment, std::size_t interface, nanoseconds time) {
    forget_old(time);
    const Key key = key_of(fragment, interface);
    auto found = std::ranges::find_if(pending_, [&key](const auto& each) { return each->key() == key; });
    if (fragment.is_cut) {
      datagram_ = found == pending_.end() ? 0 : (*found)->number();
      return std::nullopt;
    }
    if (found == pending_.end()) {
      if (pending_.size() == max_pending) {
        forget(pending_.begin());
      }
      pending_.push_back(std::make_unique<Pending>(++count_, key, time));
      found = pending_.end() - 1;
    }
    datagram_ = (*found)->number();
    if (!(*found)->add(fragment)) {
      forget(found);
      return std::nullopt;
    }
    if (!(*found)->is_complete()) {
      return std::nullopt;
    }
    whole_ = std::move(*found);
    pending_.erase(found);
    return whole_->whole();
  }

  [[nodiscard]] std::uint64_t datagram() const noexcept { return datagram_; }
  [[nodiscard]] std::span<const std::uint64_t> forgotten() const noexcept { return forgotten_; }

 private:
  using List = std::vector<std::unique_ptr<Pending>>;

  void forget_old(nanoseconds time) {
    forgotten_.clear();
    std::erase_if(pending_, [this, time](const auto& each) {
      const bool is_old = is_apart(each->time(), time);
      if (is_old) {
        forgotten_.push_back(each->number());
      }
      return is_old;
    });
  }

  void forget(List::iterator pending) {
    forgotten_.push_back((*pending)->number());
    pending_.erase(pending);
  }

  List pending_;  ///< in the order in which they began
  std::uint64_t count_ = 0;
  std::uint64_t datagram_ = 0;
  std::vector<std::uint64_t> forgotten_;
  std::unique_ptr<Pending> whole_;
};

Reassembly::Reassembly() : impl_(std::make_unique<Impl>()) {}
Reassembly::~Reassembly() = default;

std::optional<IpPacket> Reassembly::add(const IpPacket& fragment, std::size_t interface,
                                        std::chrono::nanoseconds time) {
  return impl_->add(fragment, interface, time);
}

std::uint64_t Reassembly::datagram() const noexcept {
  return impl_->datagram();
}

std::span<const std::uint64_t> Reassembly::forgotten() const noexcept {
  return impl_->forgotten();
}

}  // namespace relay::capture
