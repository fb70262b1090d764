// What a process has given up for good: each attempt is made by a child that has dropped its privileges and taken the
// list of system calls as the relay does.
#include "relay/io/privileges.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/descriptor.h"
#include "relay/io/resolver.h"
#include "relay/io/sanitized.h"
#include "relay/io/syscall_filter.h"

namespace relay::io {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* killed = "killed by the filter";
constexpr int has_thrown = 255;

/// The account that root becomes here.
std::optional<Account> account() {
  return is_root() ? find_account("nobody") : std::nullopt;
}

/// What `call` came to: nothing, or the error.
int error_of(long result) {
  return result < 0 ? errno : 0;
}

/// What becomes of a child that does `what`: its status, in words.
std::string fate(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(what());
    } catch (const std::exception&) {
      ::_exit(has_thrown);
    }
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    return "no child";
  }
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGSYS ? killed : "killed by signal " + std::to_string(WTERMSIG(status));
  }
  const int error = WEXITSTATUS(status);
  return error == 0 ? "done" : error == has_thrown ? "threw" : std::generic_category().message(error);
}

/// The same for one that has become what the relay is, or what its resolver is.
std::string fate_of_relay(const std::function<int()>& what, const RelayCalls& calls = {}) {
  return fate([&] {
    drop_privileges(account(), calls.captures ? Kept::packet_sockets : Kept::nothing);
    confine_relay(calls);
    return what();
  });
}

std::string fate_of_resolver(const std::function<int()>& what) {
  return fate([&] {
    drop_privileges(account(), Kept::nothing);
    confine_resolver();
    return what();
  });
}

int run_a_program() {
  std::array<char*, 1> none{};
  return error_of(::execve("/bin/true", none.data(), none.data()));
}
int trace() {
  return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
}
int open_socket_of(int family, int type = SOCK_DGRAM) {
  return error_of(::socket(family, type, 0));
}
int open_for_reading(const char* name) {
  return error_of(::open(name, O_RDONLY | O_CLOEXEC));
}

/// Lines of /proc/self/status that begin with one of these words.
std::vector<std::string> status_lines(const std::vector<std::string_view>& words) {
  std::ifstream file{"/proc/self/status"};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (std::any_of(words.begin(), words.end(), [&line](std::string_view word) { return line.starts_with(word); })) {
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(Accounts, AreFoundByName) {
  const auto root = find_account("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->user, 0U);
  EXPECT_EQ(root->group, 0U);
  EXPECT_FALSE(find_account("no-such-account"));
  EXPECT_FALSE(find_account(""));
}

TEST(Privileges, NoneIsLeft) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root, which has some to give up";
  }
  EXPECT_EQ(fate([] {
              drop_privileges(account(), Kept::nothing);
              const std::vector<std::string> expected{"Groups:\t ",
                                                      "CapInh:\t0000000000000000",
                                                      "CapPrm:\t0000000000000000",
                                                      "CapEff:\t0000000000000000",
                                                      "CapBnd:\t0000000000000000",
                                                      "CapAmb:\t0000000000000000",
                                                      "NoNewPrivs:\t1"};
              const bool is_gone = ::geteuid() != 0 && ::setresuid(0, 0, 0) != 0;
              return is_gone && status_lines({"Groups", "Cap", "NoNewPrivs"}) == expected ? 0 : EPERM;
            }),
            "done");
}

TEST(Privileges, OneIsLeftToACapture) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root, which has it to keep";
  }
  EXPECT_EQ(fate([] {
              drop_privileges(account(), Kept::packet_sockets);
              const std::vector<std::string> expected{"CapInh:\t0000000000000000", "CapPrm:\t0000000000002000",
                                                      "CapEff:\t0000000000002000", "CapBnd:\t0000000000000000",
                                                      "CapAmb:\t0000000000000000"};
              return status_lines({"Cap"}) == expected ? 0 : EPERM;
            }),
            "done");
}

TEST(Privileges, OneIsLeftForRoutes) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root, which has it to keep";
  }
  EXPECT_EQ(fate([] {
              drop_privileges(account(), Kept::routes);
              const std::vector<std::string> expected{"CapInh:\t0000000000000000", "CapPrm:\t0000000000001000",
                                                      "CapEff:\t0000000000001000", "CapBnd:\t0000000000000000",
                                                      "CapAmb:\t0000000000000000"};
              return status_lines({"Cap"}) == expected ? 0 : EPERM;
            }),
            "done");
}

TEST(Privileges, RootKeepsNothingButItsNumber) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root";
  }
  EXPECT_EQ(fate([] {
              drop_privileges(find_account("root"), Kept::nothing);
              return ::geteuid() == 0 ? error_of(::setresuid(1, 1, 1)) : EINVAL;
            }),
            "Operation not permitted");
}

TEST(RelayCalls, ProgramsAndProcesses) {
  EXPECT_EQ(fate_of_relay(run_a_program), killed);
  EXPECT_EQ(fate_of_relay(trace), killed);
  EXPECT_EQ(fate_of_relay([] { return error_of(::kill(::getppid(), 0)); }), killed);
#ifdef SYS_fork
  EXPECT_EQ(fate_of_relay([] { return error_of(::syscall(SYS_fork)); }), killed);
#endif
}

TEST(RelayCalls, SignalsToItselfAlone) {
  for (const RelayCalls& calls : {RelayCalls{}, RelayCalls{.captures = true}}) {
    EXPECT_EQ(fate_of_relay([]() -> int { std::abort(); }, calls), "killed by signal " + std::to_string(SIGABRT));
    const pid_t us = ::getpid();
    EXPECT_EQ(fate_of_relay([us] { return error_of(::syscall(SYS_tgkill, us, us, 0)); }, calls), killed);
    EXPECT_EQ(fate_of_relay([us] { return error_of(::fcntl(STDERR_FILENO, F_SETOWN, us)); }, calls), killed);
    EXPECT_EQ(fate_of_relay([us] { return error_of(::ioctl(STDERR_FILENO, FIOSETOWN, &us)); }, calls), killed);
    EXPECT_EQ(fate_of_relay([us] { return error_of(::prlimit(us, RLIMIT_CPU, nullptr, nullptr)); }, calls), killed);
  }
}

TEST(RelayCalls, OptionsOfSockets) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Descriptor one{pair[0]};
  const Descriptor other{pair[1]};
  constexpr int on = 1;
  const auto name_itself = [&] {
    return error_of(::setsockopt(one.number(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
  };
  EXPECT_EQ(fate_of_relay(name_itself, {.unix_sockets = true}), killed);
  EXPECT_EQ(fate_of_relay(name_itself, {.captures = true}), killed);
  EXPECT_EQ(fate_of_relay(
                [&] { return error_of(::setsockopt(one.number(), SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on))); }),
            "No such file or directory")
      << "there is none";
}

TEST(RelayCalls, Sockets) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    EXPECT_EQ(fate_of_relay([family] { return open_socket_of(family); }), killed) << family;
  }
  EXPECT_EQ(fate_of_relay([] { return open_socket_of(AF_UNIX); }, {.unix_sockets = true}), "done");
  EXPECT_EQ(fate_of_relay([] { return open_socket_of(AF_INET); }, {.unix_sockets = true}), killed);
}

TEST(RelayCalls, Files) {
  EXPECT_EQ(fate_of_relay([] { return open_for_reading("/etc/shadow"); }), "Permission denied");
  EXPECT_EQ(fate_of_relay([] { return open_for_reading("/etc/shadow"); }, {.captures = true}), "Permission denied");
}

TEST(RelayCalls, OfAStateFile) {
  constexpr RelayCalls alone{.writes_state = true};
  constexpr int of_new = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const auto open_with = [](int flags) {
    return [flags] { return error_of(::openat(AT_FDCWD, "/proc/no-such-file", flags, 0600)); };
  };
  const Descriptor file{::memfd_create("state", MFD_CLOEXEC)};
  const auto claim = [&file] {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    return error_of(::fcntl(file.number(), F_OFD_SETLK, &whole));
  };
  for (const RelayCalls& calls : {alone, RelayCalls{.captures = true, .writes_state = true}}) {
    EXPECT_EQ(fate_of_relay(open_with(of_new), calls), "No such file or directory") << "as /proc has it";
    EXPECT_EQ(fate_of_relay([] { return error_of(::rename("/proc/none", "/proc/nothing")); }, calls),
              "No such file or directory");
    EXPECT_EQ(fate_of_relay(run_a_program, calls), killed);
    EXPECT_EQ(fate_of_relay(claim, calls), "done");
  }
  EXPECT_EQ(fate_of_relay(claim), killed);
  if (is_sanitized) {
    return;  // sanitizers open what they like
  }
  EXPECT_EQ(fate_of_relay([] { return open_for_reading("/etc/passwd"); }, alone), "Permission denied");
  EXPECT_EQ(fate_of_relay(open_with(O_WRONLY | O_CREAT | O_NOFOLLOW), alone), "Permission denied")
      << "one that may be there";
  EXPECT_EQ(fate_of_relay(open_with(O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW), alone), "Permission denied");
  EXPECT_EQ(fate_of_relay(open_with(of_new & ~O_NOFOLLOW), alone), killed);
}

TEST(RelayCalls, OfACapture) {
  constexpr RelayCalls calls{.captures = true};
  EXPECT_EQ(fate_of_relay([] { return open_socket_of(AF_PACKET, SOCK_RAW); }, calls),
            is_root() ? "done" : "Operation not permitted");
  EXPECT_EQ(fate_of_relay([] { return open_socket_of(AF_INET); }, calls), "Permission denied");
  EXPECT_EQ(fate_of_relay([] { return open_socket_of(AF_UNIX); }, calls), "Permission denied");
  EXPECT_EQ(fate_of_relay([] { return open_for_reading("/proc/self/net/snmp"); }, calls), "done");
  EXPECT_EQ(fate_of_relay(run_a_program, calls), killed);
  EXPECT_EQ(fate_of_relay(trace, calls), killed);
}

TEST(RelayCalls, NothingIsWrittenToThePidFile) {
  const Descriptor pid_file{::memfd_create("pid", MFD_CLOEXEC)};
  const Descriptor other{::memfd_create("other", MFD_CLOEXEC)};
  ASSERT_TRUE(pid_file.is_open() && other.is_open());
  const RelayCalls calls{.pid_file = pid_file.number()};
  const auto write_to = [](long number) { return error_of(::syscall(SYS_write, number, "1", 1)); };
  EXPECT_EQ(fate_of_relay([&] { return write_to(other.number()); }, calls), "done");
  EXPECT_EQ(fate_of_relay([&] { return write_to(pid_file.number()); }, calls), killed);
  EXPECT_EQ(fate_of_relay([&] { return write_to(pid_file.number() + (1L << 32)); }, calls), killed)
      << "the kernel looks at 32 bits of it";
  EXPECT_EQ(fate_of_relay([&] { return error_of(::ftruncate(pid_file.number(), 0)); }, calls), "done");
}

TEST(RelayCalls, ThreadsComeAndGo) {
  EXPECT_EQ(fate_of_relay([] {
              int seen = 0;
              std::thread{[&seen] { seen = 1; }}.join();
              return seen == 1 ? 0 : EINVAL;
            }),
            "done");
}

TEST(RelayCalls, BindThreadsThatRunAlready) {
  EXPECT_EQ(fate([] {
              drop_privileges(account(), Kept::nothing);
              std::promise<void> confined;
              std::thread earlier{[&confined] {
                confined.get_future().wait();
                static_cast<void>(open_socket_of(AF_INET));
              }};
              confine_relay({});
              confined.set_value();
              earlier.join();
              return 0;
            }),
            killed);
}

#if defined(__x86_64__) && !defined(__ILP32__)
/// getpid by the numbers of i386, where it is on no list.
long foreign_call() {
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
  return result;
}

TEST(RelayCalls, ThoseOfAnotherArchitectureEndTheProcess) {
  if (fate([] { return foreign_call() == ::getpid() ? 0 : EINVAL; }) != "done") {
    GTEST_SKIP() << "the kernel has no calls of i386";
  }
  EXPECT_EQ(fate_of_relay([] {
              std::thread{[] { static_cast<void>(foreign_call()); }}.join();
              return 0;
            }),
            killed);
}
#endif

TEST(ResolverCalls, WhatIsNotItsTaskFails) {
  EXPECT_EQ(fate_of_resolver(run_a_program), "Operation not permitted");
  EXPECT_EQ(fate_of_resolver(trace), "Operation not permitted");
  EXPECT_EQ(fate_of_resolver([] { return open_socket_of(AF_PACKET); }), "Operation not permitted");
  EXPECT_EQ(fate_of_resolver([] { return open_for_reading("/etc/shadow"); }), "Permission denied");
  EXPECT_EQ(fate_of_resolver([] { return error_of(::kill(::getppid(), 0)); }), "Operation not permitted");
#ifdef SYS_fork
  EXPECT_EQ(fate_of_resolver([] { return error_of(::syscall(SYS_fork)); }), "Operation not permitted");
#endif
}

TEST(ResolverCalls, NoRawSocketsThoughTheCapabilityIsLeft) {
  for (const int family : {AF_INET, AF_INET6}) {
    EXPECT_EQ(fate([family] {
                drop_privileges(account(), Kept::packet_sockets);
                confine_resolver();
                return open_socket_of(family, SOCK_RAW | SOCK_CLOEXEC);
              }),
              "Operation not permitted");
    EXPECT_EQ(fate_of_resolver([family] { return open_socket_of(family, SOCK_DGRAM | SOCK_CLOEXEC); }), "done");
  }
}

TEST(ResolverCalls, SignalsToItselfAlone) {
  const pid_t us = ::getpid();
  EXPECT_EQ(fate_of_resolver([us] { return error_of(::syscall(SYS_tgkill, us, us, 0)); }), "Operation not permitted");
  EXPECT_EQ(fate_of_resolver([us] { return error_of(::fcntl(STDERR_FILENO, F_SETOWN, us)); }),
            "Operation not permitted");
  EXPECT_EQ(fate_of_resolver([]() -> int { std::abort(); }), "killed by signal " + std::to_string(SIGABRT));
}

class ResolverTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "resolver_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::string path = folder_ + "/" + name;
    std::ofstream{path, std::ios::binary} << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  [[nodiscard]] static int error_of_reading(const Resolver& resolver, const std::string& name) {
    try {
      static_cast<void>(resolver.read_file(name));
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  }

  std::string folder_;
};

TEST_F(ResolverTest, ReadsWhatItsAccountMayRead) {
  const Resolver resolver{account()};
  EXPECT_EQ(resolver.read_file(write("plain", "one = 1\n")), "one = 1\n");
  EXPECT_EQ(resolver.read_file(write("empty", "")), "");
  EXPECT_EQ(resolver.read_file(write("large", std::string(3U << 20U, 'x'))),
            std::string(Resolver::most_file_octets, 'x'));
  EXPECT_EQ(error_of_reading(resolver, folder_ + "/none"), ENOENT);
  EXPECT_EQ(error_of_reading(resolver, folder_), EISDIR);
  EXPECT_EQ(error_of_reading(resolver, std::string(Resolver::most_name_octets + 1, 'x')), ENAMETOOLONG);
  EXPECT_EQ(error_of_reading(resolver, "/etc/shadow"), EACCES);
  EXPECT_EQ(resolver.read_file(write("plain", "two = 2\n")), "two = 2\n");
}

TEST_F(ResolverTest, ResolvesNames) {
  const Resolver resolver{account()};
  const Families ipv4{.ipv4 = true};
  const Found found = resolver.look_up("localhost", ipv4);
  EXPECT_EQ(found.error, 0);
  EXPECT_THAT(found.addresses, ElementsAre(Ipv4Address{{127, 0, 0, 1}}));
  EXPECT_THAT(found.addresses6, IsEmpty());
  EXPECT_NE(resolver.look_up("no such name", ipv4).error, 0);
  EXPECT_EQ(resolver.look_up("localhost", ipv4).addresses.size(), 1U);
}

TEST_F(ResolverTest, ResolvesNumbersOfEitherFamily) {
  const Resolver resolver{account()};
  const Families ipv6{.ipv6 = true};
  const Families both{.ipv4 = true, .ipv6 = true};
  const Ipv6Address address{{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  EXPECT_THAT(resolver.look_up("2001:db8::1", ipv6).addresses6, ElementsAre(address));
  EXPECT_THAT(resolver.look_up("2001:db8::1", both).addresses6, ElementsAre(address));
  EXPECT_THAT(resolver.look_up("10.9.0.2", both).addresses, ElementsAre(Ipv4Address{{10, 9, 0, 2}}));
  EXPECT_THAT(resolver.look_up("10.9.0.2", both).addresses6, IsEmpty());
  EXPECT_NE(resolver.look_up("10.9.0.2", ipv6).error, 0);
}

constexpr Families both_families{.ipv4 = true, .ipv6 = true};
constexpr Ipv6Address documentation{{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};

/// What the resolving of the name `dhcp` throws, with `found` as the resolver's answer; empty where it does not.
std::string refusal_of(const Found& found) {
  try {
    static_cast<void>(
        resolve(std::vector<std::string>{"dhcp"}, both_families, [&](const std::string&, Families) { return found; }));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

TEST_F(ResolverTest, AddressesAreNotAskedFor) {
  const auto asked = [](const std::string& name, Families) -> Found { throw std::runtime_error("asked for " + name); };
  const auto addresses = resolve(
      std::vector<std::string>{"10.9.0.2", "2001:db8::2", "10.9.0.3", "10.9.0.2", "2001:DB8::2", "2001:db8::2%d1"},
      both_families, asked);
  EXPECT_THAT(addresses.ipv4, ElementsAre(Ipv4Address{{10, 9, 0, 2}}, Ipv4Address{{10, 9, 0, 3}}));
  EXPECT_THAT(addresses.ipv6, ElementsAre(ServerName6{documentation}, ServerName6{documentation, "d1"}));
  EXPECT_THROW(static_cast<void>(resolve(std::vector<std::string>{"dhcp"}, both_families, asked)), std::runtime_error);
  EXPECT_FALSE(has_name({{"*", {"10.9.0.2", "ff05::1:3%d1"}}}));
  EXPECT_TRUE(has_name({{"*", {"10.9.0.2"}}, {"d1", {"dhcp"}}}));
}

TEST_F(ResolverTest, AListWithoutAServerOfAFamilyHasNoEntryForIt) {
  const auto two = [](const std::string&, Families) -> Found {
    return {0, {Ipv4Address{{10, 9, 0, 9}}}, {documentation}};
  };
  const auto settings = resolve(
      std::vector<Setting<std::vector<std::string>>>{{"*", {"10.9.0.2"}}, {"d1", {"ff05::1:3%u1"}}, {"d2", {"dhcp"}}},
      both_families, two);
  ASSERT_EQ(settings.ipv4.size(), 2U);
  EXPECT_EQ(settings.ipv4[0].pattern, "*");
  EXPECT_EQ(settings.ipv4[1].pattern, "d2");
  ASSERT_EQ(settings.ipv6.size(), 2U);
  EXPECT_EQ(settings.ipv6[0].pattern, "d1");
  EXPECT_THAT(settings.ipv6[0].value, ElementsAre(ServerName6{all_dhcp_servers, "u1"}));
  EXPECT_THAT(settings.ipv6[1].value, ElementsAre(ServerName6{documentation}));
  EXPECT_EQ(settings.families(), both_families);
}

TEST_F(ResolverTest, AnswersThatNoServerCanHaveAreRefused) {
  const std::string nobody = "server 'dhcp' resolves to an address that no other host can have";
  EXPECT_EQ(refusal_of({0, {Ipv4Address{}}}), nobody);
  EXPECT_EQ(refusal_of({0, {}, {Ipv6Address{}}}), nobody);
  EXPECT_EQ(refusal_of({0, {}, {all_dhcp_servers}}), nobody);
  EXPECT_EQ(refusal_of({0, {}, {Ipv6Address{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}}}),
            "server 'dhcp' resolves to a link-local address, which is one link's; expected it as ADDR%IF");
  EXPECT_THAT(refusal_of({EAI_NONAME}), HasSubstr("cannot resolve server 'dhcp': "));
}

}  // namespace
}  // namespace relay::io
