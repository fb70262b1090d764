#include "relay/io/look_around.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "options82/options.h"
#include "relay/core/agent_information_content.h"
#include "relay/io/firewall.h"
#include "relay/io/interface_view.h"
#include "relay/io/kernel_settings.h"
#include "relay/io/link_kind.h"
#include "relay/io/link_survey.h"
#include "relay/io/port_holders.h"
#include "relay/io/privileges_lacked.h"
#include "relay/io/routes.h"
#include "relay/io/rtnetlink.h"
#include "relay/io/settings_by_name.h"
#include "relay/io/sockets.h"

namespace relay::io {

namespace {

using check::Facts;
using check::InterfaceFacts;
using check::ServerFacts;

/// Whether a setting's pattern is about the interface.
[[nodiscard]] bool is_about(const std::string& pattern, const std::string& interface) {
  return pattern == interface || (is_pattern(pattern) && matches(pattern, interface));
}

/// One look at the host.
class Look {
 public:
  Look(const Orders& orders, const Ports& ports)
      : orders_(orders),
        links_(LinkSurvey{{.ipv4 = true, .ipv6 = true}}.ask().links),
        view_(table_, orders.interfaces, {}),
        servers6_(orders.interfaces.v6.servers) {
    facts_.families = orders.families;
    facts_.makes_routes = orders.prefixes.routes && orders.families.ipv6;
    facts_.policy = orders.policy;
    facts_.ports = ports;
    facts_.policy6 = orders.policy6;
    facts_.roles = orders.interfaces.roles;
    facts_.overrides_server_id = orders.interfaces.agent_information.server_id_override;
    if (orders.policy.add_agent_information) {
      facts_.agent_information_size = most_agent_information_octets(orders.interfaces) + options82::option_head_size;
    }
    for (const Link& link : links_) {
      names_[link.state.index] = link.state.name;
      by_name_[link.state.name] = &link;
    }
    view_.synchronise(links_);
  }

  [[nodiscard]] Facts taken() && {
    look_at_names();
    look_at_interfaces();
    look_at_servers();
    look_at_ports();
    look_at_kernel();
    look_at_firewall();
    return std::move(facts_);
  }

  /// No more than that, since a start is not to wait for it.
  [[nodiscard]] Facts taken_of_servers() && {
    look_at_servers();
    for (const auto& [index, interface] : std::as_const(table_).all()) {
      if (std::ranges::find(facts_.servers, interface.name, &ServerFacts::egress) != facts_.servers.end()) {
        facts_.interfaces.push_back(facts_of(interface));
      }
    }
    return std::move(facts_);
  }

 private:
  void look_at_names() {
    for (const auto& [pattern, role] : orders_.interfaces.roles) {
      const bool is_known = std::ranges::any_of(
          links_, [&about = pattern](const Link& link) { return is_about(about, link.state.name); });
      if (!is_known && std::ranges::find(facts_.unmatched, pattern) == facts_.unmatched.end()) {
        facts_.unmatched.push_back(pattern);
      }
    }
    facts_.giaddr_interface = orders_.interfaces.giaddr_interface;
    if (!facts_.giaddr_interface.empty() && orders_.families.ipv4) {
      const auto entry = by_name_.find(facts_.giaddr_interface);
      const Interface* const interface =
          entry == by_name_.end() ? nullptr : std::as_const(table_).find(entry->second->state.index);
      facts_.giaddr_interface_has_address =
          interface != nullptr &&
          std::ranges::any_of(interface->addresses, [](const Ipv4Prefix& prefix) { return prefix.address.is_host(); });
    }
    if (const auto source = orders_.policy.source_address) {
      facts_.source_is_local = table_.is_local(*source);
    }
    if (const auto source = orders_.policy6.source_address) {
      facts_.source6_is_local = table_.is_local(*source);
    }
  }

  /// What it is to the protocols that are relayed.
  [[nodiscard]] InterfaceRole role_of(const Interface& interface) const {
    const Families families = orders_.families;
    return {.downstream = interface.is_downstream && families.ipv4,
            .upstream = interface.is_upstream && families.ipv4,
            .lower = interface.is_downstream6() && families.ipv6,
            .upper = interface.is_upstream6() && families.ipv6};
  }

  void look_at_interfaces() {
    std::vector<const Interface*> named;
    for (const auto& [index, interface] : std::as_const(table_).all()) {
      const InterfaceRole role = role_of(interface);
      if (role.is_downstream6() || role.is_upstream6()) {
        named.push_back(&interface);
      }
    }
    std::ranges::sort(named, {}, &Interface::index);
    for (const Interface* const interface : named) {
      facts_.interfaces.push_back(facts_of(*interface));
    }
  }

  [[nodiscard]] InterfaceFacts facts_of(const Interface& interface) const {
    const InterfaceKernelSettings settings = kernel_settings_of(interface.name);
    InterfaceFacts facts;
    facts.name = interface.name;
    facts.is_named = std::ranges::find(orders_.interfaces.roles, interface.name, &Setting<InterfaceRole>::pattern) !=
                     orders_.interfaces.roles.end();
    facts.is_downstream = role_of(interface).downstream;
    facts.is_upstream = role_of(interface).upstream;
    facts.is_both_by_one_flag =
        std::ranges::any_of(orders_.interfaces.roles, [&interface](const Setting<InterfaceRole>& role) {
          return role.value.downstream && role.value.upstream && is_about(role.pattern, interface.name);
        });
    facts.is_up = interface.is_up;
    facts.has_carrier = interface.has_carrier;
    facts.is_ethernet = interface.is_ethernet;
    facts.is_loopback = is_loopback(interface.name);
    facts.mtu = interface.mtu;
    facts.addresses = interface.addresses;
    facts.giaddr = interface.giaddr;
    facts.giaddr_is_local = interface.giaddr && table_.is_local(*interface.giaddr);
    facts.has_server = !interface.servers.empty();
    facts.reverse_path_filter = settings.reverse_path_filter;
    facts.forwards = settings.forwards;
    facts.forwards_broadcasts = settings.forwards_broadcasts;
    facts.v6 = facts6_of(interface);
    facts.v6.is_disabled = settings.ipv6_is_disabled;
    const auto link = by_name_.find(interface.name);
    const auto master = names_.find(link == by_name_.end() ? 0 : link->second->state.master_index);
    if (master != names_.end()) {
      facts.master = master->second;
      facts.master_kind = master_kind(master->second);
    }
    return facts;
  }

  [[nodiscard]] check::InterfaceFacts6 facts6_of(const Interface& interface) const {
    check::InterfaceFacts6 facts;
    facts.is_downstream = role_of(interface).lower;
    facts.is_upstream = role_of(interface).upper;
    facts.is_trusted = interface.is_trusted;
    facts.has_server = servers6_.find(interface.name) != nullptr;  // though its interface may not be there
    for (const InterfaceAddress6& own : interface.v6.addresses) {
      facts.addresses.push_back(own.prefix);
    }
    facts.link_address = interface.v6.link_address;
    const auto interface_id = interface.v6.options.interface_id();
    facts.interface_id.assign(interface_id.begin(), interface_id.end());
    return facts;
  }

  void look_at_servers() {
    std::vector<Ipv4Address> servers;
    for (const auto& setting : orders_.interfaces.servers) {
      add_new(setting.value, servers);
    }
    for (const Ipv4Address server : servers) {
      facts_.servers.push_back(facts_of({.address = server}, 0));
    }
    std::vector<ServerName6> servers6;
    for (const auto& setting : orders_.interfaces.v6.servers) {
      add_new(setting.value, servers6);
    }
    for (const ServerName6& server : servers6) {
      facts_.servers.push_back(facts_of(server));
    }
  }

  template <typename Server>
  static void add_new(const std::vector<Server>& servers, std::vector<Server>& known) {
    for (const Server& server : servers) {
      if (std::ranges::find(known, server) == known.end()) {
        known.push_back(server);
      }
    }
  }

  [[nodiscard]] ServerFacts facts_of(const ServerName6& server) {
    ServerFacts facts{.address = server.address, .interface = server.interface_name};
    if (server.interface_name.empty()) {
      return facts_of(std::move(facts), 0);
    }
    const auto link = by_name_.find(server.interface_name);
    facts.lacks_interface = link == by_name_.end();
    return facts.lacks_interface ? facts : facts_of(std::move(facts), link->second->state.index);
  }

  [[nodiscard]] bool is_local(const IpAddress& address) const {
    return std::visit([this](const auto& known) { return table_.is_local(known); }, address);
  }

  /// The way to its address, by the interface of this index where it is not 0.
  [[nodiscard]] ServerFacts facts_of(ServerFacts facts, std::uint32_t interface) {
    try {
      const Route route = route_to(questions_, facts.address, interface);
      facts.is_local = route.type == RTN_LOCAL || is_local(facts.address);
      facts.is_broadcast = route.type == RTN_BROADCAST || facts.address == IpAddress{limited_broadcast};
      facts.gateway = route.gateway;
      if (route.egress) {
        facts.egress = names_[*route.egress];
        const Interface* const egress = std::as_const(table_).find(*route.egress);
        facts.egress_has_carrier = egress == nullptr || egress->has_carrier;
        facts.mtu = route.mtu ? route.mtu : view_.mtu_of(*route.egress);
        facts.next_hop_has_failed =
            neighbour_has_failed(questions_, *route.egress, route.gateway.value_or(facts.address));
      }
    } catch (const std::system_error& error) {
      facts.route_fault = error.code().message();
      facts.refusing_route = refusing_type(error.code());
    }
    return facts;
  }

  void look_at_ports() {
    PortsByFamily ports;
    const auto add = [](bool is_relayed, const auto& of_family, std::vector<std::uint16_t>& to) {
      if (is_relayed) {
        to.push_back(of_family.server);
      }
      if (is_relayed && of_family.relay) {
        to.push_back(*of_family.relay);
      }
    };
    add(facts_.families.ipv4, facts_.ports, ports.ipv4);
    add(facts_.families.ipv6, facts_.policy6.ports, ports.ipv6);
    try {
      facts_.port_holders = port_holders(ports);
    } catch (const std::exception& error) {
      facts_.port_holders_fault = error.what();
    }
    facts_.lacks_net_raw = lacks_net_raw();
    facts_.lacks_bind_service =
        std::ranges::any_of(ports.ipv4, lacks_bind_service) || std::ranges::any_of(ports.ipv6, lacks_bind_service);
  }

  [[nodiscard]] check::NeighbourTable neighbours(Family family) {
    const NeighbourLimits limits = neighbour_limits(questions_, family);
    return {limits.entries, limits.most};
  }

  void look_at_kernel() {
    facts_.hears_vrfs = kernel_setting("net/ipv4/udp_l3mdev_accept").value_or(0) != 0;
    if (facts_.families.ipv4) {
      facts_.neighbours = neighbours(Family::ipv4);
      facts_.forwards_ipv4 = kernel_setting("net/ipv4/ip_forward").value_or(0) != 0;
    }
    if (facts_.families.ipv6) {
      facts_.neighbours6 = neighbours(Family::ipv6);
      facts_.lacks_ipv6 = lacks_ipv6();
      facts_.forwards_ipv6 = kernel_setting("net/ipv6/conf/all/forwarding").value_or(0) != 0;
    }
    facts_.wanted_receive_buffer = receive_buffer_size;
    facts_.receive_buffer = receive_buffer_limit(receive_buffer_size);
  }

  void look_at_firewall() {
    Firewall firewall = read_firewall();
    facts_.firewall = std::move(firewall.ruleset);
    facts_.early_chains = std::move(firewall.early_chains);
    facts_.firewall_fault = std::move(firewall.fault);
    if (facts_.families.ipv4) {
      facts_.legacy_tables = legacy_tables(Family::ipv4);
    }
    if (facts_.families.ipv6) {
      facts_.legacy_tables6 = legacy_tables(Family::ipv6);
    }
  }

  const Orders& orders_;
  std::vector<Link> links_;
  InterfaceTable table_;
  InterfaceView view_;
  ByName<std::vector<ServerName6>> servers6_;
  rtnetlink::Questions questions_;
  std::unordered_map<std::uint32_t, std::string> names_;
  std::unordered_map<std::string, const Link*> by_name_;
  Facts facts_;
};

}  // namespace

check::Facts look_around(const Orders& orders, const Ports& ports) {
  return Look{orders, ports}.taken();
}

check::Facts look_at_servers(const Orders& orders, const Ports& ports) {
  return Look{orders, ports}.taken_of_servers();
}

}  // namespace relay::io
