#include "relay/core/delegations.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace relay {

namespace {

namespace message_type = dhcpv6::message_type;
namespace status = dhcpv6::status;
using std::chrono::nanoseconds;

constexpr nanoseconds never = nanoseconds::max();
constexpr std::uint8_t least_prefix_length = 16;  // what is shorter is no one client's, but a registry's

[[nodiscard]] nanoseconds end_of(std::uint32_t lifetime, nanoseconds now) noexcept {
  return lifetime == dhcpv6::infinity ? never : now + std::chrono::seconds{lifetime};
}

[[nodiscard]] bool is_routable(const Ipv6Prefix& prefix) noexcept {
  return prefix.length >= least_prefix_length && prefix.address.is_globally_scoped();
}

}  // namespace

bool Delegations::ClientOrder::compare(const ClientView& one, const ClientView& other) noexcept {
  const auto by_interface = one.interface <=> other.interface;
  return std::is_eq(by_interface) ? std::ranges::lexicographical_compare(one.duid, other.duid)
                                  : std::is_lt(by_interface);
}

bool Delegations::is_same(const ClientKey& one, const ClientView& other) noexcept {
  return one.interface == other.interface && std::ranges::equal(one.duid, other.duid);
}

Delegations::Delegations(const DelegationLimits& limits, Tell tell) : limits_(limits), tell_(std::move(tell)) {}

void Delegations::reply_passes(std::string_view interface, const Ipv6Address& next_hop, dhcpv6::Octets message,
                               nanoseconds now) {
  const auto read = dhcpv6::read_client_message(message);
  if (!read || read->type != message_type::reply) {
    return;
  }
  expire(now);
  const ClientView client{interface, read->client_duid};
  // What is taken back makes room for what is given in the same message.
  take_back(client, *read);
  Refused refused;
  dhcpv6::AssociationReader associations{*read};
  while (const auto association = associations.next()) {
    if (association->status != status::success) {
      continue;
    }
    dhcpv6::PrefixReader leases{*association};
    while (const auto lease = leases.next()) {
      if (lease->valid_lifetime != 0) {
        grant(client,
              {lease->prefix, association->iaid, next_hop, lease->preferred_lifetime, lease->valid_lifetime,
               end_of(lease->valid_lifetime, now)},
              refused);
      }
    }
  }
  tell_refused(client, refused);
}

void Delegations::take_back(const ClientView& client, const dhcpv6::ClientMessage& message) {
  if (!clients_.contains(client)) {
    return;
  }
  dhcpv6::AssociationReader associations{message};
  while (const auto association = associations.next()) {
    // RFC 8415 section 18.2.10.1: the server knows nothing of it.
    if (association->status == status::no_binding) {
      release(client, association->iaid);
      continue;
    }
    dhcpv6::PrefixReader leases{*association};
    while (const auto lease = leases.next()) {
      // RFC 8415 section 18.2.10.1: a client no longer uses what has a valid lifetime of 0.
      const auto entry = lease->valid_lifetime == 0 ? delegations_.find(lease->prefix) : delegations_.end();
      if (entry != delegations_.end() && is_same(entry->second.client->first, client)) {
        end(entry, DelegationChange::released);
      }
    }
  }
}

void Delegations::release_passes(std::string_view interface, dhcpv6::Octets message) {
  const auto read = dhcpv6::read_client_message(message);
  if (!read || read->type != message_type::release) {
    return;
  }
  dhcpv6::AssociationReader associations{*read};
  while (const auto association = associations.next()) {
    release({interface, read->client_duid}, association->iaid);
  }
}

void Delegations::grant(const ClientView& client, const Delegation& granted, Refused& refused) {
  if (renew(client, granted)) {
    return;
  }
  if (const auto why = refusal(client, granted.prefix)) {
    if (!refused.first) {
      refused.first = granted;
      refused.refusal = *why;
    }
    ++refused.count;
    return;
  }
  add(client, granted);
}

/// Whether the client had the prefix already. What another client had is no longer that one's, whatever becomes of it:
/// a server delegates it once.
bool Delegations::renew(const ClientView& client, const Delegation& granted) {
  const auto known = delegations_.find(granted.prefix);
  if (known == delegations_.end()) {
    return false;
  }
  Entry& entry = known->second;
  if (!is_same(entry.client->first, client)) {
    end(known, DelegationChange::released);
    return false;
  }
  const bool has_moved = entry.delegation.next_hop != granted.next_hop;
  update(entry, granted);
  tell(has_moved ? DelegationChange::moved : DelegationChange::renewed, entry);
  return true;
}

/// It is made where there is none.
Delegations::Clients::iterator Delegations::client_of(const ClientView& client) {
  const auto known = clients_.find(client);
  return known != clients_.end()
             ? known
             : clients_.try_emplace({std::string{client.interface}, {client.duid.begin(), client.duid.end()}}).first;
}

void Delegations::add(const ClientView& client, const Delegation& granted) {
  const auto owner = client_of(client);
  owner->second.push_back(granted.prefix);
  ++counts_[owner->first.interface];
  Entry& entry = delegations_.emplace(granted.prefix, Entry{granted, owner}).first->second;
  if (granted.expires_at != never) {
    expiries_.emplace(granted.expires_at, granted.prefix);
  }
  tell(DelegationChange::delegated, entry);
}

/// Without an allocation, as long as it expires as before.
void Delegations::update(Entry& entry, const Delegation& granted) {
  auto expiry = expiries_.extract({entry.delegation.expires_at, granted.prefix});
  entry.delegation = granted;
  if (granted.expires_at == never) {
    return;
  }
  if (expiry.empty()) {
    expiries_.emplace(granted.expires_at, granted.prefix);
  } else {
    expiry.value().first = granted.expires_at;
    expiries_.insert(std::move(expiry));
  }
}

void Delegations::end(Entries::iterator entry, DelegationChange change) {
  tell(change, entry->second);
  const auto client = entry->second.client;
  expiries_.erase({entry->second.delegation.expires_at, entry->first});
  std::erase(client->second, entry->first);
  if (const auto count = counts_.find(client->first.interface); --count->second == 0) {
    counts_.erase(count);
  }
  if (client->second.empty()) {
    clients_.erase(client);
  }
  delegations_.erase(entry);
}

/// All that the client has in this association.
void Delegations::release(const ClientView& client, std::uint32_t iaid) {
  auto owner = clients_.find(client);
  for (std::size_t position = 0; owner != clients_.end() && position < owner->second.size();) {
    const auto entry = delegations_.find(owner->second[position]);
    if (entry->second.delegation.iaid != iaid) {
      ++position;
      continue;
    }
    const bool is_last = owner->second.size() == 1;  // then its client goes too
    end(entry, DelegationChange::released);
    owner = is_last ? clients_.end() : owner;
  }
}

std::optional<DelegationRefusal> Delegations::refusal(const ClientView& client, const Ipv6Prefix& prefix) const {
  if (!is_routable(prefix)) {
    return DelegationRefusal::unroutable;
  }
  const auto owner = clients_.find(client);
  if ((owner == clients_.end() ? 0 : owner->second.size()) >= limits_.per_client) {
    return DelegationRefusal::client_limit;
  }
  if (count_on(client.interface) >= limits_.per_interface) {
    return DelegationRefusal::interface_limit;
  }
  return delegations_.size() >= limits_.in_all ? std::optional{DelegationRefusal::limit_in_all} : std::nullopt;
}

std::size_t Delegations::count_on(std::string_view interface) const noexcept {
  const auto count = counts_.find(interface);
  return count == counts_.end() ? 0 : count->second;
}

void Delegations::expire(nanoseconds now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    end(delegations_.find(expiries_.begin()->second), DelegationChange::expired);
  }
}

std::optional<nanoseconds> Delegations::next_expiry() const noexcept {
  return expiries_.empty() ? std::nullopt : std::optional{expiries_.begin()->first};
}

void Delegations::restore(const KnownDelegation& known, nanoseconds now) {
  const Delegation& delegation = known.delegation;
  const ClientView client{known.interface, known.duid};
  if (delegation.expires_at > now && !delegations_.contains(delegation.prefix) && !refusal(client, delegation.prefix)) {
    add(client, delegation);
  }
}

void Delegations::rename(const std::string& from, const std::string& to) {
  const auto count = counts_.find(from);
  if (from == to || count == counts_.end()) {
    return;
  }
  counts_[to] += count->second;
  counts_.erase(count);
  for (auto client = clients_.lower_bound(ClientView{from, {}});
       client != clients_.end() && client->first.interface == from; client = clients_.erase(client)) {
    const auto renamed = client_of({to, client->first.duid});
    for (const Ipv6Prefix& prefix : client->second) {
      delegations_.find(prefix)->second.client = renamed;
      renamed->second.push_back(prefix);
    }
  }
}

void Delegations::for_each(const Visit& visit) const {
  for (const auto& [key, prefixes] : clients_) {
    for (const Ipv6Prefix& prefix : prefixes) {
      visit(key.duid, key.interface, delegations_.find(prefix)->second.delegation);
    }
  }
}

void Delegations::for_each_on(std::string_view interface, const Visit& visit) const {
  for (auto client = clients_.lower_bound(ClientView{interface, {}});
       client != clients_.end() && client->first.interface == interface; ++client) {
    for (const Ipv6Prefix& prefix : client->second) {
      visit(client->first.duid, interface, delegations_.find(prefix)->second.delegation);
    }
  }
}

void Delegations::tell(DelegationChange change, const Entry& entry) const {
  const ClientKey& client = entry.client->first;
  tell_({change, client.duid, client.interface, entry.delegation});
}

void Delegations::tell_refused(const ClientView& client, const Refused& refused) const {
  if (refused.first) {
    tell_({DelegationChange::refused, client.duid, client.interface, *refused.first, refused.refusal, refused.count});
  }
}

}  // namespace relay
