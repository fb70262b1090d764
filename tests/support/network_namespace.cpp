#include "tests/support/network_namespace.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace test_support {

relay::io::Descriptor open_namespace() {
  return relay::io::Descriptor{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
}

bool run(const std::string& command, const std::vector<std::string>& lines) {
  std::FILE* const process = ::popen(command.c_str(), "w");
  if (process == nullptr) {
    return false;
  }
  for (const std::string& line : lines) {
    std::fputs((line + "\n").c_str(), process);
  }
  return ::pclose(process) == 0;
}

bool ip(const std::vector<std::string>& lines) {
  return run("ip -batch -", lines);
}

bool try_ip(const std::vector<std::string>& lines) {
  return run("ip -batch - 2>/dev/null", lines);
}

std::vector<std::string> routes6(const std::string& words) {
  struct Close {
    void operator()(std::FILE* pipe) const noexcept { ::pclose(pipe); }
  };
  const std::unique_ptr<std::FILE, Close> pipe{::popen(("ip -6 route show " + words).c_str(), "r")};
  std::vector<std::string> lines;
  std::array<char, 300> line{};
  while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    const std::string text{line.data()};
    lines.push_back(text.substr(0, text.find(" metric")));
  }
  return lines;
}

void refuse_sockets() {
  refuse_calls(__NR_socket, EMFILE);
}

void refuse_calls(int number, int error) {
  std::array<sock_filter, 4> filter = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{filter.size(), filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void NetworkNamespaceTest::SetUp() {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root for a network namespace of its own";
  }
  home_ = open_namespace();
  if (!home_.is_open() || ::unshare(CLONE_NEWNET) != 0) {
    home_ = {};
    GTEST_SKIP() << "cannot make a network namespace here";
  }
  if (!try_ip({"link add c0 type veth peer name p0", "link del c0"})) {
    GTEST_SKIP() << "needs iproute2 and veth";
  }
}

void NetworkNamespaceTest::TearDown() {
  if (home_.is_open()) {
    ASSERT_EQ(::setns(home_.number(), CLONE_NEWNET), 0);
  }
}

}  // namespace test_support
