#include "relay/io/resolver.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "relay/io/syscall_filter.h"

namespace relay::io {

namespace {

constexpr int child_socket = STDERR_FILENO + 1;

enum class Kind : std::uint32_t { read_file, look_up, look_up_ipv4, look_up_ipv6 };

/// In front of each question, whose `size` octets are a name.
struct Question {
  Kind kind = Kind::read_file;
  std::uint32_t size = 0;
};

/// In front of each answer, whose `size` octets are a file's text, or addresses, the first `ipv4_count` of them IPv4.
struct Answer {
  std::int32_t error = 0;  ///< an errno, or of getaddrinfo(3)
  std::uint32_t size = 0;
  std::uint32_t ipv4_count = 0;
};

// Both ends are of one program: what they say of sizes is checked nonetheless, since either may be somebody else's by
// then.
constexpr std::size_t most_answer_octets = Resolver::most_file_octets;

[[nodiscard]] bool send_all(int socket, const void* octets, std::size_t size) noexcept {
  const auto* rest = static_cast<const std::uint8_t*>(octets);
  while (size > 0) {
    const ssize_t sent = ::send(socket, rest, size, MSG_NOSIGNAL);
    if (sent > 0) {
      rest += sent;
      size -= static_cast<std::size_t>(sent);
    } else if (sent == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

[[nodiscard]] bool receive_all(int socket, void* octets, std::size_t size) noexcept {
  auto* rest = static_cast<std::uint8_t*>(octets);
  while (size > 0) {
    const ssize_t received = ::recv(socket, rest, size, 0);
    if (received > 0) {
      rest += received;
      size -= static_cast<std::size_t>(received);
    } else if (received == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

[[noreturn]] void fail_for_good() {
  throw std::runtime_error("the process that reads files and resolves names has ended; a restart brings it back");
}

// --- in the new process ---------------------------------------------------------------------------------------------

[[nodiscard]] bool answer(std::int32_t error, std::string_view octets, std::size_t ipv4_count = 0) noexcept {
  const Answer head{error, static_cast<std::uint32_t>(octets.size()), static_cast<std::uint32_t>(ipv4_count)};
  return send_all(child_socket, &head, sizeof head) && send_all(child_socket, octets.data(), octets.size());
}

[[nodiscard]] bool answer_with_file(const std::string& name) {
  const Descriptor file{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  std::string text(Resolver::most_file_octets, '\0');
  std::size_t size = 0;
  ssize_t count = file.is_open() ? 1 : -1;
  while (count != 0 && size < text.size()) {
    if (count < 0 && errno != EINTR) {
      return answer(errno, {});
    }
    count = ::read(file.number(), text.data() + size, text.size() - size);
    size += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return answer(0, std::string_view{text}.substr(0, size));
}

template <typename Address>
void append_addresses(std::string& octets, std::vector<Address>& addresses) {
  addresses.resize(std::min(addresses.size(), Resolver::most_addresses));
  for (const Address& address : addresses) {
    octets.append(address.octets.begin(), address.octets.end());
  }
}

[[nodiscard]] bool answer_with_addresses(const std::string& name, Families families) {
  Found found = look_up(name, families);
  std::string octets;
  append_addresses(octets, found.addresses);
  append_addresses(octets, found.addresses6);
  return answer(found.error, octets, found.addresses.size());
}

[[nodiscard]] bool answer_question(Kind kind, const std::string& name) {
  switch (kind) {
    case Kind::read_file:
      return answer_with_file(name);
    case Kind::look_up:
      return answer_with_addresses(name, {.ipv4 = true, .ipv6 = true});
    case Kind::look_up_ipv4:
      return answer_with_addresses(name, {.ipv4 = true});
    case Kind::look_up_ipv6:
      return answer_with_addresses(name, {.ipv6 = true});
  }
  return false;  // no question of the relay's
}

/// Until the relay has ended.
void answer_all() {
  Question question;
  while (receive_all(child_socket, &question, sizeof question) && question.size <= Resolver::most_name_octets) {
    std::string name(question.size, '\0');
    if (!receive_all(child_socket, name.data(), name.size()) || !answer_question(question.kind, name)) {
      return;
    }
  }
}

/// Nothing of the relay's stays open, and signals are for the relay, also those to all processes of a name or a group.
void leave_the_relay(int socket) {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) {
    static_cast<void>(::signal(signal, SIG_IGN));
  }
  const Descriptor null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    (void)::dup2(null.number(), standard);
  }
  (void)::dup2(socket, child_socket);
  ::closefrom(child_socket + 1);
  ::prctl(PR_SET_NAME, "relay-resolver", 0UL, 0UL, 0UL);
}

[[noreturn]] void live_as_resolver(int socket, pid_t relay, const std::optional<Account>& account) noexcept {
  try {
    leave_the_relay(socket);
    drop_privileges(account, Kept::nothing);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);  // also while a name server is waited for
    if (::getppid() != relay) {
      ::_exit(0);
    }
    confine_resolver();
    if (answer(0, {})) {
      answer_all();
    }
  } catch (const std::exception& error) {
    static_cast<void>(answer(EPERM, error.what()));
  }
  ::_exit(0);
}

// --- in the relay ---------------------------------------------------------------------------------------------------

struct Received {
  std::int32_t error = 0;
  std::string octets;
  std::size_t ipv4_count = 0;
};

[[nodiscard]] Received receive_answer(int socket) {
  Answer head;
  if (!receive_all(socket, &head, sizeof head) || head.size > most_answer_octets) {
    fail_for_good();
  }
  Received received{head.error, std::string(head.size, '\0'), head.ipv4_count};
  if (!receive_all(socket, received.octets.data(), received.octets.size())) {
    fail_for_good();
  }
  return received;
}

[[nodiscard]] Received ask(int socket, Kind kind, const std::string& name) {
  if (name.size() > Resolver::most_name_octets) {
    return {ENAMETOOLONG, {}};
  }
  const Question question{kind, static_cast<std::uint32_t>(name.size())};
  if (!send_all(socket, &question, sizeof question) || !send_all(socket, name.data(), name.size())) {
    fail_for_good();
  }
  return receive_answer(socket);
}

/// Moves the address that `rest` begins with to the end of `addresses`. False where there is none.
template <typename Address>
[[nodiscard]] bool take_address(std::string_view& rest, std::vector<Address>& addresses) {
  Address address;
  if (rest.size() < address.octets.size()) {
    return false;
  }
  std::memcpy(address.octets.data(), rest.data(), address.octets.size());
  rest.remove_prefix(address.octets.size());
  addresses.push_back(address);
  return true;
}

}  // namespace

Resolver::Resolver(const std::optional<Account>& account) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a pair of sockets");
  }
  socket_ = Descriptor{ends[0]};
  {
    const Descriptor of_child{ends[1]};
    const pid_t relay = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot fork");
    }
    if (child == 0) {
      live_as_resolver(of_child.number(), relay, account);
    }
  }
  if (const Received ready = receive_answer(socket_.number()); ready.error != 0) {
    throw std::runtime_error(ready.octets);
  }
}

std::string Resolver::read_file(const std::string& name) const {
  Received received = ask(socket_.number(), Kind::read_file, name);
  if (received.error != 0) {
    throw std::system_error(received.error, std::generic_category(), name);
  }
  return std::move(received.octets);
}

Found Resolver::look_up(const std::string& name, Families families) const {
  const Kind kind = !families.ipv6 ? Kind::look_up_ipv4 : !families.ipv4 ? Kind::look_up_ipv6 : Kind::look_up;
  const Received received = ask(socket_.number(), kind, name);
  Found found{received.error};
  std::string_view rest = received.octets;
  while (found.addresses.size() < received.ipv4_count && take_address(rest, found.addresses)) {
  }
  while (take_address(rest, found.addresses6)) {
  }
  return found;
}

}  // namespace relay::io
