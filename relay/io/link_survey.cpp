#include "relay/io/link_survey.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <unordered_map>
#include <utility>

#include "relay/io/link_report.h"

namespace relay::io {

using namespace rtnetlink;

namespace {

constexpr int max_attempts = 5;

}  // namespace

LinkSurvey::~LinkSurvey() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

LinkSurvey::Result LinkSurvey::ask() {
  Result result = ask_once();
  for (int count = 1; !result.is_consistent && count < max_attempts; ++count) {
    result = ask_once();
  }
  return result;
}

void LinkSurvey::start(std::function<void()> finished) {
  is_finished_.store(false, std::memory_order_relaxed);
  result_.reset();
  thread_ = std::thread{[this, finished = std::move(finished)] {
    try {
      result_ = ask();
    } catch (const std::exception&) {
      result_.reset();
    }
    is_finished_.store(true, std::memory_order_release);
    finished();
  }};
}

std::optional<LinkSurvey::Result> LinkSurvey::take() {
  thread_.join();
  return std::exchange(result_, std::nullopt);
}

LinkSurvey::Result LinkSurvey::ask_once() {
  Result result;
  std::unordered_map<std::uint32_t, std::size_t> position;
  const Message links = request_message(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  if (nla_put_u32(links.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0) {
    fail(ENOMEM, "Cannot ask for links");
  }
  const bool links_are_consistent = questions_.ask(*links, [&](nlmsghdr* answer) {
    if (auto state = read_link(answer); state && position.try_emplace(state->index, result.links.size()).second) {
      result.links.push_back({std::move(*state), {}});
    }
  });

  const auto link_of = [&](std::uint32_t index) {
    const auto found = position.find(index);
    return found == position.end() ? nullptr : &result.links[found->second];
  };
  const bool addresses_are_consistent = !families_.ipv4 || ask_for_addresses(AF_INET, [&](nlmsghdr* answer) {
    const auto report = read_address(answer);
    if (Link* const link = report ? link_of(report->index) : nullptr) {
      link->addresses.push_back(report->address);
    }
  });
  const bool addresses6_are_consistent = !families_.ipv6 || ask_for_addresses(AF_INET6, [&](nlmsghdr* answer) {
    const auto report = read_address6(answer);
    if (Link* const link = report && report->is_usable ? link_of(report->index) : nullptr) {
      link->addresses6.push_back(report->address);
    }
  });
  result.is_consistent = links_are_consistent && addresses_are_consistent && addresses6_are_consistent;
  return result;
}

/// Whether nothing changed meanwhile.
bool LinkSurvey::ask_for_addresses(int family, const std::function<void(nlmsghdr*)>& take) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(family);
  const Message addresses = request_message(RTM_GETADDR, NLM_F_DUMP, header);
  return questions_.ask(*addresses, take);
}

}  // namespace relay::io
