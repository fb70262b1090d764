// Which interfaces hand on runs of messages uncut, in a namespace of the test's own. There are no network cards in it.
#include "relay/io/segmentation.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <string>

#include <gtest/gtest.h>

#include "relay/io/descriptor.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

class Segmentation : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!IsSkipped()) {
      ASSERT_TRUE(test_support::ip({"link set lo up", "link add c0 type veth peer name p0"}));
      socket_ = Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    }
  }

  /// Without checksums in its hardware, an interface has no segmentation either.
  void switch_checksums_off(const std::string& interface) {
    ethtool_value value{ETHTOOL_STXCSUM, 0};
    ifreq question{};
    interface.copy(std::begin(question.ifr_name), IFNAMSIZ - 1);
    question.ifr_data = reinterpret_cast<char*>(&value);
    ASSERT_EQ(::ioctl(socket_.number(), SIOCETHTOOL, &question), 0);
  }

  Descriptor socket_;
};

TEST_F(Segmentation, a_virtual_interface_hands_runs_on) {
  EXPECT_FALSE(cuts_up_runs(socket_.number(), "c0"));
  EXPECT_FALSE(cuts_up_runs(socket_.number(), "lo"));
}

TEST_F(Segmentation, the_kernel_cuts_up_what_the_interface_does_not_take) {
  switch_checksums_off("c0");
  EXPECT_TRUE(cuts_up_runs(socket_.number(), "c0"));
  EXPECT_FALSE(cuts_up_runs(socket_.number(), "p0"));
}

TEST_F(Segmentation, of_what_is_not_there_nothing_is_known) {
  EXPECT_FALSE(cuts_up_runs(socket_.number(), "c1"));
  EXPECT_FALSE(cuts_up_runs(socket_.number(), ""));
  EXPECT_FALSE(cuts_up_runs(socket_.number(), std::string(100, 'c')));
  EXPECT_FALSE(cuts_up_runs(-1, "c0"));
}

}  // namespace
}  // namespace relay::io
