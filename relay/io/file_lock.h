// Which process a file is of: a lock on the whole of it, which goes with the last descriptor of the open file, not with
// the process or its account. Who may read a file may lock it.
#pragma once

namespace relay::io {

/// By another open file than this one.
[[nodiscard]] bool is_locked(int file) noexcept;

/// Where files cannot be locked nothing happens, and nobody is kept out. `file` is open for writing.
void lock(int file) noexcept;

}  // namespace relay::io
