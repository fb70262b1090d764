#include "relay/core/servers.h"

#include <algorithm>
#include <utility>

namespace relay {

void ResponseHistogram::add(std::chrono::nanoseconds time) noexcept {
  const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), time);
  counts_[static_cast<std::size_t>(bound - bounds.begin())].add();
  sum_.add(static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(time.count(), 0)));
}

void Servers::set(const std::vector<Ipv4Address>& addresses, bool may_be_others) {
  std::vector<Server> kept;
  FlatMap<Ipv4Address, std::size_t> places;
  for (const Ipv4Address address : addresses) {
    Server* const before = find(address);
    places[address] = kept.size();
    kept.push_back(before != nullptr ? std::move(*before) : Server{address});
  }
  servers_ = std::move(kept);
  places_ = std::move(places);
  may_be_others_ = may_be_others;
}

Servers::Server* Servers::find(Ipv4Address server) noexcept {
  const std::size_t* const place = places_.find(server);
  return place == nullptr ? nullptr : &servers_[*place];
}

void Servers::sent(Ipv4Address server, MessageKind kind, bool was_possible, std::chrono::nanoseconds now) noexcept {
  Server* const found = find(server);
  if (found == nullptr) {
    return;
  }
  (was_possible ? found->counters->requests : found->counters->requests_failed).add();
  if (expects_answer(kind)) {
    found->liveness.asked(now);
    has_news_ = true;
  }
}

void Servers::answered(Ipv4Address server, std::optional<std::chrono::nanoseconds> time,
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

Servers::LastAnswers Servers::last_answers() const noexcept {
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

std::optional<ServerEvent> Servers::judged(Server& server, const LastAnswers& last,
                                           std::chrono::nanoseconds now) noexcept {
  const Liveness& liveness = server.liveness;
  const bool was_answering = server.counters->is_not_answering.value() == 0;
  const bool has_answered = liveness.last_answer().has_value();
  const auto seconds_since = [now](std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - time);
  };
  if (!was_answering) {
    if (!has_answered || *liveness.last_answer() < server.silent_since) {
      return std::nullopt;
    }
    server.counters->is_not_answering.set(0);
    return ServerEvent{server.address, true, true, false, liveness.unanswered(), seconds_since(server.silent_since)};
  }
  const auto place = static_cast<std::size_t>(&server - servers_.data());
  const bool others_answer = liveness.others_answer(place == last.whose ? last.latest_but_one : last.latest);
  if ((may_be_others_ && !has_answered) || !liveness.is_silent(others_answer, now)) {
    return std::nullopt;
  }
  server.counters->is_not_answering.set(1);
  server.silent_since = now;
  return ServerEvent{
      server.address, false, has_answered, others_answer, liveness.unanswered(), seconds_since(liveness.since())};
}

}  // namespace relay
