#include "relay/io/link_kind.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <iterator>
#include <string_view>

#include "relay/io/descriptor.h"

namespace relay::io {

namespace {

[[nodiscard]] bool ask(unsigned long request, ifreq& question, const std::string& interface) {
  const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  interface.copy(std::begin(question.ifr_name), IFNAMSIZ - 1);
  return socket.is_open() && ::ioctl(socket.number(), request, &question) == 0;
}

}  // namespace

bool is_loopback(const std::string& interface) {
  ifreq question{};
  return ask(SIOCGIFFLAGS, question, interface) && (question.ifr_flags & IFF_LOOPBACK) != 0;
}

check::MasterKind master_kind(const std::string& master) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq question{};
  question.ifr_data = reinterpret_cast<char*>(&info);
  if (!ask(SIOCETHTOOL, question, master)) {
    return check::MasterKind::takes_frames;
  }
  const std::string_view driver{std::begin(info.driver), ::strnlen(std::begin(info.driver), sizeof(info.driver))};
  return driver == "vrf" ? check::MasterKind::vrf : check::MasterKind::takes_frames;
}

}  // namespace relay::io
