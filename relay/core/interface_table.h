// The interfaces that decisions are about: a table that relay/io keeps in step with the kernel, looked up per message.
// Look-ups allocate nothing and cost the same for 1 or 4,000 interfaces; changing one entry costs that entry alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "options82/agent_information_form.h"
#include "relay/core/address.h"
#include "relay/core/circuit_id_index.h"
#include "relay/core/counters.h"
#include "relay/core/flat_map.h"
#include "relay/core/interface6.h"
#include "relay/core/rate_limit.h"
#include "relay/core/stable_map.h"

namespace relay {

/// How replies reach clients of an interface (`--reply-delivery`).
enum class ReplyDelivery : std::uint8_t {
  automatic,  ///< RFC 1542 section 4.1.2 and RFC 2131 section 4.1
  broadcast,  ///< every reply by broadcast
  unicast,    ///< by unicast wherever the message names a destination, whatever its BROADCAST flag says
};

/// One network interface of this host with everything that the operator decided for it, resolved. What each message
/// reads comes first, in as few lines of the processor's cache as it fits in: with 4,000 interfaces, they are what a
/// message costs more.
struct alignas(64) Interface {
  std::uint32_t index = 0;       ///< the kernel's ifindex, never 0 for a real one
  bool is_up = false;            ///< administratively
  bool has_carrier = true;       ///< known late; what is sent without it is lost
  bool is_ethernet = false;      ///< frames carry EUI-48 addresses (ARPHRD_ETHER)
  bool is_downstream = false;    ///< clients' side: requests are accepted here
  bool is_upstream = false;      ///< servers' side, by name (`-iu`, `-i`)
  bool is_trusted = false;       ///< trusted circuit (RFC 3046 section 2.1)
  bool refuses_relayed = false;  ///< `--giaddr-policy drop`: requests with a giaddr are dropped (TR-101 R-184)
  ReplyDelivery reply_delivery = ReplyDelivery::automatic;
  std::optional<Ipv4Address>
      giaddr;  ///< what we write into requests: `--giaddr` or the primary address; none: no address yet
  bool giaddr_is_given = false;         ///< `--giaddr`: the interface is passive without it on this host
  std::optional<RateLimit> rate_limit;  ///< `--rate-limit`
  RateMeter rate_meter;
  std::vector<Ipv4Address> servers;    ///< where its requests go
  std::shared_ptr<Counters> counters;  ///< of an interface in a table, never null; may outlive it, for whoever reads

  MacAddress mac;  ///< meaningful where `is_ethernet`
  /// The bridge whose forwarding database knows the clients' ports: itself or what its VLAN is on; 0: none.
  std::uint32_t bridge_index = 0;
  std::uint32_t mtu = 1500;           ///< octets of IP datagram
  std::vector<Ipv4Prefix> addresses;  ///< the primary one first, then the others in the kernel's order

  options82::AgentInformationForm agent_information;  ///< what we add with `-a` where giaddr is ours

  std::string name;
  std::string alias;
  std::optional<std::uint16_t> vlan_id;   ///< of a VLAN device
  std::uint16_t bridge_vlan_id = 0;       ///< in which VLAN of the bridge to look; 0: none
  std::vector<std::string> bridge_ports;  ///< names of that bridge's ports, sorted; only where `%p` names one
  /// As `agent_information` where giaddr is another relay agent's, to which servers answer: nothing in it speaks of
  /// giaddr (RFC 3527 section 3, RFC 5107 section 4), of our port (RFC 8357) or has to be looked for in an answer
  /// (RFC 6607 section 5).
  options82::AgentInformationForm relayed_agent_information;

  Interface6 v6;  ///< what DHCPv6 knows of it beside what is above for both families

  [[nodiscard]] bool is_downstream6() const noexcept { return is_downstream || v6.is_lower; }
  [[nodiscard]] bool is_upstream6() const noexcept { return is_upstream || v6.is_upper; }
};

/// All interfaces of this host, downstream or not, by index, by address and by what a reply tells its interface with.
class InterfaceTable {
 public:
  /// Adds the interface or takes the place of the one with the same index, whose rate is kept, and whose counters are
  /// where it has the same name: what was counted of another name is left over.
  void put(Interface interface);
  void remove(std::uint32_t index);

  /// Valid until the entry is removed; a `put` of the same index changes it in place. Null where there is none.
  [[nodiscard]] const Interface* find(std::uint32_t index) const noexcept;
  /// The same, for counting.
  [[nodiscard]] Interface* find(std::uint32_t index) noexcept;

  /// Whether some interface of this host has `address`, loopback included.
  [[nodiscard]] bool is_local(Ipv4Address address) const noexcept;
  /// The same, but for link-local addresses, which are one link's: those of no interface count.
  [[nodiscard]] bool is_local(const Ipv6Address& address) const noexcept;

  /// The downstream interfaces that have `giaddr` as their giaddr or as an address, in order of index; valid until the
  /// next change of the table.
  [[nodiscard]] std::span<const std::uint32_t> downstream_by_giaddr(Ipv4Address giaddr) const noexcept;

  /// The downstream interfaces that have `link_address` as their link-address or as an address; where none has, those
  /// on whose link it is, by the longest prefix. In order of index; valid as above.
  [[nodiscard]] std::span<const std::uint32_t> downstream_by_link_address(
      const Ipv6Address& link_address) const noexcept;

  /// The downstream interfaces that have this Interface-Id, in order of index; valid as above.
  [[nodiscard]] std::span<const std::uint32_t> downstream_by_interface_id(dhcpv6::Octets interface_id) const noexcept;

  /// The downstream interfaces whose own option 82 has this circuit-id for all clients, in order of index; valid as
  /// above.
  [[nodiscard]] std::span<const std::uint32_t> downstream_by_circuit_id(options82::Octets circuit_id) const noexcept;

  /// The downstream interfaces whose circuit-id depends on the client.
  [[nodiscard]] const CircuitIdIndex& downstream_by_client() const noexcept { return downstream_by_client_; }

  /// The downstream interfaces whose giaddr no interface of this host has, in order of index; valid as above.
  [[nodiscard]] std::span<const std::uint32_t> passive() const noexcept { return passive_; }

  /// Whether `address` is a server of some downstream interface.
  [[nodiscard]] bool is_server(Ipv4Address address) const noexcept;
  /// The same of what arrived from `source` on an interface.
  [[nodiscard]] bool is_server(const Ipv6Address& source, std::uint32_t interface_index) const noexcept;

  /// Whether some downstream interface of DHCPv6 is trusted; and whether some one's clients have a virtual subnet.
  [[nodiscard]] bool trusts_some6() const noexcept { return trusted6_count_ != 0; }
  [[nodiscard]] bool selects_virtual_subnet6() const noexcept { return vss6_count_ != 0; }

  /// Counts messages of interfaces that the table does not know.
  [[nodiscard]] Counters& unattributed() noexcept { return *unattributed_; }
  [[nodiscard]] const std::shared_ptr<Counters>& shared_unattributed() const noexcept { return unattributed_; }

  /// The same of DHCPv6, and of interfaces whose messages are not counted by themselves.
  [[nodiscard]] Counters6& unattributed6() noexcept { return *unattributed6_; }
  [[nodiscard]] const std::shared_ptr<Counters6>& shared_unattributed6() const noexcept { return unattributed6_; }

  /// What no interface of the table counts: the same, and what those counted that were removed or had another name.
  [[nodiscard]] Counters left_over() const;
  [[nodiscard]] Counters6 left_over6() const;

  /// Every interface, in no particular order.
  [[nodiscard]] const std::unordered_map<std::uint32_t, Interface>& all() const noexcept { return interfaces_.all(); }
  [[nodiscard]] std::unordered_map<std::uint32_t, Interface>& all() noexcept { return interfaces_.all(); }

 private:
  /// Interfaces in order of index. A key without interfaces has no entry.
  using Indices = std::vector<std::uint32_t>;

  /// The interfaces that an address leads to: together, since a request asks for both.
  struct AtAddress {
    Indices holders;               ///< that have it, of all interfaces
    Indices downstream_by_giaddr;  ///< as the function of this name says
  };
  [[nodiscard]] static bool is_empty(const Indices& entry) noexcept { return entry.empty(); }
  [[nodiscard]] static bool is_empty(const AtAddress& entry) noexcept {
    return entry.holders.empty() && entry.downstream_by_giaddr.empty();
  }

  template <typename Index, typename Part, typename Keys>
  static void move_keys(Index& index, Part part, const Keys& before, const Keys& after, std::uint32_t position);
  [[nodiscard]] std::vector<Ipv4Address> change(const Interface& before, const Interface& after);
  void change6(const Interface& before, const Interface& after);
  void leave_counts_over(const Interface& interface);
  void settle_passive(std::uint32_t index);
  void settle_holders(const std::vector<Ipv4Address>& addresses);

  StableMap<std::uint32_t, Interface> interfaces_;
  std::shared_ptr<Counters> unattributed_ = std::make_shared<Counters>();
  std::shared_ptr<Counters> of_removed_ = std::make_shared<Counters>();
  std::shared_ptr<Counters6> unattributed6_ = std::make_shared<Counters6>();
  std::shared_ptr<Counters6> of_removed6_ = std::make_shared<Counters6>();
  FlatMap<Ipv4Address, AtAddress> by_address_;
  FlatMap<Ipv4Address, Indices> downstream_by_server_;
  std::unordered_map<std::string, Indices, TextHash, std::equal_to<>> downstream_by_circuit_id_;
  CircuitIdIndex downstream_by_client_;
  Indices passive_;

  FlatMap<Ipv6Address, Indices> holders6_;
  FlatMap<Server6, Indices> downstream_by_server6_;                     // as senders
  FlatMap<Ipv6Prefix, Indices> downstream_by_prefix_;                   // an address is a prefix of 128 bits
  std::map<std::uint8_t, std::size_t, std::greater<>> prefix_lengths_;  // with how many there are of each: few lengths
  std::unordered_map<std::string, Indices, TextHash, std::equal_to<>> downstream_by_interface_id_;
  std::size_t trusted6_count_ = 0;  // interfaces
  std::size_t vss6_count_ = 0;
};

}  // namespace relay
