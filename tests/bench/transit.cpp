// Traffic that a router forwards and that is none of a relay's business: UDP datagrams to an address behind it, as fast
// as one core makes them or at a rate, for a while. Who receives them counts.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "arguments.h"
#include "json_object.h"
#include "program.h"

namespace bench {

namespace {

constexpr std::string_view usage =
    "transit --address ADDRESS [--port N] [--size N] [--rate N] [--duration S] [--count N]";
constexpr std::size_t batch_size = 64;

using Clock = std::chrono::steady_clock;

[[nodiscard]] int connect_to(const std::string& address, std::uint64_t port) {
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &remote.sin_addr) != 1) {
    throw std::runtime_error("--address: not an IPv4 address");
  }
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot send");
  }
  return socket;
}

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, usage, {"address", "port", "size", "rate", "duration", "count"});
  const int socket = connect_to(arguments.text("address", ""), arguments.number("port", 9000));
  std::vector<std::uint8_t> payload(std::min<std::uint64_t>(arguments.number("size", 300), 1472));
  iovec piece{payload.data(), payload.size()};
  std::array<mmsghdr, batch_size> headers{};
  for (mmsghdr& header : headers) {
    header.msg_hdr.msg_iov = &piece;
    header.msg_hdr.msg_iovlen = 1;
  }
  const double rate = arguments.real("rate", 0);
  const std::uint64_t count = arguments.number("count", 100'000'000);
  const Clock::time_point start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const double duration = std::min(arguments.real("duration", 2), 600.0);
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  while (sent + refused < count && elapsed() < duration) {
    if (rate > 0 && static_cast<double>(sent) > elapsed() * rate) {
      std::this_thread::sleep_for(std::chrono::microseconds{200});
      continue;
    }
    const auto wanted = static_cast<unsigned>(std::min<std::uint64_t>(batch_size, count - sent - refused));
    const int taken = ::sendmmsg(socket, headers.data(), wanted, 0);
    taken > 0 ? sent += static_cast<std::uint64_t>(taken) : ++refused;
  }
  JsonObject said;
  said.add("seconds", elapsed());
  said.add("sent", sent);
  said.add("refused", refused);
  said.print();
  return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  return bench::run_program("transit", bench::run, argc, argv);
}
