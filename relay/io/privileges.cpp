#include "relay/io/privileges.h"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace relay::io {

namespace {

constexpr std::size_t most_account_octets = std::size_t{1} << 20U;  // of an entry of the accounts' database

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

/// Where a call failed with EPERM, for want of `capability`.
void check(int result, const std::string& what, const char* capability, const std::string& remedy = {}) {
  if (result == 0) {
    return;
  }
  const int error = errno;
  fail(error, error == EPERM ? what + ": it takes " + capability + remedy : what);
}

[[nodiscard]] bool has(unsigned capability) {
  return ::capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
}

void clear_bounding_set() {
  ::capng_clear(CAPNG_SELECT_BOUNDS);
  if (::capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
    fail(errno, "cannot empty the bounding set of capabilities");
  }
}

void leave_groups(bool is_needed) {
  if (::getgroups(0, nullptr) != 0 && (is_needed || has(CAP_SETGID))) {
    check(::setgroups(0, nullptr), "cannot leave supplementary groups", "CAP_SETGID");
  }
}

void become(const Account& account) {
  const std::string what = "cannot become " + account.name;
  const std::string remedy = " (or --user root, or a start as another account with ambient capabilities)";
  check(::setresgid(account.group, account.group, account.group), what, "CAP_SETGID", remedy);
  check(::setresuid(account.user, account.user, account.user), what, "CAP_SETUID", remedy);
}

void leave_only(Kept kept) {
  const auto keeps = [kept](Kept what, unsigned capability) {
    return has(kept, what) && ::capng_have_capability(CAPNG_PERMITTED, capability) != 0;
  };
  const bool keeps_packet_sockets = keeps(Kept::packet_sockets, CAP_NET_RAW);
  const bool keeps_routes = keeps(Kept::routes, CAP_NET_ADMIN);
  ::capng_clear(static_cast<capng_select_t>(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT));
  if (keeps_packet_sockets) {
    ::capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_RAW);
  }
  if (keeps_routes) {
    ::capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_ADMIN);
  }
  if (::capng_apply(static_cast<capng_select_t>(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT)) == 0) {
    return;
  }
  // Giving up takes no privilege: EPERM comes from a service manager's filter, which forbids capset(2) as such.
  if (errno != EPERM || ::capng_apply(CAPNG_SELECT_AMBIENT) != 0) {
    fail(errno, "cannot give up capabilities");
  }
}

void set_process_control(int option, unsigned long value, const char* what) {
  if (::prctl(option, value, 0UL, 0UL, 0UL) != 0) {
    fail(errno, what);
  }
}

}  // namespace

std::optional<Account> find_account(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> storage(4096);
  int error = 0;
  while ((error = ::getpwnam_r(name.c_str(), &entry, storage.data(), storage.size(), &found)) == ERANGE &&
         storage.size() < most_account_octets) {
    storage.resize(2 * storage.size());
  }
  if (found != nullptr) {
    return Account{name, entry.pw_uid, entry.pw_gid};
  }
  // Not found, as some systems have it (getpwnam(3)).
  if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) {
    return std::nullopt;
  }
  fail(error, "cannot look up the account " + name);
}

bool is_root() noexcept {
  return ::geteuid() == 0;
}

std::string it_takes(const std::string& capability) {
  return (is_root() ? "it takes " : "it takes root or ") + capability;
}

void drop_privileges(const std::optional<Account>& account, Kept kept) {
  if (::capng_get_caps_process() != 0) {
    fail(errno, "cannot learn which capabilities there are");
  }
  if (has(CAP_SETPCAP)) {
    clear_bounding_set();
  }
  leave_groups(account.has_value());
  if (account) {
    set_process_control(PR_SET_KEEPCAPS, 1, "cannot keep a capability for another account");
    become(*account);
    set_process_control(PR_SET_KEEPCAPS, 0, "cannot lose capabilities with the account");
  }
  leave_only(kept);
  set_process_control(PR_SET_NO_NEW_PRIVS, 1, "cannot rule out new privileges");
}

}  // namespace relay::io
