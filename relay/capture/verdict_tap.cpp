#include "relay/capture/verdict_tap.h"

namespace relay::capture {

void VerdictTap::message(const MessageEvent& event) noexcept {
  if (!is_open()) {
    return;
  }
  if (event.stage == MessageStage::received) {
    received_serial_ = event.serial;
    received_ = fingerprint(event.message);
  } else if (received_serial_ == event.serial) {
    record(event);
  }
}

void VerdictTap::dropped(const MessageEvent& event) noexcept {
  if (!is_open()) {
    return;
  }
  if (received_serial_ != event.serial) {
    received_serial_ = event.serial;
    received_ = fingerprint(event.message);  // which a drop leaves as it was
  }
  record(event);
}

void VerdictTap::send_failed(const SendFailure& failure) noexcept {
  if (!is_open()) {
    return;
  }
  if (Verdict* const verdict = queue_.claim()) {
    clear(*verdict);
    verdict->serial = failure.serial;
    verdict->kind = VerdictKind::send_failed;
    verdict->reason = failure.reason;
    verdict->destination = failure.destination;
    verdict->error = failure.error;
    queue_.publish();
  }
}

void VerdictTap::record(const MessageEvent& event) noexcept {
  if (Verdict* const verdict = queue_.claim()) {
    verdict->received = received_;
    write_verdict(*verdict, event, policy_);
    queue_.publish();
  }
}

}  // namespace relay::capture
