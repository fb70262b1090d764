#include "relay/io/link_monitor.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace relay::io {

namespace {

/// The kernel answers dumps with up to 32 KiB at a time; a report of one link has a few KiB.
constexpr std::size_t read_size = 65536;
/// Some 2,000 reports: what the kernel holds while the relay is busy with messages.
constexpr int event_buffer_size = 4 << 20;
/// More reports than the buffer holds: reading ends even where a broken system reports for ever.
constexpr int max_reads = 16384;
constexpr int max_dumps = 5;
constexpr timeval answer_timeout{5, 0};

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

[[noreturn]] void fail(int error, const char* sentence) {
  throw std::system_error(error == 0 ? EIO : error, std::generic_category(), sentence);
}

Socket open_socket() {
  errno = 0;
  Socket socket{nl_socket_alloc()};
  if (!socket) {
    fail(ENOMEM, "Cannot open a rtnetlink socket, without which no interface is known");
  }
  if (nl_connect(socket.get(), NETLINK_ROUTE) < 0) {
    fail(errno, "Cannot open a rtnetlink socket, without which no interface is known");
  }
  return socket;
}

Socket open_event_socket() {
  Socket socket = open_socket();
  const int descriptor = nl_socket_get_fd(socket.get());
  // Beyond net.core.rmem_max where we may, else as near as we get: a smaller buffer means more synchronising only.
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &event_buffer_size, sizeof event_buffer_size) != 0) {
    static_cast<void>(nl_socket_set_buffer_size(socket.get(), event_buffer_size, 0));
  }
  if (nl_socket_set_nonblocking(socket.get()) < 0 ||
      nl_socket_add_memberships(socket.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, 0) < 0) {
    fail(errno, "Cannot subscribe to changes of links and addresses with rtnetlink");
  }
  return socket;
}

Socket open_request_socket() {
  Socket socket = open_socket();
  const int descriptor = nl_socket_get_fd(socket.get());
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof answer_timeout) != 0) {
    fail(errno, "Cannot limit the time to wait for an answer of rtnetlink");
  }
  return socket;
}

/// A request whose fixed part is `header`; attributes are appended by the caller.
template <typename Header>
Message request_message(int type, int flags, Header header) {
  Message message{nlmsg_alloc_simple(type, flags)};
  if (!message || nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
    fail(ENOMEM, "Cannot make a rtnetlink request");
  }
  return message;
}

template <typename Header, std::size_t max_type>
bool parse(nlmsghdr* message, Attributes<max_type>& attributes) {
  return nlmsg_parse(message, sizeof(Header), attributes.data(), static_cast<int>(max_type), nullptr) >= 0;
}

template <typename Header>
Header header_of(const nlmsghdr* message) {
  return *static_cast<const Header*>(nlmsg_data(message));
}

/// The octets of an attribute as they are, if there are as many as `Octets` has.
template <typename Octets>
std::optional<Octets> octets_of(const nlattr* attribute) {
  Octets octets{};
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(octets.size())) {
    return std::nullopt;
  }
  const auto* const first = static_cast<const std::uint8_t*>(nla_data(attribute));
  std::copy_n(first, octets.size(), octets.begin());
  return octets;
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

/// The same of 16 bits and of 8.
std::optional<std::uint16_t> short_number_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(std::uint16_t))) {
    return std::nullopt;
  }
  return nla_get_u16(attribute);
}
bool is_set(const nlattr* attribute) {
  return attribute != nullptr && nla_len(attribute) >= 1 && nla_get_u8(attribute) != 0;
}

/// A report about a link itself. Reports of other families are a bridge's about its ports (there, RTM_DELLINK means
/// that the port left the bridge); those with wireless events lack most of what describes a link.
bool is_about_link(nlmsghdr* message) {
  return nlmsg_valid_hdr(message, sizeof(ifinfomsg)) != 0 && header_of<ifinfomsg>(message).ifi_family == AF_UNSPEC &&
         nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_WIRELESS) == nullptr;
}

template <std::size_t max_type>
bool parse_nested(nlattr* attribute, Attributes<max_type>& attributes) {
  return attribute != nullptr &&
         nla_parse_nested(attributes.data(), static_cast<int>(max_type), attribute, nullptr) >= 0;
}

/// What a link is by its kind: a VLAN device, a bridge or something else.
void read_kind(Attributes<IFLA_MAX>& attributes, LinkState& link) {
  Attributes<IFLA_INFO_MAX> info{};
  if (!parse_nested<IFLA_INFO_MAX>(attributes[IFLA_LINKINFO], info)) {
    return;
  }
  const std::string kind = text_of(info[IFLA_INFO_KIND]);
  if (kind == "vlan") {
    Attributes<IFLA_VLAN_MAX> data{};
    if (parse_nested<IFLA_VLAN_MAX>(info[IFLA_INFO_DATA], data)) {
      link.vlan_id = short_number_of(data[IFLA_VLAN_ID]);
    }
    // With IFLA_LINK_NETNSID the index is one of another network namespace.
    if (attributes[IFLA_LINK_NETNSID] == nullptr) {
      link.parent_index = number_of(attributes[IFLA_LINK]).value_or(0);
    }
  } else if (kind == "bridge") {
    link.is_bridge = true;
    Attributes<IFLA_BR_MAX> data{};
    if (parse_nested<IFLA_BR_MAX>(info[IFLA_INFO_DATA], data)) {
      link.filters_vlans = is_set(data[IFLA_BR_VLAN_FILTERING]);
      link.default_pvid = short_number_of(data[IFLA_BR_VLAN_DEFAULT_PVID]).value_or(0);
    }
  }
}

std::optional<LinkState> read_link(nlmsghdr* message) {
  Attributes<IFLA_MAX> attributes{};
  if (!is_about_link(message) || !parse<ifinfomsg, IFLA_MAX>(message, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<ifinfomsg>(message);
  const std::optional<std::uint32_t> mtu = number_of(attributes[IFLA_MTU]);
  LinkState link;
  link.name = text_of(attributes[IFLA_IFNAME]);
  if (header.ifi_index <= 0 || link.name.empty() || !mtu) {
    return std::nullopt;
  }
  link.index = static_cast<std::uint32_t>(header.ifi_index);
  link.alias = text_of(attributes[IFLA_IFALIAS]);
  link.mtu = *mtu;
  link.is_up = (header.ifi_flags & IFF_UP) != 0;
  link.has_carrier = (header.ifi_flags & IFF_LOWER_UP) != 0;
  link.master_index = number_of(attributes[IFLA_MASTER]).value_or(0);
  read_kind(attributes, link);
  if (header.ifi_type == ARPHRD_ETHER) {
    if (const auto octets = octets_of<decltype(MacAddress::octets)>(attributes[IFLA_ADDRESS])) {
      link.mac = {*octets};
      link.is_ethernet = true;
    }
  }
  return link;
}

struct AddressReport {
  std::uint32_t index;
  LinkAddress address;
};

std::optional<AddressReport> read_address(nlmsghdr* message) {
  using Octets = decltype(Ipv4Address::octets);
  Attributes<IFA_MAX> attributes{};
  if (!parse<ifaddrmsg, IFA_MAX>(message, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<ifaddrmsg>(message);
  const auto remote = octets_of<Octets>(attributes[IFA_ADDRESS]);
  const auto local = octets_of<Octets>(attributes[attributes[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS]);
  if (header.ifa_family != AF_INET || header.ifa_prefixlen > 32 || !local) {
    return std::nullopt;
  }
  AddressReport report{header.ifa_index, {}};
  report.address.prefix = {{*local}, header.ifa_prefixlen};
  if (remote && remote != local) {
    report.address.peer = Ipv4Address{*remote};
  }
  report.address.scope = header.ifa_scope;
  report.address.is_secondary = (header.ifa_flags & IFA_F_SECONDARY) != 0;
  return report;
}

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

Read read_from(const nl_sock& socket, std::vector<std::uint8_t>& buffer) noexcept {
  sockaddr_nl sender{};
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ssize_t size = -1;
  do {
    size = ::recvmsg(nl_socket_get_fd(&socket), &message, 0);
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

/// Calls `visit` for each message in the first `size` octets, as long as it returns true.
template <typename Visit>
void for_each_message(std::vector<std::uint8_t>& buffer, std::size_t size, Visit visit) {
  auto* message = static_cast<nlmsghdr*>(static_cast<void*>(buffer.data()));
  int remaining = static_cast<int>(size);
  while (nlmsg_ok(message, remaining) != 0 && visit(message)) {
    message = nlmsg_next(message, &remaining);
  }
}

/// The errno in NLMSG_ERROR or NLMSG_DONE; 0 for success.
int error_in(nlmsghdr* message) {
  if (nlmsg_datalen(message) < static_cast<int>(sizeof(int))) {
    return 0;
  }
  return -header_of<int>(message);
}

}  // namespace

class LinkMonitor::Impl {
 public:
  explicit Impl(InterfaceView& view)
      : view_(view), events_(open_event_socket()), requests_(open_request_socket()), buffer_(read_size) {}

  [[nodiscard]] int descriptor() const noexcept { return nl_socket_get_fd(events_.get()); }

  void synchronise();
  [[nodiscard]] bool read_changes() noexcept;
  [[nodiscard]] std::optional<std::size_t> route_mtu(Ipv4Address destination);

 private:
  struct Dump {
    std::vector<Link> links;
    bool is_consistent = true;  ///< nothing changed while the kernel wrote it
  };

  template <typename Visit>
  bool request(nl_msg& message, Visit visit);
  [[nodiscard]] Dump dump();
  [[nodiscard]] std::optional<LinkState> link(std::uint32_t index);
  void discard_changes() noexcept;
  void take(nlmsghdr* message);

  InterfaceView& view_;
  Socket events_;
  Socket requests_;
  std::vector<std::uint8_t> buffer_;
  bool is_stale_ = false;  // changes were lost and not made up for
};

/// Sends `message` and calls `visit` for each answer. Returns false if something changed while the kernel wrote them
/// (NLM_F_DUMP_INTR). Throws std::system_error.
template <typename Visit>
bool LinkMonitor::Impl::request(nl_msg& message, Visit visit) {
  errno = 0;
  if (nl_send_auto(requests_.get(), &message) < 0) {
    fail(errno, "Cannot send a rtnetlink request");
  }
  const std::uint32_t sequence = nlmsg_hdr(&message)->nlmsg_seq;
  bool is_consistent = true;
  bool is_done = false;
  int error = 0;
  while (!is_done) {
    const Read read = read_from(*requests_, buffer_);
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

LinkMonitor::Impl::Dump LinkMonitor::Impl::dump() {
  Dump dump;
  std::unordered_map<std::uint32_t, std::size_t> position;
  const Message links = request_message(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  if (nla_put_u32(links.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0) {
    fail(ENOMEM, "Cannot ask for links");
  }
  const bool links_are_consistent = request(*links, [&](nlmsghdr* answer) {
    if (auto state = read_link(answer); state && position.try_emplace(state->index, dump.links.size()).second) {
      dump.links.push_back({std::move(*state), {}});
    }
  });

  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  const Message addresses = request_message(RTM_GETADDR, NLM_F_DUMP, header);
  const bool addresses_are_consistent = request(*addresses, [&](nlmsghdr* answer) {
    const auto report = read_address(answer);
    if (!report) {
      return;
    }
    const auto found = position.find(report->index);
    if (found != position.end()) {
      dump.links[found->second].addresses.push_back(report->address);
    }
  });
  dump.is_consistent = links_are_consistent && addresses_are_consistent;
  return dump;
}

void LinkMonitor::Impl::synchronise() {
  // After an overrun the kernel reports again only once everything has been read. What is discarded here is in the
  // dump; what changes from here on is reported.
  is_stale_ = true;
  discard_changes();
  Dump result = dump();
  for (int count = 1; !result.is_consistent && count < max_dumps; ++count) {
    result = dump();
  }
  is_stale_ = !result.is_consistent;
  view_.synchronise(std::move(result.links));
}

void LinkMonitor::Impl::discard_changes() noexcept {
  for (int count = 0; count < max_reads; ++count) {
    if (read_from(*events_, buffer_).outcome == ReadOutcome::nothing) {
      return;
    }
  }
}

bool LinkMonitor::Impl::read_changes() noexcept {
  for (int count = 0; count < max_reads && !is_stale_; ++count) {
    const Read read = read_from(*events_, buffer_);
    switch (read.outcome) {
      case ReadOutcome::messages:
        for_each_message(buffer_, read.size, [this](nlmsghdr* message) {
          take(message);
          return true;
        });
        break;
      case ReadOutcome::nothing:
        return true;
      case ReadOutcome::lost:
        is_stale_ = true;
        break;
    }
  }
  if (!is_stale_) {
    return true;
  }
  try {
    synchronise();
  } catch (const std::system_error&) {
    is_stale_ = true;
  }
  return !is_stale_;
}

void LinkMonitor::Impl::take(nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
      if (const auto state = read_link(message)) {
        view_.link_changed(*state);
      }
      break;
    case RTM_DELLINK:
      if (is_about_link(message)) {
        view_.link_removed(static_cast<std::uint32_t>(header_of<ifinfomsg>(message).ifi_index));
      }
      break;
    case RTM_NEWADDR:
      if (const auto report = read_address(message)) {
        view_.address_added(report->index, report->address);
      }
      break;
    case RTM_DELADDR:
      if (const auto report = read_address(message)) {
        view_.address_removed(report->index, report->address);
      }
      break;
    default:
      break;
  }
}

std::optional<LinkState> LinkMonitor::Impl::link(std::uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  const Message message = request_message(RTM_GETLINK, 0, header);
  std::optional<LinkState> state;
  static_cast<void>(request(*message, [&state](nlmsghdr* answer) { state = read_link(answer); }));
  return state;
}

std::optional<std::size_t> LinkMonitor::Impl::route_mtu(Ipv4Address destination) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint32_t> egress;
  try {
    const Message message = request_message(RTM_GETROUTE, 0, header);
    const auto& octets = destination.octets;
    if (nla_put(message.get(), RTA_DST, static_cast<int>(octets.size()), octets.data()) < 0) {
      return std::nullopt;
    }
    static_cast<void>(request(*message, [&](nlmsghdr* answer) {
      Attributes<RTA_MAX> attributes{};
      Attributes<RTAX_MAX> metrics{};
      if (answer->nlmsg_type != RTM_NEWROUTE || !parse<rtmsg, RTA_MAX>(answer, attributes)) {
        return;
      }
      egress = number_of(attributes[RTA_OIF]);
      if (attributes[RTA_METRICS] != nullptr &&
          nla_parse_nested(metrics.data(), RTAX_MAX, attributes[RTA_METRICS], nullptr) >= 0) {
        mtu = number_of(metrics[RTAX_MTU]);
      }
    }));
    if (!mtu && egress) {
      if (const auto state = link(*egress)) {
        mtu = state->mtu;
      }
    }
  } catch (const std::system_error&) {
    return std::nullopt;
  }
  return mtu;
}

LinkMonitor::LinkMonitor(InterfaceView& view) : impl_(std::make_unique<Impl>(view)) {}
LinkMonitor::~LinkMonitor() = default;

void LinkMonitor::synchronise() {
  impl_->synchronise();
}

int LinkMonitor::descriptor() const noexcept {
  return impl_->descriptor();
}

bool LinkMonitor::has_changes() const noexcept {
  pollfd waiting{descriptor(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

bool LinkMonitor::read_changes() noexcept {
  return impl_->read_changes();
}

std::optional<std::size_t> LinkMonitor::route_mtu(Ipv4Address destination) {
  return impl_->route_mtu(destination);
}

}  // namespace relay::io
