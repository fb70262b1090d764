// What `--check` knows of the host when it judges: data alone. relay/io gathers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/check/firewall_rules.h"
#include "relay/core/address.h"
#include "relay/core/families.h"
#include "relay/core/interface_settings.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/ports.h"

namespace relay::check {

/// `net.ipv4.conf.*.rp_filter`; the kernel's numbers (Documentation/networking/ip-sysctl.rst).
enum class ReversePathFilter : std::uint8_t { off = 0, strict = 1, loose = 2 };

/// What an interface is a part of.
enum class MasterKind : std::uint8_t {
  none,
  takes_frames,  ///< a bridge, bond or the like: the interface's own IPv4 is unused
  vrf,
};

/// What an interface is to DHCPv6.
struct InterfaceFacts6 {
  bool is_downstream = false;
  bool is_upstream = false;
  bool is_trusted = false;
  bool has_server = true;
  bool is_disabled = false;                  ///< net.ipv6.conf.*.disable_ipv6
  std::vector<Ipv6Prefix> addresses{};       ///< those that can be used
  Ipv6Address link_address{};                ///< unspecified: there is none
  std::vector<std::uint8_t> interface_id{};  ///< value of option 18
};

/// An interface that exists and that a flag names for a protocol that is relayed.
struct InterfaceFacts {
  std::string name;
  bool is_named = true;              ///< by its name, not by a pattern alone
  bool is_downstream = false;        ///< of DHCPv4
  bool is_upstream = false;          ///< of DHCPv4
  bool is_both_by_one_flag = false;  ///< `-i`
  bool is_up = true;
  bool has_carrier = true;
  bool is_ethernet = true;
  bool is_loopback = false;
  MasterKind master_kind = MasterKind::none;
  std::string master{};
  std::uint32_t mtu = 1500;
  std::vector<Ipv4Prefix> addresses{};
  std::optional<Ipv4Address> giaddr{};
  bool giaddr_is_local = true;
  bool has_server = true;
  ReversePathFilter reverse_path_filter = ReversePathFilter::off;
  bool forwards = true;
  bool forwards_broadcasts = false;
  InterfaceFacts6 v6{};

  [[nodiscard]] bool is_downstream_of(Family family) const noexcept {
    return family == Family::ipv4 ? is_downstream : v6.is_downstream;
  }
  [[nodiscard]] bool is_upstream_of(Family family) const noexcept {
    return family == Family::ipv4 ? is_upstream : v6.is_upstream;
  }
};

struct ServerFacts {
  IpAddress address;
  std::string interface {};      ///< of DHCPv6: that it was given with
  bool lacks_interface = false;  ///< there is none of that name; what follows is not known then
  bool is_local = false;
  bool is_broadcast = false;
  std::string route_fault{};           ///< why there is no route; empty: there is one
  std::string refusing_route{};        ///< type of the route that refuses it; empty: none does
  std::string egress{};                ///< name of the interface by which it leaves
  std::optional<IpAddress> gateway{};  ///< none: the server is on the link
  std::optional<std::size_t> mtu{};    ///< of the route
  bool egress_has_carrier = true;
  bool next_hop_has_failed = false;  ///< it did not answer ARP or neighbour discovery
};

/// Who has a port that the relay needs.
struct PortHolder {
  std::uint16_t port = 0;
  std::string process{};  ///< name; empty: it cannot be seen
  std::uint32_t pid = 0;
  std::uint32_t user = 0;

  friend bool operator==(const PortHolder&, const PortHolder&) = default;
};

struct NeighbourTable {
  std::uint32_t entries = 0;
  std::uint32_t most = 0;  ///< gc_thresh3; 0: not known
};

struct FileFault {
  std::string file;
  std::string why;
};

struct Facts {
  Families families{.ipv4 = true};  ///< those that are relayed; facts about the other are left as they are here
  Policy policy;
  Ports ports;
  Policy6 policy6{};
  std::vector<Setting<InterfaceRole>> roles;
  std::string giaddr_interface{};  ///< `-U`
  bool giaddr_interface_has_address = true;
  bool overrides_server_id = false;
  std::size_t agent_information_size = 0;  ///< octets that option 82 may get, code and length included; 0: none

  std::vector<std::string> warnings{};            ///< of the configuration
  std::vector<std::string> unresolved_servers{};  ///< a sentence for each
  std::vector<FileFault> unwritable{};            ///< by this user
  std::string metrics_fault{};                    ///< why `--metrics` cannot be served; empty: it can, or need not
  std::string log_fault{};                        ///< why nobody takes what is logged; empty: somebody does
  std::string account{};                          ///< that the relay becomes; empty: it stays this user
  std::string account_fault{};                    ///< why it cannot; empty: it can
  std::vector<FileFault> unreadable{};            ///< by the account, of the files that are read again
  std::string state_fault{};                      ///< why that of --state-file cannot be used; empty: it can
  std::string unkept_state{};                     ///< file of --state-file that the account cannot make; empty: it can
  std::string missing_state_directory{};          ///< that the start makes; empty: it is there
  std::string bound_capture{};                    ///< file beside which the account can make no others; empty: it can
  bool is_root = false;
  bool lacks_net_raw = false;
  bool lacks_bind_service = false;
  bool lacks_ipv6 = false;
  bool lacks_net_admin = false;  ///< which `--routes` takes
  bool makes_routes = false;     ///< `--routes`, where DHCPv6 is relayed

  std::vector<std::string> unmatched{};  ///< names and patterns of `roles` that no interface has
  std::vector<InterfaceFacts> interfaces{};
  std::vector<ServerFacts> servers{};
  bool source_is_local = true;   ///< of `--source-address`
  bool source6_is_local = true;  ///< the same of DHCPv6
  bool hears_vrfs = false;       ///< net.ipv4.udp_l3mdev_accept
  bool forwards_ipv4 = true;     ///< net.ipv4.ip_forward, from which interfaces had theirs when it was last changed
  bool forwards_ipv6 = true;     ///< net.ipv6.conf.all.forwarding, beside which that of an interface says nothing

  std::vector<PortHolder> port_holders{};
  std::string port_holders_fault{};  ///< why they could not be read; empty: they were
  NeighbourTable neighbours{};
  NeighbourTable neighbours6{};
  std::uint64_t receive_buffer = 0;  ///< octets that the kernel would give; 0: as many as the relay asks for
  std::uint64_t wanted_receive_buffer = 0;

  Ruleset firewall{};
  std::string firewall_fault{};               ///< why it could not be read; empty: it was
  std::vector<std::string> early_chains{};    ///< base chains of nftables that see frames, and are not judged
  std::vector<std::string> legacy_tables{};   ///< of iptables, whose rules nftables does not show
  std::vector<std::string> legacy_tables6{};  ///< of ip6tables
};

}  // namespace relay::check
