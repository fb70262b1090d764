// Whether runs of messages may leave: no server of the family is behind an interface that would hand on what leaves as
// one (segmentation.h). Knows what was asked, and asks no more than need be; the questions are its owner's.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/families.h"

namespace relay::io {

/// Asked in the midst of messages, so each call costs no more than a number of questions, however many servers there
/// are.
class RunRoutes {
 public:
  struct Questions {
    /// Name of the interface by which messages to the address leave; empty where that is not known.
    std::function<std::string(const IpAddress&)> egress;
    /// Whether runs are cut up that leave by the interface of this name. Slow: the kernel takes a lock for it that
    /// whoever changes links holds.
    std::function<bool(const std::string&)> cuts_up;
  };
  using Time = std::chrono::steady_clock::time_point;

  explicit RunRoutes(Questions questions) : questions_(std::move(questions)) {}

  /// The servers of a family from now on: those behind where routes lead to them, and the names of interfaces that
  /// others were given with. Each may be there several times.
  void apply(Family family, std::vector<IpAddress> servers, std::vector<std::string> egresses = {});

  /// By what was found in a look at all servers, of which the next one begins a second later: routes may change without
  /// a word to us. A look at many goes on in further calls, during which the one before it counts, unless they come
  /// too late for that. False where there was none.
  [[nodiscard]] bool are_cut_up(Family family, Time now);

 private:
  struct Look {
    std::vector<IpAddress> servers;
    std::vector<std::string> egresses;
    bool is_under_way = false;
    std::size_t next = 0;  // of the egresses, then the servers
    bool found = false;    // by the last one
    Time due{};            // of the next one
    Time expires{};        // what was found
  };

  [[nodiscard]] bool is_cut_up(const Look& look, std::size_t number);
  [[nodiscard]] bool is_cut_up(const std::string& egress);
  void go_on(Look& look, Time now);

  Questions questions_;
  std::array<Look, 2> looks_;                       // of the families
  std::unordered_map<std::string, bool> egresses_;  // both families'
  Time egresses_expire_{};
  std::size_t effort_ = 0;  // of this call
};

}  // namespace relay::io
