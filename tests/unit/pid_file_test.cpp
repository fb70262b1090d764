// What a pid file may replace, and what it takes away at its end.
#include "relay/io/pid_file.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace relay::io {
namespace {

class PidFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / "dhcp-relay-test-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    file_ = folder_ + "/pid";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream{file_} << text; }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream{file_}.rdbuf();
    return text.str();
  }
  /// Why the file is not taken, which a look and a start say alike; empty where it is.
  [[nodiscard]] std::string refusal() const {
    const auto fault = PidFile::fault(file_);
    try {
      const PidFile taken{file_};
      EXPECT_FALSE(fault) << fault->why;
      return {};
    } catch (const std::runtime_error& error) {
      EXPECT_EQ("cannot write the pid file " + file_ + ": " + (fault ? fault->why : ""), error.what());
      return fault ? fault->why : "";
    }
  }
  const std::string own_ = std::to_string(::getpid()) + "\n";
  std::string folder_;
  std::string file_;
};

/// A process that has ended, and been waited for.
std::string number_of_none() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return std::to_string(child);
}

TEST_F(PidFileTest, HasTheNumberWhileItLives) {
  {
    const PidFile taken{file_};
    EXPECT_EQ(content(), own_);
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(PidFileTest, TakesWhatAnEndedProcessLeft) {
  for (const std::string& left : {std::string{}, std::string{"\n"}, number_of_none() + "\n", number_of_none(),
                                  std::string{"  "}, std::to_string(::getppid()) + "\n"}) {
    write(left);
    EXPECT_EQ(refusal(), "") << left;
    EXPECT_FALSE(std::filesystem::exists(file_));
  }
}

TEST_F(PidFileTest, LeavesWhatIsNoPidFile) {
  for (const std::string text : {"hello\n", "12 34\n", "-1\n", "0\n", "12a", "99999999999999\n",
                                 "1                                                  \nmore\n"}) {
    write(text);
    EXPECT_EQ(refusal(), "it holds something other than the number of a process, which would be lost") << text;
    EXPECT_EQ(content(), text);
  }
}

TEST_F(PidFileTest, LeavesWhatIsNoFile) {
  std::filesystem::create_directory(file_);
  EXPECT_EQ(refusal(), "it is a directory");
  std::filesystem::remove(file_);
  std::filesystem::create_symlink("/dev/null", file_);
  EXPECT_EQ(refusal(), "it is a symbolic link");
  std::filesystem::remove(file_);
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "it is no regular file");
  std::filesystem::remove(file_);
  file_ = folder_ + "/nosuch/pid";
  EXPECT_EQ(refusal(), "No such file or directory");
}

/// An idiom of ISC's scripts. A node of the test's own, where it may make one.
TEST_F(PidFileTest, ADeviceStandsForNone) {
  if (::mknod(file_.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) {
    GTEST_SKIP() << "no device can be made here";
  }
  EXPECT_FALSE(PidFile::fault(file_));
  { EXPECT_EQ(PidFile{file_}.descriptor(), -1); }
  EXPECT_TRUE(std::filesystem::is_character_file(file_));
}

TEST_F(PidFileTest, IsOfOneRelayAlone) {
  const PidFile first{file_};
  const std::string why =
      "it is that of another relay, which runs as process " + std::to_string(::getpid()) + ", and each needs its own";
  EXPECT_EQ(refusal(), why);
  ASSERT_TRUE(PidFile::fault(file_));
  EXPECT_EQ(PidFile::fault(file_)->holder, ::getpid());
  EXPECT_EQ(content(), own_);
}

/// Who may read the file may lock it, and is no relay.
TEST_F(PidFileTest, ALockWithoutANumberKeepsNobodyOut) {
  const PidFile first{file_};
  write("");
  EXPECT_EQ(refusal(), "");
}

TEST_F(PidFileTest, TakesAwayItsOwnNumberAlone) {
  auto taken = std::make_unique<PidFile>(file_);
  write("1\n");
  taken.reset();
  EXPECT_EQ(content(), "1\n");

  std::filesystem::remove(file_);
  taken = std::make_unique<PidFile>(file_);
  std::filesystem::rename(file_, folder_ + "/other");
  write(own_);
  taken.reset();
  EXPECT_EQ(content(), own_);
}

}  // namespace
}  // namespace relay::io
