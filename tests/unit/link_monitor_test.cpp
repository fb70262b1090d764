// Against the kernel, in a network namespace of the test's own that goes with the test. Needs root and iproute2.
#include "relay/io/link_monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <semaphore>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "options82/template.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::ip;
using test_support::NetworkNamespaceTest;
using test_support::open_namespace;
using test_support::refuse_sockets;
using test_support::try_ip;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// "vlanN" with its other end "peerN", both in group 9.
std::string pair_line(std::size_t number) {
  const std::string text = std::to_string(number);
  return "link add vlan" + text + " group 9 type veth peer name peer" + text;
}

std::string address_line(std::size_t number) {
  return "address add 10." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ".1/24 dev vlan" +
         std::to_string(number);
}

const Interface* find(const InterfaceTable& table, const std::string& name) {
  const auto found = std::find_if(table.all().begin(), table.all().end(),
                                  [&name](const auto& entry) { return entry.second.name == name; });
  return found == table.all().end() ? nullptr : &found->second;
}

/// With a circuit-id that names ports of bridges.
InterfaceSettings downstream(const std::string& pattern) {
  InterfaceSettings settings;
  settings.roles = {{pattern, {true, false}}};
  settings.circuit_ids = {{"*", std::get<options82::Template>(options82::Template::parse("%p"))}};
  return settings;
}

TEST(LinkMonitor, SeesThisHostWithoutPrivileges) {
  InterfaceTable table;
  InterfaceView view(table, {}, {});
  LinkMonitor monitor(view, [] {});
  monitor.synchronise();
  const Interface* const loopback = find(table, "lo");
  ASSERT_NE(loopback, nullptr);
  EXPECT_FALSE(loopback->is_ethernet);
  static_cast<void>(monitor.read_changes());
}

TEST(LinkMonitor, DescriptorNeitherBlocksNorIsInherited) {
  InterfaceTable table;
  InterfaceView view(table, {}, {});
  const LinkMonitor monitor(view, [] {});
  EXPECT_NE(::fcntl(monitor.descriptor(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(monitor.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(LinkMonitorDeathTest, SaysWhatCannotBeOpened) {
  const auto open_without_sockets = [] {
    InterfaceTable table;
    InterfaceView view(table, {}, {});
    refuse_sockets();
    try {
      const LinkMonitor monitor(view, [] {});
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      std::_Exit(error.code() == std::errc::too_many_files_open ? 0 : 1);
    }
    std::_Exit(1);
  };
  EXPECT_EXIT(open_without_sockets(), ::testing::ExitedWithCode(0), "Cannot open a rtnetlink socket");
}

class LinkMonitorTest : public NetworkNamespaceTest {
 protected:
  using Clock = std::chrono::steady_clock;

  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!IsSkipped()) {
      ASSERT_TRUE(ip({"link add c0 type veth peer name p0"}));
    }
  }
  void TearDown() override {
    monitor_.reset();
    NetworkNamespaceTest::TearDown();
  }

  void start(const InterfaceSettings& settings) {
    Listener listener;
    listener.interface_changed = [this](const InterfaceEvent& event) {
      events_.push_back(event.interface.name + " " + std::to_string(static_cast<int>(event.change)));
    };
    view_.emplace(table_, settings, listener);
    monitor_.emplace(*view_, [this] { answers_.release(); });
    monitor_->synchronise();
    events_.clear();
  }

  /// Reads changes as the kernel reports them until `condition` holds; false if it does not within 20 s.
  bool reaches(const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (!await_work(deadline)) {
        return false;
      }
      if (monitor_->read_changes() == LinkProgress::failed) {
        monitor_->ask_again();
      }
    }
    return true;
  }

  /// Waits until there is something to read, or an answer of the kernel's.
  bool await_work(Clock::time_point deadline) {
    if (monitor_->progress() == LinkProgress::behind) {
      return true;
    }
    if (monitor_->progress() == LinkProgress::asking) {
      return answers_.try_acquire_until(deadline);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{monitor_->descriptor(), POLLIN, 0};
    return left.count() > 0 && ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
  }

  const Interface* interface(const std::string& name) { return find(table_, name); }

  /// "name", with "10.1.0.1/24 ..." behind it, for each interface.
  static std::vector<std::string> summary(const InterfaceTable& table) {
    std::vector<std::string> lines;
    for (const auto& [index, interface] : table.all()) {
      std::string line = std::to_string(index) + " " + interface.name;
      for (const Ipv4Prefix& prefix : interface.addresses) {
        line += " " + std::to_string(prefix.address.host_order()) + "/" + std::to_string(prefix.length);
      }
      lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  /// What a monitor sees that starts now.
  static std::vector<std::string> summary_of_kernel() {
    InterfaceTable table;
    InterfaceView view(table, {}, {});
    LinkMonitor monitor(view, [] {});
    monitor.synchronise();
    return summary(table);
  }

  /// Leaves hardly any room for reports.
  void shrink_receive_buffer() const {
    const int size = 1;
    ASSERT_EQ(::setsockopt(monitor_->descriptor(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
  }
  [[nodiscard]] bool has_lost_reports() const {
    pollfd waiting{monitor_->descriptor(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLERR) != 0;
  }

  InterfaceTable table_;
  std::counting_semaphore<> answers_{0};
  std::optional<InterfaceView> view_;
  std::optional<LinkMonitor> monitor_;
  std::vector<std::string> events_;
};

TEST_F(LinkMonitorTest, FindsWhatIsThere) {
  ASSERT_TRUE(ip({"link set c0 address 02:00:00:00:00:04 mtu 1400 alias customers", "address add 10.1.0.1/24 dev c0",
                  "address add 10.1.0.2/24 dev c0", "address add 10.2.0.1/30 dev c0"}));
  start(downstream("c0"));
  const Interface* const c0 = interface("c0");
  ASSERT_NE(c0, nullptr);
  EXPECT_EQ(c0->mac, (MacAddress{{2, 0, 0, 0, 0, 4}}));
  EXPECT_TRUE(c0->is_ethernet);
  EXPECT_EQ(c0->mtu, 1400U);
  EXPECT_EQ(c0->alias, "customers");
  EXPECT_FALSE(c0->is_up);
  EXPECT_EQ(c0->giaddr, (Ipv4Address{{10, 1, 0, 1}}));
  EXPECT_THAT(c0->addresses, ElementsAre(Ipv4Prefix{{{10, 1, 0, 1}}, 24}, Ipv4Prefix{{{10, 2, 0, 1}}, 30},
                                         Ipv4Prefix{{{10, 1, 0, 2}}, 24}));
  EXPECT_NE(interface("p0"), nullptr);
  EXPECT_NE(interface("lo"), nullptr);
}

TEST_F(LinkMonitorTest, KnowsTheMtuOfIpv6Alone) {
  const auto set_mtu = [](int octets) { std::ofstream{"/proc/sys/net/ipv6/conf/c0/mtu"} << octets << std::flush; };
  ASSERT_TRUE(ip({"link set c0 up"}));  // without a carrier, with which the kernel sets it anew
  set_mtu(1400);
  start(downstream("c0"));
  EXPECT_EQ(interface("c0")->mtu, 1500U);
  EXPECT_EQ(interface("c0")->v6.mtu, 1400U);
  EXPECT_EQ(interface("p0")->v6.mtu, 1500U);
  set_mtu(1300);
  ASSERT_TRUE(ip({"link set c0 alias customers"}));
  EXPECT_TRUE(reaches([&] { return interface("c0")->v6.mtu == 1300; })) << "with the next report of the link";
  ASSERT_TRUE(ip({"link set c0 mtu 1280"}));
  EXPECT_TRUE(reaches([&] { return interface("c0")->v6.mtu == 1280; }));
}

TEST_F(LinkMonitorTest, FollowsALinkThroughItsLife) {
  start(downstream("vlan*"));
  ASSERT_TRUE(ip({"link add vlan7 type veth peer name p7"}));
  ASSERT_TRUE(reaches([&] { return interface("vlan7") != nullptr; }));
  EXPECT_TRUE(interface("vlan7")->is_downstream);
  const std::uint32_t index = interface("vlan7")->index;

  ASSERT_TRUE(ip({"link set vlan7 up", "link set p7 up"}));
  EXPECT_TRUE(reaches([&] { return interface("vlan7")->is_up && interface("vlan7")->has_carrier; }));
  ASSERT_TRUE(ip({"link set p7 down"}));
  EXPECT_TRUE(reaches([&] { return !interface("vlan7")->has_carrier; }));
  EXPECT_TRUE(interface("vlan7")->is_up);
  ASSERT_TRUE(ip({"link set p7 up"}));
  EXPECT_TRUE(reaches([&] { return interface("vlan7")->has_carrier; }));
  // An alias is reported only while the link is up.
  ASSERT_TRUE(ip({"link set vlan7 mtu 1280 alias guests address 02:00:00:00:00:07"}));
  EXPECT_TRUE(reaches([&] { return interface("vlan7")->alias == "guests" && interface("vlan7")->mtu == 1280; }));
  EXPECT_TRUE(reaches([&] { return interface("vlan7")->mac == MacAddress{{2, 0, 0, 0, 0, 7}}; }));
  ASSERT_TRUE(ip({"link set vlan7 down"}));
  EXPECT_TRUE(reaches([&] { return !interface("vlan7")->is_up; })) << "administratively";

  ASSERT_TRUE(ip({"address add 10.7.0.1/24 dev vlan7"}));
  EXPECT_TRUE(reaches([&] { return table_.is_local(Ipv4Address{{10, 7, 0, 1}}); }));
  EXPECT_THAT(table_.downstream_by_giaddr({{10, 7, 0, 1}}), ElementsAre(index));
  ASSERT_TRUE(ip({"link set vlan7 name vlan8"}));
  EXPECT_TRUE(reaches([&] { return interface("vlan8") != nullptr; }));
  EXPECT_EQ(interface("vlan8")->index, index);
  EXPECT_EQ(interface("vlan7"), nullptr);
  ASSERT_TRUE(ip({"address del 10.7.0.1/24 dev vlan8"}));
  EXPECT_TRUE(reaches([&] { return !table_.is_local(Ipv4Address{{10, 7, 0, 1}}); }));
  EXPECT_EQ(interface("vlan8")->giaddr, std::nullopt);
  ASSERT_TRUE(ip({"link del vlan8"}));
  EXPECT_TRUE(reaches([&] { return interface("vlan8") == nullptr && interface("p7") == nullptr; }));
}

TEST_F(LinkMonitorTest, ALinkThatMovesToAnotherNamespaceIsGone) {
  const Descriptor here = open_namespace();
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  const Descriptor elsewhere = open_namespace();
  ASSERT_EQ(::setns(here.number(), CLONE_NEWNET), 0);
  ASSERT_TRUE(ip({"address add 10.1.0.1/24 dev c0"}));
  start(downstream("c0"));
  ASSERT_NE(interface("c0"), nullptr);
  ASSERT_TRUE(
      ip({"link set c0 netns /proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(elsewhere.number())}));
  EXPECT_TRUE(reaches([&] { return interface("c0") == nullptr; }));
  EXPECT_FALSE(table_.is_local(Ipv4Address{{10, 1, 0, 1}}));
  EXPECT_NE(interface("p0"), nullptr);
}

TEST_F(LinkMonitorTest, LeavingABridgeIsNotVanishing) {
  if (!ip({"link add br0 type bridge"})) {
    GTEST_SKIP() << "needs bridges";
  }
  ASSERT_TRUE(ip({"address add 10.1.0.1/24 dev c0", "link set c0 up", "link set p0 up"}));
  start(downstream("c0"));
  ASSERT_TRUE(ip({"link set c0 master br0", "link set br0 up", "link set c0 nomaster"}));
  ASSERT_TRUE(ip({"link add last type veth peer name last2"}));
  ASSERT_TRUE(reaches([&] { return interface("last") != nullptr; }));
  ASSERT_NE(interface("c0"), nullptr);
  EXPECT_TRUE(interface("c0")->is_ethernet);
  EXPECT_THAT(interface("c0")->addresses, SizeIs(1));
  EXPECT_THAT(events_, Not(Contains("c0 " + std::to_string(static_cast<int>(InterfaceChange::vanished)))));
}

TEST_F(LinkMonitorTest, KnowsAddressesInTheKernelsOrderWhateverHappened) {
  start(downstream("c0"));
  const std::vector<std::string> addresses = {"10.1.0.1/24",
                                              "10.1.0.2/24",
                                              "10.1.0.3/24",
                                              "10.2.0.1/24",
                                              "10.2.0.2/24",
                                              "10.1.0.1/16",
                                              "10.3.0.1/32",
                                              "10.1.0.9/31",
                                              "10.5.0.1 peer 10.5.0.2/32",
                                              "10.5.0.1 peer 10.5.0.3/32",
                                              "169.254.1.1/16 scope link",
                                              "10.6.0.1/24 scope link",
                                              "10.7.0.1/24 scope host",
                                              "10.8.0.1/24 scope 100"};
  std::mt19937 random(20240229);  // NOLINT(cert-msc51-cpp): the same sequence in every run
  std::uniform_int_distribution<std::size_t> any(0, addresses.size() - 1);
  for (const char promotes : {'0', '1'}) {
    std::ofstream("/proc/sys/net/ipv4/conf/all/promote_secondaries") << promotes << std::flush;
    for (int round = 0; round < 200; ++round) {
      const std::string& address = addresses[any(random)];
      const std::string device = any(random) < 3 ? " dev p0" : " dev c0";
      // Adding what is there and removing what is not fails, and is no change.
      const std::string verb = any(random) < 8 ? "add " : "del ";
      try_ip({std::string("address ").append(verb).append(address).append(device)});
      static_cast<void>(monitor_->read_changes());
      ASSERT_EQ(summary(table_), summary_of_kernel()) << "round " << round << ", promotion " << promotes;
    }
  }
}

TEST_F(LinkMonitorTest, DoesNotRelateWhatWasOverBeforeItSynchronised) {
  start(downstream("*"));
  ASSERT_TRUE(ip({"link add brief type veth peer name brief2", "address add 10.4.0.1/24 dev brief", "link del brief"}));
  monitor_->synchronise();
  EXPECT_THAT(events_, IsEmpty());
  static_cast<void>(monitor_->read_changes());
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(LinkMonitorTest, RecoversFromLostReports) {
  constexpr std::size_t pairs = 1000;
  start(downstream("vlan*"));
  shrink_receive_buffer();
  std::vector<std::string> lines;
  for (std::size_t number = 0; number < pairs; ++number) {
    lines.push_back(pair_line(number));
    lines.push_back(address_line(number));
  }
  ASSERT_TRUE(ip(lines));
  ASSERT_TRUE(has_lost_reports());
  EXPECT_TRUE(reaches([&] { return table_.all().size() == 2 * pairs + 3; }));
  EXPECT_EQ(summary(table_), summary_of_kernel());
  EXPECT_TRUE(table_.is_local(Ipv4Address{{10, 3, 249, 1}}));
  EXPECT_FALSE(has_lost_reports());

  ASSERT_TRUE(ip({"link set vlan5 name lan5"}));
  EXPECT_TRUE(reaches([&] { return interface("lan5") != nullptr; })) << "reports go on after that";

  ASSERT_TRUE(ip({"link del group 9"}));
  ASSERT_TRUE(has_lost_reports());
  EXPECT_TRUE(reaches([&] { return table_.all().size() == 3; }));
  EXPECT_EQ(summary(table_), summary_of_kernel());
}

TEST_F(LinkMonitorTest, WaitsForNobodyWhoChangesLinks) {
  constexpr std::size_t pairs = 100;
  start(downstream("vlan*"));
  shrink_receive_buffer();
  std::vector<std::string> lines;
  for (std::size_t number = 0; number < pairs; ++number) {
    lines.push_back(pair_line(number));
  }
  ASSERT_TRUE(ip(lines));
  ASSERT_TRUE(reaches([&] { return monitor_->progress() == LinkProgress::asking; }));
  EXPECT_LT(table_.all().size(), 2 * pairs + 3) << "the kernel is asked on another thread";
  answers_.acquire();
  EXPECT_TRUE(monitor_->has_changes());
  EXPECT_EQ(monitor_->read_changes(), LinkProgress::behind);
  EXPECT_LT(table_.all().size(), 2 * pairs + 3) << "one portion of the answer";
  EXPECT_TRUE(reaches([&] { return monitor_->progress() == LinkProgress::in_step; }));
  EXPECT_FALSE(monitor_->has_changes());
  EXPECT_EQ(summary(table_), summary_of_kernel());
  EXPECT_THAT(events_, SizeIs(pairs));
}

TEST_F(LinkMonitorTest, MayEndWhileTheKernelIsAsked) {
  start(downstream("c0"));
  shrink_receive_buffer();
  ASSERT_TRUE(ip({pair_line(1), pair_line(2), pair_line(3), pair_line(4), pair_line(5)}));
  ASSERT_TRUE(reaches([&] { return monitor_->progress() == LinkProgress::asking; }));
  monitor_.reset();
}

TEST_F(LinkMonitorTest, AsksAnewOnlyWhereItHasTo) {
  start(downstream("c0"));
  monitor_->ask_again();
  EXPECT_EQ(monitor_->progress(), LinkProgress::in_step);
  EXPECT_FALSE(monitor_->has_changes());
}

TEST_F(LinkMonitorTest, ReadsABurstInPortions) {
  constexpr std::size_t count = 200;
  start(downstream("c0"));
  std::vector<std::string> lines;
  for (std::size_t number = 0; number < count; ++number) {
    lines.push_back("address add 10." + std::to_string(number) + ".0.1/24 dev c0");
  }
  ASSERT_TRUE(ip(lines));
  EXPECT_EQ(monitor_->read_changes(), LinkProgress::behind);
  EXPECT_TRUE(monitor_->has_changes());
  EXPECT_THAT(interface("c0")->addresses, SizeIs(64));
  EXPECT_EQ(monitor_->read_changes(), LinkProgress::behind);
  EXPECT_EQ(monitor_->read_changes(), LinkProgress::behind);
  EXPECT_EQ(monitor_->read_changes(), LinkProgress::in_step);
  EXPECT_FALSE(monitor_->has_changes());
  EXPECT_THAT(interface("c0")->addresses, SizeIs(count));
}

TEST_F(LinkMonitorTest, KnowsWhetherThisHostHasAnAddressBeforeTheViewDoes) {
  const Ipv4Address address{{10, 1, 0, 1}};
  ASSERT_TRUE(ip({"link set c0 up", "link set p0 up"}));
  start(downstream("c0"));
  EXPECT_FALSE(monitor_->holds(address));
  ASSERT_TRUE(ip({"address add 10.1.0.1/24 dev c0"}));
  EXPECT_TRUE(monitor_->holds(address));
  EXPECT_FALSE(monitor_->holds({{10, 1, 0, 2}})) << "of the subnet, but another host's";
  EXPECT_FALSE(table_.is_local(address));
  ASSERT_TRUE(ip({"address del 10.1.0.1/24 dev c0"}));
  EXPECT_FALSE(monitor_->holds(address));
}

TEST_F(LinkMonitorTest, DigestsABurstFromItsOwnBuffer) {
  constexpr std::size_t pairs = 300;
  start(downstream("vlan*"));
  std::vector<std::string> lines;
  for (std::size_t number = 0; number < pairs; ++number) {
    lines.push_back(pair_line(number));
  }
  ASSERT_TRUE(ip(lines));
  EXPECT_TRUE(reaches([&] { return table_.all().size() == 2 * pairs + 3; }));
  EXPECT_THAT(events_, SizeIs(pairs));
}

TEST_F(LinkMonitorTest, ReadingWithoutChangesReturnsAtOnce) {
  start(downstream("c0"));
  pollfd waiting{monitor_->descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 0), 0);
  static_cast<void>(monitor_->read_changes());
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(LinkMonitorTest, FindsTheMtuOfARoute) {
  start({});
  EXPECT_EQ(monitor_->route_mtu({{192, 0, 2, 1}}), std::nullopt);
  ASSERT_TRUE(ip({"link set c0 up mtu 1460", "link set p0 up", "address add 10.1.0.1/24 dev c0",
                  "route add 192.0.2.0/24 via 10.1.0.2", "route add 198.51.100.0/24 via 10.1.0.2 mtu 1300",
                  "route add unreachable 203.0.113.0/24"}));
  ASSERT_TRUE(reaches([&] { return interface("c0")->mtu == 1460; }));
  EXPECT_EQ(monitor_->route_mtu({{10, 1, 0, 2}}), 1460U);
  EXPECT_EQ(monitor_->route_mtu({{192, 0, 2, 1}}), 1460U);
  EXPECT_EQ(monitor_->route_mtu({{198, 51, 100, 1}}), 1300U);
  EXPECT_EQ(monitor_->route_mtu({{203, 0, 113, 1}}), std::nullopt);
  EXPECT_EQ(monitor_->route_mtu({{8, 8, 8, 8}}), std::nullopt);
}

TEST_F(LinkMonitorTest, FollowsThePortsOfABridge) {
  if (!try_ip({"link add br0 type bridge"})) {
    GTEST_SKIP() << "needs bridges";
  }
  ASSERT_TRUE(ip({"link add c1 type veth peer name p1", "link set c1 master br0"}));
  start(downstream("br0"));
  const std::uint32_t index = interface("br0")->index;
  EXPECT_EQ(interface("br0")->bridge_index, index);
  EXPECT_EQ(interface("br0")->vlan_id, std::nullopt);
  EXPECT_THAT(interface("br0")->bridge_ports, ElementsAre("c1"));
  ASSERT_TRUE(ip({"link set c0 master br0"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_ports == std::vector<std::string>{"c0", "c1"}; }));
  ASSERT_TRUE(ip({"link set c0 name port7"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_ports == std::vector<std::string>{"c1", "port7"}; }));
  ASSERT_TRUE(ip({"link set c1 nomaster"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_ports == std::vector<std::string>{"port7"}; }));
  ASSERT_TRUE(ip({"link add br1 type bridge", "link set port7 master br1"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_ports.empty(); }));
  ASSERT_TRUE(ip({"link set port7 master br0"}));
  EXPECT_TRUE(reaches([&] { return !interface("br0")->bridge_ports.empty(); }));
  ASSERT_TRUE(ip({"link del port7"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_ports.empty(); }));
}

TEST_F(LinkMonitorTest, KnowsTheIdOfAVlan) {
  if (!try_ip({"link add link c0 name c0.100 type vlan id 100"})) {
    GTEST_SKIP() << "needs VLANs";
  }
  start(downstream("c0.*"));
  EXPECT_EQ(interface("c0.100")->vlan_id, 100);
  EXPECT_EQ(interface("c0.100")->bridge_index, 0U);
  ASSERT_TRUE(ip({"link add link c0 name c0.4094 type vlan id 4094"}));
  ASSERT_TRUE(reaches([&] { return interface("c0.4094") != nullptr; }));
  EXPECT_EQ(interface("c0.4094")->vlan_id, 4094);
  EXPECT_EQ(interface("c0.4094")->bridge_index, 0U);
}

TEST_F(LinkMonitorTest, KnowsTheBridgeOfAVlan) {
  if (!try_ip({"link add br0 type bridge vlan_filtering 0", "link add link br0 name lan7 type vlan id 7"})) {
    GTEST_SKIP() << "needs bridges and VLANs";
  }
  ASSERT_TRUE(ip({"link set br0 up", "link set c0 master br0"}));
  start(downstream("*"));
  const std::uint32_t index = interface("br0")->index;
  EXPECT_EQ(interface("lan7")->vlan_id, 7);
  EXPECT_EQ(interface("lan7")->bridge_index, index);
  EXPECT_EQ(interface("lan7")->bridge_vlan_id, 0);
  EXPECT_THAT(interface("lan7")->bridge_ports, ElementsAre("c0"));
  EXPECT_EQ(interface("c0")->bridge_index, 0U) << "a port is no interface of its bridge";
  ASSERT_TRUE(ip({"link set c0 name port7"}));
  EXPECT_TRUE(reaches([&] { return interface("lan7")->bridge_ports == std::vector<std::string>{"port7"}; }));
  ASSERT_TRUE(ip({"link add link br0 name lan8 type vlan id 8"}));
  ASSERT_TRUE(reaches([&] { return interface("lan8") != nullptr; }));
  EXPECT_EQ(interface("lan8")->bridge_index, index);
}

TEST_F(LinkMonitorTest, KnowsWhereABridgeThatFiltersVlansLearns) {
  if (!try_ip({"link add br0 type bridge vlan_filtering 1", "link add link br0 name lan7 type vlan id 7"})) {
    GTEST_SKIP() << "needs bridges that filter VLANs";
  }
  ASSERT_TRUE(ip({"link set br0 up"}));
  start(downstream("*"));
  EXPECT_EQ(interface("br0")->bridge_vlan_id, 1);
  EXPECT_EQ(interface("lan7")->bridge_vlan_id, 7);
  // Reported only while the link is up.
  ASSERT_TRUE(ip({"link set br0 type bridge vlan_default_pvid 30"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_vlan_id == 30; }));
  EXPECT_EQ(interface("lan7")->bridge_vlan_id, 7);
  ASSERT_TRUE(ip({"link set br0 type bridge vlan_filtering 0"}));
  EXPECT_TRUE(reaches([&] { return interface("br0")->bridge_vlan_id == 0; }));
  EXPECT_EQ(interface("lan7")->bridge_vlan_id, 0);
  ASSERT_TRUE(ip({"link set br0 type bridge vlan_filtering 1"}));
  EXPECT_TRUE(reaches([&] { return interface("lan7")->bridge_vlan_id == 7; }));
}

TEST_F(LinkMonitorTest, TheBridgeOfAVlanInAnotherNamespaceIsNone) {
  const Descriptor here = open_namespace();
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  const Descriptor elsewhere = open_namespace();
  // Its bridges get the indices that the VLAN's parent may have here.
  if (!try_ip({"link add index 50 br50 type bridge", "link set br50 up"})) {
    GTEST_SKIP() << "needs bridges";
  }
  ASSERT_EQ(::setns(here.number(), CLONE_NEWNET), 0);
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(elsewhere.number());
  if (!try_ip({"link add index 50 eth50 type veth peer name p50", "link add link eth50 name lan7 type vlan id 7"})) {
    GTEST_SKIP() << "needs VLANs";
  }
  ASSERT_TRUE(ip({"link set lan7 netns " + path}));
  ASSERT_EQ(::setns(elsewhere.number(), CLONE_NEWNET), 0);
  start(downstream("lan7"));
  ASSERT_NE(interface("lan7"), nullptr);
  EXPECT_EQ(interface("lan7")->vlan_id, 7);
  EXPECT_EQ(interface("lan7")->bridge_index, 0U);
  ASSERT_TRUE(ip({"link del lan7"}));
}

}  // namespace
}  // namespace relay::io
