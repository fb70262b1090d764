// A file of any octets as a capture that is replayed, with given interfaces or none: each message is told once, with a
// verdict or the reason that it has none, and copies are sent of those alone that are not dropped. Input: an octet that
// says which interfaces there are, then the file.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "relay/capture/capture_reader.h"
#include "relay/io/replay.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using relay::capture::Packet;
using relay::capture::ReplayedMessage;
using relay::capture::SentFrame;
using relay::capture::VerdictKind;
using relay::io::Replay;

constexpr relay::Ipv4Address server{{10, 9, 0, 2}};
constexpr relay::Ipv6Address server6{{0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
constexpr relay::Ipv6Address upstream6{{0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr relay::Ipv6Address downstream6{{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr std::size_t max_packets = 1000;

relay::InterfaceSettings settings() {
  relay::InterfaceSettings settings;
  settings.roles = {{"*", {.downstream = true}}, {"u*", {.upstream = true}}};
  settings.servers = {{"*", {server}}};
  settings.v6.servers = {{"*", {{server6}}}};
  settings.rate_limits = {{"*", {5, 5}}};
  return settings;
}

std::vector<Replay::GivenInterface> given_interfaces(unsigned choice) {
  std::vector<Replay::GivenInterface> given{{"u1", {{{{10, 9, 0, 1}}, 24}}, {}, {{upstream6, 64}}},
                                            {"d1", {{{{10, 1, 0, 1}}, 24}}, {}, {{downstream6, 64}}}};
  given.resize(choice % 3);
  return given;
}

struct NoRole {};

/// What was told, and whether it fits together.
struct Told {
  std::size_t messages = 0;
  std::size_t unfinished = 0;
  std::size_t fragments = 0;
  bool is_sent = false;  // the last message

  void message(const ReplayedMessage& message) {
    ++messages;
    require(message.not_run.has_value() != (message.verdict != nullptr),
            "a message has a verdict or a reason for none");
    require(message.octets.size() <= 65'535, "a message is no larger than a datagram");
    is_sent = message.verdict != nullptr && message.verdict->kind != VerdictKind::dropped;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  std::span<const std::uint8_t> rest{data + 1, size - 1};
  relay::capture::CaptureReader reader{[&rest](std::span<std::uint8_t> octets) {
    const std::size_t count = std::min(octets.size(), rest.size());
    std::ranges::copy(rest.first(count), octets.begin());
    rest = rest.subspan(count);
    return count;
  }};
  Told told;
  Replay* replay = nullptr;
  Replay::Listener listener;
  listener.beginning = [&replay] {
    if (!replay->has_role()) {
      throw NoRole{};
    }
  };
  listener.message = [&told](const Packet&, const ReplayedMessage& message) { told.message(message); };
  listener.sent = [&told](const Packet&, const ReplayedMessage&, const SentFrame& sent) {
    require(told.is_sent && sent.octets.size() > 42, "copies are of messages that are not dropped");
  };
  listener.fragment = [&told](const Packet&) { ++told.fragments; };
  listener.unfinished = [&told](const ReplayedMessage&) { ++told.unfinished; };
  relay::Policy policy;
  policy.upstream_named = (data[0] & 4U) != 0;
  relay::Policy6 policy6;
  policy6.upstream_named = policy.upstream_named;
  Replay running{
      {.policy = policy, .policy6 = policy6}, settings(), given_interfaces(data[0] & 3U), std::move(listener)};
  replay = &running;
  std::size_t packets = 0;
  try {
    while (const auto packet = reader.next()) {
      running.follow(reader.interfaces());
      if (++packets > max_packets) {
        break;
      }
      const Octets copy{packet->octets.begin(), packet->octets.end()};  // the address sanitizer watches its end
      Packet watched = *packet;
      watched.octets = copy;
      running.run(watched, packets);
    }
    running.finish();
  } catch (const NoRole&) {
    require(told.messages == 0 && told.unfinished == 0, "nothing is told without a role");
  }
  require(told.messages + told.fragments <= packets, "each packet is told at most once");
  require(told.unfinished <= told.fragments, "what is not finished has begun");
  return 0;
}
