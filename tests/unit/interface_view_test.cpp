#include "relay/io/interface_view.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "options82/agent_information_form.h"
#include "options82/template.h"
#include "tests/support/message6.h"

namespace relay::io {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

Ipv4Address ip(const std::string& text) {
  std::array<unsigned, 4> parts{};
  EXPECT_EQ(std::sscanf(text.c_str(), "%u.%u.%u.%u", &parts[0], &parts[1], &parts[2], &parts[3]), 4) << text;
  Ipv4Address address;
  std::transform(parts.begin(), parts.end(), address.octets.begin(),
                 [](unsigned part) { return static_cast<std::uint8_t>(part); });
  return address;
}

/// "10.1.0.1/24", with the words "secondary", "link" and "host" behind it as `ip address` prints them.
LinkAddress address(const std::string& text) {
  LinkAddress result;
  const std::size_t slash = text.find('/');
  result.prefix = {ip(text.substr(0, slash)), static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)))};
  result.is_secondary = text.find("secondary") != std::string::npos;
  if (text.find("link") != std::string::npos) {
    result.scope = address_scope::link;
  }
  if (text.find("host") != std::string::npos) {
    result.scope = address_scope::host;
  }
  return result;
}

std::string text_of(std::optional<Ipv4Address> address) {
  if (!address) {
    return "none";
  }
  const auto& octets = address->octets;
  return std::to_string(octets[0]) + '.' + std::to_string(octets[1]) + '.' + std::to_string(octets[2]) + '.' +
         std::to_string(octets[3]);
}

LinkState link(std::uint32_t index, std::string name, bool is_up = true) {
  LinkState state;
  state.index = index;
  state.name = std::move(name);
  state.is_ethernet = true;
  state.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}};
  state.is_up = is_up;
  state.has_carrier = is_up;
  return state;
}

/// The event as a line: what, whose, and what is new about it.
std::string line_of(const InterfaceEvent& event) {
  const std::string& name = event.interface.name;
  switch (event.change) {
    case InterfaceChange::appeared:
      return "appeared " + name;
    case InterfaceChange::vanished:
      return "vanished " + name;
    case InterfaceChange::released:
      return "released " + name + (event.new_name.empty() ? "" : ", now " + std::string(event.new_name));
    case InterfaceChange::renamed:
      return "renamed " + std::string(event.previous_name) + " " + name;
    case InterfaceChange::came_up:
      return "up " + name;
    case InterfaceChange::went_down:
      return "down " + name;
    case InterfaceChange::giaddr_changed:
      return "giaddr " + name + " " + text_of(event.interface.giaddr);
    case InterfaceChange::link_address_changed:
      return "link-address " + name + " " + test_support::described(event.interface.v6.link_address);
    case InterfaceChange::no_link_local:
      return "no link-local " + name;
    case InterfaceChange::has_link_local:
      return "link-local " + name;
    case InterfaceChange::became_passive:
      return "passive " + name;
    case InterfaceChange::became_active:
      return "active " + name;
  }
  return "unknown";
}

constexpr InterfaceRole downstream{true, false};
constexpr InterfaceRole upstream{false, true};

/// Settings with c0 and vlan* downstream and s0 upstream, which tests add to.
InterfaceSettings usual_settings() {
  InterfaceSettings settings;
  settings.roles = {{"c0", downstream}, {"vlan*", downstream}, {"s0", upstream}};
  return settings;
}

class InterfaceViewTest : public ::testing::Test {
 protected:
  void use(const InterfaceSettings& settings) {
    Listener listener;
    listener.interface_changed = [this](const InterfaceEvent& event) { events_.push_back(line_of(event)); };
    view_ = std::make_unique<InterfaceView>(table_, settings, listener);
  }
  void add(std::uint32_t index, const std::string& name, const std::vector<std::string>& addresses = {}) {
    view_->link_changed(link(index, name));
    for (const std::string& text : addresses) {
      view_->address_added(index, address(text));
    }
  }
  void add_address(std::uint32_t index, const std::string& text) { view_->address_added(index, address(text)); }
  void remove_address(std::uint32_t index, const std::string& text) { view_->address_removed(index, address(text)); }

  const Interface& interface(std::uint32_t index) {
    const Interface* const found = table_.find(index);
    static const Interface none;
    EXPECT_NE(found, nullptr) << "no interface " << index;
    return found == nullptr ? none : *found;
  }
  std::string giaddr(std::uint32_t index) { return text_of(interface(index).giaddr); }
  std::vector<std::string> addresses(std::uint32_t index) {
    std::vector<std::string> texts;
    for (const Ipv4Prefix& prefix : interface(index).addresses) {
      texts.push_back(text_of(prefix.address));
    }
    return texts;
  }
  /// What the listener was told since the last call.
  std::vector<std::string> events() { return std::exchange(events_, {}); }

  InterfaceTable table_;
  std::unique_ptr<InterfaceView> view_;
  std::vector<std::string> events_;
};

TEST_F(InterfaceViewTest, ResolvesWhatTheKernelTells) {
  use(usual_settings());
  LinkState state = link(4, "c0", false);
  state.alias = "customers";
  state.mtu = 9000;
  state.ipv6_mtu = 8000;
  view_->link_changed(state);
  const Interface& c0 = interface(4);
  EXPECT_EQ(c0.index, 4U);
  EXPECT_EQ(c0.name, "c0");
  EXPECT_EQ(c0.alias, "customers");
  EXPECT_EQ(c0.mtu, 9000U);
  EXPECT_EQ(c0.v6.mtu, 8000U);
  EXPECT_EQ(c0.mac, state.mac);
  EXPECT_TRUE(c0.is_ethernet);
  EXPECT_FALSE(c0.is_up);
  EXPECT_TRUE(c0.is_downstream);
  EXPECT_FALSE(c0.is_upstream);
  EXPECT_EQ(c0.giaddr, std::nullopt);

  state.alias = "guests";
  state.mtu = 7000;
  view_->link_changed(state);
  EXPECT_EQ(c0.alias, "guests");
  EXPECT_EQ(c0.v6.mtu, 7000U) << "which the kernel tells first";
  EXPECT_THAT(events(), ElementsAre("appeared c0"));
}

TEST_F(InterfaceViewTest, KnowsInterfacesWithoutARole) {
  use(usual_settings());
  add(1, "lo", {"127.0.0.1/8 host"});
  add(9, "eth9", {"10.9.0.1/24"});
  EXPECT_FALSE(interface(9).is_downstream);
  EXPECT_FALSE(interface(9).is_upstream);
  EXPECT_TRUE(table_.is_local(ip("127.0.0.1")));
  EXPECT_TRUE(table_.is_local(ip("10.9.0.1")));
  EXPECT_THAT(table_.downstream_by_giaddr(ip("10.9.0.1")), IsEmpty());
  view_->link_removed(9);
  EXPECT_EQ(table_.find(9), nullptr);
  EXPECT_FALSE(table_.is_local(ip("10.9.0.1")));
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(InterfaceViewTest, TellsOfALostCarrierButGoesOnUsingTheInterface) {
  use(usual_settings());
  LinkState state = link(4, "c0");
  view_->link_changed(state);
  state.has_carrier = false;
  view_->link_changed(state);
  EXPECT_THAT(events(), ElementsAre("appeared c0", "down c0"));
  EXPECT_TRUE(interface(4).is_up);
}

TEST_F(InterfaceViewTest, row_4R_18_a_broadcast_address_of_the_segment_is_no_server_of_it) {
  InterfaceSettings settings = usual_settings();
  settings.servers = {{"*", {ip("10.1.0.255"), ip("10.9.0.2"), ip("10.9.0.255")}}};
  use(settings);
  view_->link_changed(link(4, "c0"));
  EXPECT_EQ(interface(4).servers.size(), 3U);
  add_address(4, "10.1.0.1/24");
  EXPECT_THAT(interface(4).servers, ElementsAre(ip("10.9.0.2"), ip("10.9.0.255")));
}

TEST_F(InterfaceViewTest, TellsEachKindOfChange) {
  use(usual_settings());
  const auto state = [](const std::string& name, bool is_up) { return link(4, name, is_up); };
  struct Step {
    std::function<void()> change;
    std::vector<std::string> told;
  };
  const std::vector<Step> steps = {
      {[&] { view_->link_changed(state("c0", false)); }, {"appeared c0"}},
      {[&] { view_->link_changed(state("c0", false)); }, {}},
      {[&] { view_->link_changed(state("c0", true)); }, {"up c0"}},
      {[&] { add_address(4, "10.1.0.1/24"); }, {"giaddr c0 10.1.0.1"}},
      {[&] { add_address(4, "10.1.0.1/24"); }, {}},
      {[&] { add_address(4, "10.2.0.1/24"); }, {}},
      {[&] { remove_address(4, "10.1.0.1/16"); }, {}},
      {[&] { remove_address(4, "10.1.0.1/24"); }, {"giaddr c0 10.2.0.1"}},
      {[&] { remove_address(4, "10.2.0.1/24"); }, {"giaddr c0 none"}},
      {[&] { view_->link_changed(state("vlan7", true)); }, {"renamed c0 vlan7"}},
      {[&] { view_->link_changed(state("vlan8", false)); }, {"renamed vlan7 vlan8", "down vlan8"}},
      {[&] { view_->link_changed(state("idle", false)); }, {"released vlan8, now idle"}},
      {[&] { view_->link_changed(state("other", true)); }, {}},
      {[&] { view_->link_changed(state("s0", true)); }, {"appeared s0"}},
      {[&] { add_address(4, "10.3.0.1/24"); }, {}},
      {[&] { view_->link_changed(state("s0", false)); }, {"down s0"}},
      {[&] { view_->link_removed(4); }, {"vanished s0"}},
      {[&] { view_->link_removed(4); }, {}},
      {[&] { add_address(4, "10.3.0.1/24"); }, {}},
      {[&] { remove_address(4, "10.3.0.1/24"); }, {}},
  };
  for (std::size_t step = 0; step < steps.size(); ++step) {
    steps[step].change();
    EXPECT_EQ(events(), steps[step].told) << "in step " << step;
  }
  EXPECT_THAT(table_.all(), IsEmpty());
}

TEST_F(InterfaceViewTest, NeedsNoListener) {
  InterfaceView view(table_, usual_settings(), {});
  view.link_changed(link(4, "c0"));
  view.link_removed(4);
  EXPECT_EQ(table_.find(4), nullptr);
}

TEST_F(InterfaceViewTest, ChoosesThePrimaryAddress) {
  struct Case {
    const char* description;
    std::vector<std::string> addresses;
    std::string giaddr;
  };
  const std::vector<Case> cases = {
      {"no address", {}, "none"},
      {"the first of several", {"10.1.0.1/24", "10.2.0.1/24"}, "10.1.0.1"},
      {"not a secondary one", {"10.9.0.1/24 secondary", "10.2.0.1/24"}, "10.2.0.1"},
      {"a /31", {"10.1.0.0/31"}, "10.1.0.0"},
      {"a /32", {"10.1.0.1/32"}, "10.1.0.1"},
      {"link scope only without a wider one", {"10.8.0.1/24 link", "10.1.0.1/24"}, "10.1.0.1"},
      {"169.254/16 only without another one", {"169.254.3.4/16", "10.1.0.1/24"}, "10.1.0.1"},
      {"link scope rather than none", {"169.254.3.4/16 link"}, "169.254.3.4"},
      {"169.254/16 of global scope rather than none", {"169.254.3.4/16"}, "169.254.3.4"},
      {"never loopback", {"127.0.0.1/8 host"}, "none"},
      {"never loopback of global scope", {"127.0.0.1/8"}, "none"},
      {"never host scope", {"10.1.0.1/32 host"}, "none"},
  };
  for (const Case& each : cases) {
    table_ = {};
    use(usual_settings());
    add(4, "c0", each.addresses);
    EXPECT_EQ(giaddr(4), each.giaddr) << each.description;
    if (each.giaddr != "none") {
      EXPECT_EQ(addresses(4).front(), each.giaddr) << each.description << ": it comes first in the table";
    }
  }
}

// Requirement 4F-02: one address is chosen and used consistently.
TEST_F(InterfaceViewTest, SecondaryAddressesDoNotMoveGiaddr_4F_02) {
  use(usual_settings());
  add(4, "c0", {"10.1.0.1/24"});
  events();
  for (int round = 0; round < 100; ++round) {
    add_address(4, "10.1.0.2/24 secondary");
    ASSERT_EQ(giaddr(4), "10.1.0.1");
    add_address(4, "10.5.0.1/24");
    ASSERT_EQ(giaddr(4), "10.1.0.1");
    add_address(4, "169.254.1.1/16 link");
    ASSERT_EQ(giaddr(4), "10.1.0.1");
    remove_address(4, "10.1.0.2/24");
    remove_address(4, "10.5.0.1/24");
    remove_address(4, "169.254.1.1/16");
    ASSERT_EQ(giaddr(4), "10.1.0.1");
  }
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(InterfaceViewTest, KeepsTheKernelsOrderOfAddresses) {
  use(usual_settings());
  add(4, "c0", {"10.1.0.1/24", "10.1.0.2/24 secondary", "10.1.0.3/24 secondary", "10.2.0.1/24"});
  EXPECT_THAT(addresses(4), ElementsAre("10.1.0.1", "10.2.0.1", "10.1.0.2", "10.1.0.3"));

  // The primary address goes and the kernel promotes a secondary one, behind the primary ones that are left.
  remove_address(4, "10.1.0.1/24");
  add_address(4, "10.1.0.2/24");
  EXPECT_THAT(addresses(4), ElementsAre("10.2.0.1", "10.1.0.2", "10.1.0.3"));
  EXPECT_EQ(giaddr(4), "10.2.0.1");
}

TEST_F(InterfaceViewTest, FollowsPromotionOfTheOnlyPrimaryAddress) {
  use(usual_settings());
  add(4, "c0", {"10.1.0.1/24", "10.1.0.2/24 secondary"});
  events();
  remove_address(4, "10.1.0.1/24");
  add_address(4, "10.1.0.2/24");
  EXPECT_THAT(events(), ElementsAre("giaddr c0 none", "giaddr c0 10.1.0.2"));
}

TEST_F(InterfaceViewTest, TellsAddressesWithDifferentPeersApart) {
  use(usual_settings());
  add(4, "c0");
  LinkAddress one = address("10.1.0.1/32");
  LinkAddress other = one;
  one.peer = ip("10.1.0.2");
  other.peer = ip("10.1.0.3");
  view_->address_added(4, one);
  view_->address_added(4, other);
  view_->address_removed(4, one);
  EXPECT_THAT(addresses(4), ElementsAre("10.1.0.1"));
  EXPECT_EQ(giaddr(4), "10.1.0.1");
  view_->address_removed(4, other);
  EXPECT_FALSE(table_.is_local(ip("10.1.0.1")));
}

TEST_F(InterfaceViewTest, PatternsMatchLaterArrivals) {
  use(usual_settings());
  EXPECT_THAT(view_->missing(), UnorderedElementsAre("c0", "s0"));
  add(40, "vlan40", {"10.40.0.1/24"});
  add(41, "vlans", {"10.41.0.1/24"});
  add(42, "myvlan1", {"10.42.0.1/24"});
  EXPECT_TRUE(interface(40).is_downstream);
  EXPECT_TRUE(interface(41).is_downstream);
  EXPECT_FALSE(interface(42).is_downstream);
  EXPECT_THAT(events(),
              ElementsAre("appeared vlan40", "giaddr vlan40 10.40.0.1", "appeared vlans", "giaddr vlans 10.41.0.1"));
}

TEST_F(InterfaceViewTest, RolesAddUp) {
  InterfaceSettings settings;
  settings.roles = {{"d1", downstream}, {"d1", upstream}, {"d?", upstream}, {"d[23]", downstream}};
  use(settings);
  for (const auto& [index, name, is_downstream, is_upstream] :
       std::vector<std::tuple<std::uint32_t, std::string, bool, bool>>{
           {1, "d1", true, true}, {2, "d2", true, true}, {4, "d4", false, true}, {5, "d10", false, false}}) {
    add(index, name);
    EXPECT_EQ(interface(index).is_downstream, is_downstream) << name;
    EXPECT_EQ(interface(index).is_upstream, is_upstream) << name;
  }
}

TEST_F(InterfaceViewTest, TheNarrowestSettingWins) {
  const std::vector<Setting<std::vector<Ipv4Address>>> general = {{"*", {ip("10.0.0.1")}}};
  const std::vector<Setting<std::vector<Ipv4Address>>> exact = {{"vlan7", {ip("10.0.0.2")}}};
  const std::vector<Setting<std::vector<Ipv4Address>>> pattern = {{"vlan*", {ip("10.0.0.3")}}};
  const std::vector<Setting<std::vector<Ipv4Address>>> later = {{"vlan?", {ip("10.0.0.4")}}};
  const auto chain = [](const auto&... parts) {
    std::vector<Setting<std::vector<Ipv4Address>>> all;
    (all.insert(all.end(), parts.begin(), parts.end()), ...);
    return all;
  };
  struct Case {
    const char* description;
    std::vector<Setting<std::vector<Ipv4Address>>> settings;
    std::string server;
  };
  const std::vector<Case> cases = {
      {"none", {}, "none"},
      {"for all", general, "10.0.0.1"},
      {"the name itself before all", chain(exact, pattern, general), "10.0.0.2"},
      {"the name itself after all", chain(general, pattern, exact), "10.0.0.2"},
      {"a pattern before the one for all", chain(pattern, general), "10.0.0.3"},
      {"the last pattern", chain(pattern, later, general), "10.0.0.4"},
      {"the last pattern, the other way round", chain(later, pattern), "10.0.0.3"},
      {"the last of one name",
       chain(exact, std::vector<Setting<std::vector<Ipv4Address>>>{{"vlan7", {ip("10.0.0.5")}}}), "10.0.0.5"},
  };
  for (const Case& each : cases) {
    InterfaceSettings settings = usual_settings();
    settings.servers = each.settings;
    table_ = {};
    use(settings);
    add(7, "vlan7");
    const auto& servers = interface(7).servers;
    EXPECT_EQ(servers.empty() ? "none" : text_of(servers.front()), each.server) << each.description;
  }
}

TEST_F(InterfaceViewTest, ResolvesTrustDeliveryAndRefusal) {
  InterfaceSettings settings = usual_settings();
  settings.trusted = {"vlan?"};
  settings.reply_delivery = {{"*", ReplyDelivery::broadcast}, {"vlan2", ReplyDelivery::unicast}};
  settings.refuses_relayed = {{"*", true}, {"vlan2", false}};
  use(settings);
  add(1, "vlan1");
  add(2, "vlan2");
  add(33, "vlan33");
  EXPECT_TRUE(interface(1).is_trusted);
  EXPECT_TRUE(interface(2).is_trusted);
  EXPECT_FALSE(interface(33).is_trusted);
  EXPECT_EQ(interface(1).reply_delivery, ReplyDelivery::broadcast);
  EXPECT_EQ(interface(2).reply_delivery, ReplyDelivery::unicast);
  EXPECT_TRUE(interface(1).refuses_relayed);
  EXPECT_FALSE(interface(2).refuses_relayed);

  use(usual_settings());
  add(1, "vlan1");
  EXPECT_EQ(interface(1).reply_delivery, ReplyDelivery::automatic);
  EXPECT_FALSE(interface(1).is_trusted);
  EXPECT_FALSE(interface(1).refuses_relayed);
}

TEST_F(InterfaceViewTest, TheInterfaceOfMinusUGivesTheGiaddr) {
  InterfaceSettings settings = usual_settings();
  settings.giaddr_interface = "lo";
  settings.giaddrs = {{"vlan9", ip("10.9.0.1")}};
  use(settings);
  add(7, "vlan7", {"10.7.0.1/24"});
  add(9, "vlan9", {"10.9.0.1/24"});
  EXPECT_EQ(giaddr(7), "none");
  EXPECT_EQ(giaddr(9), "10.9.0.1") << "a setting of its own comes first";
  add(1, "lo", {"127.0.0.1/8 host"});
  EXPECT_EQ(giaddr(7), "none");
  events();

  add_address(1, "192.0.2.1/32");
  EXPECT_EQ(giaddr(7), "192.0.2.1");
  EXPECT_THAT(table_.downstream_by_giaddr(ip("192.0.2.1")), ElementsAre(7));
  EXPECT_THAT(events(), ElementsAre("giaddr vlan7 192.0.2.1"));
  add_address(1, "192.0.2.2/32");
  EXPECT_THAT(events(), IsEmpty());
  add(8, "vlan8");
  EXPECT_EQ(giaddr(8), "192.0.2.1");
  remove_address(1, "192.0.2.1/32");
  EXPECT_THAT(events(), ElementsAre("appeared vlan8", "giaddr vlan7 192.0.2.2", "giaddr vlan8 192.0.2.2"));
  view_->link_removed(1);
  EXPECT_THAT(events(), ElementsAre("giaddr vlan7 none", "giaddr vlan8 none"));
  EXPECT_EQ(giaddr(9), "10.9.0.1");
}

TEST_F(InterfaceViewTest, TheInterfaceOfMinusUIsFoundByItsNameOfTheMoment) {
  InterfaceSettings settings = usual_settings();
  settings.giaddr_interface = "up";
  use(settings);
  add(4, "c0", {"10.1.0.1/24"});
  add(5, "old", {"192.0.2.5/24"});
  EXPECT_EQ(giaddr(4), "none");
  view_->link_changed(link(5, "up"));
  EXPECT_EQ(giaddr(4), "192.0.2.5");
  view_->link_changed(link(5, "old"));
  EXPECT_EQ(giaddr(4), "none");
  add(6, "up", {"192.0.2.6/24"});
  EXPECT_EQ(giaddr(4), "192.0.2.6");
}

TEST_F(InterfaceViewTest, IsPassiveWithoutTheConfiguredGiaddr) {
  InterfaceSettings settings = usual_settings();
  settings.giaddrs = {{"c0", ip("10.1.0.254")}};
  use(settings);
  add(4, "c0", {"10.1.0.1/24"});
  EXPECT_EQ(giaddr(4), "10.1.0.254");
  EXPECT_FALSE(table_.is_local(ip("10.1.0.254")));
  EXPECT_THAT(events(), ElementsAre("appeared c0", "passive c0"));

  add_address(4, "10.1.0.254/24 secondary");
  EXPECT_THAT(events(), ElementsAre("active c0"));
  remove_address(4, "10.1.0.254/24");
  EXPECT_THAT(events(), ElementsAre("passive c0"));

  // keepalived may hold the address on an interface of its own.
  add(5, "vrrp.1", {"10.1.0.254/32"});
  EXPECT_THAT(events(), ElementsAre("active c0"));
  add_address(4, "10.1.0.254/24 secondary");
  remove_address(4, "10.1.0.254/24");
  EXPECT_THAT(events(), IsEmpty()) << "the other interface still holds it";
  view_->link_removed(5);
  EXPECT_THAT(events(), ElementsAre("passive c0"));
}

TEST_F(InterfaceViewTest, EveryInterfaceThatSharesAConfiguredGiaddrIsPassive) {
  InterfaceSettings settings = usual_settings();
  settings.giaddrs = {{"*", ip("192.0.2.1")}};
  use(settings);
  add(4, "c0");
  add(7, "vlan7");
  add(9, "s0");
  EXPECT_THAT(events(), ElementsAre("appeared c0", "passive c0", "appeared vlan7", "passive vlan7", "appeared s0"));
  add(1, "lo", {"192.0.2.1/32"});
  EXPECT_THAT(events(), ElementsAre("active c0", "active vlan7"));
}

std::vector<std::uint8_t> circuit_id(const std::string& name) {
  std::vector<std::uint8_t> octets = {1, static_cast<std::uint8_t>(name.size())};
  octets.insert(octets.end(), name.begin(), name.end());
  return octets;
}

std::vector<std::uint8_t> operator+(std::vector<std::uint8_t> left, const std::vector<std::uint8_t>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST_F(InterfaceViewTest, EncodesAgentInformation) {
  const std::vector<std::uint8_t> selection = {5, 4, 10, 7, 4, 0};  // RFC 3527: the subnet
  const std::vector<std::uint8_t> source_port = {19, 0};            // RFC 8357 section 5.1: no value
  const std::vector<std::uint8_t> circuit = circuit_id("vlan7");
  struct Case {
    const char* description;
    bool link_selection;
    bool source_port;
    std::optional<Ipv4Address> giaddr;
    std::vector<std::string> addresses;
    std::vector<std::uint8_t> expected;
  };
  const std::vector<Case> cases = {
      {"circuit-id alone", false, false, {}, {"10.7.4.1/22"}, circuit},
      {"without an address", true, false, {}, {}, circuit},
      {"link selection wanted", true, false, {}, {"10.7.6.1/22"}, circuit + selection},
      {"all, in order", true, true, {}, {"10.7.6.1/22"}, circuit + selection + source_port},
      {"source port", false, true, {}, {"10.7.4.1/22"}, circuit + source_port},
      {"giaddr is ours", false, false, ip("10.7.4.1"), {"10.7.4.1/22"}, circuit},
      {"giaddr is our second address", false, false, ip("10.9.0.1"), {"10.7.4.1/22", "10.9.0.1/24"}, circuit},
      {"giaddr is not ours", false, false, ip("192.0.2.1"), {"10.7.6.1/22"}, circuit + selection},
      {"giaddr is not ours and there is no address", false, false, ip("192.0.2.1"), {}, circuit},
      {"/32", true, false, {}, {"10.7.4.0/32"}, circuit + selection},
      {"/31", true, false, {}, {"10.7.4.1/31"}, circuit + selection},
  };
  for (const Case& each : cases) {
    InterfaceSettings settings = usual_settings();
    settings.agent_information.link_selection = each.link_selection;
    settings.agent_information.source_port = each.source_port;
    if (each.giaddr) {
      settings.giaddrs = {{"vlan7", *each.giaddr}};
    }
    table_ = {};
    use(settings);
    add(7, "vlan7", each.addresses);
    const auto octets = interface(7).agent_information.octets();
    EXPECT_EQ(std::vector<std::uint8_t>(octets.begin(), octets.end()), each.expected) << each.description;
  }
}

TEST_F(InterfaceViewTest, LinkSelectionFollowsTheInterfaceOfMinusU) {
  InterfaceSettings settings = usual_settings();
  settings.giaddr_interface = "lo";
  use(settings);
  add(1, "lo", {"192.0.2.1/32"});
  add(7, "vlan7", {"10.7.6.1/22"});
  const std::vector<std::uint8_t> expected = circuit_id("vlan7") + std::vector<std::uint8_t>{5, 4, 10, 7, 4, 0};
  const auto octets = interface(7).agent_information.octets();
  EXPECT_EQ(std::vector<std::uint8_t>(octets.begin(), octets.end()), expected);
}

TEST_F(InterfaceViewTest, ARenameChangesTheCircuitId) {
  use(usual_settings());
  add(7, "vlan7");
  table_.find(7)->counters->requests.received(MessageKind::discover).add(3);
  view_->link_changed(link(7, "vlan8"));
  const auto octets = interface(7).agent_information.octets();
  EXPECT_EQ(std::vector<std::uint8_t>(octets.begin(), octets.end()), circuit_id("vlan8"));
  EXPECT_EQ(interface(7).counters->requests.received(), 0U) << "what was counted is the other name's";
}

options82::Template of(const std::string& text) {
  return std::get<options82::Template>(options82::Template::parse(text));
}

std::vector<std::uint8_t> octets_of(const options82::AgentInformationForm& form) {
  return {form.octets().begin(), form.octets().end()};
}

std::vector<std::uint8_t> sub_option(std::uint8_t code, const std::string& value) {
  std::vector<std::uint8_t> octets = circuit_id(value);
  octets.front() = code;
  return octets;
}

TEST_F(InterfaceViewTest, row_4S_18_TemplatesGoByName) {
  InterfaceSettings settings = usual_settings();
  settings.circuit_ids = {{"*", of("all/%i")}, {"vlan*", of("pattern/%I")}, {"vlan7", of("exact/%d")}};
  settings.remote_ids = {{"vlan7", of("r7")}, {"vlan8", {}}, {"*", of("%m")}};
  settings.subscriber_ids = {{"vlan8", of("s8")}};
  use(settings);
  add(4, "c0");
  add(8, "vlan8");
  LinkState state = link(7, "vlan7");
  state.alias = "customers";
  view_->link_changed(state);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("all/c0") + sub_option(2, "02:00:00:00:00:04"));
  EXPECT_EQ(octets_of(interface(7).agent_information), circuit_id("exact/customers") + sub_option(2, "r7"));
  EXPECT_EQ(octets_of(interface(8).agent_information), circuit_id("pattern/8") + sub_option(6, "s8"))
      << "none for vlan8 wins over the remote-id for all";
  EXPECT_THAT(view_->missing(), ElementsAre("s0"));
}

TEST_F(InterfaceViewTest, NamesOfTemplatesAndLimitsCanBeMissing) {
  InterfaceSettings settings = usual_settings();
  settings.rate_limits = {{"x1", {1, 1}}};
  settings.circuit_ids = {{"x2", of("a")}};
  settings.remote_ids = {{"x3", of("a")}};
  settings.subscriber_ids = {{"x4", of("a")}};
  use(settings);
  EXPECT_THAT(view_->missing(), ElementsAre("c0", "s0", "x1", "x2", "x3", "x4"));
}

TEST_F(InterfaceViewTest, EncodesAnewWhatTheLinkSaysOfItself) {
  InterfaceSettings settings = usual_settings();
  settings.circuit_ids = {{"*", of("%d|%m|%v|%g")}};
  use(settings);
  LinkState state = link(4, "c0");
  state.alias = "a";
  view_->link_changed(state);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("a|02:00:00:00:00:04||"));
  state.alias = "b";
  view_->link_changed(state);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("b|02:00:00:00:00:04||"));
  EXPECT_THAT(
      table_.downstream_by_circuit_id(interface(4).agent_information.find(options82::SubOption::circuit_id).value()),
      ElementsAre(4));
  state.mac.octets[5] = 9;
  view_->link_changed(state);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("b|02:00:00:00:00:09||"));
  state.is_ethernet = false;
  view_->link_changed(state);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("b|||"));
  add_address(4, "10.1.0.1/24");
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("b|||10.1.0.1"));
  EXPECT_EQ(octets_of(interface(4).relayed_agent_information), circuit_id("b|||10.1.0.1"));
  EXPECT_THAT(events(), ElementsAre("appeared c0", "giaddr c0 10.1.0.1"));
}

TEST_F(InterfaceViewTest, row_4A_01_SettingsForAllInterfacesReachEachOne) {
  InterfaceSettings settings = usual_settings();
  settings.agent_information = {.link_selection = false,
                                .server_id_override = true,
                                .relay_id = "id",
                                .source_port = false,
                                .vss = "\xff",
                                .sub_options = {{200, "x"}},
                                .host_name = "relay"};
  settings.circuit_ids = {{"*", of("%h")}};
  use(settings);
  add(4, "c0", {"10.1.0.1/24"});
  const std::vector<std::uint8_t> flags_and_server = {10, 0, 11, 4, 10, 1, 0, 1};
  const std::vector<std::uint8_t> vss = {151, 1, 255, 152, 0};
  EXPECT_EQ(octets_of(interface(4).agent_information),
            circuit_id("relay") + flags_and_server + sub_option(12, "id") + vss + sub_option(200, "x"));
  const std::vector<std::uint8_t> flags = sub_option(10, "");
  EXPECT_EQ(octets_of(interface(4).relayed_agent_information),
            circuit_id("relay") + flags + sub_option(12, "id") + sub_option(200, "x"));
  add(5, "s0", {"10.5.0.1/24"});
  EXPECT_TRUE(interface(5).agent_information.empty()) << "which is upstream";
}

TEST_F(InterfaceViewTest, AReloadChangesTemplatesAndLimits) {
  use(usual_settings());
  add(4, "c0");
  EXPECT_EQ(interface(4).rate_limit, std::nullopt);
  InterfaceSettings settings = usual_settings();
  settings.rate_limits = {{"*", {5, 7}}, {"vlan*", {9, 9}}};
  settings.circuit_ids = {{"c0", of("new")}};
  view_->apply(settings);
  EXPECT_EQ(interface(4).rate_limit, (RateLimit{5, 7}));
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("new"));
  add(7, "vlan7");
  add(9, "s0");
  EXPECT_EQ(interface(7).rate_limit, (RateLimit{9, 9}));
  EXPECT_EQ(interface(9).rate_limit, std::nullopt) << "which is upstream";
  view_->apply(usual_settings());
  EXPECT_EQ(interface(4).rate_limit, std::nullopt);
  EXPECT_EQ(octets_of(interface(4).agent_information), circuit_id("c0"));
}

TEST_F(InterfaceViewTest, NewSettingsResolveAllAnew) {
  use(usual_settings());
  add(1, "c0", {"10.1.0.1/24"});
  add(2, "vlan2", {"10.2.0.1/24"});
  add(3, "eth3", {"10.3.0.1/24"});
  table_.find(1)->counters->requests.received(MessageKind::discover).add(3);
  events();

  InterfaceSettings settings;
  settings.roles = {{"c0", downstream}, {"eth*", downstream}};
  settings.giaddrs = {{"c0", ip("10.3.0.1")}, {"eth3", ip("192.0.2.1")}};
  view_->apply(settings);
  EXPECT_THAT(events(), ElementsAre("released vlan2", "giaddr c0 10.3.0.1", "appeared eth3", "passive eth3"));
  EXPECT_EQ(interface(1).counters->requests.received(), 3U);
  EXPECT_FALSE(interface(2).is_downstream);
  EXPECT_EQ(interface(2).giaddr, std::nullopt);

  view_->apply(settings);
  EXPECT_THAT(events(), IsEmpty());
  settings.giaddrs.clear();
  settings.giaddr_interface = "vlan2";
  view_->apply(settings);
  EXPECT_THAT(events(), ElementsAre("giaddr c0 10.2.0.1", "giaddr eth3 10.2.0.1", "active eth3"));
}

TEST_F(InterfaceViewTest, SynchroniseTellsTheDifferenceAlone) {
  InterfaceSettings settings = usual_settings();
  settings.giaddrs = {{"vlan2", ip("192.0.2.1")}};
  use(settings);
  const Link lo{link(9, "lo"), {address("192.0.2.1/32")}};
  view_->synchronise({{link(1, "c0"), {address("10.1.0.1/24")}},
                      {link(2, "vlan2"), {address("10.2.0.1/24")}},
                      {link(3, "eth3"), {}},
                      lo});
  EXPECT_THAT(events(), ElementsAre("appeared c0", "appeared vlan2"))
      << "neither a late address nor a passive interface: all of it was there";
  EXPECT_EQ(giaddr(1), "10.1.0.1");

  view_->synchronise({lo,
                      {link(2, "vlan2", false), {address("10.2.0.1/24")}},
                      {link(1, "c0"), {address("10.5.0.1/24"), address("10.1.0.1/24")}},
                      {link(4, "s0"), {}}});
  EXPECT_THAT(events(), ElementsAre("giaddr c0 10.5.0.1", "down vlan2", "appeared s0"));
  EXPECT_THAT(addresses(1), ElementsAre("10.5.0.1", "10.1.0.1"));
  EXPECT_EQ(table_.find(3), nullptr);

  view_->synchronise({{link(2, "c0"), {}}, {link(1, "vlan2"), {}}});
  EXPECT_THAT(events(), ElementsAre("vanished s0", "renamed c0 vlan2", "giaddr vlan2 192.0.2.1", "passive vlan2",
                                    "renamed vlan2 c0", "giaddr c0 none", "up c0"));
  view_->synchronise({});
  EXPECT_THAT(events(), ElementsAre("vanished vlan2", "vanished c0"));
  EXPECT_THAT(table_.all(), IsEmpty());
}

TEST_F(InterfaceViewTest, SynchronisesInPortions) {
  InterfaceSettings settings = usual_settings();
  settings.giaddrs = {{"vlan6", ip("192.0.2.1")}};
  use(settings);
  view_->synchronise({{link(1, "lo"), {}},
                      {link(2, "vlan2"), {address("10.2.0.1/24")}},
                      {link(3, "vlan3"), {address("10.3.0.1/24")}},
                      {link(4, "vlan4"), {address("10.4.0.1/24")}},
                      {link(6, "vlan6"), {}}});
  static_cast<void>(events());
  const auto untouched = table_.downstream_by_giaddr(ip("10.3.0.1"));

  view_->begin_synchronise({{link(6, "vlan6"), {}},
                            {link(5, "c0"), {address("10.5.0.1/24")}},
                            {link(4, "vlan4"), {address("10.9.0.1/24")}},
                            {link(3, "vlan3"), {address("10.3.0.1/24")}},
                            {link(1, "lo"), {address("192.0.2.1/32")}}});
  EXPECT_THAT(events(), IsEmpty());
  const std::vector<std::vector<std::string>> told = {{"vanished vlan2"}, {}, {}, {}};
  for (const auto& step : told) {
    EXPECT_FALSE(view_->settle_some(1));
    EXPECT_EQ(events(), step);
  }
  EXPECT_EQ(table_.find(2), nullptr);
  EXPECT_EQ(giaddr(4), "10.9.0.1");
  EXPECT_EQ(giaddr(5), "10.5.0.1") << "all are in step before any is told of";
  EXPECT_TRUE(view_->settle_some(100));
  EXPECT_THAT(events(), ElementsAre("giaddr vlan4 10.9.0.1", "appeared c0", "active vlan6"));
  EXPECT_THAT(untouched, ElementsAre(3U));
  EXPECT_TRUE(view_->settle_some(1));
}

TEST_F(InterfaceViewTest, BeginningAnewSettlesWhatIsLeft) {
  use(usual_settings());
  view_->begin_synchronise({{link(4, "c0"), {}}});
  view_->begin_synchronise({});
  EXPECT_TRUE(view_->settle_some(100));
  EXPECT_THAT(events(), ElementsAre("appeared c0", "vanished c0"));
  EXPECT_THAT(table_.all(), IsEmpty());
}

TEST_F(InterfaceViewTest, KnowsTheMtuOfAnyLink) {
  use(usual_settings());
  LinkState state = link(9, "eth9");
  state.mtu = 1280;
  view_->link_changed(state);
  EXPECT_EQ(view_->mtu_of(9), 1280U);
  EXPECT_EQ(view_->mtu_of(8), std::nullopt);
}

TEST_F(InterfaceViewTest, AnIndexMayBeUsedAgain) {
  use(usual_settings());
  add(4, "c0", {"10.1.0.1/24"});
  table_.find(4)->counters->requests.received(MessageKind::discover).add(3);
  view_->link_removed(4);
  add(4, "vlan4");
  EXPECT_THAT(events(), ElementsAre("appeared c0", "giaddr c0 10.1.0.1", "vanished c0", "appeared vlan4"));
  EXPECT_EQ(giaddr(4), "none");
  EXPECT_THAT(interface(4).addresses, IsEmpty());
  EXPECT_EQ(interface(4).counters->requests.received(), 0U);
}

TEST_F(InterfaceViewTest, NamesThatNoInterfaceHasAreMissing) {
  InterfaceSettings settings = usual_settings();
  settings.giaddr_interface = "lo";
  settings.servers = {{"*", {ip("10.0.0.1")}}, {"c9", {ip("10.0.0.2")}}};
  settings.trusted = {"c0", "c?"};
  use(settings);
  EXPECT_THAT(view_->missing(), ElementsAre("c0", "s0", "lo", "c9"));
  add(1, "lo");
  add(2, "c0");
  EXPECT_THAT(view_->missing(), ElementsAre("s0", "c9"));
  view_->link_changed(link(2, "c9"));
  EXPECT_THAT(view_->missing(), ElementsAre("c0", "s0"));
  view_->link_removed(2);
  EXPECT_THAT(view_->missing(), ElementsAre("c0", "s0", "c9"));
}

TEST_F(InterfaceViewTest, DigestsFourThousandInterfaces) {
  constexpr std::uint32_t count = 4000;
  InterfaceSettings settings;
  for (std::uint32_t index = 1; index <= count; ++index) {
    settings.roles.push_back({"vlan" + std::to_string(index), downstream});
  }
  use(settings);
  EXPECT_THAT(view_->missing(), SizeIs(count));
  for (std::uint32_t index = 1; index <= count; ++index) {
    view_->link_changed(link(index, "vlan" + std::to_string(index), false));
    view_->address_added(index, {{Ipv4Address::from_host_order(0x0a000001U + (index << 8U)), 24}});
    view_->link_changed(link(index, "vlan" + std::to_string(index)));
  }
  EXPECT_THAT(view_->missing(), IsEmpty());
  EXPECT_THAT(events(), SizeIs(3 * count));
  EXPECT_EQ(giaddr(count), "10.15.160.1");
}

LinkState bridge(std::uint32_t index, std::string name, bool filters_vlans = false, std::uint16_t default_pvid = 1) {
  LinkState state = link(index, std::move(name));
  state.is_bridge = true;
  state.filters_vlans = filters_vlans;
  state.default_pvid = default_pvid;
  return state;
}

LinkState vlan(std::uint32_t index, std::string name, std::uint16_t id, std::uint32_t parent) {
  LinkState state = link(index, std::move(name));
  state.vlan_id = id;
  state.parent_index = parent;
  return state;
}

LinkState port(std::uint32_t index, std::string name, std::uint32_t master) {
  LinkState state = link(index, std::move(name));
  state.master_index = master;
  return state;
}

/// "VLAN id, bridge, VLAN of the bridge: ports".
std::string whereabouts(const Interface& interface) {
  std::string text = interface.vlan_id ? std::to_string(*interface.vlan_id) : "none";
  text += ", " + std::to_string(interface.bridge_index) + ", " + std::to_string(interface.bridge_vlan_id) + ":";
  for (const std::string& name : interface.bridge_ports) {
    text += " " + name;
  }
  return text;
}

/// The usual ones with a circuit-id that names ports of bridges.
InterfaceSettings settings_with_ports() {
  InterfaceSettings settings = usual_settings();
  settings.circuit_ids = {{"*", of("%p")}};
  return settings;
}

TEST_F(InterfaceViewTest, KnowsWhereClientsAre) {
  use(settings_with_ports());
  struct Case {
    const char* description;
    std::vector<LinkState> links;
    std::string whereabouts;  // of interface 4
  };
  const std::vector<Case> cases = {
      {"neither VLAN nor bridge", {link(4, "c0")}, "none, 0, 0:"},
      {"a VLAN of a link", {link(2, "eth2"), vlan(4, "vlan7", 7, 2)}, "7, 0, 0:"},
      {"a VLAN of a link in another namespace", {vlan(4, "vlan7", 7, 0)}, "7, 0, 0:"},
      {"a VLAN of a link with a port", {link(2, "bond2"), port(3, "p3", 2), vlan(4, "vlan7", 7, 2)}, "7, 0, 0:"},
      {"a bridge", {bridge(4, "c0"), port(5, "p5", 4)}, "none, 4, 0: p5"},
      {"a bridge that filters", {bridge(4, "c0", true), port(5, "p5", 4)}, "none, 4, 1: p5"},
      {"a bridge with another PVID", {bridge(4, "c0", true, 30)}, "none, 4, 30:"},
      {"a bridge without PVID", {bridge(4, "c0", true, 0)}, "none, 4, 0:"},
      {"a VLAN of a bridge", {bridge(2, "br2"), vlan(4, "vlan7", 7, 2), port(5, "p5", 2)}, "7, 2, 0: p5"},
      {"the same where it filters", {bridge(2, "br2", true), vlan(4, "vlan7", 7, 2), port(5, "p5", 2)}, "7, 2, 7: p5"},
      {"a bond", {link(4, "c0"), port(5, "p5", 4)}, "none, 0, 0:"},
      {"a port of a bridge", {bridge(2, "br2"), port(4, "c0", 2)}, "none, 0, 0:"},
      {"ports by name", {bridge(4, "c0"), port(5, "b", 4), port(6, "c", 4), port(7, "a", 4)}, "none, 4, 0: a b c"},
      {"ports of its own", {bridge(4, "c0"), bridge(2, "br2"), port(5, "p5", 2), port(6, "p6", 4)}, "none, 4, 0: p6"},
  };
  for (const Case& each : cases) {
    for (const bool is_backwards : {false, true}) {
      std::vector<LinkState> links = each.links;
      if (is_backwards) {
        std::reverse(links.begin(), links.end());
      }
      table_ = {};
      use(settings_with_ports());
      for (const LinkState& state : links) {
        view_->link_changed(state);
      }
      EXPECT_EQ(whereabouts(interface(4)), each.whereabouts) << each.description << ", one by one " << is_backwards;

      table_ = {};
      use(settings_with_ports());
      std::vector<Link> all;
      std::transform(links.begin(), links.end(), std::back_inserter(all), [](const LinkState& state) {
        return Link{state, {}};
      });
      view_->synchronise(all);
      EXPECT_EQ(whereabouts(interface(4)), each.whereabouts) << each.description << ", at once " << is_backwards;
    }
  }
}

TEST_F(InterfaceViewTest, FollowsABridgeAndItsPorts) {
  use(settings_with_ports());
  view_->link_changed(bridge(2, "c0"));
  view_->link_changed(vlan(3, "vlan7", 7, 2));
  const Interface& c0 = interface(2);
  const Interface& vlan7 = interface(3);
  struct Step {
    const char* description;
    std::function<void()> change;
    std::string c0;
    std::string vlan7;
  };
  const std::vector<Step> steps = {
      {"a port joins", [&] { view_->link_changed(port(5, "p5", 2)); }, "none, 2, 0: p5", "7, 2, 0: p5"},
      {"another", [&] { view_->link_changed(port(6, "p6", 2)); }, "none, 2, 0: p5 p6", "7, 2, 0: p5 p6"},
      {"one is renamed", [&] { view_->link_changed(port(5, "z5", 2)); }, "none, 2, 0: p6 z5", "7, 2, 0: p6 z5"},
      {"two swap names",
       [&] {
         view_->link_changed(port(5, "tmp", 2));
         view_->link_changed(port(6, "z5", 2));
         view_->link_changed(port(5, "p6", 2));
       },
       "none, 2, 0: p6 z5", "7, 2, 0: p6 z5"},
      {"VLANs are filtered", [&] { view_->link_changed(bridge(2, "c0", true)); }, "none, 2, 1: p6 z5",
       "7, 2, 7: p6 z5"},
      {"another PVID", [&] { view_->link_changed(bridge(2, "c0", true, 9)); }, "none, 2, 9: p6 z5", "7, 2, 7: p6 z5"},
      {"one leaves", [&] { view_->link_changed(port(5, "p6", 0)); }, "none, 2, 9: z5", "7, 2, 7: z5"},
      {"one vanishes", [&] { view_->link_removed(6); }, "none, 2, 9:", "7, 2, 7:"},
      {"one comes back", [&] { view_->link_changed(port(5, "p6", 2)); }, "none, 2, 9: p6", "7, 2, 7: p6"},
      {"one goes to another master", [&] { view_->link_changed(port(5, "p6", 8)); }, "none, 2, 9:", "7, 2, 7:"},
      {"all at once",
       [&] {
         view_->synchronise({{bridge(2, "c0", true), {}}, {vlan(3, "vlan7", 7, 2), {}}, {port(9, "p9", 2), {}}});
       },
       "none, 2, 1: p9", "7, 2, 7: p9"},
      {"one has left meanwhile",
       [&] {
         view_->synchronise({{bridge(2, "c0", true), {}}, {vlan(3, "vlan7", 7, 2), {}}, {port(9, "p9", 0), {}}});
       },
       "none, 2, 1:", "7, 2, 7:"},
      {"and comes back", [&] { view_->link_changed(port(9, "p9", 2)); }, "none, 2, 1: p9", "7, 2, 7: p9"},
      {"an index is another link's", [&] { view_->link_changed(link(2, "c0")); }, "none, 0, 0:", "7, 0, 0:"},
      {"and back", [&] { view_->link_changed(bridge(2, "c0")); }, "none, 2, 0: p9", "7, 2, 0: p9"},
  };
  for (const Step& step : steps) {
    step.change();
    EXPECT_EQ(whereabouts(c0), step.c0) << step.description;
    EXPECT_EQ(whereabouts(vlan7), step.vlan7) << step.description;
  }
  view_->link_removed(2);
  EXPECT_EQ(whereabouts(vlan7), "7, 0, 0:") << "the bridge vanishes";
  EXPECT_THAT(events(), ElementsAre("appeared c0", "appeared vlan7", "vanished c0"));
}

TEST_F(InterfaceViewTest, SynchroniseFollowsABridgeToItsVlans) {
  use(settings_with_ports());
  const auto whereabouts_of_vlan = [this] { return whereabouts(interface(4)); };
  view_->synchronise({{bridge(3, "br0", true, 7), {}}, {vlan(4, "vlan100", 100, 3), {}}, {port(5, "p0", 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 100: p0");
  view_->synchronise({{bridge(3, "br0"), {}}, {vlan(4, "vlan100", 100, 3), {}}, {port(5, "p0", 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 0: p0") << "it does not filter";
  view_->synchronise({{bridge(3, "br0"), {}}, {vlan(4, "vlan100", 100, 3), {}}, {port(5, "p1", 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 0: p1") << "a renamed port";
  view_->synchronise({{bridge(3, "br0"), {}}, {vlan(4, "vlan100", 100, 3), {}}, {link(5, "p1"), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 0:") << "it left the bridge";
  view_->synchronise({{bridge(3, "br0"), {}}, {vlan(4, "vlan100", 100, 3), {}}, {port(5, "p1", 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 0: p1");
  view_->synchronise({{bridge(3, "br0"), {}}, {vlan(4, "vlan100", 100, 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 3, 0:") << "it is gone";
  view_->synchronise({{vlan(4, "vlan100", 100, 3), {}}});
  EXPECT_EQ(whereabouts_of_vlan(), "100, 0, 0:") << "the bridge is gone";
}

TEST_F(InterfaceViewTest, OnlyInterfacesWhoseCircuitIdNamesAPortListThem) {
  InterfaceSettings settings = usual_settings();
  settings.circuit_ids = {{"vlan7", of("%p")}};
  use(settings);
  view_->synchronise({{bridge(2, "c0"), {}}, {vlan(3, "vlan7", 7, 2), {}}, {port(5, "p5", 2), {}}});
  EXPECT_EQ(whereabouts(interface(2)), "none, 2, 0:");
  EXPECT_EQ(whereabouts(interface(3)), "7, 2, 0: p5");
  view_->link_changed(port(6, "p6", 2));
  EXPECT_EQ(whereabouts(interface(2)), "none, 2, 0:");
  EXPECT_EQ(whereabouts(interface(3)), "7, 2, 0: p5 p6");
}

TEST_F(InterfaceViewTest, OnlyDownstreamInterfacesTellOfTheirBridge) {
  use(settings_with_ports());
  view_->link_changed(bridge(2, "br2", true));
  view_->link_changed(port(5, "p5", 2));
  view_->link_changed(vlan(3, "lan7", 7, 2));
  EXPECT_EQ(whereabouts(interface(2)), "none, 0, 0:");
  EXPECT_EQ(whereabouts(interface(3)), "none, 0, 0:");
  EXPECT_EQ(whereabouts(interface(5)), "none, 0, 0:");

  InterfaceSettings settings = settings_with_ports();
  settings.roles.push_back({"lan7", downstream});
  view_->apply(settings);
  EXPECT_EQ(whereabouts(interface(3)), "7, 2, 7: p5");
  EXPECT_EQ(whereabouts(interface(2)), "none, 0, 0:");
  view_->link_changed(port(5, "p6", 2));
  EXPECT_EQ(whereabouts(interface(3)), "7, 2, 7: p6");
}

}  // namespace
}  // namespace relay::io
