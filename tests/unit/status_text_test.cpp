// The line that the service manager shows.
#include "relay/log/status_text.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(StatusText, SumsUpWhatAllInterfacesCounted) {
  InterfaceTable table;
  EXPECT_EQ(status_text(table), "0 requests relayed, 0 replies delivered, 0 messages dropped");
  for (std::uint32_t index = 1; index <= 2; ++index) {
    Interface interface;
    interface.index = index;
    table.put(interface);
    Counters& counters = *table.find(index)->counters;
    counters.requests.forwarded(MessageKind::discover).add(10);
    counters.replies.forwarded(MessageKind::offer).add(index);
    counters.requests.dropped(MessageKind::bootp, DropReason::bad_op).add(1);
    counters.replies.dropped(MessageKind::malformed, DropReason::too_short).add(1);
  }
  table.unattributed().lost_in_kernel.add(100);
  EXPECT_EQ(status_text(table), "20 requests relayed, 3 replies delivered, 104 messages dropped");
  table.remove(2);
  EXPECT_EQ(status_text(table), "20 requests relayed, 3 replies delivered, 104 messages dropped");
}

TEST(StatusText, SumsUpBothFamilies) {
  InterfaceTable table;
  Interface interface;
  interface.index = 1;
  interface.v6.is_relayed = true;
  table.put(interface);
  table.find(1)->counters->requests.forwarded(MessageKind::discover).add(10);
  Counters6& counters = *table.find(1)->v6.counters;
  counters.requests.forwarded(MessageKind6::solicit).add(5);
  counters.replies.forwarded(MessageKind6::advertise).add(4);
  table.unattributed6().lost_in_kernel.add(3);
  EXPECT_EQ(status_text(table), "15 requests relayed, 4 replies delivered, 3 messages dropped");
  table.remove(1);
  EXPECT_EQ(status_text(table), "15 requests relayed, 4 replies delivered, 3 messages dropped");
}

}  // namespace
}  // namespace relay
