#include "relay/io/privileges_lacked.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "relay/io/descriptor.h"
#include "relay/io/kernel_settings.h"

namespace relay::io {

namespace {

constexpr std::uint64_t first_unprivileged_port = 1024;  // where the kernel does not tell

[[nodiscard]] bool has_capability(unsigned number) noexcept {
  return ::capng_get_caps_process() == 0 && ::capng_have_capability(CAPNG_EFFECTIVE, number) != 0;
}

[[nodiscard]] std::string reason(int error) {
  return std::error_code{error, std::generic_category()}.message();
}

}  // namespace

bool lacks_net_raw() {
  const Descriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
  return !socket.is_open() && errno == EPERM;
}

bool lacks_bind_service(std::uint16_t port) {
  const std::uint64_t first = kernel_setting("net/ipv4/ip_unprivileged_port_start").value_or(first_unprivileged_port);
  return port < first && !has_capability(CAP_NET_BIND_SERVICE);
}

bool lacks_ipv6() {
  const Descriptor socket{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return !socket.is_open() && errno == EAFNOSUPPORT;
}

std::uint64_t receive_buffer_limit(int wanted) {
  const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket.is_open() || ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) == 0) {
    return 0;
  }
  const auto most = kernel_setting("net/core/rmem_max");
  return most && *most < static_cast<std::uint64_t>(wanted) ? *most : 0;
}

std::string write_fault(const std::string& file) {
  const std::filesystem::path path{file};
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (std::filesystem::is_symlink(status)) {
    return "it is a symbolic link";
  }
  if (std::filesystem::is_directory(status)) {
    return reason(EISDIR);
  }
  const bool exists = std::filesystem::exists(status);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  const bool is_writable = exists ? ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0
                                  : ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  return is_writable ? std::string{} : reason(errno);
}

}  // namespace relay::io
