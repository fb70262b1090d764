// A file that is replaced as a whole.
#include "relay/io/state_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace relay::io {
namespace {

class StateFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "state-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name = "state") const { return (folder_ / name).string(); }
  [[nodiscard]] static std::string why(const auto& what) {
    try {
      what();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "nothing";
  }

  std::filesystem::path folder_;
};

TEST_F(StateFileTest, what_was_written_is_read) {
  StateFile file{path(), std::nullopt};
  EXPECT_EQ(file.read(100), std::nullopt);
  EXPECT_TRUE(file.is_writable());
  file.write("one");
  EXPECT_EQ(file.read(100), "one");
  file.write("");
  EXPECT_EQ(file.read(100), "");
  EXPECT_EQ((StateFile{path(), std::nullopt}.read(100)), "");
}

TEST_F(StateFileTest, it_is_no_others_while_its_relay_runs) {
  std::optional<StateFile> file{std::in_place, path(), std::nullopt};
  StateFile other{path(), std::nullopt};
  const std::string refusal = path() + " is that of another relay, which runs, and each needs its own";
  file->claim();
  file->write("of the first");
  EXPECT_EQ(why([&] { other.claim(); }), refusal);
  file->write("of the first still");
  EXPECT_EQ(why([&] { other.claim(); }), refusal);
  EXPECT_EQ(other.read(100), "of the first still");
  file.reset();
  other.claim();
  other.write("of the second");
  EXPECT_EQ(other.read(100), "of the second");
}

TEST_F(StateFileTest, what_is_put_aside_is_there_after_the_next_write) {
  std::ofstream{path()} << "no state";
  StateFile file{path(), std::nullopt};
  file.put_aside();
  EXPECT_EQ(file.read(100), std::nullopt);
  file.write("state");
  EXPECT_EQ((StateFile{path("state.damaged"), std::nullopt}.read(100)), "no state");
}

TEST_F(StateFileTest, nothing_is_left_beside_it) {
  std::ofstream{path("state.new")} << "of a process that was killed";
  StateFile{path(), std::nullopt}.write("two");
  EXPECT_FALSE(std::filesystem::exists(path("state.new")));
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StateFileTest, the_file_that_was_open_stays_what_it_was) {
  StateFile file{path(), std::nullopt};
  file.write("before");
  std::ifstream reader{path()};
  file.write("after");
  std::string text;
  reader >> text;
  EXPECT_EQ(text, "before");
}

TEST_F(StateFileTest, a_link_under_its_new_name_is_not_followed) {
  std::ofstream{path("target")} << "untouched";
  std::filesystem::create_symlink(path("target"), path("state.new"));
  StateFile{path(), std::nullopt}.write("new");
  std::string text;
  std::ifstream{path("target")} >> text;
  EXPECT_EQ(text, "untouched");
}

TEST_F(StateFileTest, its_folder_is_made_where_that_alone_is_missing) {
  StateFile made{path("folder/state"), std::nullopt};
  EXPECT_EQ(made.made_directory(), path("folder"));
  made.write("x");
  EXPECT_EQ(StateFile(path("folder/state"), std::nullopt).made_directory(), "");
  EXPECT_TRUE(std::filesystem::exists(path("folder/state")));
  EXPECT_EQ(why([&] { const StateFile file(path("none/folder/state"), std::nullopt); }),
            "cannot make the directory " + path("none/folder") + ": No such file or directory");
  EXPECT_EQ(why([&] { const StateFile file(path("folder/"), std::nullopt); }),
            "'" + path("folder/") + "' names no file; expected one");
}

TEST_F(StateFileTest, what_is_no_small_file_is_not_read) {
  std::ofstream{path()} << "four";
  const StateFile file{path(), std::nullopt};
  EXPECT_EQ(file.read(4), "four");
  EXPECT_EQ(why([&] { static_cast<void>(file.read(3)); }), path() + " is too large");
  const StateFile of_folder{folder_.string(), std::nullopt};
  EXPECT_EQ(why([&] { static_cast<void>(of_folder.read(100)); }), folder_.string() + " is no regular file");
  std::filesystem::create_symlink(path(), path("link"));
  const StateFile link{path("link"), std::nullopt};
  EXPECT_EQ(why([&] { static_cast<void>(link.read(100)); }), path("link") + " is a symbolic link");
}

TEST_F(StateFileTest, where_it_cannot_be_written_the_old_one_stays) {
  StateFile file{path(), std::nullopt};
  file.write("old");
  std::filesystem::create_directory(path("state.new"));
  EXPECT_EQ(why([&] { file.write("new"); }), "cannot make " + path() + ".new: File exists");
  EXPECT_EQ(file.read(100), "old");
}

}  // namespace
}  // namespace relay::io
