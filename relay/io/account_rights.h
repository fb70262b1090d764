// What an account can do on this host, tried in a process of its own that becomes it as the relay does, and that then
// has no capability. Nothing changes here. Call these where there are no threads.
#pragma once

#include <optional>
#include <string>

#include "relay/io/privileges.h"

namespace relay::io {

/// Why this process cannot become the account, in a sentence; empty where it can.
[[nodiscard]] std::string become_fault(const std::optional<Account>& account);

/// Why the account cannot read a file that this process can, in words; else empty. An octet of it is read.
[[nodiscard]] std::string read_fault(const std::optional<Account>& account, const std::string& file);

/// Whether the account can make, rename and remove files in the directory of `file`, which this process goes to, and
/// not the account. True where there is no such directory.
[[nodiscard]] bool may_make_files_beside(const std::optional<Account>& account, const std::string& file);

}  // namespace relay::io
