// Against the kernel, in a network namespace of the test's own. What needs a bridge, one that filters VLANs, or VLANs,
// is skipped where the kernel has none.
#include "relay/io/bridge_ports.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::ip;
using test_support::NetworkNamespaceTest;
using test_support::refuse_sockets;
using test_support::run;
using test_support::try_ip;

constexpr MacAddress client{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress neighbour{{2, 0, 0, 0, 0, 2}};
constexpr MacAddress stranger{{2, 0, 0, 0, 0, 9}};

std::uint32_t index_of(const std::string& name) {
  return ::if_nametoindex(name.c_str());
}

std::string text_of(const MacAddress& mac) {
  std::string text;
  for (const std::uint8_t octet : mac.octets) {
    std::array<char, 4> part{};
    std::snprintf(part.data(), part.size(), "%02x:", octet);
    text += part.data();
  }
  text.pop_back();
  return text;
}

/// Runs a line of `bridge`.
bool bridge(const std::string& line) {
  return run("bridge -batch -", {line});
}

MacAddress address_of(const std::string& name) {
  const Descriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(index_of(name));
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  MacAddress mac;
  std::copy_n(std::begin(address.sll_addr), mac.octets.size(), mac.octets.begin());
  return mac;
}

/// Hears frames of an EtherType of its own on one interface; sends them on others.
class Frames {
 public:
  explicit Frames(const std::string& name)
      : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(type))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(type);
    address.sll_ifindex = static_cast<int>(index_of(name));
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << name;
  }

  /// Broadcasts a frame from `source` on `name` and returns once it has come through; false if it has not in time.
  [[nodiscard]] bool pass_through(const std::string& name, const MacAddress& source, std::uint16_t vlan_id = 0,
                                  std::chrono::milliseconds patience = std::chrono::seconds(20)) const {
    std::vector<std::uint8_t> frame(6, 0xff);
    frame.insert(frame.end(), source.octets.begin(), source.octets.end());
    const auto put = [&frame](unsigned value) {
      frame.push_back(static_cast<std::uint8_t>(value >> 8U));
      frame.push_back(static_cast<std::uint8_t>(value & 0xffU));
    };
    if (vlan_id != 0) {
      put(ETH_P_8021Q);
      put(vlan_id);
    }
    put(type);
    frame.resize(ETH_ZLEN);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(index_of(name));
    const Descriptor sender{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    if (::sendto(sender.number(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) != static_cast<ssize_t>(frame.size())) {
      return false;
    }
    return hears(source, patience);
  }

 private:
  static constexpr std::uint16_t type = 0x88b5;  // IEEE 802 local experimental

  [[nodiscard]] bool hears(const MacAddress& source, std::chrono::milliseconds patience) const {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + patience;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      pollfd waiting{socket_.number(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
        return false;
      }
      std::array<std::uint8_t, 128> frame{};
      if (::recv(socket_.number(), frame.data(), frame.size(), 0) >= ETH_HLEN &&
          std::equal(source.octets.begin(), source.octets.end(), frame.begin() + 6)) {
        return true;
      }
    }
  }

  Descriptor socket_;
};

/// The netlink socket of this process, which has one, and its address; negative where there is none.
int netlink_descriptor(sockaddr_nl& address) {
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    socklen_t size = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        address.nl_family == AF_NETLINK) {
      return descriptor;
    }
  }
  return -1;
}

/// Bridge br0 with ports a0 and b0, whose other ends a1 and b1 are clients'. They forward, which takes no STP.
class BridgePortsTest : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (!try_ip({"link add br0 type bridge"})) {
      GTEST_SKIP() << "needs bridges";
    }
    ASSERT_TRUE(ip({"link add a0 type veth peer name a1", "link add b0 type veth peer name b1",
                    "link set a0 master br0", "link set b0 master br0", "link set a0 up", "link set a1 up",
                    "link set b0 up", "link set b1 up", "link set br0 up"}));
    ASSERT_TRUE(forwards("a1") && forwards("b1"));
    ports_.emplace();
  }
  void TearDown() override {
    ports_.reset();
    NetworkNamespaceTest::TearDown();
  }

  /// Waits for the bridge to hear of the carrier, without which a port forwards nothing.
  [[nodiscard]] static bool forwards(const std::string& end) {
    const Frames frames("br0");
    constexpr MacAddress nobody{{2, 0, 0, 0, 0, 0xff}};
    for (int count = 0; count < 200; ++count) {
      if (frames.pass_through(end, nobody, 0, std::chrono::milliseconds(100))) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] std::uint32_t port_of(const MacAddress& mac, std::uint16_t vlan_id = 0) {
    return ports_->port_of(index_of("br0"), vlan_id, mac);
  }
  /// False where the kernel's bridges do not.
  [[nodiscard]] static bool filters_vlans() {
    return try_ip({"link set br0 type bridge vlan_filtering 1 vlan_default_pvid 1"});
  }

  std::optional<BridgePorts> ports_;
};

TEST_F(BridgePortsTest, EachAddressNamesThePortThatItWasLearntOn) {
  const Frames frames("br0");
  EXPECT_EQ(port_of(client), 0U);
  ASSERT_TRUE(frames.pass_through("a1", client));
  ASSERT_TRUE(frames.pass_through("b1", neighbour));
  EXPECT_EQ(port_of(client), index_of("a0"));
  EXPECT_EQ(port_of(neighbour), index_of("b0"));
  EXPECT_EQ(port_of(stranger), 0U);
  EXPECT_EQ(port_of(client, 7), 0U) << "in another VLAN";
}

TEST_F(BridgePortsTest, AnAddressThatMovesIsFollowed) {
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  EXPECT_EQ(port_of(client), index_of("a0"));
  ASSERT_TRUE(frames.pass_through("b1", client));
  EXPECT_EQ(port_of(client), index_of("b0"));
  ASSERT_TRUE(frames.pass_through("a1", client));
  EXPECT_EQ(port_of(client), index_of("a0"));
}

TEST_F(BridgePortsTest, AForgottenAddressHasNoPort) {
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  ASSERT_TRUE(frames.pass_through("b1", neighbour));
  ASSERT_TRUE(bridge("fdb del " + text_of(client) + " dev a0 master"));
  EXPECT_EQ(port_of(client), 0U);
  EXPECT_EQ(port_of(neighbour), index_of("b0"));
  ASSERT_TRUE(ip({"link set b0 down"}));
  EXPECT_EQ(port_of(neighbour), 0U) << "a port that is down forgets";
}

TEST_F(BridgePortsTest, AnAgedAddressHasNoPort) {
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  ASSERT_TRUE(bridge("fdb add " + text_of(neighbour) + " dev b0 master static"));
  EXPECT_EQ(port_of(client), index_of("a0"));
  ASSERT_TRUE(ip({"link set br0 type bridge ageing_time 0"}));
  EXPECT_EQ(port_of(client), 0U);
  EXPECT_EQ(port_of(neighbour), index_of("b0")) << "what somebody entered does not age";
}

// A bridge that is down collects nothing.
TEST_F(BridgePortsTest, AnAgedAddressHasNoPortThoughTheBridgeStillHasIt) {
  ASSERT_TRUE(ip({"link set br0 type bridge ageing_time 0", "link set br0 down"}));
  ASSERT_TRUE(bridge("link set dev a0 state 3"));
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master dynamic"));
  EXPECT_EQ(port_of(client), 0U);
  ASSERT_TRUE(bridge("fdb replace " + text_of(client) + " dev a0 master static"));
  EXPECT_EQ(port_of(client), index_of("a0"));
  ASSERT_TRUE(bridge("fdb replace " + text_of(client) + " dev a0 master dynamic"));
  EXPECT_EQ(port_of(client), 0U);
  EXPECT_TRUE(bridge("fdb del " + text_of(client) + " dev a0 master")) << "it was there";
}

TEST_F(BridgePortsTest, AnEntryOfSomebodysCounts) {
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master static"));
  ASSERT_TRUE(bridge("fdb add " + text_of(neighbour) + " dev b0 master dynamic"));
  EXPECT_EQ(port_of(client), index_of("a0"));
  EXPECT_EQ(port_of(neighbour), index_of("b0"));
}

TEST_F(BridgePortsTest, TheBridgesOwnAddressesHaveNoPort) {
  ASSERT_TRUE(ip({"link set br0 address 02:00:00:00:00:0b"}));
  EXPECT_EQ(port_of(address_of("br0")), 0U);
  EXPECT_EQ(port_of(address_of("a0")), 0U);
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master local"));
  EXPECT_EQ(port_of(client), 0U);
}

TEST_F(BridgePortsTest, BridgesAreToldApart) {
  ASSERT_TRUE(ip({"link add br1 type bridge", "link set br1 up", "link set b0 master br1"}));
  const Frames frames("br0");
  const Frames others("br1");
  ASSERT_TRUE(frames.pass_through("a1", client));
  ASSERT_TRUE(others.pass_through("b1", neighbour));
  EXPECT_EQ(port_of(neighbour), 0U);
  EXPECT_EQ(ports_->port_of(index_of("br1"), 0, neighbour), index_of("b0"));
  EXPECT_EQ(ports_->port_of(index_of("br1"), 0, client), 0U);
}

TEST_F(BridgePortsTest, WhatIsNoBridgeHasNoPorts) {
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  const std::uint32_t gone = index_of("br0");
  EXPECT_EQ(ports_->port_of(gone, 0, client), index_of("a0"));
  for (const std::uint32_t index : {0U, index_of("a0"), index_of("a1"), index_of("lo"), 4711U, 0xffffffffU}) {
    EXPECT_EQ(ports_->port_of(index, 0, client), 0U) << index;
  }
  EXPECT_EQ(port_of(client, 4095), 0U);
  EXPECT_EQ(port_of(client, 0xffff), 0U);
  EXPECT_EQ(port_of(client), index_of("a0")) << "a refused question leaves nothing behind";
  ASSERT_TRUE(ip({"link del br0"}));
  EXPECT_EQ(ports_->port_of(gone, 0, client), 0U);
}

// A VLAN of a bridge that does not filter: all addresses are learnt in none.
TEST_F(BridgePortsTest, ABridgeThatDoesNotFilterLearnsInNoVlan) {
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  if (!try_ip({"link add link br0 name lan7 type vlan id 7", "link set lan7 up"})) {
    GTEST_SKIP() << "needs VLANs";
  }
  const Frames tagged("lan7");
  ASSERT_TRUE(tagged.pass_through("b1", neighbour, 7));
  EXPECT_EQ(port_of(neighbour), index_of("b0"));
  EXPECT_EQ(port_of(neighbour, 7), 0U);
}

TEST_F(BridgePortsTest, ABridgeThatFiltersLearnsUntaggedFramesUnderItsPvid) {
  if (!filters_vlans()) {
    GTEST_SKIP() << "needs bridges that filter VLANs";
  }
  const Frames frames("br0");
  ASSERT_TRUE(frames.pass_through("a1", client));
  EXPECT_EQ(port_of(client, 1), index_of("a0"));
  EXPECT_EQ(port_of(client), 0U);
  ASSERT_TRUE(ip({"link set br0 type bridge vlan_default_pvid 30"}));
  ASSERT_TRUE(frames.pass_through("b1", neighbour));
  EXPECT_EQ(port_of(neighbour, 30), index_of("b0"));
  EXPECT_EQ(port_of(neighbour, 1), 0U);
}

TEST_F(BridgePortsTest, ABridgeThatFiltersLearnsPerVlan) {
  if (!filters_vlans() ||
      !try_ip({"link add link br0 name lan7 type vlan id 7", "link add link br0 name lan8 type vlan id 8",
               "link set lan7 up", "link set lan8 up"})) {
    GTEST_SKIP() << "needs VLANs and bridges that filter them";
  }
  for (const std::string line : {"vlan add dev br0 vid 7 self", "vlan add dev br0 vid 8 self", "vlan add dev a0 vid 7",
                                 "vlan add dev b0 vid 8 pvid untagged"}) {
    ASSERT_TRUE(bridge(line));
  }
  const Frames seven("lan7");
  const Frames eight("lan8");
  // The same address in both: tagged by the client, and an access port's.
  ASSERT_TRUE(seven.pass_through("a1", client, 7));
  ASSERT_TRUE(eight.pass_through("b1", client));
  EXPECT_EQ(port_of(client, 7), index_of("a0"));
  EXPECT_EQ(port_of(client, 8), index_of("b0"));
  EXPECT_EQ(port_of(client, 1), 0U);
  EXPECT_EQ(port_of(client), 0U);
}

TEST_F(BridgePortsTest, OnlyTheKernelsAnswerToTheQuestionCounts) {
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master static"));
  sockaddr_nl asker{};
  const int asking = netlink_descriptor(asker);
  ASSERT_GE(asking, 0);

  // Answers that nobody has read: to a question about the links, from the kernel.
  struct {
    nlmsghdr header{};
    ifinfomsg link{};
  } earlier;
  earlier.header = {sizeof earlier, RTM_GETLINK, NLM_F_REQUEST, 4711, 0};
  earlier.link.ifi_index = 1;
  for (int count = 0; count < 3; ++count) {
    ASSERT_EQ(::send(asking, &earlier, sizeof earlier, 0), static_cast<ssize_t>(sizeof earlier));
  }
  EXPECT_EQ(port_of(client), index_of("a0"));

  // Answers to every question that may come next, from somebody else.
  const Descriptor liar{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  struct {
    nlmsghdr header{};
    ndmsg entry{};
  } lie;
  lie.entry.ndm_family = AF_BRIDGE;
  lie.entry.ndm_state = NUD_REACHABLE;
  lie.entry.ndm_ifindex = static_cast<int>(index_of("b0"));
  for (std::uint32_t sequence = 1; sequence < 10; ++sequence) {
    lie.header = {sizeof lie, RTM_NEWNEIGH, 0, sequence, 0};
    ASSERT_EQ(::sendto(liar.number(), &lie, sizeof lie, 0, reinterpret_cast<const sockaddr*>(&asker), sizeof asker),
              static_cast<ssize_t>(sizeof lie));
  }
  EXPECT_EQ(port_of(client), index_of("a0"));
  EXPECT_EQ(port_of(stranger), 0U);
}

TEST_F(BridgePortsTest, AsksWithoutPrivilegeAndWithoutAnotherSocket) {
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master static"));
  const std::uint32_t bridge_index = index_of("br0");
  const std::uint32_t port = index_of("a0");
  const auto ask_as_nobody = [&] {
    refuse_sockets();
    constexpr uid_t nobody = 65534;
    if (::setresuid(nobody, nobody, nobody) != 0) {
      std::_Exit(1);
    }
    std::_Exit(ports_->port_of(bridge_index, 0, client) == port ? 0 : 2);
  };
  EXPECT_EXIT(ask_as_nobody(), ::testing::ExitedWithCode(0), "");
}

TEST(BridgePortsDeathTest, SaysWhatCannotBeOpened) {
  const auto open_without_sockets = [] {
    refuse_sockets();
    try {
      const BridgePorts ports;
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      std::_Exit(error.code() == std::errc::too_many_files_open ? 0 : 1);
    }
    std::_Exit(1);
  };
  EXPECT_EXIT(open_without_sockets(), ::testing::ExitedWithCode(0), "Cannot open a rtnetlink socket");
}

TEST_F(BridgePortsTest, WhatAQuestionCosts) {
  ASSERT_TRUE(bridge("fdb add " + text_of(client) + " dev a0 master static"));
  const std::uint32_t bridge_index = index_of("br0");
  for (const MacAddress& mac : {client, stranger}) {
    constexpr int count = 20000;
    std::uint32_t found = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < count; ++round) {
      found += ports_->port_of(bridge_index, 0, mac) != 0 ? 1U : 0U;
    }
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(found, mac == client ? static_cast<std::uint32_t>(count) : 0U);
    RecordProperty(mac == client ? "known_us" : "unknown_us", std::to_string(time.count() / count));
    std::printf("%s: %.2f us\n", mac == client ? "known" : "unknown", time.count() / count);
  }
}

}  // namespace
}  // namespace relay::io
