#include "relay/capture/verdict_tap.h"

namespace relay::capture {

template <typename Protocol>
void VerdictTapOf<Protocol>::message(const MessageEventOf<Protocol>& event) noexcept {
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

template <typename Protocol>
void VerdictTapOf<Protocol>::dropped(const MessageEventOf<Protocol>& event) noexcept {
  if (!is_open()) {
    return;
  }
  if (received_serial_ != event.serial) {
    received_serial_ = event.serial;
    received_ = fingerprint(event.message);  // which a drop leaves as it was
  }
  record(event);
}

template <typename Protocol>
void VerdictTapOf<Protocol>::send_failed(const SendFailureOf<Protocol>& failure) noexcept {
  if (!is_open()) {
    return;
  }
  if (Verdict* const verdict = queue_.claim()) {
    clear(*verdict, Protocol::family);
    verdict->serial = failure.serial;
    verdict->kind = VerdictKind::send_failed;
    verdict->reason = failure.reason;
    verdict->destination = failure.destination;
    verdict->error = failure.error;
    queue_.publish();
  }
}

template <typename Protocol>
void VerdictTapOf<Protocol>::record(const MessageEventOf<Protocol>& event) noexcept {
  if (Verdict* const verdict = queue_.claim()) {
    verdict->received = received_;
    write_verdict(*verdict, event, policy_);
    queue_.publish();
  }
}

template class VerdictTapOf<Dhcpv4>;
template class VerdictTapOf<Dhcpv6>;

}  // namespace relay::capture
