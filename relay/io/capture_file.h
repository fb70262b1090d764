// Where a capture is written: a file with rotation, or standard output. Whole blocks alone get in, so that what is
// there can be read at any moment.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace relay::io {

class CaptureFile {
 public:
  struct Options {
    std::string name;                      ///< `-`: standard output
    std::uint64_t max_size = 100'000'000;  ///< octets; a file that would become larger is rotated
    std::size_t max_count = 5;             ///< FILE and FILE.1 to FILE.(max_count - 1), the oldest last
    /// User and group that the file is given to, for the process becomes them later.
    std::optional<std::pair<uid_t, gid_t>> owner{};
  };

  /// Opens the file, without following a symbolic link in its last component, and empties it. What exists must be a
  /// regular file that the process's user or `Options::owner` owns, with no further hard link, and that no other
  /// process writes as a capture (flock(2)); nothing else is touched. A new one is for its owner alone (mode 0600).
  /// Standard output must not be a terminal. Throws std::runtime_error with one sentence that names the file. With
  /// `keep_previous`, what exists is rotated away first.
  explicit CaptureFile(const Options& options, bool keep_previous = false);
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  /// Why the constructor would refuse what exists under the name, in words; empty where nothing does or it would not.
  [[nodiscard]] static std::string refusal(const Options& options);

  /// Whether `size` more octets are too many for this file, so that `rotate` is due. Never for an empty file.
  [[nodiscard]] bool is_full(std::size_t size) const noexcept;

  /// The process has become another account. Where that may not make and rename files in the directory, the capture is
  /// bound to the file that is open: `max_size` is that of all files together, and a full one is begun anew.
  void account_changed();
  [[nodiscard]] bool is_bound() const noexcept;

  /// A capture ends, and another begins: the file is closed, and opened again as by the constructor, in the same
  /// directory wherever that is by now, unless it is open. A bound file stays open, and a stream, so that the other
  /// goes on in it.
  void end_capture() noexcept;
  void begin_capture(bool keep_previous);
  /// Whether it does.
  [[nodiscard]] bool goes_on() const noexcept;

  /// Begins a new, empty file under the same name; what was there becomes FILE.1 and so on, up to the first name that
  /// is free. Throws as the constructor, also where one of these names is of something else than a regular file of
  /// ours, or where another file has got under our name: that one is not ours to rename. Where ours was moved away,
  /// the older ones stay as they are. Never due on standard output.
  void rotate();

  /// Writes all octets, whole blocks. Throws std::runtime_error with one sentence (disk full, file removed, reader
  /// gone); a file then ends behind the last block of an earlier call, a pipe anywhere. Where the reader of a pipe is
  /// slow, waits for it until `should_stop` (asked each 100 ms, not before) says so, and then throws. Neither SIGPIPE
  /// nor SIGXFSZ gets out.
  void write(std::span<const std::uint8_t> blocks, const std::function<bool()>& should_stop);

  /// Throws as `write` where standard output is a pipe or socket that nobody reads any more.
  void expect_reader() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
