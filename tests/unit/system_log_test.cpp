// Lines to a syslog daemon that comes and goes.
#include "relay/log/system_log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/descriptor.h"

namespace relay {
namespace {

using testing::MatchesRegex;

class SystemLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void start_daemon(int type) {
    daemon_ = io::Descriptor{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(daemon_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    if (type == SOCK_STREAM) {
      ASSERT_EQ(::listen(daemon_.number(), 1), 0);
    }
  }

  void end_daemon() {
    daemon_ = io::Descriptor{};
    std::filesystem::remove(path_);
  }

  [[nodiscard]] static std::string received(int socket) {
    std::array<char, 1024> octets{};
    const ssize_t size = ::recv(socket, octets.data(), octets.size(), MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(octets.data(), static_cast<std::size_t>(size));
  }

  [[nodiscard]] static std::string expected(const std::string& priority, const std::string& line) {
    return "<" + priority + ">[A-Z][a-z][a-z] [ 123][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] dhcp-relay\\[" +
           std::to_string(::getpid()) + "\\]: " + line;
  }

  std::string folder_ = std::filesystem::temp_directory_path() / "dhcp-relay-test-XXXXXX";
  std::string path_;
  io::Descriptor daemon_;
};

TEST_F(SystemLogTest, WritesAsSyslogDoes) {
  start_daemon(SOCK_DGRAM);
  SystemLog log{path_};
  EXPECT_TRUE(log.write(LOG_WARNING, "first"));
  EXPECT_TRUE(log.write(LOG_DEBUG, "second"));
  EXPECT_THAT(received(daemon_.number()), MatchesRegex(expected("28", "first")));
  EXPECT_THAT(received(daemon_.number()), MatchesRegex(expected("31", "second")));
}

TEST_F(SystemLogTest, SaysThatNobodyTakesALine) {
  SystemLog log{path_};
  EXPECT_FALSE(log.write(LOG_INFO, "lost"));
  EXPECT_EQ(errno, ENOENT);
  start_daemon(SOCK_DGRAM);
  EXPECT_TRUE(log.write(LOG_INFO, "taken"));
  EXPECT_THAT(received(daemon_.number()), MatchesRegex(expected("30", "taken")));
  end_daemon();
  EXPECT_FALSE(log.write(LOG_INFO, "lost"));
  start_daemon(SOCK_DGRAM);
  EXPECT_TRUE(log.write(LOG_INFO, "taken again"));
  EXPECT_THAT(received(daemon_.number()), MatchesRegex(expected("30", "taken again")));
}

TEST_F(SystemLogTest, SaysBeforehandWhetherAnybodyTakesLines) {
  SystemLog log{path_};
  EXPECT_EQ(log.fault(), "no syslog daemon takes lines at " + path_ + ": No such file or directory");
  start_daemon(SOCK_DGRAM);
  EXPECT_EQ(log.fault(), "");
}

TEST_F(SystemLogTest, WritesToAStreamToo) {
  start_daemon(SOCK_STREAM);
  SystemLog log{path_};
  const io::Descriptor connection{::accept(daemon_.number(), nullptr, nullptr)};
  ASSERT_TRUE(connection.is_open());
  EXPECT_TRUE(log.write(LOG_INFO, "taken"));
  std::string line = received(connection.number());
  ASSERT_EQ(line.back(), '\0');
  line.pop_back();
  EXPECT_THAT(line, MatchesRegex(expected("30", "taken")));
}

}  // namespace
}  // namespace relay
