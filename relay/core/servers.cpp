#include "relay/core/servers.h"

#include <algorithm>
#include <utility>

namespace relay {

void ResponseHistogram::add(std::chrono::nanoseconds time) noexcept {
  const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), time);
  counts_[static_cast<std::size_t>(bound - bounds.begin())].add();
  sum_.add(static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(time.count(), 0)));
}

template <typename Address>
void ServersOf<Address>::set(const std::vector<Address>& addresses, bool may_be_others,
                             const std::vector<std::string>& zones) {
  std::vector<Server> kept;
  FlatMap<Address, std::size_t> places;
  for (const Address& address : addresses) {
    Server* const before = find(address);
    const std::size_t place = kept.size();
    places[address] = place;
    kept.push_back(before != nullptr ? std::move(*before) : Server{address});
    kept.back().zone = zones.empty() ? std::string{} : zones[place];
  }
  servers_ = std::move(kept);
  places_ = std::move(places);
  may_be_others_ = may_be_others;
}

template <typename Address>
typename ServersOf<Address>::Server* ServersOf<Address>::find(const Address& server) noexcept {
  const std::size_t* const place = places_.find(server);
  return place == nullptr ? nullptr : &servers_[*place];
}

template <typename Address>
void ServersOf<Address>::sent(const Address& server, bool is_question, bool was_possible,
                              std::chrono::nanoseconds now) noexcept {
  Server* const found = find(server);
  if (found == nullptr) {
    return;
  }
  (was_possible ? found->counters->requests : found->counters->requests_failed).add();
  if (is_question) {
    found->liveness.asked(now);
    has_news_ = true;
  }
}

template <typename Address>
void ServersOf<Address>::answered(const Address& server, std::optional<std::chrono::nanoseconds> time,
                                  std::chrono::nanoseconds now) noexcept {
  Server* const found = find(server);
  if (found == nullptr) {
    return;
  }
  found->counters->replies.add();
  found->counters->last_reply.set(static_cast<std::uint64_t>(now.count()));
  if (time) {
    found->counters->response_times.add(*time);
  }
  found->liveness.answered(now);
  has_news_ = true;
}

template <typename Address>
typename ServersOf<Address>::LastAnswers ServersOf<Address>::last_answers() const noexcept {
  LastAnswers result;
  for (std::size_t place = 0; place < servers_.size(); ++place) {
    const auto last = servers_[place].liveness.last_answer();
    if (last > result.latest) {
      result = {last, result.latest, place};
    } else {
      result.latest_but_one = std::max(result.latest_but_one, last);
    }
  }
  return result;
}

template <typename Address>
std::optional<ServerEvent> ServersOf<Address>::judged(Server& server, const LastAnswers& last,
                                                      std::chrono::nanoseconds now) noexcept {
  const Liveness& liveness = server.liveness;
  const bool was_answering = server.counters->is_not_answering.value() == 0;
  const bool has_answered = liveness.last_answer().has_value();
  const auto seconds_since = [now](std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - time);
  };
  if (!was_answering) {
    if (!has_answered || *liveness.last_answer() < server.judged_silent) {
      return std::nullopt;
    }
    server.counters->is_not_answering.set(0);
    return ServerEvent{
        server.address, server.zone, true, true, false, liveness.unanswered(), seconds_since(server.silent_since)};
  }
  const auto place = static_cast<std::size_t>(&server - servers_.data());
  const bool others_answer = liveness.others_answer(place == last.whose ? last.latest_but_one : last.latest);
  const bool need_not_answer = may_be_others_ || server.address.is_multicast();
  if ((need_not_answer && !has_answered) || !liveness.is_silent(others_answer, now)) {
    return std::nullopt;
  }
  server.counters->is_not_answering.set(1);
  server.judged_silent = now;
  server.silent_since = liveness.since();
  return ServerEvent{server.address,
                     server.zone,
                     false,
                     has_answered,
                     others_answer,
                     liveness.unanswered(),
                     seconds_since(liveness.since())};
}

template class ServersOf<Ipv4Address>;
template class ServersOf<Ipv6Address>;

}  // namespace relay
