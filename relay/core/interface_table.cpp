#include "relay/core/interface_table.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace relay {

namespace {

using options82::SubOption;

[[nodiscard]] std::string_view text_of(options82::Octets octets) noexcept {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

template <typename Key>
void add_key(std::vector<Key>& keys, const Key& key) {
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
    keys.push_back(key);
  }
}

[[nodiscard]] std::vector<Ipv4Address> addresses_of(const Interface& interface) {
  std::vector<Ipv4Address> keys;
  for (const Ipv4Prefix& prefix : interface.addresses) {
    add_key(keys, prefix.address);
  }
  return keys;
}

/// What a reply may have as giaddr: what we write now, and what we may have written when the request passed.
[[nodiscard]] std::vector<Ipv4Address> giaddrs_of(const Interface& interface) {
  std::vector<Ipv4Address> keys;
  if (interface.is_downstream) {
    keys = addresses_of(interface);
    if (interface.giaddr) {
      add_key(keys, *interface.giaddr);
    }
  }
  return keys;
}

[[nodiscard]] std::vector<Ipv4Address> servers_of(const Interface& interface) {
  return interface.is_downstream ? interface.servers : std::vector<Ipv4Address>{};
}

[[nodiscard]] std::vector<std::string> circuit_ids_of(const Interface& interface) {
  const auto circuit_id = interface.agent_information.find(SubOption::circuit_id);
  if (!interface.is_downstream || !circuit_id || interface.agent_information.has_blanks(SubOption::circuit_id)) {
    return {};
  }
  return {std::string{text_of(*circuit_id)}};
}

[[nodiscard]] std::optional<options82::ValueEnds> circuit_id_ends_of(const Interface& interface) {
  return interface.is_downstream ? interface.agent_information.ends(SubOption::circuit_id) : std::nullopt;
}

[[nodiscard]] std::vector<Ipv6Address> addresses6_of(const Interface& interface) {
  std::vector<Ipv6Address> keys;
  for (const InterfaceAddress6& each : interface.v6.addresses) {
    if (!each.prefix.address.is_link_local()) {
      add_key(keys, each.prefix.address);
    }
  }
  return keys;
}

/// What a reply may have as link-address: what we write now, what we may have written when the message passed, and any
/// address on the interface's links, for a server that begins a conversation (RFC 8415 section 19.3).
[[nodiscard]] std::vector<Ipv6Prefix> prefixes_of(const Interface& interface) {
  std::vector<Ipv6Prefix> keys;
  if (!interface.is_downstream6()) {
    return keys;
  }
  if (!interface.v6.link_address.is_unspecified()) {
    add_key(keys, {interface.v6.link_address});
  }
  for (const InterfaceAddress6& each : interface.v6.addresses) {
    if (!each.prefix.address.is_link_local()) {
      add_key(keys, {each.prefix.address});
      add_key(keys, each.prefix.network());
    }
  }
  return keys;
}

[[nodiscard]] std::vector<Server6> servers6_of(const Interface& interface) {
  std::vector<Server6> keys;
  if (interface.is_downstream6()) {
    for (const Server6& server : interface.v6.servers) {
      add_key(keys, server.as_sender());
    }
  }
  return keys;
}

[[nodiscard]] std::vector<std::string> interface_ids_of(const Interface& interface) {
  const auto interface_id = interface.v6.options.interface_id();
  if (!interface.is_downstream6() || interface_id.empty()) {
    return {};
  }
  return {std::string{text_of(interface_id)}};
}

[[nodiscard]] bool is_trusted6(const Interface& interface) {
  return interface.is_downstream6() && interface.is_trusted;
}

[[nodiscard]] bool selects_vss6(const Interface& interface) {
  return interface.is_downstream6() && !interface.v6.options.vss().empty();
}

/// Of those that are so, there is one more or one fewer.
void move_count(std::size_t& count, bool was, bool is) {
  if (was != is) {
    count = is ? count + 1 : count - 1;
  }
}

void insert_sorted(std::vector<std::uint32_t>& positions, std::uint32_t position) {
  const auto place = std::lower_bound(positions.begin(), positions.end(), position);
  if (place == positions.end() || *place != position) {
    positions.insert(place, position);
  }
}

void erase_sorted(std::vector<std::uint32_t>& positions, std::uint32_t position) {
  const auto place = std::lower_bound(positions.begin(), positions.end(), position);
  if (place != positions.end() && *place == position) {
    positions.erase(place);
  }
}

void insert_or_erase(std::vector<std::uint32_t>& positions, std::uint32_t position, bool belongs) {
  if (belongs) {
    insert_sorted(positions, position);
  } else {
    erase_sorted(positions, position);
  }
}

}  // namespace

/// Moves `position` from the keys `before` to the keys `after`, in the `part` of their entries; nothing is disturbed
/// where they are the same.
template <typename Index, typename Part, typename Keys>
void InterfaceTable::move_keys(Index& index, Part part, const Keys& before, const Keys& after, std::uint32_t position) {
  if (before == after) {
    return;
  }
  for (const auto& key : before) {
    auto& entry = index[key];
    erase_sorted(std::invoke(part, entry), position);
    if (is_empty(entry)) {
      index.erase(key);
    }
  }
  for (const auto& key : after) {
    insert_sorted(std::invoke(part, index[key]), position);
  }
}

void InterfaceTable::put(Interface interface) {
  const std::uint32_t index = interface.index;
  const bool is_new = interfaces_.find(index) == nullptr;
  Interface& current = interfaces_[index];
  const std::vector<Ipv4Address> moved = change(current, interface);
  const bool has_other_name = !is_new && current.name != interface.name;
  if (has_other_name) {
    leave_counts_over(current);
  }
  const bool counts_anew = is_new || has_other_name;
  interface.counters = counts_anew ? std::make_shared<Counters>() : current.counters;
  interface.v6.counters = counts_anew ? nullptr : current.v6.counters;
  if (interface.v6.is_relayed && interface.v6.counters == nullptr) {
    interface.v6.counters = std::make_shared<Counters6>();
  }
  if (!is_new) {
    // What was used up of another limit says nothing about this one.
    if (interface.rate_limit == current.rate_limit) {
      interface.rate_meter = current.rate_meter;
    }
  }
  current = std::move(interface);
  settle_passive(index);
  settle_holders(moved);
}

void InterfaceTable::remove(std::uint32_t index) {
  const Interface* const present = interfaces_.find(index);
  if (present == nullptr) {
    return;
  }
  leave_counts_over(*present);
  Interface nothing;
  nothing.index = index;
  const std::vector<Ipv4Address> moved = change(*present, nothing);
  interfaces_.erase(index);
  erase_sorted(passive_, index);
  settle_holders(moved);
}

void InterfaceTable::leave_counts_over(const Interface& interface) {
  of_removed_->add(*interface.counters);
  if (interface.v6.counters != nullptr) {
    of_removed6_->add(*interface.v6.counters);
  }
}

/// Brings the indexes in step. Returns the addresses that have come to this host or have gone from it.
std::vector<Ipv4Address> InterfaceTable::change(const Interface& before, const Interface& after) {
  constexpr std::identity whole;
  const std::vector<Ipv4Address> had = addresses_of(before);
  const std::vector<Ipv4Address> has = addresses_of(after);
  const auto is_absent = [this](Ipv4Address address) { return !is_local(address); };
  std::vector<Ipv4Address> moved;
  std::copy_if(has.begin(), has.end(), std::back_inserter(moved), is_absent);
  move_keys(by_address_, &AtAddress::holders, had, has, after.index);
  std::copy_if(had.begin(), had.end(), std::back_inserter(moved), is_absent);

  move_keys(by_address_, &AtAddress::downstream_by_giaddr, giaddrs_of(before), giaddrs_of(after), after.index);
  move_keys(downstream_by_server_, whole, servers_of(before), servers_of(after), after.index);
  move_keys(downstream_by_circuit_id_, whole, circuit_ids_of(before), circuit_ids_of(after), after.index);
  if (const auto ends = circuit_id_ends_of(before)) {
    downstream_by_client_.erase(*ends, after.index);
  }
  if (const auto ends = circuit_id_ends_of(after)) {
    downstream_by_client_.insert(*ends, after.index);
  }
  change6(before, after);
  return moved;
}

/// The same for the indexes of DHCPv6.
void InterfaceTable::change6(const Interface& before, const Interface& after) {
  constexpr std::identity whole;
  move_keys(holders6_, whole, addresses6_of(before), addresses6_of(after), after.index);
  move_keys(downstream_by_server6_, whole, servers6_of(before), servers6_of(after), after.index);
  move_keys(downstream_by_interface_id_, whole, interface_ids_of(before), interface_ids_of(after), after.index);
  move_count(trusted6_count_, is_trusted6(before), is_trusted6(after));
  move_count(vss6_count_, selects_vss6(before), selects_vss6(after));
  const std::vector<Ipv6Prefix> had = prefixes_of(before);
  const std::vector<Ipv6Prefix> has = prefixes_of(after);
  move_keys(downstream_by_prefix_, whole, had, has, after.index);
  for (const Ipv6Prefix& prefix : has) {
    ++prefix_lengths_[prefix.length];
  }
  for (const Ipv6Prefix& prefix : had) {
    const auto found = prefix_lengths_.find(prefix.length);
    if (--found->second == 0) {
      prefix_lengths_.erase(found);
    }
  }
}

void InterfaceTable::settle_passive(std::uint32_t index) {
  const Interface& interface = *interfaces_.find(index);
  insert_or_erase(passive_, index, interface.is_downstream && interface.giaddr && !is_local(*interface.giaddr));
}

void InterfaceTable::settle_holders(const std::vector<Ipv4Address>& addresses) {
  for (const Ipv4Address address : addresses) {
    for (const std::uint32_t index : downstream_by_giaddr(address)) {
      settle_passive(index);
    }
  }
}

Counters InterfaceTable::left_over() const {
  Counters sum = *of_removed_;
  sum.add(*unattributed_);
  return sum;
}

Counters6 InterfaceTable::left_over6() const {
  Counters6 sum = *of_removed6_;
  sum.add(*unattributed6_);
  return sum;
}

const Interface* InterfaceTable::find(std::uint32_t index) const noexcept {
  return interfaces_.find(index);
}

Interface* InterfaceTable::find(std::uint32_t index) noexcept {
  return interfaces_.find(index);
}

bool InterfaceTable::is_local(Ipv4Address address) const noexcept {
  const AtAddress* const found = by_address_.find(address);
  return found != nullptr && !found->holders.empty();
}

bool InterfaceTable::is_local(const Ipv6Address& address) const noexcept {
  return holders6_.contains(address);
}

bool InterfaceTable::is_server(const Ipv6Address& source, std::uint32_t interface_index) const noexcept {
  return downstream_by_server6_.contains(Server6{source, interface_index}.as_sender());
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_link_address(
    const Ipv6Address& link_address) const noexcept {
  for (const auto& [length, count] : prefix_lengths_) {
    if (const Indices* const found = downstream_by_prefix_.find(Ipv6Prefix{link_address, length}.network())) {
      return *found;
    }
  }
  return {};
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_interface_id(dhcpv6::Octets interface_id) const noexcept {
  const auto found = downstream_by_interface_id_.find(text_of(interface_id));
  return found == downstream_by_interface_id_.end() ? std::span<const std::uint32_t>{} : found->second;
}

bool InterfaceTable::is_server(Ipv4Address address) const noexcept {
  return downstream_by_server_.contains(address);
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_giaddr(Ipv4Address giaddr) const noexcept {
  const AtAddress* const found = by_address_.find(giaddr);
  return found == nullptr ? std::span<const std::uint32_t>{} : found->downstream_by_giaddr;
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_circuit_id(options82::Octets circuit_id) const noexcept {
  const auto found = downstream_by_circuit_id_.find(text_of(circuit_id));
  return found == downstream_by_circuit_id_.end() ? std::span<const std::uint32_t>{} : found->second;
}

}  // namespace relay
