// Whether what leaves as one datagram (UDP_SEGMENT) is on the link as single ones.
#pragma once

#include <string>

namespace relay::io {

/// Whether runs of messages that leave by the interface of this name are cut up before anybody else sees them: by the
/// kernel in front of a driver that does not do it, or by a network card. A virtual interface hands a run on as it is,
/// and a server behind it that receives by packet sockets, as Kea and ISC dhcpd do, would take its first message alone.
/// False where that cannot be told. `socket` is any; called now and then, not per message.
[[nodiscard]] bool cuts_up_runs(int socket, const std::string& interface);

}  // namespace relay::io
