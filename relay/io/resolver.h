// A process beside the relay, which reads files and resolves names for it after it has given both up. It has the
// relay's account, no capability and a list of system calls of its own, and ends with the relay.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "relay/io/descriptor.h"
#include "relay/io/privileges.h"
#include "relay/io/resolve.h"

namespace relay::io {

class Resolver {
 public:
  static constexpr std::size_t most_name_octets = 4096;
  static constexpr std::size_t most_file_octets = (std::size_t{1} << 20U) + 1;  ///< what is behind is not read
  static constexpr std::size_t most_addresses = 1024;  ///< of one name and family; further ones are left out

  /// Forks, and waits until the new process is ready. Call it before any thread is started and any socket is opened.
  /// Throws std::runtime_error with one sentence.
  explicit Resolver(const std::optional<Account>& account);

  /// The text of a file, by the account's rights. Throws std::system_error. From one thread at a time, as `look_up`.
  [[nodiscard]] std::string read_file(const std::string& name) const;

  /// As `io::look_up`; throws std::runtime_error where the process has ended.
  [[nodiscard]] Found look_up(const std::string& name, Families families) const;

 private:
  Descriptor socket_;
};

}  // namespace relay::io
