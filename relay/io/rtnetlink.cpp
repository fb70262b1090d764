#include "relay/io/rtnetlink.h"

#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <system_error>

namespace relay::io::rtnetlink {

namespace {

constexpr timeval answer_timeout{5, 0};

Socket open_request_socket(int protocol) {
  Socket socket = open_socket(protocol);
  const int descriptor = nl_socket_get_fd(socket.get());
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof answer_timeout) != 0) {
    fail(errno, "Cannot limit the time to wait for an answer of rtnetlink");
  }
  return socket;
}

/// The errno in NLMSG_ERROR or NLMSG_DONE; 0 for success.
int error_in(nlmsghdr* message) {
  if (nlmsg_datalen(message) < static_cast<int>(sizeof(int))) {
    return 0;
  }
  return -header_of<int>(message);
}

}  // namespace

void fail(int error, const char* sentence) {
  throw std::system_error(error == 0 ? EIO : error, std::generic_category(), sentence);
}

Socket open_socket(int protocol) {
  errno = 0;
  Socket socket{nl_socket_alloc()};
  if (!socket) {
    fail(ENOMEM, "Cannot open a rtnetlink socket, without which no interface is known");
  }
  if (nl_connect(socket.get(), protocol) < 0) {
    fail(errno, "Cannot open a rtnetlink socket, without which no interface is known");
  }
  return socket;
}

std::optional<std::uint32_t> number_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(std::uint32_t))) {
    return std::nullopt;
  }
  return nla_get_u32(attribute);
}

std::string text_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) <= 0) {
    return {};
  }
  const auto* const first = static_cast<const char*>(nla_data(attribute));
  return {first, std::find(first, first + nla_len(attribute), '\0')};
}

std::optional<std::uint16_t> short_number_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(std::uint16_t))) {
    return std::nullopt;
  }
  return nla_get_u16(attribute);
}

bool is_set(const nlattr* attribute) {
  return attribute != nullptr && nla_len(attribute) >= 1 && nla_get_u8(attribute) != 0;
}

Read read_from(int socket, std::vector<std::uint8_t>& buffer) noexcept {
  sockaddr_nl sender{};
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ssize_t size = -1;
  do {
    size = ::recvmsg(socket, &message, 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    return errno == EAGAIN ? Read{ReadOutcome::nothing} : Read{ReadOutcome::lost, 0, errno};
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    return {ReadOutcome::lost, 0, EMSGSIZE};
  }
  const bool is_from_kernel = sender.nl_pid == 0;
  return {ReadOutcome::messages, is_from_kernel ? static_cast<std::size_t>(size) : 0};
}

Questions::Questions(int protocol) : socket_(open_request_socket(protocol)), buffer_(read_size) {}

bool Questions::ask(nl_msg& message, const std::function<void(nlmsghdr*)>& visit) {
  errno = 0;
  if (nl_send_auto(socket_.get(), &message) < 0) {
    fail(errno, "Cannot send a rtnetlink request");
  }
  const std::uint32_t sequence = nlmsg_hdr(&message)->nlmsg_seq;
  bool is_consistent = true;
  bool is_done = false;
  int error = 0;
  while (!is_done) {
    const Read read = read_from(nl_socket_get_fd(socket_.get()), buffer_);
    if (read.outcome == ReadOutcome::nothing) {
      fail(ETIMEDOUT, "rtnetlink does not answer");
    }
    if (read.outcome == ReadOutcome::lost) {
      fail(read.error, "Cannot read an answer of rtnetlink");
    }
    for_each_message(buffer_, read.size, [&](nlmsghdr* answer) {
      if (answer->nlmsg_seq != sequence) {
        return true;
      }
      if ((answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
        is_consistent = false;
      }
      is_done = answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR;
      if (is_done) {
        error = error_in(answer);
      } else {
        visit(answer);
      }
      return !is_done;
    });
  }
  if (error != 0) {
    fail(error, "rtnetlink refuses a request");
  }
  return is_consistent;
}

}  // namespace relay::io::rtnetlink
