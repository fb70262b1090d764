// All links and addresses of this host, asked of the kernel at once: on the caller's thread, or on a thread of its own
// where the caller has messages to serve. With 4,000 links the kernel takes a tenth of a second, and as long as it
// likes where others change links meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "relay/core/families.h"
#include "relay/io/interface_view.h"
#include "relay/io/rtnetlink.h"

namespace relay::io {

class LinkSurvey {
 public:
  struct Result {
    std::vector<Link> links;
    bool is_consistent = false;  ///< nothing changed while the kernel wrote it
  };

  /// Opens the socket, and nothing after that; throws std::system_error. Asks for the addresses of these families.
  explicit LinkSurvey(Families families) : families_(families) {}
  /// Waits for the kernel where a survey is under way.
  ~LinkSurvey();
  LinkSurvey(const LinkSurvey&) = delete;
  LinkSurvey& operator=(const LinkSurvey&) = delete;

  /// Asks and waits, several times if things change meanwhile. Throws std::system_error.
  [[nodiscard]] Result ask();

  /// Asks on another thread, which calls `finished` at the end. Needs that none is under way; throws std::system_error.
  void start(std::function<void()> finished);

  [[nodiscard]] bool is_under_way() const noexcept { return thread_.joinable(); }
  [[nodiscard]] bool is_finished() const noexcept { return is_finished_.load(std::memory_order_acquire); }

  /// Ends the survey, which has finished or is waited for; nothing where the kernel did not answer.
  [[nodiscard]] std::optional<Result> take();

 private:
  [[nodiscard]] Result ask_once();
  [[nodiscard]] bool ask_for_addresses(int family, const std::function<void(nlmsghdr*)>& take);

  Families families_;
  rtnetlink::Questions questions_;
  std::optional<Result> result_;  // the thread's until it has finished
  std::atomic<bool> is_finished_ = false;
  std::thread thread_;
};

}  // namespace relay::io
