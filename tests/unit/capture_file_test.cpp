// Against the file system, in a folder of each test's own, and against standard output, which a test gives away for a
// while.
#include "relay/io/capture_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/descriptor.h"

namespace relay::io {
namespace {

namespace fs = std::filesystem;

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool never() {
  return false;
}

void put(CaptureFile& file, std::string_view text) {
  file.write(octets(text), never);
}

/// What the exception of `action` says; empty where there was none.
template <typename Action>
std::string complaint(Action&& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

std::string content(const std::string& name) {
  std::ifstream file{name, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void fill(const std::string& name, std::string_view text) {
  std::ofstream{name, std::ios::binary} << text;
}

class CaptureFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "capture_file_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    name_ = folder_ + "/c.pcapng";
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] CaptureFile::Options options(std::size_t max_count = 5, std::uint64_t max_size = 100) const {
    return {.name = name_, .max_size = max_size, .max_count = max_count};
  }

  /// Opens what is there, which must fail, and returns what is said of it behind its name.
  [[nodiscard]] std::string refusal(bool keep_previous = false) const {
    const std::string whole = complaint([&] { const CaptureFile file{options(), keep_previous}; });
    EXPECT_TRUE(whole.starts_with(name_ + " ")) << whole;
    return whole.substr(std::min(whole.size(), name_.size() + 1));
  }

  /// The folder's files and what is in them, `name=content` in order.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator{folder_}) {
      const std::string name = entry.path().filename().string();
      all.push_back(entry.is_regular_file() ? name + "=" + content(entry.path().string()) : name);
    }
    std::ranges::sort(all);
    return all;
  }

  std::string folder_;
  std::string name_;
};

using Files = std::vector<std::string>;

// What is opened

TEST_F(CaptureFileTest, a_new_file_is_for_its_owner_alone) {
  CaptureFile file{options()};
  put(file, "ab");
  put(file, "cd");
  EXPECT_EQ(content(name_), "abcd");
  struct stat status {};
  ASSERT_EQ(::stat(name_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
}

TEST_F(CaptureFileTest, a_file_of_ours_is_emptied) {
  fill(name_, "what was there");
  CaptureFile file{options()};
  EXPECT_EQ(content(name_), "");
  put(file, "x");
  EXPECT_EQ(content(name_), "x");
}

TEST_F(CaptureFileTest, a_symbolic_link_is_refused_wherever_it_leads) {
  fill(folder_ + "/target", "untouched");
  for (const char* const target : {"target", "missing", "."}) {
    fs::remove(name_);
    fs::create_symlink(target, name_);
    for (const bool keep_previous : {false, true}) {
      EXPECT_EQ(refusal(keep_previous), "is a symbolic link; expected a regular file or a new name") << target;
    }
  }
  EXPECT_EQ(content(folder_ + "/target"), "untouched");
  EXPECT_FALSE(fs::exists(folder_ + "/missing"));
}

TEST_F(CaptureFileTest, a_symbolic_link_to_the_folder_is_followed) {
  fs::create_directory_symlink(folder_, folder_ + "/link");
  CaptureFile file{{.name = folder_ + "/link/c.pcapng"}};
  put(file, "x");
  EXPECT_EQ(content(name_), "x");
}

TEST_F(CaptureFileTest, what_is_no_regular_file_is_refused) {
  fs::create_directory(name_);
  EXPECT_EQ(refusal(), "is a directory; expected a regular file or a new name");
  fs::remove(name_);

  ASSERT_EQ(::mkfifo(name_.c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "is a named pipe; expected a regular file or a new name") << "nobody reads";
  {
    const Descriptor reader{::open(name_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    EXPECT_EQ(refusal(), "is a named pipe; expected a regular file or a new name") << "somebody does";
  }
  fs::remove(name_);

  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(name_.size(), sizeof address.sun_path);
  name_.copy(static_cast<char*>(address.sun_path), name_.size());
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(refusal(), "is a socket; expected a regular file or a new name");

  EXPECT_EQ(complaint([] { const CaptureFile file{{.name = "/dev/null"}}; }),
            "/dev/null is a device; expected a regular file or a new name");
}

TEST_F(CaptureFileTest, a_file_with_another_name_besides_is_refused) {
  fill(folder_ + "/other", "untouched");
  fs::create_hard_link(folder_ + "/other", name_);
  EXPECT_EQ(refusal(), "has further hard links; expected a file with one name or a new name");
  EXPECT_EQ(content(folder_ + "/other"), "untouched");
}

TEST_F(CaptureFileTest, what_it_would_refuse_can_be_asked) {
  EXPECT_EQ(CaptureFile::refusal(options()), "");
  fill(name_, "ours");
  EXPECT_EQ(CaptureFile::refusal(options()), "");
  fs::create_hard_link(name_, folder_ + "/other");
  EXPECT_EQ(CaptureFile::refusal(options()), "it has further hard links");
  fs::remove(name_);
  fs::create_symlink("other", name_);
  EXPECT_EQ(CaptureFile::refusal(options()), "it is a symbolic link");
  EXPECT_EQ(files(), (Files{"c.pcapng=ours", "other=ours"})) << "nothing was emptied";
}

TEST_F(CaptureFileTest, a_file_that_is_being_written_is_refused) {
  CaptureFile file{options()};
  put(file, "ab");
  EXPECT_THROW(CaptureFile{options()}, std::runtime_error);
  EXPECT_EQ(content(name_), "ab");
}

TEST_F(CaptureFileTest, a_file_of_another_user_is_refused) {
  fill(name_, "untouched");
  if (::chown(name_.c_str(), ::geteuid() + 1, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "needs the right to give files away";
  }
  for (const bool keep_previous : {false, true}) {
    EXPECT_EQ(refusal(keep_previous), "belongs to another user; expected a file of this process's user or a new name");
  }
  EXPECT_EQ(content(name_), "untouched");
}

/// What `steps`, which return 0, do in a process of their own, whose end this returns.
int end_of_child(const std::function<int()>& steps) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(steps());
    } catch (const std::runtime_error&) {
      ::_exit(EXIT_FAILURE);
    }
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

constexpr uid_t other_user = 65534;

TEST_F(CaptureFileTest, an_account_that_may_make_no_files_stays_in_the_one_that_it_was_given) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  CaptureFile::Options given = options(2, 10);
  given.owner = {other_user, other_user};
  EXPECT_EQ(end_of_child([&] {
              CaptureFile file{given};
              if (file.is_bound() || ::setresuid(other_user, other_user, other_user) != 0) {
                return 2;
              }
              file.account_changed();
              put(file, "0123456789ab");
              if (!file.is_bound() || file.is_full(8) || !file.is_full(9)) {
                return 3;
              }
              file.end_capture();
              file.begin_capture(true);
              put(file, "cd");
              return 0;
            }),
            0);
  EXPECT_EQ(files(), (Files{"c.pcapng=0123456789abcd"}));
  EXPECT_EQ(end_of_child([&] {
              CaptureFile file{given};  // which belongs to the account by now
              if (::setresuid(other_user, other_user, other_user) != 0) {
                return 2;
              }
              file.account_changed();
              put(file, "before");
              file.rotate();
              put(file, "after");
              return 0;
            }),
            0);
  EXPECT_EQ(files(), (Files{"c.pcapng=after"}));
}

TEST_F(CaptureFileTest, an_account_that_may_make_files_needs_no_way_to_the_directory) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  const std::string inner = folder_ + "/inner";
  ASSERT_TRUE(fs::create_directory(inner));
  ASSERT_EQ(::chown(inner.c_str(), other_user, other_user), 0);
  EXPECT_EQ(end_of_child([&] {
              CaptureFile file{{.name = inner + "/c", .owner = {{other_user, other_user}}}};
              if (::setresuid(other_user, other_user, other_user) != 0 || ::access(inner.c_str(), F_OK) == 0) {
                return 2;
              }
              file.account_changed();
              put(file, "one");
              file.rotate();
              put(file, "two");
              file.end_capture();
              file.begin_capture(true);
              put(file, "three");
              return file.is_bound() ? 3 : 0;
            }),
            0);
  EXPECT_EQ(content(inner + "/c.2") + content(inner + "/c.1") + content(inner + "/c"), "onetwothree");
}

TEST_F(CaptureFileTest, names_that_no_file_can_have) {
  const auto said = [](const std::string& name) { return complaint([&] { const CaptureFile file{{.name = name}}; }); };
  EXPECT_EQ(said(folder_ + "/missing/c"),
            "cannot open the directory of " + folder_ + "/missing/c: No such file or directory");
  EXPECT_EQ(said(folder_ + "/"), "'" + folder_ + "/' names no file; expected one");
  EXPECT_EQ(said(""), "'' names no file; expected one");
  EXPECT_EQ(said(folder_ + "/.."), folder_ + "/.. is a directory; expected a regular file or a new name");
  const std::string too_long = folder_ + "/" + std::string(300, 'x');
  EXPECT_EQ(said(too_long), "cannot look at " + too_long + ": File name too long");
}

TEST_F(CaptureFileTest, a_name_stays_in_its_folder_when_the_process_goes_elsewhere) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  CaptureFile file{{.name = "c.pcapng"}};
  fs::current_path(before);
  put(file, "a");
  file.rotate();
  put(file, "b");
  EXPECT_EQ(files(), (Files{"c.pcapng.1=a", "c.pcapng=b"}));
}

// Rotation

TEST_F(CaptureFileTest, is_full_when_the_next_blocks_would_be_too_many) {
  CaptureFile file{options(2, 10)};
  EXPECT_FALSE(file.is_full(11)) << "a new file would not help";
  put(file, "1234567");
  EXPECT_FALSE(file.is_full(3));
  EXPECT_TRUE(file.is_full(4));
  EXPECT_TRUE(file.is_full(SIZE_MAX));
  put(file, "12345");
  EXPECT_TRUE(file.is_full(1)) << "over the limit already";
  file.rotate();
  EXPECT_FALSE(file.is_full(11));
  put(file, "1");
  EXPECT_FALSE(file.is_full(9));
}

TEST_F(CaptureFileTest, the_oldest_goes_in_rotation) {
  CaptureFile file{options(3)};
  put(file, "a");
  file.rotate();
  EXPECT_EQ(files(), (Files{"c.pcapng.1=a", "c.pcapng="}));
  put(file, "b");
  file.rotate();
  put(file, "c");
  EXPECT_EQ(files(), (Files{"c.pcapng.1=b", "c.pcapng.2=a", "c.pcapng=c"}));
  file.rotate();
  put(file, "d");
  EXPECT_EQ(files(), (Files{"c.pcapng.1=c", "c.pcapng.2=b", "c.pcapng=d"}));
}

TEST_F(CaptureFileTest, one_file_begins_anew) {
  for (const std::size_t max_count : {0U, 1U}) {
    CaptureFile file{options(max_count)};
    put(file, "abc");
    file.rotate();
    put(file, "d");
    EXPECT_EQ(files(), Files{"c.pcapng=d"}) << max_count;
  }
}

TEST_F(CaptureFileTest, a_free_name_takes_what_is_before_it) {
  fill(name_ + ".1", "old 1");
  fill(name_ + ".3", "old 3");
  CaptureFile file{options()};
  put(file, "a");
  file.rotate();
  EXPECT_EQ(files(), (Files{"c.pcapng.1=a", "c.pcapng.2=old 1", "c.pcapng.3=old 3", "c.pcapng="}));
}

TEST_F(CaptureFileTest, what_exists_is_kept_where_that_is_wanted) {
  fill(name_, "before");
  {
    CaptureFile file{options(), true};
    put(file, "now");
    EXPECT_EQ(files(), (Files{"c.pcapng.1=before", "c.pcapng=now"}));
  }
  for (const std::size_t max_count : {2U, 1U}) {
    const CaptureFile again{options(max_count), true};
    EXPECT_EQ(files(), (Files{"c.pcapng.1=now", "c.pcapng="}));
  }
  fs::remove(name_);
  const CaptureFile fresh{options(), true};
  EXPECT_EQ(files(), (Files{"c.pcapng.1=now", "c.pcapng="}));
}

TEST_F(CaptureFileTest, rotation_leaves_alone_what_is_no_file_of_ours) {
  CaptureFile file{options(3)};
  put(file, "a");
  file.rotate();
  put(file, "b");
  fs::create_directory(name_ + ".2");
  EXPECT_EQ(complaint([&] { file.rotate(); }),
            name_ + ".2 is a directory; expected a regular file or nothing under this name");
  EXPECT_EQ(files(), (Files{"c.pcapng.1=a", "c.pcapng.2", "c.pcapng=b"})) << "nothing was renamed";
  fs::remove(name_ + ".2");
  fs::create_symlink("c.pcapng.1", name_ + ".2");
  EXPECT_EQ(complaint([&] { file.rotate(); }),
            name_ + ".2 is a symbolic link; expected a regular file or nothing under this name");
  EXPECT_TRUE(fs::is_symlink(name_ + ".2"));
  put(file, "c");
  EXPECT_EQ(content(name_), "bc") << "still written";
}

TEST_F(CaptureFileTest, rotation_leaves_alone_what_has_replaced_the_file) {
  for (const std::size_t max_count : {1U, 3U}) {
    CaptureFile file{options(max_count)};
    put(file, "a");
    fs::rename(name_, folder_ + "/moved");
    fill(name_, "somebody's");
    EXPECT_EQ(complaint([&] { file.rotate(); }), name_ + " was replaced; expected the file that the capture began");
    EXPECT_EQ(files(), (Files{"c.pcapng=somebody's", "moved=a"}));
  }
}

TEST_F(CaptureFileTest, a_file_that_was_moved_away_is_written_until_rotation_begins_another) {
  for (const std::size_t max_count : {1U, 3U}) {
    CaptureFile file{options(max_count)};
    put(file, "a");
    fs::rename(name_, folder_ + "/moved");
    fill(name_ + ".1", "older");
    put(file, "b");
    file.rotate();
    put(file, "c");
    EXPECT_EQ(files(), (Files{"c.pcapng.1=older", "c.pcapng=c", "moved=ab"}));
  }
}

TEST_F(CaptureFileTest, rotation_never_empties_a_file_with_another_name_besides) {
  CaptureFile file{options(1)};
  put(file, "a");
  fs::create_hard_link(name_, folder_ + "/kept");
  EXPECT_EQ(complaint([&] { file.rotate(); }),
            name_ + " has further hard links; expected a file with one name or a new name");
  EXPECT_EQ(content(folder_ + "/kept"), "a");

  CaptureFile second{{.name = folder_ + "/second"}};
  put(second, "b");
  fs::create_hard_link(folder_ + "/second", folder_ + "/kept second");
  second.rotate();
  EXPECT_EQ(content(folder_ + "/second.1"), "b") << "no harm in a new name";
}

// What goes wrong

TEST_F(CaptureFileTest, a_removed_file_is_told) {
  CaptureFile file{options()};
  put(file, "a");
  fs::remove(name_);
  EXPECT_EQ(complaint([&] { put(file, "b"); }), name_ + " was removed");
}

TEST_F(CaptureFileTest, a_folder_that_vanished_is_told) {
  CaptureFile file{options()};
  put(file, "a");
  fs::remove_all(folder_);
  EXPECT_EQ(complaint([&] { put(file, "b"); }), name_ + " was removed");
  EXPECT_EQ(complaint([&] { file.rotate(); }), "cannot open " + name_ + ": No such file or directory");
}

/// Files may not become larger than this, as if the disk were full.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t size) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(CaptureFileTest, a_file_that_can_grow_no_more_ends_with_the_last_whole_call) {
  CaptureFile file{options()};
  put(file, "1234567");
  {
    const SizeLimit limit{10};
    EXPECT_EQ(complaint([&] { put(file, "abcdef"); }), "cannot write " + name_ + ": File too large")
        << "three octets had room";
    EXPECT_EQ(content(name_), "1234567");
    EXPECT_EQ(complaint([&] { put(file, "abcdef"); }), "cannot write " + name_ + ": File too large");
    put(file, "abc");
    EXPECT_EQ(complaint([&] { put(file, "d"); }), "cannot write " + name_ + ": File too large") << "none has room";
  }
  put(file, "d");
  EXPECT_EQ(content(name_), "1234567abcd");
}

TEST_F(CaptureFileTest, the_signals_of_the_calling_thread_are_as_before) {
  CaptureFile file{options()};
  sigset_t mask{};
  sigset_t pending{};
  {
    const SizeLimit limit{0};
    EXPECT_NE(complaint([&] { put(file, "a"); }), "");
  }
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  ::sigpending(&pending);
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    EXPECT_EQ(::sigismember(&mask, signal), 0) << signal;
    EXPECT_EQ(::sigismember(&pending, signal), 0) << signal;
  }
}

// Standard output

/// Standard output is `number` as long as this lives. Nothing may be printed meanwhile.
class StandardOutput {
 public:
  explicit StandardOutput(int number) {
    std::fflush(stdout);
    before_ = Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
    number < 0 ? ::close(STDOUT_FILENO) : ::dup2(number, STDOUT_FILENO);
  }
  explicit StandardOutput(const Descriptor& descriptor) : StandardOutput(descriptor.number()) {}
  ~StandardOutput() { ::dup2(before_.number(), STDOUT_FILENO); }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  Descriptor before_;
};

struct Ends {
  Descriptor reader;
  Descriptor writer;
};

Ends make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

Ends make_sockets() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

std::string read_all(const Descriptor& reader) {
  std::string all;
  std::array<char, 1000> part{};
  for (ssize_t size = 0; (size = ::read(reader.number(), part.data(), part.size())) > 0;) {
    all.append(part.data(), static_cast<std::size_t>(size));
  }
  return all;
}

/// What is said where `text` is written to standard output, being `descriptor`.
std::string complaint_on(const Descriptor& descriptor, std::string_view text,
                         const std::function<bool()>& should_stop = never) {
  const StandardOutput output{descriptor};
  return complaint([&] {
    CaptureFile file{{.name = "-"}};
    file.write(octets(text), should_stop);
  });
}

/// More than a pipe or a socket holds.
std::string long_text() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += std::to_string(i);
  }
  return text;
}

void expect_all_octets_to_arrive(Ends& ends) {
  const std::string text = long_text();
  std::string received;
  std::thread reading{[&] { received = read_all(ends.reader); }};
  const std::string said = complaint_on(ends.writer, text);
  ends.writer = Descriptor{};
  reading.join();
  EXPECT_EQ(said, "");
  EXPECT_TRUE(received == text) << received.size() << " of " << text.size();
}

class CaptureFileOnReaderTest : public testing::TestWithParam<Ends (*)()> {};

INSTANTIATE_TEST_SUITE_P(Pipe, CaptureFileOnReaderTest, testing::Values(make_pipe));
INSTANTIATE_TEST_SUITE_P(Socket, CaptureFileOnReaderTest, testing::Values(make_sockets));

TEST_P(CaptureFileOnReaderTest, all_octets_arrive_in_order) {
  Ends ends = GetParam()();
  expect_all_octets_to_arrive(ends);
}

TEST_P(CaptureFileOnReaderTest, a_reader_that_does_not_read_is_waited_for_until_we_should_stop) {
  const Ends ends = GetParam()();
  int questions = 0;
  EXPECT_EQ(complaint_on(ends.writer, long_text(), [&] { return ++questions == 3; }),
            "the reader of standard output was too slow to get all");
  EXPECT_EQ(questions, 3);
  EXPECT_EQ(::fcntl(ends.writer.number(), F_GETFL) & O_NONBLOCK, 0) << "which others share";
}

TEST_P(CaptureFileOnReaderTest, what_has_room_is_written_although_we_should_stop) {
  Ends ends = GetParam()();
  const std::string said = complaint_on(ends.writer, "last", [] { return true; });
  ends.writer = Descriptor{};
  EXPECT_EQ(said, "");
  EXPECT_EQ(read_all(ends.reader), "last");
}

TEST_P(CaptureFileOnReaderTest, a_reader_that_has_gone_is_an_error_and_no_signal) {
  Ends ends = GetParam()();
  ends.reader = Descriptor{};
  EXPECT_EQ(complaint_on(ends.writer, "a"), "cannot write to standard output: Broken pipe");
}

TEST_P(CaptureFileOnReaderTest, that_a_reader_has_gone_is_found_out_while_nothing_is_written) {
  Ends ends = GetParam()();
  const auto said = [&ends] {
    const StandardOutput output{ends.writer};
    return complaint([] { CaptureFile{{.name = "-"}}.expect_reader(); });
  };
  EXPECT_EQ(said(), "");
  ends.reader = Descriptor{};
  EXPECT_EQ(said(), "cannot write to standard output: Broken pipe");
}

TEST_F(CaptureFileTest, a_file_needs_no_reader) {
  CaptureFile file{{.name = name_}};
  EXPECT_EQ(complaint([&] { file.expect_reader(); }), "");
}

TEST_P(CaptureFileOnReaderTest, a_descriptor_that_does_not_block_will_do) {
  Ends ends = GetParam()();
  ASSERT_EQ(::fcntl(ends.writer.number(), F_SETFL, O_NONBLOCK), 0);
  expect_all_octets_to_arrive(ends);
}

TEST_F(CaptureFileTest, standard_output_is_never_rotated) {
  const Ends ends = make_pipe();
  const StandardOutput output{ends.writer};
  CaptureFile file{{.name = "-", .max_size = 1}};
  put(file, "ab");
  const bool is_full = file.is_full(100);
  file.rotate();
  put(file, "c");
  EXPECT_FALSE(is_full);
  std::array<char, 8> received{};
  EXPECT_EQ(::read(ends.reader.number(), received.data(), received.size()), 3);
}

TEST_F(CaptureFileTest, standard_output_that_is_a_file_ends_with_the_last_whole_call) {
  for (const int append : {0, O_APPEND}) {
    fill(name_, "before");
    const Descriptor file{::open(name_.c_str(), O_WRONLY | O_CLOEXEC | append)};
    ASSERT_EQ(::lseek(file.number(), 0, append != 0 ? SEEK_SET : SEEK_END), append != 0 ? 0 : 6);
    std::string said;
    {
      const StandardOutput output{file};
      CaptureFile capture{{.name = "-"}};
      put(capture, "1234");
      const SizeLimit limit{12};
      said = complaint([&] { put(capture, "567"); });
    }
    EXPECT_EQ(said, "cannot write to standard output: File too large");
    EXPECT_EQ(content(name_), "before1234");
  }
}

TEST_F(CaptureFileTest, a_failed_write_cuts_nothing_of_others_behind_it) {
  fill(name_, "0123456789abcdef");
  const Descriptor file{::open(name_.c_str(), O_WRONLY | O_CLOEXEC)};
  const SizeLimit limit{4};
  EXPECT_EQ(complaint_on(file, "XXXXXX"), "cannot write to standard output: File too large");
  EXPECT_EQ(content(name_), "XXXX456789abcdef");
}

TEST_F(CaptureFileTest, a_full_device_is_told) {
  const Descriptor full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  if (!full.is_open()) {
    GTEST_SKIP() << "needs /dev/full";
  }
  EXPECT_EQ(complaint_on(full, "a"), "cannot write to standard output: No space left on device");
}

TEST_F(CaptureFileTest, standard_output_that_nobody_could_use_is_refused) {
  const Descriptor null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  EXPECT_EQ(complaint_on(null, "a"), "standard output is open for reading alone; expected a pipe or a file");
  EXPECT_EQ(complaint_on(Descriptor{}, "a"), "cannot write to standard output: Bad file descriptor");

  const Descriptor terminal{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!terminal.is_open() || ::grantpt(terminal.number()) != 0 || ::unlockpt(terminal.number()) != 0) {
    GTEST_SKIP() << "needs a pseudo terminal";
  }
  const Descriptor side{::open(::ptsname(terminal.number()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
  EXPECT_EQ(complaint_on(side, "a"), "standard output is a terminal; expected a pipe or a file");
}

}  // namespace
}  // namespace relay::io
