// How this program speaks with rtnetlink: sockets, messages, attributes and the answers to a question.
#pragma once

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace relay::io::rtnetlink {

struct SocketDeleter {
  void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
};
struct MessageDeleter {
  void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
};
using Socket = std::unique_ptr<nl_sock, SocketDeleter>;
using Message = std::unique_ptr<nl_msg, MessageDeleter>;
template <std::size_t max_type>
using Attributes = std::array<nlattr*, max_type + 1>;

/// Throws std::system_error with one sentence.
[[noreturn]] void fail(int error, const char* sentence);

/// Needs no privilege; throws std::system_error.
[[nodiscard]] Socket open_socket(int protocol = NETLINK_ROUTE);

/// A request whose fixed part is `header`; attributes are appended by the caller.
template <typename Header>
[[nodiscard]] Message request_message(int type, int flags, Header header) {
  Message message{nlmsg_alloc_simple(type, flags)};
  if (!message || nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
    fail(ENOMEM, "Cannot make a rtnetlink request");
  }
  return message;
}

template <typename Header, std::size_t max_type>
[[nodiscard]] bool parse(nlmsghdr* message, Attributes<max_type>& attributes) {
  return nlmsg_parse(message, sizeof(Header), attributes.data(), static_cast<int>(max_type), nullptr) >= 0;
}

template <typename Header>
[[nodiscard]] Header header_of(const nlmsghdr* message) {
  return *static_cast<const Header*>(nlmsg_data(message));
}

template <std::size_t max_type>
[[nodiscard]] bool parse_nested(nlattr* attribute, Attributes<max_type>& attributes) {
  return attribute != nullptr &&
         nla_parse_nested(attributes.data(), static_cast<int>(max_type), attribute, nullptr) >= 0;
}

/// The octets of an attribute as they are, if there are as many as `Octets` has.
template <typename Octets>
[[nodiscard]] std::optional<Octets> octets_of(const nlattr* attribute) {
  Octets octets{};
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(octets.size())) {
    return std::nullopt;
  }
  const auto* const first = static_cast<const std::uint8_t*>(nla_data(attribute));
  std::copy_n(first, octets.size(), octets.begin());
  return octets;
}

[[nodiscard]] std::optional<std::uint32_t> number_of(const nlattr* attribute);
[[nodiscard]] std::optional<std::uint16_t> short_number_of(const nlattr* attribute);
[[nodiscard]] bool is_set(const nlattr* attribute);
[[nodiscard]] std::string text_of(const nlattr* attribute);

enum class ReadOutcome : std::uint8_t {
  messages,
  nothing,  ///< none within the socket's patience
  lost,     ///< the kernel dropped messages, or cut this one off
};

struct Read {
  ReadOutcome outcome;
  std::size_t size = 0;  ///< octets of messages
  int error = 0;         ///< errno where `lost`
};

/// The kernel answers dumps with up to 32 KiB at a time; a report of one link has a few KiB.
inline constexpr std::size_t read_size = 65536;

[[nodiscard]] Read read_from(int socket, std::vector<std::uint8_t>& buffer) noexcept;

/// Calls `visit` for each message in the first `size` octets, as long as it returns true.
template <typename Visit>
void for_each_message(std::vector<std::uint8_t>& buffer, std::size_t size, Visit visit) {
  auto* message = static_cast<nlmsghdr*>(static_cast<void*>(buffer.data()));
  int remaining = static_cast<int>(size);
  while (nlmsg_ok(message, remaining) != 0 && visit(message)) {
    message = nlmsg_next(message, &remaining);
  }
}

/// Asks and waits for the answers; for one thread at a time.
class Questions {
 public:
  /// Opens the socket, and nothing after that; throws std::system_error. Another `protocol` has the same answers.
  explicit Questions(int protocol = NETLINK_ROUTE);

  /// Sends `message` and calls `visit` for each answer. Returns false if something changed while the kernel wrote them
  /// (NLM_F_DUMP_INTR). Throws std::system_error.
  bool ask(nl_msg& message, const std::function<void(nlmsghdr*)>& visit);

 private:
  Socket socket_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace relay::io::rtnetlink
