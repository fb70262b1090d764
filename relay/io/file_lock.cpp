#include "relay/io/file_lock.h"

#include <fcntl.h>

namespace relay::io {

namespace {

[[nodiscard]] struct flock whole_file() noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

bool is_locked(int file) noexcept {
  struct flock lock = whole_file();
  return ::fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void lock(int file) noexcept {
  const struct flock whole = whole_file();
  ::fcntl(file, F_OFD_SETLK, &whole);
}

}  // namespace relay::io
