#include "relay/io/run_routes.h"

#include <algorithm>
#include <utility>

namespace relay::io {

namespace {

constexpr std::chrono::seconds pause_between_looks{1};
// So many questions for a route take well under a millisecond.
constexpr std::size_t effort_per_turn = 64;
constexpr std::size_t effort_of_interface = 8;

template <typename Value>
void remove_duplicates(std::vector<Value>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

void RunRoutes::apply(Family family, std::vector<IpAddress> servers, std::vector<std::string> egresses) {
  remove_duplicates(servers);
  remove_duplicates(egresses);
  Look& look = looks_.at(static_cast<std::size_t>(family));
  look = {};
  look.servers = std::move(servers);
  look.egresses = std::move(egresses);
}

bool RunRoutes::are_cut_up(Family family, Time now) {
  Look& look = looks_.at(static_cast<std::size_t>(family));
  if (!look.is_under_way && now >= look.due) {
    look.is_under_way = true;
    look.next = 0;
  }
  if (look.is_under_way) {
    go_on(look, now);
  }
  return look.found && now < look.expires;
}

/// One that is not cut up is enough.
void RunRoutes::go_on(Look& look, Time now) {
  if (now >= egresses_expire_) {
    egresses_.clear();
    egresses_expire_ = now + pause_between_looks;
  }
  bool found = true;
  const std::size_t count = look.egresses.size() + look.servers.size();
  for (effort_ = 0; found && effort_ < effort_per_turn && look.next < count; ++look.next) {
    found = is_cut_up(look, look.next);
  }
  if (found && look.next < count) {
    return;
  }
  look.is_under_way = false;
  look.found = found;
  look.due = now + pause_between_looks;
  look.expires = look.due + pause_between_looks;
}

bool RunRoutes::is_cut_up(const Look& look, std::size_t number) {
  if (number < look.egresses.size()) {
    return is_cut_up(look.egresses[number]);
  }
  ++effort_;
  return is_cut_up(questions_.egress(look.servers[number - look.egresses.size()]));
}

bool RunRoutes::is_cut_up(const std::string& egress) {
  if (egress.empty()) {
    return false;
  }
  const auto known = egresses_.find(egress);
  if (known != egresses_.end()) {
    return known->second;
  }
  effort_ += effort_of_interface;
  return egresses_[egress] = questions_.cuts_up(egress);
}

}  // namespace relay::io
