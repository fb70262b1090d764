// Requests in line: copied whole, with room for option 82, and within bounds.
#include "relay/io/request_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "relay/core/relay_forward_content.h"
#include "relay/core/relay_request6.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network6.h"

namespace relay::io {
namespace {

using test_support::Bytes;

constexpr std::size_t room_for_option82 = 257;

Ingress from(std::uint32_t interface_index) {
  Ingress ingress;
  ingress.interface_index = interface_index;
  ingress.source_port = 68;
  return ingress;
}

Bytes octets_of(QueuedRequest& request) {
  const auto octets = request.buffer.octets();
  return {octets.begin(), octets.end()};
}

TEST(RequestQueue, keeps_a_copy_with_room_for_option_82) {
  for (const std::size_t size : {0UL, 1UL, 300UL, 1472UL, 1535UL, 1536UL, 65507UL}) {
    RequestQueue queue;
    Bytes message(size, 0x5a);
    ASSERT_TRUE(queue.push(from(7), message, MessageKind::discover, 3)) << size;
    std::ranges::fill(message, std::uint8_t{0});
    auto request = queue.pop();
    ASSERT_TRUE(request) << size;
    EXPECT_EQ(octets_of(*request), Bytes(size, 0x5a)) << size;
    EXPECT_GE(request->buffer.capacity(), size + room_for_option82) << size;
    EXPECT_EQ(request->ingress.interface_index, 7U);
    EXPECT_EQ(request->ingress.source_port, 68);
    EXPECT_EQ(request->epoch, 3U);
    EXPECT_FALSE(queue.pop());
  }
}

TEST(RequestQueue, an_interface_may_ask_for_more_headroom_while_a_message_waits) {
  test_support::TestNetwork6 network;
  const std::size_t before = relay_forward_headroom(network.interfaces.find(test_support::c0)->v6);
  RelayForwardSettings settings;
  settings.interface_id = true;
  settings.options = {{65000, std::string(500, 'o')}};
  network.encode(settings);
  const Bytes solicit = test_support::solicit6();
  for (const std::size_t headroom : {before, std::size_t{0}}) {  // 0: the interface was not known yet
    RequestQueue6 queue;
    ASSERT_TRUE(queue.push(test_support::from_client(), solicit, MessageKind6::solicit, 0, headroom));
    auto request = queue.pop();
    ASSERT_TRUE(request);
    const auto decision = relay_request6(network.policy, network.interfaces, request->ingress, request->buffer);
    EXPECT_EQ(test_support::described(decision), test_support::relayed6()) << headroom;
    EXPECT_TRUE(std::ranges::equal(request->buffer.octets().last(solicit.size()), solicit));
  }
}

TEST(RequestQueue, room_is_taken_until_it_is_given_back) {
  RequestQueue queue;
  std::size_t count = 0;
  while (queue.push(from(7), Bytes(300, 0), MessageKind::discover, 0)) {
    ++count;
  }
  EXPECT_EQ(count, 8192U);
  EXPECT_EQ(queue.size(), count);
  ASSERT_TRUE(queue.pop());
  EXPECT_FALSE(queue.push(from(7), Bytes(300, 0), MessageKind::discover, 0));
  queue.release();
  EXPECT_TRUE(queue.push(from(7), Bytes(300, 0), MessageKind::discover, 0));
}

TEST(RequestQueue, what_comes_in_one_frame_is_not_large) {
  RequestQueue queue;
  for (int number = 0; number < 8192; ++number) {
    ASSERT_TRUE(queue.push(from(7), Bytes(1472, 0), MessageKind::discover, 0)) << number;
  }
}

TEST(RequestQueue, of_large_messages_it_takes_a_few) {
  RequestQueue queue;
  std::size_t count = 0;
  while (queue.push(from(7), Bytes(1536, 0), MessageKind::discover, 0)) {
    ++count;
  }
  EXPECT_EQ(count, 64U);
  EXPECT_FALSE(queue.give_up_for(from(8), Bytes(1536, 0), MessageKind::discover))
      << "there is room, but for small ones alone";
  EXPECT_TRUE(queue.push(from(8), Bytes(300, 0), MessageKind::discover, 0));
  while (queue.pop()) {
  }
  queue.release();
  EXPECT_TRUE(queue.push(from(7), Bytes(1536, 0), MessageKind::discover, 0));
}

TEST(RequestQueue, large_messages_of_one_interface_leave_room_for_those_of_others) {
  RequestQueue queue;
  const auto push_all = [&queue](std::uint32_t interface_index) {
    std::size_t count = 0;
    while (queue.push(from(interface_index), Bytes(2000, 0), MessageKind::discover, 0)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(push_all(7), 64U);
  EXPECT_EQ(push_all(8), 32U);
  EXPECT_EQ(push_all(9), 16U);
  ASSERT_TRUE(queue.pop());
  EXPECT_EQ(push_all(9), 0U);
  queue.release();  // of 7
  EXPECT_EQ(push_all(7), 0U) << "it has more than there are left";
  EXPECT_EQ(push_all(9), 1U);
}

TEST(RequestQueue, a_flood_gives_way) {
  RequestQueue queue;
  while (queue.push(from(7), Bytes(300, 7), MessageKind::request, 1)) {
  }
  EXPECT_TRUE(queue.is_full());
  EXPECT_FALSE(queue.give_up_for(from(7), Bytes(300, 0), MessageKind::request));
  auto given_up = queue.give_up_for(from(8), Bytes(300, 0), MessageKind::discover);
  ASSERT_TRUE(given_up);
  EXPECT_EQ(given_up->ingress.interface_index, 7U);
  EXPECT_EQ(given_up->kind, MessageKind::request);
  EXPECT_EQ(octets_of(*given_up), Bytes(300, 7));
  queue.release();
  EXPECT_FALSE(queue.is_full());
  ASSERT_TRUE(queue.push(from(8), Bytes(300, 8), MessageKind::discover, 1));
  EXPECT_EQ(queue.pop()->ingress.interface_index, 7U);
  EXPECT_EQ(queue.pop()->ingress.interface_index, 8U);
}

TEST(RequestQueue, nothing_is_given_up_for_what_has_no_room_all_the_same) {
  RequestQueue queue;
  while (queue.push(from(8), Bytes(2000, 8), MessageKind::discover, 1)) {
  }
  while (queue.push(from(7), Bytes(300, 7), MessageKind::discover, 1)) {
  }
  ASSERT_TRUE(queue.is_full());
  EXPECT_FALSE(queue.give_up_for(from(8), Bytes(2000, 8), MessageKind::request)) << "it has its share of large rooms";
  EXPECT_EQ(queue.size(), queue.capacity());
  EXPECT_TRUE(queue.give_up_for(from(9), Bytes(2000, 9), MessageKind::request));
  queue.release();
  EXPECT_TRUE(queue.push(from(9), Bytes(2000, 9), MessageKind::request, 1));
}

TEST(RequestQueue, headroom_makes_a_message_large) {
  RequestQueue6 queue;
  const std::size_t headroom = 1600;
  const Ingress6 loud = test_support::from_client();
  Ingress6 large = loud;
  large.interface_index = loud.interface_index + 1;
  while (queue.push(large, Bytes(300, 8), MessageKind6::solicit, 1, headroom)) {
  }
  while (queue.push(loud, Bytes(300, 7), MessageKind6::solicit, 1)) {
  }
  EXPECT_FALSE(queue.give_up_for(large, Bytes(300, 8), MessageKind6::request, headroom));
  EXPECT_TRUE(queue.give_up_for(large, Bytes(300, 8), MessageKind6::request));
}

}  // namespace
}  // namespace relay::io
