// Whether a server answers, as far as its silence can tell. Only told of; nothing is ever withheld from a server.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "relay/core/message_kind.h"
#include "relay/core/message_kind6.h"

namespace relay {

/// Whether a server that serves the client answers such a message at all (RFC 2131 section 4.3). Not all serve BOOTP,
/// or know each other type.
[[nodiscard]] constexpr bool expects_answer(MessageKind request) noexcept {
  return request == MessageKind::discover || request == MessageKind::request || request == MessageKind::inform;
}

/// The same of DHCPv6: what is for all servers, of which each is to answer that has something to say (RFC 8415 section
/// 18.3). What carries a Server Identifier, as a renewal does, is for one of them, and the others are silent; so are
/// those to a Confirm which do not know its link.
[[nodiscard]] constexpr bool expects_answer(MessageKind6 request) noexcept {
  return request == MessageKind6::solicit || request == MessageKind6::rebind ||
         request == MessageKind6::information_request;
}

/// One server's. Times count from any fixed point and do not go back.
class Liveness {
 public:
  /// Of servers that share the clients, each is silent to the others': only so many questions in a row, with time for
  /// an answer, are a sign. Where nobody answers there is nobody to compare with, and a few questions are enough; but
  /// clients without an address to be had ask in vain too, so they get more time.
  static constexpr std::uint64_t enough_while_others_answer = 20;
  static constexpr std::chrono::seconds patience_while_others_answer{10};
  static constexpr std::uint64_t enough_alone = 5;
  static constexpr std::chrono::seconds patience_alone{30};
  /// For an answer to the last of them: a question of long ago says nothing of those that have just been asked.
  static constexpr std::chrono::seconds time_to_answer{5};

  void asked(std::chrono::nanoseconds now) noexcept {
    if (unanswered_++ == 0) {
      since_ = now;
    }
    if (unanswered_ == enough_alone) {
      enough_alone_since_ = now;
    }
    if (unanswered_ == enough_while_others_answer) {
      enough_while_others_answer_since_ = now;
    }
  }
  void answered(std::chrono::nanoseconds now) noexcept {
    unanswered_ = 0;
    last_answer_ = now;
  }

  /// Questions since the last answer, and the time of the first of them.
  [[nodiscard]] std::uint64_t unanswered() const noexcept { return unanswered_; }
  [[nodiscard]] std::chrono::nanoseconds since() const noexcept { return since_; }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> last_answer() const noexcept { return last_answer_; }

  /// `others_answered`: when another server answered last.
  [[nodiscard]] bool others_answer(std::optional<std::chrono::nanoseconds> others_answered) const noexcept {
    return others_answered && *others_answered > since_;
  }
  [[nodiscard]] bool is_silent(bool others_answer, std::chrono::nanoseconds now) const noexcept {
    return others_answer ? unanswered_ >= enough_while_others_answer && now - since_ >= patience_while_others_answer &&
                               now - enough_while_others_answer_since_ >= time_to_answer
                         : unanswered_ >= enough_alone && now - since_ >= patience_alone &&
                               now - enough_alone_since_ >= time_to_answer;
  }
  /// Whether time alone can still make it silent.
  [[nodiscard]] bool is_in_doubt(std::chrono::nanoseconds now) const noexcept {
    return unanswered_ != 0 &&
           (now - since_ <= std::max(patience_alone, patience_while_others_answer) ||
            (unanswered_ >= enough_alone && now - enough_alone_since_ <= time_to_answer) ||
            (unanswered_ >= enough_while_others_answer && now - enough_while_others_answer_since_ <= time_to_answer));
  }

 private:
  std::uint64_t unanswered_ = 0;
  std::chrono::nanoseconds since_{};
  std::chrono::nanoseconds enough_alone_since_{};
  std::chrono::nanoseconds enough_while_others_answer_since_{};
  std::optional<std::chrono::nanoseconds> last_answer_;
};

}  // namespace relay
