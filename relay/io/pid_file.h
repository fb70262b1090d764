// The file with the process's number: what may stand under its name before, and what is taken away at the end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "relay/io/descriptor.h"

namespace relay::io {

/// A file with this process's number, for as long as this object lives, locked so that no other relay takes it. A
/// symbolic link is not followed, and what holds anything but a number is not touched. At the end it is removed, or
/// where the process has become an account that may not do that, emptied; unless it is no longer this process's.
///
/// The name of a character device, such as /dev/null, stands for no file: nothing is written.
class PidFile {
 public:
  /// Why a file is not taken, in words that go on behind its name and a colon.
  struct Fault {
    std::string why;
    pid_t holder = 0;  ///< relay that runs and has it; 0: that is not why
  };

  /// What the constructor would fail with. Touches nothing.
  [[nodiscard]] static std::optional<Fault> fault(const std::string& path);

  /// Throws std::runtime_error naming the file.
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  /// Open for that end; -1 where nothing is written.
  [[nodiscard]] int descriptor() const noexcept { return file_.number(); }

 private:
  [[nodiscard]] bool is_still_ours() const noexcept;

  std::string path_;
  std::string text_;
  Descriptor file_;
};

}  // namespace relay::io
