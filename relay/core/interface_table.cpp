#include "relay/core/interface_table.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace relay {

namespace {

/// The giaddr under which replies find the interface: only requests of downstream interfaces are relayed.
std::optional<Ipv4Address> reply_key(const Interface& interface) {
  return interface.is_downstream ? interface.giaddr : std::nullopt;
}

}  // namespace

void InterfaceTable::put(Interface interface) {
  const auto [entry, is_new] = interfaces_.try_emplace(interface.index);
  Interface& current = entry->second;
  if (current.addresses != interface.addresses) {
    add_local(interface.addresses);
    remove_local(current.addresses);
  }
  if (const auto before = reply_key(current), after = reply_key(interface); before != after) {
    if (before) {
      remove_downstream(*before, interface.index);
    }
    if (after) {
      add_downstream(*after, interface.index);
    }
  }
  if (!is_new) {
    interface.counters = current.counters;
  }
  current = std::move(interface);
}

void InterfaceTable::remove(std::uint32_t index) {
  const auto entry = interfaces_.find(index);
  if (entry == interfaces_.end()) {
    return;
  }
  unattributed_.add(entry->second.counters);
  remove_local(entry->second.addresses);
  if (const auto giaddr = reply_key(entry->second)) {
    remove_downstream(*giaddr, index);
  }
  interfaces_.erase(entry);
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
  return local_addresses_.contains(address);
}

std::span<const std::uint32_t> InterfaceTable::downstream_by_giaddr(Ipv4Address giaddr) const noexcept {
  const auto entry = downstream_by_giaddr_.find(giaddr);
  return entry == downstream_by_giaddr_.end() ? std::span<const std::uint32_t>{} : entry->second;
}

void InterfaceTable::add_local(const std::vector<Ipv4Prefix>& addresses) {
  for (const Ipv4Prefix& prefix : addresses) {
    ++local_addresses_[prefix.address];
  }
}

void InterfaceTable::remove_local(const std::vector<Ipv4Prefix>& addresses) {
  for (const Ipv4Prefix& prefix : addresses) {
    if (--local_addresses_[prefix.address] == 0) {
      local_addresses_.erase(prefix.address);
    }
  }
}

void InterfaceTable::add_downstream(Ipv4Address giaddr, std::uint32_t index) {
  std::vector<std::uint32_t>& indexes = downstream_by_giaddr_[giaddr];
  indexes.insert(std::lower_bound(indexes.begin(), indexes.end(), index), index);
}

void InterfaceTable::remove_downstream(Ipv4Address giaddr, std::uint32_t index) {
  std::vector<std::uint32_t>& indexes = downstream_by_giaddr_[giaddr];
  indexes.erase(std::lower_bound(indexes.begin(), indexes.end(), index));
  if (indexes.empty()) {
    downstream_by_giaddr_.erase(giaddr);
  }
}

}  // namespace relay
