// What captures have counted since the start; written by the capture's thread and readable from any.
#pragma once

#include "relay/core/counters.h"

namespace relay::capture {

struct CaptureCounters {
  Gauge is_running;       ///< 1 or 0
  Counter packets;        ///< written
  Counter lost_packets;   ///< by the kernel, for want of room
  Counter lost_verdicts;  ///< of which the packets have none
};

}  // namespace relay::capture
