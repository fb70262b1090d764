// What `--check` asks the system for, one source at a time. None of it needs privilege.
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/account_rights.h"
#include "relay/io/descriptor.h"
#include "relay/io/kernel_settings.h"
#include "relay/io/link_kind.h"
#include "relay/io/port_holders.h"
#include "relay/io/privileges.h"
#include "relay/io/privileges_lacked.h"
#include "relay/io/program_output.h"
#include "relay/io/routes.h"

namespace relay::io {
namespace {

constexpr std::size_t most = 1U << 20U;

/// A UDP socket on a port that the kernel chose.
class Held {
 public:
  explicit Held(sa_family_t family, bool is_ipv6_only = false)
      : socket_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const int only = is_ipv6_only ? 1 : 0;
    ::setsockopt(socket_.number(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    sockaddr_in6 address{};
    address.sin6_family = family;
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    is_bound_ = ::bind(socket_.number(), any, size) == 0 && ::getsockname(socket_.number(), any, &size) == 0;
    port_ = ntohs(address.sin6_port);  // in the same place as sin_port
  }

  [[nodiscard]] bool is_bound() const { return is_bound_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Descriptor socket_;
  bool is_bound_ = false;
  std::uint16_t port_ = 0;
};

TEST(PortHolders, AProcessIsNamedWithItsNumber) {
  const Held held{AF_INET};
  const auto holders = port_holders({.ipv4 = {held.port()}});
  ASSERT_EQ(holders.size(), 1U);
  std::string name;
  std::getline(std::ifstream{"/proc/self/comm"}, name);
  EXPECT_EQ(holders.front(),
            (check::PortHolder{held.port(), name, static_cast<std::uint32_t>(::getpid()), ::getuid()}));
}

TEST(PortHolders, AnIpv6SocketCountsWhereItTakesIpv4) {
  const Held both{AF_INET6};
  const Held one{AF_INET6, true};
  if (!both.is_bound() || !one.is_bound()) {
    GTEST_SKIP() << "there is no IPv6 here";
  }
  EXPECT_EQ(port_holders({.ipv4 = {both.port()}}).size(), 1U);
  EXPECT_EQ(port_holders({.ipv4 = {one.port()}}).size(), 0U);
  EXPECT_EQ(port_holders({.ipv6 = {both.port()}}).size(), 1U);
  EXPECT_EQ(port_holders({.ipv6 = {one.port()}}).size(), 1U);
}

TEST(PortHolders, AnIpv4SocketTakesNothingFromIpv6) {
  const Held held{AF_INET};
  EXPECT_EQ(port_holders({.ipv6 = {held.port()}}).size(), 0U);
}

TEST(PortHolders, OfOtherPortsNobodyIsTold) {
  const Held held{AF_INET};
  EXPECT_TRUE(port_holders({.ipv4 = {1}, .ipv6 = {1}}).empty() || held.port() != 1);
  EXPECT_TRUE(port_holders({}).empty());
}

TEST(Routes, AnAddressOfThisHostIsLocal) {
  rtnetlink::Questions questions;
  const Route route = route_to(questions, Ipv4Address{{127, 0, 0, 1}});
  EXPECT_EQ(route.type, RTN_LOCAL);
  EXPECT_EQ(route.egress, 1U);
  EXPECT_EQ(route.gateway, std::nullopt);
}

TEST(Routes, SoIsOneOfIpv6) {
  if (lacks_ipv6() || kernel_settings_of("lo").ipv6_is_disabled) {
    GTEST_SKIP() << "there is no IPv6 here";
  }
  constexpr Ipv6Address loopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  rtnetlink::Questions questions;
  const Route route = route_to(questions, loopback, 1);
  EXPECT_EQ(route.type, RTN_LOCAL);
  EXPECT_EQ(route.egress, 1U);
}

TEST(Routes, ARouteThatRefusesIsToldByItsType) {
  const auto type = [](int error) { return refusing_type({error, std::generic_category()}); };
  EXPECT_EQ(type(EINVAL), "blackhole");
  EXPECT_EQ(type(EHOSTUNREACH), "unreachable");
  EXPECT_EQ(type(EACCES), "prohibit");
  EXPECT_EQ(type(ENETUNREACH), "");
}

TEST(Routes, ANeighbourThatNobodyAskedForHasNotFailed) {
  rtnetlink::Questions questions;
  EXPECT_FALSE(neighbour_has_failed(questions, 1, Ipv4Address{{203, 0, 113, 77}}));
}

TEST(Routes, TheNeighbourTableHasALimitInEveryNamespace) {
  rtnetlink::Questions questions;
  EXPECT_GT(neighbour_limits(questions, Family::ipv4).most, 0U);
  EXPECT_EQ(neighbour_limits(questions, Family::ipv6).most == 0, lacks_ipv6());
}

TEST(LinkKind, TheLoopbackIsOne) {
  EXPECT_TRUE(is_loopback("lo"));
  EXPECT_FALSE(is_loopback("nosuch0"));
  EXPECT_EQ(master_kind("nosuch0"), check::MasterKind::takes_frames);
}

TEST(KernelSettings, AreReadByName) {
  EXPECT_EQ(kernel_setting("net/nosuch"), std::nullopt);
  EXPECT_TRUE(kernel_setting("net/ipv4/ip_forward").has_value());
  EXPECT_FALSE(kernel_settings_of("nosuch0").forwards);
  EXPECT_EQ(reverse_path_filter_of("lo"), kernel_settings_of("lo").reverse_path_filter);
}

TEST(WriteFault, SaysWhyAFileCannotBeWritten) {
  std::string folder = std::filesystem::temp_directory_path() / "dhcp-relay-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(write_fault(folder + "/new"), "");
  EXPECT_EQ(write_fault(folder + "/nosuch/new"), "No such file or directory");
  EXPECT_EQ(write_fault(folder), "Is a directory");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  for (const char* const target : {"new", "."}) {
    std::filesystem::create_symlink(target, folder + "/link");
    EXPECT_EQ(write_fault(folder + "/link"), "it is a symbolic link") << target;
    std::filesystem::remove(folder + "/link");
  }
  std::filesystem::remove(folder);
}

/// A folder for the test, and the account to try it with: nobody, where root runs the tests.
class AccountRights : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    if (is_root()) {
      nobody_ = find_account("nobody");
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(std::filesystem::perms permissions) const {
    std::string name = folder_ + "/file";
    std::ofstream{name} << "text";
    std::filesystem::permissions(name, permissions);
    return name;
  }

  using perms = std::filesystem::perms;

  std::string folder_ = std::filesystem::temp_directory_path() / "dhcp-relay-test-XXXXXX";
  std::optional<Account> nobody_;
};

TEST_F(AccountRights, ThisUserCanWhatItCan) {
  EXPECT_EQ(become_fault(std::nullopt), "");
  EXPECT_EQ(read_fault(std::nullopt, file(perms::owner_read)), "");
  EXPECT_TRUE(may_make_files_beside(std::nullopt, folder_ + "/new"));
}

TEST_F(AccountRights, WhatThisUserCannotEitherIsNotTheAccounts) {
  EXPECT_EQ(read_fault(std::nullopt, folder_ + "/nosuch"), "");
  EXPECT_TRUE(may_make_files_beside(std::nullopt, folder_ + "/nosuch/new"));
}

TEST_F(AccountRights, AnotherAccountIsTriedAndLeft) {
  if (!nobody_) {
    GTEST_SKIP() << "not as root, or there is no nobody";
  }
  EXPECT_EQ(become_fault(nobody_), "");
  EXPECT_EQ(read_fault(nobody_, file(perms::all)), "Permission denied") << "the folder is root's alone";
  std::filesystem::permissions(folder_, perms::others_exec, std::filesystem::perm_options::add);
  EXPECT_EQ(read_fault(nobody_, file(perms::all)), "");
  EXPECT_EQ(read_fault(nobody_, file(perms::owner_all | perms::group_all)), "Permission denied");
  EXPECT_FALSE(may_make_files_beside(nobody_, folder_ + "/new"));
  EXPECT_EQ(::chown(folder_.c_str(), nobody_->user, nobody_->group), 0);
  EXPECT_TRUE(may_make_files_beside(nobody_, folder_ + "/new"));
  EXPECT_TRUE(is_root());
}

TEST_F(AccountRights, AnAccountOutOfReachIsSaidSo) {
  if (is_root()) {
    GTEST_SKIP() << "root may become anyone";
  }
  EXPECT_THAT(become_fault(Account{"root", 0, 0}), ::testing::StartsWith("cannot "));
}

TEST(ItTakes, SaidToRootItIsTheCapabilityAlone) {
  EXPECT_EQ(it_takes("CAP_NET_RAW"), is_root() ? "it takes CAP_NET_RAW" : "it takes root or CAP_NET_RAW");
}

TEST(ProgramOutput, IsWhatTheProgramPrints) {
  const ProgramOutput output = output_of({"/bin/sh", "-c", "echo one; echo two >&2"}, most);
  EXPECT_EQ(output.text, "one\n");
  EXPECT_EQ(output.fault, "");
}

TEST(ProgramOutput, OfAProgramThatFailsIsItsComplaint) {
  const ProgramOutput output = output_of({"/bin/sh", "-c", "echo one; echo two >&2; echo three >&2; exit 3"}, most);
  EXPECT_EQ(output.text, "");
  EXPECT_EQ(output.fault, "two");
  EXPECT_EQ(output_of({"/bin/sh", "-c", "exit 3"}, most).fault, "it ends with status 3");
  EXPECT_EQ(output_of({"/nosuch/program"}, most).fault, "No such file or directory");
}

TEST(ProgramOutput, IsBounded) {
  EXPECT_EQ(output_of({"/bin/sh", "-c", "while :; do echo more; done"}, most).fault,
            "it prints more than 1048576 octets");
}

TEST(ProgramOutput, ComesOfAnEnvironmentWithoutMeaning) {
  EXPECT_EQ(output_of({"/bin/sh", "-c", "echo \"$HOME$LC_ALL\"; cat"}, most).text, "C\n");
}

}  // namespace
}  // namespace relay::io
