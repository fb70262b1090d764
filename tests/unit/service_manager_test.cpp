// What the service manager is told, received by a socket of the test's own.
#include "relay/io/service_manager.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::io {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The manager's end, at a path or, where `name` begins with '@', at an abstract name.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, address.sun_path);
    std::size_t size = offsetof(::sockaddr_un, sun_path) + name.size();
    if (name[0] == '@') {
      address.sun_path[0] = '\0';
    } else {
      ++size;
    }
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const ::sockaddr*>(&address), static_cast<::socklen_t>(size)),
              0);
  }

  /// What has come since the last call, one string for each datagram.
  [[nodiscard]] std::vector<std::string> heard() const {
    std::vector<std::string> result;
    std::array<char, 4096> buffer{};
    ::ssize_t size = 0;
    while ((size = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT)) >= 0) {
      result.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    }
    return result;
  }

 private:
  Descriptor socket_;
};

class ServiceManagerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "service_manager_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    name_ = pattern + "/notify";
  }
  void TearDown() override {
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(variable);
    }
    fs::remove_all(folder_);
  }

  static void set(const char* variable, const std::string& value) { ::setenv(variable, value.c_str(), 1); }

  fs::path folder_;
  std::string name_;
};

TEST_F(ServiceManagerTest, HearsOfTheStatesInTheirOrder) {
  const Manager manager{name_};
  set("NOTIFY_SOCKET", name_);
  ServiceManager told;
  EXPECT_TRUE(told.listens());
  EXPECT_EQ(told.fault(), "");
  told.ready();
  told.reloading();
  told.ready();
  told.stopping();
  EXPECT_THAT(manager.heard(),
              ElementsAre("READY=1", StartsWith("RELOADING=1\nMONOTONIC_USEC="), "READY=1", "STOPPING=1"));
}

TEST_F(ServiceManagerTest, MayHaveAnAbstractName) {
  const std::string name = "@service_manager_test." + std::to_string(::getpid());
  const Manager manager{name};
  set("NOTIFY_SOCKET", name);
  ServiceManager told;
  told.ready();
  EXPECT_THAT(manager.heard(), ElementsAre("READY=1"));
}

TEST_F(ServiceManagerTest, HearsOfAStatusOnlyWhenItIsAnother) {
  const Manager manager{name_};
  set("NOTIFY_SOCKET", name_);
  ServiceManager told;
  told.status("1 request");
  told.status("1 request");
  told.status("2 requests");
  EXPECT_THAT(manager.heard(), ElementsAre("STATUS=1 request", "STATUS=2 requests"));
}

TEST_F(ServiceManagerTest, WatchdogHearsOfLifeWithinHalfOfItsTime) {
  const Manager manager{name_};
  set("NOTIFY_SOCKET", name_);
  set("WATCHDOG_USEC", "30000000");
  set("WATCHDOG_PID", std::to_string(::getpid()));
  ServiceManager told;
  EXPECT_EQ(told.watchdog_interval(), microseconds{15000000});
  told.alive();
  EXPECT_THAT(manager.heard(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceManagerTest, WatchdogOfAnotherProcessOrOfNoTimeIsNone) {
  const Manager manager{name_};
  for (const auto& [time, pid] : std::vector<std::array<std::string, 2>>{
           {"30000000", "1"}, {"30000000", "x"}, {"0", ""}, {"-5", ""}, {"12s", ""}, {"", ""}}) {
    set("NOTIFY_SOCKET", name_);
    set("WATCHDOG_USEC", time);
    if (!pid.empty()) {
      set("WATCHDOG_PID", pid);
    }
    ServiceManager told;
    EXPECT_EQ(told.watchdog_interval(), std::nullopt) << time << ' ' << pid;
    told.alive();
    EXPECT_THAT(manager.heard(), IsEmpty());
  }
}

TEST_F(ServiceManagerTest, LeavesNothingInTheEnvironment) {
  const Manager manager{name_};
  set("NOTIFY_SOCKET", name_);
  set("WATCHDOG_USEC", "30000000");
  set("WATCHDOG_PID", "1");
  const ServiceManager told;
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    EXPECT_EQ(::getenv(variable), nullptr) << variable;
  }
}

TEST_F(ServiceManagerTest, NobodyIsToldWhereNobodyAsks) {
  set("WATCHDOG_USEC", "30000000");
  ServiceManager told;
  EXPECT_FALSE(told.listens());
  EXPECT_EQ(told.fault(), "");
  EXPECT_EQ(told.watchdog_interval(), std::nullopt);
  told.ready();
  told.status("1 request");
  told.alive();
}

TEST_F(ServiceManagerTest, SocketThatCannotBeReachedIsAFault) {
  set("NOTIFY_SOCKET", name_);
  EXPECT_EQ(ServiceManager{}.fault(), "No such file or directory");
  for (const std::string& name : {std::string{"notify"}, '/' + std::string(107, 'x')}) {
    set("NOTIFY_SOCKET", name);
    EXPECT_THAT(ServiceManager{}.fault(), HasSubstr("at most 107 octets"));
  }
}

// The kernel holds a few datagrams for a manager that does not read.
TEST_F(ServiceManagerTest, BusyManagerHearsOfTheLatestStateLater) {
  const Manager manager{name_};
  set("NOTIFY_SOCKET", name_);
  ServiceManager told;
  constexpr int more_than_fit = 2000;
  for (int number = 0; number < more_than_fit; ++number) {
    told.status(std::to_string(number));
  }
  told.reloading();
  told.ready();
  const auto before = manager.heard();
  EXPECT_LT(before.size(), more_than_fit);
  EXPECT_THAT(before, testing::Each(StartsWith("STATUS=")));
  told.alive();
  told.alive();
  EXPECT_THAT(manager.heard(), ElementsAre("READY=1"));
}

}  // namespace
}  // namespace relay::io
