#include "relay/io/interface_view.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "relay/core/agent_information_content.h"
#include "relay/core/relay_forward_content.h"
#include "relay/io/settings_by_name.h"

namespace relay::io {

namespace {

/// RFC 3927: used where nothing better is known.
bool is_link_local(Ipv4Address address) {
  return address.octets[0] == 169 && address.octets[1] == 254;
}

std::optional<Ipv4Prefix> primary_of(const std::vector<LinkAddress>& addresses) {
  std::optional<Ipv4Prefix> of_link_scope;
  for (const LinkAddress& address : addresses) {
    if (address.is_secondary || address.scope >= address_scope::host || !address.prefix.address.is_host()) {
      continue;
    }
    if (address.scope < address_scope::link && !is_link_local(address.prefix.address)) {
      return address.prefix;
    }
    if (!of_link_scope) {
      of_link_scope = address.prefix;
    }
  }
  return of_link_scope;
}

/// The addresses as the table wants them, `primary` first.
std::vector<Ipv4Prefix> prefixes_of(const std::vector<LinkAddress>& addresses,
                                    const std::optional<Ipv4Prefix>& primary) {
  std::vector<Ipv4Prefix> prefixes;
  prefixes.reserve(addresses.size());
  for (const LinkAddress& address : addresses) {
    prefixes.push_back(address.prefix);
  }
  if (primary) {
    const auto found = std::find(prefixes.begin(), prefixes.end(), *primary);
    std::rotate(prefixes.begin(), found, found + 1);
  }
  return prefixes;
}

bool has_role(const Interface& interface) {
  return interface.is_downstream6() || interface.is_upstream6();
}

/// Whether DHCPv6 can serve nobody there, though the interface is up.
bool lacks_link_local(const Interface& interface) {
  return interface.v6.is_relayed && interface.is_downstream6() && interface.is_up && interface.has_carrier &&
         interface.v6.link_local.is_unspecified();
}

/// Of the address in a list that is in order.
template <typename Addresses>
auto place_of(Addresses& addresses, const Ipv6Address& address) {
  return std::ranges::lower_bound(
      addresses, address, {}, [](const InterfaceAddress6& each) -> const Ipv6Address& { return each.prefix.address; });
}

bool is_same(const LinkAddress& left, const LinkAddress& right) {
  return left.prefix == right.prefix && left.peer == right.peer;
}

/// Puts a new address where the kernel does: a secondary one last, a primary one behind the primary ones whose scope is
/// not wider.
void insert_like_kernel(std::vector<LinkAddress>& addresses, const LinkAddress& address) {
  auto place = addresses.end();
  if (!address.is_secondary) {
    place = std::find_if(addresses.rbegin(), addresses.rend(), [&address](const LinkAddress& other) {
              return !other.is_secondary && address.scope <= other.scope;
            }).base();
  }
  addresses.insert(place, address);
}

bool names_client_port(const Interface& interface) {
  return interface.agent_information.has(options82::Blank::client_port);
}

using Relatives = std::unordered_map<std::uint32_t, std::set<std::uint32_t>>;

const std::set<std::uint32_t>& relatives_of(const Relatives& relatives, std::uint32_t index) {
  static const std::set<std::uint32_t> none;
  const auto entry = relatives.find(index);
  return entry == relatives.end() ? none : entry->second;
}

void add_relative(Relatives& relatives, std::uint32_t index, std::uint32_t relative) {
  if (index != 0) {
    relatives[index].insert(relative);
  }
}

void remove_relative(Relatives& relatives, std::uint32_t index, std::uint32_t relative) {
  const auto entry = relatives.find(index);
  if (entry != relatives.end() && entry->second.erase(relative) != 0 && entry->second.empty()) {
    relatives.erase(entry);
  }
}

/// Whether interfaces of the bridge that `after` is differ from those of `before`.
bool is_other_bridge(const LinkState& before, const LinkState& after) {
  return before.is_bridge != after.is_bridge || before.filters_vlans != after.filters_vlans ||
         before.default_pvid != after.default_pvid;
}

}  // namespace

InterfaceView::InterfaceView(InterfaceTable& table, const InterfaceSettings& settings, Listener listener)
    : table_(table), choices_(std::make_unique<const SettingsByName>(settings)), listener_(std::move(listener)) {}

InterfaceView::~InterfaceView() = default;

void InterfaceView::follow(Follower follower) {
  follower_ = std::move(follower);
  for (const auto& entry : known_) {
    follower_(entry.first, std::as_const(table_).find(entry.first));
  }
}

void InterfaceView::apply(const InterfaceSettings& settings) {
  choices_ = std::make_unique<const SettingsByName>(settings);
  update_all();
  report_all();
}

void InterfaceView::synchronise(std::vector<Link> links) {
  begin_synchronise(std::move(links));
  while (!settle_some(std::numeric_limits<std::size_t>::max())) {
  }
}

void InterfaceView::begin_synchronise(std::vector<Link> links) {
  while (!settle_some(std::numeric_limits<std::size_t>::max())) {
  }
  std::ranges::sort(links, {}, [](const Link& link) { return link.state.index; });
  Indexes bridges;  // or what else has ports
  set_aside_all_but(links, bridges);
  for (Link& link : links) {
    compare(link, bridges);
  }
  Indexes& to_update = differences_.to_update;
  for (const std::uint32_t bridge : bridges) {
    const auto& vlans = relatives_of(vlans_by_parent_, bridge);
    to_update.insert(vlans.begin(), vlans.end());
    if (known_.contains(bridge)) {
      to_update.insert(bridge);
    }
  }
  if (what_all_depend_on_changed()) {
    for (const auto& [index, known] : known_) {
      to_update.insert(index);
    }
  }
  differences_.to_report = to_update;
}

bool InterfaceView::settle_some(std::size_t count) {
  Differences& differences = differences_;
  for (; count > 0; --count) {
    if (!differences.gone.empty()) {
      drop(differences.gone.front().mapped());
      differences.gone.pop_front();
    } else if (!differences.to_update.empty()) {
      update(known_.at(*differences.to_update.begin()));
      differences.to_update.erase(differences.to_update.begin());
    } else if (!differences.moved.empty()) {
      const auto holders = table_.downstream_by_giaddr(*differences.moved.begin());
      differences.to_report.insert(holders.begin(), holders.end());
      differences.moved.erase(differences.moved.begin());
    } else if (!differences.to_report.empty()) {
      report(known_.at(*differences.to_report.begin()));
      differences.to_report.erase(differences.to_report.begin());
    } else {
      return true;
    }
  }
  return false;
}

/// Takes the links that are in none of `links`, which are in order of index, out of what is known.
void InterfaceView::set_aside_all_but(const std::vector<Link>& links, Indexes& bridges) {
  auto present = links.begin();
  for (auto entry = known_.begin(); entry != known_.end();) {
    const auto candidate = entry++;
    while (present != links.end() && present->state.index < candidate->first) {
      ++present;
    }
    if (present != links.end() && present->state.index == candidate->first) {
      continue;
    }
    const Known& known = candidate->second;
    release(known.link);
    note_moved(known.addresses);
    bridges.insert({candidate->first, known.link.master_index});
    differences_.gone.push_back(known_.extract(candidate));
  }
}

/// Notes whether `link` differs from what is known of it, and knows it.
void InterfaceView::compare(Link& link, Indexes& bridges) {
  const std::uint32_t index = link.state.index;
  const auto [entry, is_new] = known_.try_emplace(index);
  Known& known = entry->second;
  if (is_new || known.link != link.state) {
    if (is_other_bridge(known.link, link.state)) {
      bridges.insert(index);
    }
    if (known.link.master_index != link.state.master_index || known.link.name != link.state.name) {
      bridges.insert({known.link.master_index, link.state.master_index});
    }
    release(known.link);
    enter(link.state);
    known.link = std::move(link.state);
    differences_.to_update.insert(index);
  }
  if (known.addresses != link.addresses) {
    note_moved(known.addresses);
    note_moved(link.addresses);
    known.addresses = std::move(link.addresses);
    differences_.to_update.insert(index);
  }
  std::ranges::sort(link.addresses6, {}, [](const InterfaceAddress6& each) { return each.prefix; });
  if (known.addresses6 != link.addresses6) {
    known.addresses6 = std::move(link.addresses6);
    differences_.to_update.insert(index);
  }
}

void InterfaceView::note_moved(const std::vector<LinkAddress>& addresses) {
  for (const LinkAddress& address : addresses) {
    differences_.moved.insert(address.prefix.address);
  }
}

void InterfaceView::link_changed(const LinkState& link) {
  const auto [entry, is_new] = known_.try_emplace(link.index);
  Known& known = entry->second;
  if (!is_new && known.link == link) {
    return;
  }
  release(known.link);
  enter(link);
  const LinkState before = std::exchange(known.link, link);
  settle(known);
  if (is_other_bridge(before, link)) {
    settle_vlans(link.index);
  }
  if (before.master_index != link.master_index) {
    settle_bridge(before.master_index);
  }
  if (before.master_index != link.master_index || before.name != link.name) {
    settle_bridge(link.master_index);
  }
}

void InterfaceView::link_removed(std::uint32_t index) {
  const auto entry = known_.find(index);
  if (entry == known_.end()) {
    return;
  }
  const std::vector<LinkAddress> addresses = std::move(entry->second.addresses);
  const LinkState link = entry->second.link;
  forget(entry);
  if (what_all_depend_on_changed()) {
    update_all();
    report_all();
  }
  settle_holders(addresses);
  settle_vlans(link.index);
  settle_bridge(link.master_index);
}

void InterfaceView::address_added(std::uint32_t index, const LinkAddress& address) {
  const auto entry = known_.find(index);
  if (entry == known_.end()) {
    return;
  }
  std::vector<LinkAddress>& addresses = entry->second.addresses;
  const auto same = std::find_if(addresses.begin(), addresses.end(),
                                 [&address](const LinkAddress& other) { return is_same(other, address); });
  if (same != addresses.end()) {
    if (*same == address) {
      return;
    }
    addresses.erase(same);
  }
  insert_like_kernel(addresses, address);
  settle(entry->second);
  settle_holders({address});
}

void InterfaceView::address_removed(std::uint32_t index, const LinkAddress& address) {
  const auto entry = known_.find(index);
  if (entry == known_.end()) {
    return;
  }
  const auto removed =
      std::erase_if(entry->second.addresses, [&address](const LinkAddress& other) { return is_same(other, address); });
  if (removed == 0) {
    return;
  }
  settle(entry->second);
  settle_holders({address});
}

void InterfaceView::address6_added(std::uint32_t index, const InterfaceAddress6& address) {
  const auto entry = known_.find(index);
  if (entry == known_.end()) {
    return;
  }
  std::vector<InterfaceAddress6>& addresses = entry->second.addresses6;
  const auto place = place_of(addresses, address.prefix.address);
  if (place == addresses.end() || place->prefix.address != address.prefix.address) {
    addresses.insert(place, address);
  } else if (*place == address) {
    return;
  } else {
    *place = address;
  }
  settle(entry->second);
}

void InterfaceView::address6_removed(std::uint32_t index, const Ipv6Address& address) {
  const auto entry = known_.find(index);
  if (entry == known_.end()) {
    return;
  }
  std::vector<InterfaceAddress6>& addresses = entry->second.addresses6;
  const auto place = place_of(addresses, address);
  if (place != addresses.end() && place->prefix.address == address) {
    addresses.erase(place);
    settle(entry->second);
  }
}

bool InterfaceView::report_lacking_link_local() {
  bool is_some_awaited = false;
  for (auto& [index, known] : known_) {
    if (!known.told || known.told->link_local == LinkLocal::missing) {
      continue;
    }
    const Interface& interface = *table_.find(index);
    if (!lacks_link_local(interface)) {
      continue;
    }
    if (known.told->link_local == LinkLocal::awaited) {
      known.told->link_local = LinkLocal::missing;
      tell(InterfaceChange::no_link_local, interface);
    } else {
      known.told->link_local = LinkLocal::awaited;
      is_some_awaited = true;
    }
  }
  return is_some_awaited;
}

std::optional<std::uint32_t> InterfaceView::mtu_of(std::uint32_t index) const {
  const auto entry = known_.find(index);
  return entry == known_.end() ? std::nullopt : std::optional{entry->second.link.mtu};
}

std::vector<std::string> InterfaceView::missing() const {
  std::vector<std::string> names;
  std::copy_if(choices_->names.begin(), choices_->names.end(), std::back_inserter(names),
               [this](const std::string& name) { return !index_by_name_.contains(name); });
  return names;
}

Interface InterfaceView::resolved(const Known& known) const {
  const std::string& name = known.link.name;
  const std::optional<Ipv4Prefix> primary = primary_of(known.addresses);
  const InterfaceRole role = choices_->roles.of(name);

  Interface interface;
  interface.index = known.link.index;
  interface.name = name;
  interface.alias = known.link.alias;
  interface.is_up = known.link.is_up;
  interface.has_carrier = known.link.has_carrier;
  interface.is_ethernet = known.link.is_ethernet;
  interface.mac = known.link.mac;
  interface.mtu = known.link.mtu;
  interface.addresses = prefixes_of(known.addresses, primary);
  interface.is_downstream = role.downstream;
  interface.is_upstream = role.upstream;
  interface.v6.is_lower = role.lower;
  interface.v6.is_upper = role.upper;
  interface.v6.is_relayed = has_role(interface) && choices_->v6.is_relayed;
  interface.v6.addresses = known.addresses6;
  interface.v6.mtu = std::min(known.link.mtu, known.link.ipv6_mtu);
  if (interface.is_downstream6()) {
    resolve_bridge(interface, known.link);
    interface.is_trusted = choices_->trusted.value_or(name, false);
    if (const RateLimit* const limit = choices_->rate_limits.find(name)) {
      interface.rate_limit = *limit;
    }
    resolve_requests6(interface);
  }
  if (role.downstream) {
    resolve_requests(interface, primary);
    if (names_client_port(interface)) {
      interface.bridge_ports = port_names(interface.bridge_index);
    }
  }
  return interface;
}

/// Where clients of `interface` are, as far as a bridge tells.
void InterfaceView::resolve_bridge(Interface& interface, const LinkState& link) const {
  interface.vlan_id = link.vlan_id;
  const auto entry = known_.find(link.is_bridge ? link.index : link.parent_index);
  if (entry == known_.end() || !entry->second.link.is_bridge) {
    return;
  }
  const LinkState& bridge = entry->second.link;
  interface.bridge_index = bridge.index;
  // A bridge that filters learns every address in a VLAN, that of untagged frames too; another one in none.
  if (bridge.filters_vlans) {
    interface.bridge_vlan_id = link.vlan_id.value_or(bridge.default_pvid);
  }
}

/// Names of the ports of the bridge, sorted; 0: none.
std::vector<std::string> InterfaceView::port_names(std::uint32_t bridge) const {
  std::vector<std::string> names;
  for (const std::uint32_t port : relatives_of(ports_by_master_, bridge)) {
    names.push_back(known_.at(port).link.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// What becomes of requests of DHCPv4 that arrive on `interface`, whose name and addresses are known.
void InterfaceView::resolve_requests(Interface& interface, const std::optional<Ipv4Prefix>& primary) const {
  const SettingsByName& choices = *choices_;
  const std::string& name = interface.name;
  interface.refuses_relayed = choices.refuses_relayed.value_or(name, false);
  interface.reply_delivery = choices.reply_delivery.value_or(name, ReplyDelivery::automatic);
  interface.servers = choices.servers.value_or(name, {});
  // RFC 1542 section 4.1.1: what came as a broadcast is not broadcast again where it came from.
  std::erase_if(interface.servers, [&interface](Ipv4Address server) {
    return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                       [server](const Ipv4Prefix& prefix) { return prefix.is_broadcast(server); });
  });

  if (const Ipv4Address* const configured = choices.giaddrs.find(name)) {
    interface.giaddr = *configured;
    interface.giaddr_is_given = true;
  } else if (!choices.giaddr_interface.empty()) {
    interface.giaddr = giaddr_of_interface_;
  } else if (primary) {
    interface.giaddr = primary->address;
  }

  encode_agent_information(interface, primary,
                           {choices.circuit_ids.value_or(name, default_circuit_id()),
                            choices.remote_ids.value_or(name, {}), choices.subscriber_ids.value_or(name, {})},
                           choices.agent_information);
}

/// The same of DHCPv6. A server on an interface that is not there is none for now: where routes lead, another one may
/// have its address.
void InterfaceView::resolve_requests6(Interface& interface) const {
  const SettingsByName6& choices = choices_->v6;
  const std::string& name = interface.name;
  if (const auto* const servers = choices.servers.find(name)) {
    for (const ServerName6& server : *servers) {
      const auto found = index_by_name_.find(server.interface_name);
      if (server.interface_name.empty()) {
        interface.v6.servers.push_back({server.address});
      } else if (found != index_by_name_.end()) {
        interface.v6.servers.push_back({server.address, found->second});
      } else {
        interface.v6.lacks_server = true;
      }
    }
  }
  const Ipv6Address* const given = choices.link_addresses.find(name);
  choose_addresses(interface.v6, given == nullptr ? std::nullopt : std::optional{*given});
  encode_relay_forward(interface,
                       {choices.interface_ids.value_or(name, {}), choices.remote_ids.value_or(name, {}),
                        choices.subscriber_ids.value_or(name, {})},
                       choices.relay_forward);
}

/// Whether the address of the interface of `-U` is another one than before; keeps it.
bool InterfaceView::giaddr_interface_changed() {
  std::optional<Ipv4Address> giaddr;
  if (const auto index = index_by_name_.find(choices_->giaddr_interface); index != index_by_name_.end()) {
    if (const auto primary = primary_of(known_.at(index->second).addresses)) {
      giaddr = primary->address;
    }
  }
  return std::exchange(giaddr_of_interface_, giaddr) != giaddr;
}

/// Whether the interfaces that servers are given with are others than before; keeps which they are.
bool InterfaceView::server_interfaces_changed() {
  std::vector<std::uint32_t> interfaces;
  for (const std::string& name : choices_->v6.server_interfaces) {
    const auto found = index_by_name_.find(name);
    interfaces.push_back(found == index_by_name_.end() ? 0 : found->second);
  }
  std::swap(server_interfaces_, interfaces);
  return server_interfaces_ != interfaces;
}

bool InterfaceView::what_all_depend_on_changed() {
  const bool giaddr_changed = giaddr_interface_changed();
  return server_interfaces_changed() || giaddr_changed;
}

/// Makes `link` known by its name and to its relatives.
void InterfaceView::enter(const LinkState& link) {
  index_by_name_[link.name] = link.index;
  add_relative(ports_by_master_, link.master_index, link.index);
  add_relative(vlans_by_parent_, link.parent_index, link.index);
}

/// Undoes that; the name stays with another link that has got it.
void InterfaceView::release(const LinkState& link) {
  const auto entry = index_by_name_.find(link.name);
  if (entry != index_by_name_.end() && entry->second == link.index) {
    index_by_name_.erase(entry);
  }
  remove_relative(ports_by_master_, link.master_index, link.index);
  remove_relative(vlans_by_parent_, link.parent_index, link.index);
}

/// Brings the table in step with what is known of one link.
void InterfaceView::update(Known& known) {
  Interface interface = resolved(known);
  if (known.told && !has_role(interface)) {
    const Interface& before = *table_.find(known.link.index);
    listener_.interface_changed({.change = InterfaceChange::released,
                                 .interface = before,
                                 .new_name = before.name == interface.name ? std::string_view{} : interface.name});
    known.told.reset();
  }
  table_.put(std::move(interface));
  if (follower_) {
    follower_(known.link.index, std::as_const(table_).find(known.link.index));
  }
}

void InterfaceView::update_all() {
  static_cast<void>(what_all_depend_on_changed());
  for (auto& [index, known] : known_) {
    update(known);
  }
}

void InterfaceView::settle(Known& known) {
  if (what_all_depend_on_changed()) {
    update_all();
    report_all();
  } else {
    update(known);
    report(known);
  }
}

/// This host has got or lost `addresses`: some interfaces may have become active or passive.
void InterfaceView::settle_holders(const std::vector<LinkAddress>& addresses) {
  if (!listener_.interface_changed) {
    return;
  }
  for (const LinkAddress& address : addresses) {
    for (const std::uint32_t index : table_.downstream_by_giaddr(address.prefix.address)) {
      report(known_.at(index));
    }
  }
}

/// The bridge has become or ceased to be one, or looks at VLANs in another way than before.
void InterfaceView::settle_vlans(std::uint32_t bridge) {
  for (const std::uint32_t vlan : relatives_of(vlans_by_parent_, bridge)) {
    update(known_.at(vlan));
  }
}

/// The ports of the bridge are others than before, which matters to interfaces whose option 82 names one. Other masters
/// than bridges say nothing about their ports.
void InterfaceView::settle_bridge(std::uint32_t bridge) {
  const auto entry = known_.find(bridge);
  if (entry == known_.end() || !entry->second.link.is_bridge) {
    return;
  }
  const auto settle_one = [this](std::uint32_t index) {
    if (const Interface* const interface = table_.find(index); interface != nullptr && names_client_port(*interface)) {
      update(known_.at(index));
    }
  };
  settle_one(bridge);
  for (const std::uint32_t vlan : relatives_of(vlans_by_parent_, bridge)) {
    settle_one(vlan);
  }
}

void InterfaceView::forget(std::map<std::uint32_t, Known>::iterator entry) {
  release(entry->second.link);
  drop(entry->second);
  known_.erase(entry);
}

/// Takes the link out of the table.
void InterfaceView::drop(const Known& known) {
  if (known.told) {
    tell(InterfaceChange::vanished, *table_.find(known.link.index));
  }
  table_.remove(known.link.index);
  if (follower_) {
    follower_(known.link.index, nullptr);
  }
}

/// Tells the listener how the interface differs from what it was told.
void InterfaceView::report(Known& known) {
  if (!listener_.interface_changed) {
    return;
  }
  const Interface& interface = *table_.find(known.link.index);
  if (!has_role(interface)) {
    return;
  }
  const bool is_working = interface.is_up && interface.has_carrier;
  if (!known.told) {
    tell(InterfaceChange::appeared, interface);
    known.told = Told{interface.name, is_working, interface.giaddr, interface.v6.link_address};
  }
  Told& told = *known.told;
  if (told.name != interface.name) {
    const std::string previous = std::exchange(told.name, interface.name);
    tell(InterfaceChange::renamed, interface, previous);
  }
  if (std::exchange(told.giaddr, interface.giaddr) != interface.giaddr && interface.is_downstream) {
    tell(InterfaceChange::giaddr_changed, interface);
  }
  if (std::exchange(told.link_address, interface.v6.link_address) != interface.v6.link_address) {
    tell(InterfaceChange::link_address_changed, interface);
  }
  if (std::exchange(told.is_working, is_working) != is_working) {
    tell(is_working ? InterfaceChange::came_up : InterfaceChange::went_down, interface);
  }
  if (!lacks_link_local(interface)) {
    const LinkLocal before = std::exchange(told.link_local, LinkLocal::unquestioned);
    if (before == LinkLocal::missing && !interface.v6.link_local.is_unspecified()) {
      tell(InterfaceChange::has_link_local, interface);
    }
  }
  const bool is_passive = interface.is_downstream && choices_->giaddrs.find(interface.name) != nullptr &&
                          !table_.is_local(*interface.giaddr);
  if (std::exchange(told.is_passive, is_passive) != is_passive) {
    tell(is_passive ? InterfaceChange::became_passive : InterfaceChange::became_active, interface);
  }
}

void InterfaceView::report_all() {
  for (auto& [index, known] : known_) {
    report(known);
  }
}

void InterfaceView::tell(InterfaceChange change, const Interface& interface, std::string_view previous_name) const {
  listener_.interface_changed({change, interface, previous_name});
}

}  // namespace relay::io
