// The live view of this host's interfaces: what rtnetlink tells, joined with what the operator decided, kept in the
// table. Knows no socket: a link monitor calls it, and so do the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/core/events.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"

namespace relay::io {

struct SettingsByName;

/// One link as the kernel describes it.
struct LinkState {
  std::uint32_t index = 0;
  std::string name;
  std::string alias;
  MacAddress mac;
  bool is_ethernet = false;
  std::uint32_t mtu = 1500;
  std::uint32_t ipv6_mtu = 1500;  ///< net.ipv6.conf.IF.mtu, which may be less than `mtu`
  bool is_up = false;             ///< administratively
  bool has_carrier = false;       ///< told late: the kernel reports it up to a second after the fact

  std::optional<std::uint16_t> vlan_id;  ///< of a VLAN device
  std::uint32_t parent_index = 0;        ///< what a VLAN device is on; 0: none in this network namespace
  std::uint32_t master_index = 0;        ///< the bridge, bond or VRF that the link is a port of; 0: none
  bool is_bridge = false;
  bool filters_vlans = false;      ///< of a bridge: it keeps apart, and learns addresses, by VLAN
  std::uint16_t default_pvid = 0;  ///< of a bridge: the VLAN of untagged frames where it filters; 0: none

  friend bool operator==(const LinkState&, const LinkState&) = default;
};

/// How far an address is valid, rtnetlink(7): the kernel allows every value, these have a name here.
namespace address_scope {
inline constexpr std::uint8_t global = 0;
inline constexpr std::uint8_t link = 253;
inline constexpr std::uint8_t host = 254;
}  // namespace address_scope

/// One IPv4 address of a link as the kernel describes it. Prefix and peer together tell it from the link's others.
struct LinkAddress {
  Ipv4Prefix prefix;
  std::optional<Ipv4Address> peer{};  ///< the other end's, on a point-to-point link
  std::uint8_t scope = address_scope::global;
  bool is_secondary = false;  ///< in the subnet of an address that the link has already

  friend bool operator==(const LinkAddress&, const LinkAddress&) = default;
};

/// A link with its addresses in the kernel's order.
struct Link {
  LinkState state;
  std::vector<LinkAddress> addresses;
  std::vector<InterfaceAddress6> addresses6{};  ///< those that can be used, in whatever order
};

/// Every link of the host goes into the table, with roles where the settings give any. The primary address of a link is
/// its first one of wider than link scope which is not secondary; without one, its first of link scope or in
/// 169.254.0.0/16; never one of host scope.
///
/// The listener hears of interfaces that have a role. One that gains its first role, by a rename or new settings,
/// appeared; one that loses its last role vanished, under the name it had; a rename in between is `renamed`. For
/// `appeared`, `Interface::is_up`, `has_carrier` and `giaddr` say how it is, without events of their own.
/// A change costs that interface alone, but for the interface of `-U` and those that servers are given with (which all
/// others depend on), for a giaddr that several interfaces share, and for a bridge and its ports, which the interfaces
/// of that bridge may speak of (`%p`): it and the VLANs on it.
class InterfaceView {
 public:
  /// `table` and what `listener` refers to must outlive the view. The listener must not call the view.
  InterfaceView(InterfaceTable& table, const InterfaceSettings& settings, Listener listener);
  ~InterfaceView();
  InterfaceView(const InterfaceView&) = delete;
  InterfaceView& operator=(const InterfaceView&) = delete;

  /// Told of every link of the host, with a role or not, whenever it is put into the table, and with null when it has
  /// been taken out.
  using Follower = std::function<void(std::uint32_t index, const Interface* interface)>;
  /// At once of all that there are.
  void follow(Follower follower);

  /// New settings (a reload): every interface is resolved anew, counters stay.
  void apply(const InterfaceSettings& settings);

  /// All links that there are now; others are removed. Reported as one change, whatever the order of `links`.
  void synchronise(std::vector<Link> links);

  /// The same in portions: `links` are compared with what is known, then each `settle_some` brings so many interfaces
  /// that differ in step and returns whether that is all. No other link or address may be told of meanwhile.
  void begin_synchronise(std::vector<Link> links);
  [[nodiscard]] bool settle_some(std::size_t count);

  void link_changed(const LinkState& link);
  void link_removed(std::uint32_t index);

  /// The address is new on the link or is no longer (or now) secondary; it goes where the kernel puts it: a secondary
  /// one behind all, another one behind those that are not secondary either. Without a difference nothing changes.
  void address_added(std::uint32_t index, const LinkAddress& address);
  /// `address.prefix` and `address.peer` say which.
  void address_removed(std::uint32_t index, const LinkAddress& address);

  /// An IPv6 address of the link can be used, or has other flags or another prefix length than before; or it cannot be
  /// used (any more).
  void address6_added(std::uint32_t index, const InterfaceAddress6& address);
  void address6_removed(std::uint32_t index, const Ipv6Address& address);

  /// Tells of interfaces with clients of DHCPv6 that are up and had no link-local address at the call before either:
  /// a new address can be used only after a second or two. Whether to call once more in a while.
  [[nodiscard]] bool report_lacking_link_local();

  /// MTU of the link; nothing where there is none.
  [[nodiscard]] std::optional<std::uint32_t> mtu_of(std::uint32_t index) const;

  /// Names given without shell characters that no interface has at the moment, in the order given, for a warning.
  [[nodiscard]] std::vector<std::string> missing() const;

 private:
  enum class LinkLocal : std::uint8_t { unquestioned, awaited, missing };
  /// What the listener was told last about an interface that it knows of.
  struct Told {
    std::string name;
    bool is_working = false;  // up, with carrier
    std::optional<Ipv4Address> giaddr;
    Ipv6Address link_address;
    bool is_passive = false;
    LinkLocal link_local = LinkLocal::unquestioned;  // missing: that was told
  };
  struct Known {
    LinkState link;
    std::vector<LinkAddress> addresses;
    std::vector<InterfaceAddress6> addresses6;  // in order
    std::optional<Told> told;
  };

  /// What a synchronisation has found and not brought in step yet, in the order in which that is done.
  struct Differences {
    std::deque<std::map<std::uint32_t, Known>::node_type> gone;
    std::set<std::uint32_t> to_update;      // where it is known already how it is now
    std::unordered_set<Ipv4Address> moved;  // addresses that a link has got or lost
    std::set<std::uint32_t> to_report;
  };

  [[nodiscard]] Interface resolved(const Known& known) const;
  void resolve_bridge(Interface& interface, const LinkState& link) const;
  [[nodiscard]] std::vector<std::string> port_names(std::uint32_t bridge) const;
  void resolve_requests(Interface& interface, const std::optional<Ipv4Prefix>& primary) const;
  void resolve_requests6(Interface& interface) const;
  [[nodiscard]] bool giaddr_interface_changed();
  [[nodiscard]] bool server_interfaces_changed();
  [[nodiscard]] bool what_all_depend_on_changed();
  void enter(const LinkState& link);
  void release(const LinkState& link);
  void update(Known& known);
  void update_all();
  void settle(Known& known);
  void settle_holders(const std::vector<LinkAddress>& addresses);
  void settle_vlans(std::uint32_t bridge);
  void settle_bridge(std::uint32_t bridge);
  void forget(std::map<std::uint32_t, Known>::iterator entry);
  using Indexes = std::set<std::uint32_t>;
  void set_aside_all_but(const std::vector<Link>& links, Indexes& bridges);
  void compare(Link& link, Indexes& bridges);
  void note_moved(const std::vector<LinkAddress>& addresses);
  void drop(const Known& known);
  void report(Known& known);
  void report_all();
  void tell(InterfaceChange change, const Interface& interface, std::string_view previous_name = {}) const;

  InterfaceTable& table_;
  std::unique_ptr<const SettingsByName> choices_;
  Listener listener_;
  Follower follower_;
  std::map<std::uint32_t, Known> known_;
  std::unordered_map<std::string, std::uint32_t> index_by_name_;
  std::unordered_map<std::uint32_t, std::set<std::uint32_t>> ports_by_master_;
  std::unordered_map<std::uint32_t, std::set<std::uint32_t>> vlans_by_parent_;
  std::optional<Ipv4Address> giaddr_of_interface_;  // `-U`
  std::vector<std::uint32_t> server_interfaces_;    // by number of their names in the settings; 0: there is none
  Differences differences_;
};

}  // namespace relay::io
