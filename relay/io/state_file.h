// A small file that outlives the process: read once, then replaced as a whole, so that what stands under its name is
// always one state or the next.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "relay/io/descriptor.h"

namespace relay::io {

class StateFile {
 public:
  /// User and group that the process becomes later.
  using Owner = std::optional<std::pair<uid_t, gid_t>>;

  /// Goes to the directory of `name`, and makes it, for `owner`, where it alone is missing. Opens no file. Throws
  /// std::runtime_error with one sentence that names it.
  StateFile(std::string name, const Owner& owner);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// By the constructor; empty where it was there.
  [[nodiscard]] const std::string& made_directory() const noexcept { return made_directory_; }

  /// Keeps other processes from claiming it, for as long as this object lives. Throws as the constructor where another
  /// one has.
  void claim();

  /// What is in it, `most` octets of a regular file at most; nothing where there is no such file. Throws as the
  /// constructor where it cannot be read, or is too large.
  [[nodiscard]] std::optional<std::string> read(std::size_t most) const;

  /// Has it under its name with `.damaged` behind, where the next `write` leaves it.
  void put_aside() const noexcept;

  /// Whether the account that the process has now can write it: make and rename files in its directory.
  [[nodiscard]] bool is_writable() const noexcept;

  /// Replaces it: another file is written, claimed, and takes its name once it is on the disk. For the account alone.
  /// Throws as the constructor; then the old one is there still.
  void write(std::string_view text);

 private:
  [[nodiscard]] Descriptor written_new(std::string_view text) const;
  [[nodiscard]] Descriptor opened(int access) const noexcept;
  [[nodiscard]] bool is_claimed() const noexcept;

  std::string name_;
  std::string made_directory_;
  std::string file_;      // within the directory
  std::string new_file_;  // before it takes the name
  Descriptor directory_;  // names stay what they were, also when the process goes elsewhere
  Descriptor claimed_;    // what stood under the name last
};

/// The file of delegated prefixes and what was in it.
struct PrefixState {
  std::unique_ptr<StateFile> file;  ///< null: none can be written
  std::string name;                 ///< for messages to people
  std::optional<std::string> text;  ///< none: there was no file
};

}  // namespace relay::io
