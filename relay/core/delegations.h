// Which prefixes servers have delegated to which clients through this relay, learnt from the messages that pass
// (RFC 8987 section 4.1). Looks on: no message waits for it or depends on it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/delegation_reader.h"

namespace relay {

/// How many delegations there may be at a time.
struct DelegationLimits {
  std::size_t per_client = 8;        ///< of one DUID on one interface (RFC 8987 G-5, G-7)
  std::size_t per_interface = 1024;  ///< of all its clients (RFC 8987 G-6)
  std::size_t in_all = 262144;       ///< so that memory is bounded, whatever is delegated

  friend bool operator==(const DelegationLimits&, const DelegationLimits&) = default;
};

/// A prefix that a client has.
struct Delegation {
  Ipv6Prefix prefix;
  std::uint32_t iaid = 0;
  Ipv6Address next_hop;  ///< the client's link-local address
  std::uint32_t preferred_lifetime = 0;
  std::uint32_t valid_lifetime = 0;                                       ///< seconds, as the server gave it
  std::chrono::nanoseconds expires_at = std::chrono::nanoseconds::max();  ///< the greatest: never

  friend bool operator==(const Delegation&, const Delegation&) = default;
};

/// The same with whose it is, for whoever keeps it.
struct KnownDelegation {
  std::vector<std::uint8_t> duid;
  std::string interface;
  Delegation delegation;

  friend bool operator==(const KnownDelegation&, const KnownDelegation&) = default;
};

enum class DelegationChange : std::uint8_t {
  delegated,
  renewed,
  moved,     ///< renewed, and its client is at another next hop now
  released,  ///< by its client, or taken back by its server (lifetimes 0, NoBinding)
  expired,   ///< its valid lifetime is over
  refused,   ///< not taken in; `DelegationEvent::refusal` says why
};

enum class DelegationRefusal : std::uint8_t {
  client_limit,
  interface_limit,
  limit_in_all,
  unroutable,  ///< not a prefix of global or unique-local addresses, or one of under 16 bits
};

/// Something happened to a delegation. Borrows from the teller, valid during the call alone.
struct DelegationEvent {
  DelegationChange change;
  std::span<const std::uint8_t> duid;
  std::string_view interface;
  const Delegation& delegation;
  std::optional<DelegationRefusal> refusal{};
  std::size_t count = 1;  ///< of `refused`: as many prefixes of one message, of which this is the first
};

/// Not for several threads. Times count from any fixed point, and do not go back.
class Delegations {
 public:
  /// `tell` is called for each change, by whatever brought it about; it must not call back. May not be empty.
  using Tell = std::function<void(const DelegationEvent&)>;
  Delegations(const DelegationLimits& limits, Tell tell);
  Delegations(const Delegations&) = delete;
  Delegations& operator=(const Delegations&) = delete;
  ~Delegations() = default;

  /// A Reply that goes to the client at `next_hop` on `interface`: its lifetimes are in force (RFC 8987 G-8), and what
  /// it takes back is gone. Any other message, or a damaged one, changes nothing.
  void reply_passes(std::string_view interface, const Ipv6Address& next_hop, dhcpv6::Octets message,
                    std::chrono::nanoseconds now);

  /// A Release from a client on `interface`: all that its IA_PDs have is over, whatever the server will say (RFC 8987
  /// G-9). Any other message, or a damaged one, changes nothing.
  void release_passes(std::string_view interface, dhcpv6::Octets message);

  /// Ends all whose valid lifetime is over (RFC 8987 G-8: none sooner).
  void expire(std::chrono::nanoseconds now);

  /// When `expire` has something to do; nothing while nothing can expire.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next_expiry() const noexcept;

  /// Takes in what was known before, told as `delegated` where it is new; of what is over, or beyond the limits,
  /// nothing is taken.
  void restore(const KnownDelegation& known, std::chrono::nanoseconds now);

  /// An interface has another name now, under which whatever it has goes on.
  void rename(const std::string& from, const std::string& to);

  /// Limits for what comes from now on; what there is stays.
  void limit(const DelegationLimits& limits) noexcept { limits_ = limits; }

  [[nodiscard]] std::size_t size() const noexcept { return delegations_.size(); }

  /// All of them, in order of interface and client; those of one client in the order in which it got them.
  using Visit = std::function<void(std::span<const std::uint8_t> duid, std::string_view interface, const Delegation&)>;
  void for_each(const Visit& visit) const;
  /// Those of one interface.
  void for_each_on(std::string_view interface, const Visit& visit) const;

 private:
  /// A client is told by its DUID on each interface by itself (RFC 8987 G-4).
  struct ClientKey {
    std::string interface;
    std::vector<std::uint8_t> duid;
  };
  struct ClientView {
    std::string_view interface;
    dhcpv6::Octets duid;
  };
  struct ClientOrder {
    using is_transparent = void;
    template <typename One, typename Other>
    [[nodiscard]] bool operator()(const One& one, const Other& other) const noexcept {
      return compare({one.interface, one.duid}, {other.interface, other.duid});
    }
    [[nodiscard]] static bool compare(const ClientView& one, const ClientView& other) noexcept;
  };
  [[nodiscard]] static bool is_same(const ClientKey& one, const ClientView& other) noexcept;
  using Clients = std::map<ClientKey, std::vector<Ipv6Prefix>, ClientOrder>;

  struct Entry {
    Delegation delegation;
    Clients::iterator client;
  };
  using Entries = std::unordered_map<Ipv6Prefix, Entry>;

  /// What one message had too many of.
  struct Refused {
    std::optional<Delegation> first;
    DelegationRefusal refusal{};
    std::size_t count = 0;
  };

  void take_back(const ClientView& client, const dhcpv6::ClientMessage& message);
  void grant(const ClientView& client, const Delegation& granted, Refused& refused);
  [[nodiscard]] bool renew(const ClientView& client, const Delegation& granted);
  [[nodiscard]] Clients::iterator client_of(const ClientView& client);
  void add(const ClientView& client, const Delegation& granted);
  void update(Entry& entry, const Delegation& granted);
  void end(Entries::iterator entry, DelegationChange change);
  [[nodiscard]] std::optional<DelegationRefusal> refusal(const ClientView& client, const Ipv6Prefix& prefix) const;
  [[nodiscard]] std::size_t count_on(std::string_view interface) const noexcept;
  void tell(DelegationChange change, const Entry& entry) const;
  void tell_refused(const ClientView& client, const Refused& refused) const;
  void release(const ClientView& client, std::uint32_t iaid);

  DelegationLimits limits_;
  Tell tell_;
  Clients clients_;  // each has one delegation at least
  Entries delegations_;
  std::map<std::string, std::size_t, std::less<>> counts_;  // by interface
  std::set<std::pair<std::chrono::nanoseconds, Ipv6Prefix>> expiries_;
};

}  // namespace relay
