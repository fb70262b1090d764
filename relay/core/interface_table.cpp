#include "relay/core/interface_table.h"

#include <algorithm>
#include <iterator>
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

[[nodiscard]] bool has_circuit_id_by_client(const Interface& interface) {
  return interface.is_downstream && interface.agent_information.has_blanks(SubOption::circuit_id);
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

/// Moves `position` from the keys `before` to the keys `after`; nothing is disturbed where they are the same.
template <typename Index, typename Keys>
void move_keys(Index& index, const Keys& before, const Keys& after, std::uint32_t position) {
  if (before == after) {
    return;
  }
  for (const auto& key : before) {
    std::vector<std::uint32_t>& positions = index[key];
    erase_sorted(positions, position);
    if (positions.empty()) {
      index.erase(key);
    }
  }
  for (const auto& key : after) {
    insert_sorted(index[key], position);
  }
}

template <typename Index, typename Key>
[[nodiscard]] std::span<const std::uint32_t> find_key(const Index& index, const Key& key) noexcept {
  const auto entry = index.find(key);
  return entry == index.end() ? std::span<const std::uint32_t>{} : entry->second;
}

}  // namespace

void InterfaceTable::put(Interface interface) {
  const std::uint32_t index = interface.index;
  const auto [entry, is_new] = interfaces_.try_emplace(index);
  Interface& current = entry->second;
  const std::vector<Ipv4Address> moved = change(current, interface);
  if (!is_new) {
    interface.counters = current.counters;
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
  const auto entry = interfaces_.find(index);
  if (entry == interfaces_.end()) {
    return;
  }
  unattributed_.add(entry->second.counters);
  Interface nothing;
  nothing.index = index;
  const std::vector<Ipv4Address> moved = change(entry->second, nothing);
  interfaces_.erase(entry);
  erase_sorted(passive_, index);
  settle_holders(moved);
}

/// Brings the indexes in step. Returns the addresses that have come to this host or have gone from it.
std::vector<Ipv4Address> InterfaceTable::change(const Interface& before, const Interface& after) {
  const std::vector<Ipv4Address> had = addresses_of(before);
  const std::vector<Ipv4Address> has = addresses_of(after);
  const auto is_absent = [this](Ipv4Address address) { return !is_local(address); };
  std::vector<Ipv4Address> moved;
  std::copy_if(has.begin(), has.end(), std::back_inserter(moved), is_absent);
  move_keys(by_address_, had, has, after.index);
  std::copy_if(had.begin(), had.end(), std::back_inserter(moved), is_absent);

  move_keys(downstream_by_giaddr_, giaddrs_of(before), giaddrs_of(after), after.index);
  move_keys(downstream_by_server_, servers_of(before), servers_of(after), after.index);
  move_keys(downstream_by_circuit_id_, circuit_ids_of(before), circuit_ids_of(after), after.index);
  insert_or_erase(downstream_by_client_, after.index, has_circuit_id_by_client(after));
  return moved;
}

void InterfaceTable::settle_passive(std::uint32_t index) {
  const Interface& interface = interfaces_.at(index);
  insert_or_erase(passive_, index, interface.is_downstream && interface.giaddr && !is_local(*interface.giaddr));
}

void InterfaceTable::settle_holders(const std::vector<Ipv4Address>& addresses) {
  for (const Ipv4Address address : addresses) {
    for (const std::uint32_t index : downstream_by_giaddr(address)) {
      settle_passive(index);
    }
  }
}

const Interface* InterfaceTable::find(std::uint32_t index) const noexcept {
  const auto entry = interfaces_.find(index);
  return entry == interfaces_.end() ? nullptr : &entry->second;
}

Interface* InterfaceTable::find(std::uint32_t index) noexcept {
  const auto entry = interfaces_.find(index);
  return entry == interfaces_.end() ? nullptr : &entry->second;
}

bool InterfaceTable::is_local(Ipv4Address address) const noexcept {
  return by_address_.contains(address);
}

bool InterfaceTable::is_server(Ipv4Address address) const noexcept {
  return downstream_by_server_.contains(address);
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_giaddr(Ipv4Address giaddr) const noexcept {
  return find_key(downstream_by_giaddr_, giaddr);
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_circuit_id(options82::Octets circuit_id) const noexcept {
  return find_key(downstream_by_circuit_id_, text_of(circuit_id));
}

}  // namespace relay
