// Messages to and from the kernel in runs, against its sockets on the loopback interface of a namespace of the test's
// own: each message arrives whole, once and in order, whether the kernel merges, cuts up or refuses.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/descriptor.h"
#include "relay/io/receive_batch.h"
#include "relay/io/receive_losses.h"
#include "relay/io/send_batch.h"
#include "relay/io/sockets.h"
#include "tests/support/message_builder.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::ip;

constexpr Ipv4Address here{{127, 0, 0, 1}};
constexpr Ipv4Address also_here{{127, 0, 0, 2}};
constexpr Ports ports{6767, {}};
constexpr int none_left = 500;  // milliseconds after which nothing more comes over the loopback interface

[[nodiscard]] std::uint64_t sum(const ReceiveLosses::Lost& lost) {
  return lost.requests + lost.others;
}

class Batches : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!IsSkipped()) {
      ASSERT_TRUE(ip({"link set lo up"}));
      sockets_ = open_sockets(ports);
      merge_received(sockets_, true);
      batch_.form_runs(true);
    }
  }

  void add(const Bytes& message, Ipv4Address source = here) {
    batch_.add({nullptr, batch_size_++, here, 0}, message, source, ports.server, 0);
  }

  /// The errors of all that was added, in the order of adding.
  std::vector<int> send() {
    std::vector<int> errors(batch_size_, -1);
    batch_.send(sockets_.requests.number(),
                [&](const Sending& sending, int error) { errors[sending.message] = error; });
    batch_size_ = 0;
    return errors;
  }

  static bool awaits(const Descriptor& socket, int milliseconds) {
    pollfd waiting{socket.number(), POLLIN, 0};
    return ::poll(&waiting, 1, milliseconds) > 0;
  }

  /// All messages that arrive on `socket`, until none is left.
  std::vector<Bytes> arrived(const Descriptor& socket) {
    std::vector<Bytes> messages;
    datagrams_ = 0;
    while (awaits(socket, datagrams_ == 0 ? 10'000 : 0) || awaits(socket, none_left)) {
      const std::size_t count = received_.receive(socket.number());
      datagrams_ += count;
      for (std::size_t position = 0; position < count; ++position) {
        const Received received = received_.received(position);
        EXPECT_FALSE(received.is_truncated);
        EXPECT_EQ(received.ingress.destination, here);
        for_each_message(received,
                         [&](std::span<std::uint8_t> octets) { messages.emplace_back(octets.begin(), octets.end()); });
      }
    }
    return messages;
  }

  Sockets sockets_;
  int refusal_ = 0;
  DatagramBatch batch_{200, [this](int error) { refusal_ = error; }};
  std::size_t batch_size_ = 0;
  ReceiveBatch received_{16};
  std::size_t datagrams_ = 0;  // that the last `arrived` took
};

Bytes numbered(std::uint8_t op, std::size_t number, std::size_t size) {
  Bytes message(size, static_cast<std::uint8_t>(number));
  message[0] = op;
  return message;
}

TEST_F(Batches, a_run_arrives_as_its_messages) {
  std::vector<Bytes> sent;
  for (std::size_t number = 0; number < 150; ++number) {
    sent.push_back(numbered(1, number, 300));
  }
  std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
  EXPECT_EQ(send(), std::vector<int>(150, 0));
  EXPECT_EQ(arrived(sockets_.requests), sent);
  EXPECT_EQ(refusal_, 0);
  EXPECT_LT(datagrams_, 150U) << "the loopback interface hands over what it was given at once";
}

TEST_F(Batches, what_cannot_be_merged_arrives_too) {
  merge_received(sockets_, false);
  std::vector<Bytes> sent;
  for (std::size_t number = 0; number < 100; ++number) {
    sent.push_back(numbered(1, number, 300));
  }
  std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
  EXPECT_EQ(send(), std::vector<int>(100, 0));
  EXPECT_EQ(arrived(sockets_.requests), sent);
  EXPECT_EQ(datagrams_, 100U);
}

TEST_F(Batches, other_sizes_and_sources_leave_in_runs_of_their_own) {
  std::vector<Bytes> sent;
  for (std::size_t number = 0; number < 120; ++number) {
    sent.push_back(numbered(1, number, 300 + number % 3 * 20));
  }
  sent.emplace_back();
  sent.push_back(numbered(1, 0, 1));
  sent.push_back(numbered(1, 1, 60'000));
  for (std::size_t number = 0; number < sent.size(); ++number) {
    add(sent[number], number % 2 == 0 ? here : also_here);
  }
  EXPECT_EQ(send(), std::vector<int>(sent.size(), 0));
  auto came = arrived(sockets_.requests);
  std::ranges::sort(came);
  std::ranges::sort(sent);
  EXPECT_EQ(came, sent);
}

TEST_F(Batches, messages_that_need_fragments_leave_one_by_one) {
  ASSERT_TRUE(ip({"link set lo mtu 1000"}));
  const std::vector<Bytes> sent{numbered(1, 1, 1200), numbered(1, 2, 1200), numbered(1, 3, 300), numbered(1, 4, 300)};
  for (int round = 0; round < 2; ++round) {
    std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
    EXPECT_EQ(send(), std::vector<int>(4, 0));
    auto came = arrived(sockets_.requests);
    std::ranges::sort(came, {}, [](const Bytes& message) { return message.back(); });
    EXPECT_EQ(came, sent);
  }
  EXPECT_EQ(refusal_, 0) << "smaller ones still leave in runs";
}

TEST_F(Batches, an_error_is_told_for_each_message_of_a_run) {
  const Bytes message = numbered(1, 1, 300);
  const Ipv4Address not_ours{{192, 0, 2, 1}};
  add(message);
  add(message, not_ours);
  add(message);
  add(message, not_ours);
  const auto errors = send();
  EXPECT_TRUE(errors[1] == ENETUNREACH || errors[1] == EINVAL) << errors[1];
  EXPECT_EQ(errors, (std::vector<int>{0, errors[1], 0, errors[1]}));
  EXPECT_EQ(arrived(sockets_.requests).size(), 2U);
  EXPECT_EQ(refusal_, 0) << "alone they were refused as well";
}

/// As where a driver knows no segmentation, or IPsec is on the way.
TEST_F(Batches, a_refused_run_leaves_message_by_message) {
  const std::vector<Bytes> sent{numbered(1, 1, 300), numbered(1, 2, 300), numbered(1, 3, 300)};
  const auto send_refused = [&] {
    test_support::refuse_calls(__NR_sendmmsg, EIO);
    std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
    const bool is_told_once = send() == std::vector<int>(3, 0) && refusal_ == EIO;
    refusal_ = 0;
    add(sent.front());
    add(sent.front());
    const bool is_alone_now = send() == std::vector<int>(2, EIO) && refusal_ == 0;  // which has one way to leave
    std::_Exit(is_told_once && is_alone_now ? 0 : 1);
  };
  EXPECT_EXIT(send_refused(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(arrived(sockets_.requests), sent);
}

TEST_F(Batches, without_runs_each_message_is_a_datagram) {
  batch_.form_runs(false);
  merge_received(sockets_, true);
  const std::vector<Bytes> sent{numbered(1, 1, 300), numbered(1, 2, 300), numbered(1, 3, 300)};
  std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
  EXPECT_EQ(send(), std::vector<int>(3, 0));
  EXPECT_EQ(arrived(sockets_.requests), sent);
  EXPECT_EQ(datagrams_, 3U);
}

TEST_F(Batches, a_run_goes_where_its_first_message_does) {
  const std::vector<Bytes> sent{numbered(2, 1, 300), numbered(1, 2, 300), numbered(2, 3, 300)};
  std::ranges::for_each(sent, [this](const Bytes& message) { add(message); });
  EXPECT_EQ(send(), std::vector<int>(3, 0));
  EXPECT_EQ(arrived(sockets_.replies), sent) << "whose op tells the data path what it is";
  EXPECT_FALSE(awaits(sockets_.requests, 0));
}

/// What is lost is what was sent and did not arrive.
TEST_F(Batches, what_did_not_fit_is_counted) {
  constexpr std::size_t rounds = 400;
  batch_.form_runs(false);
  const Bytes reply = numbered(2, 1, 300);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (int number = 0; number < 100; ++number) {
      add(reply);
    }
    ASSERT_EQ(send(), std::vector<int>(100, 0));
  }
  const std::size_t came = arrived(sockets_.replies).size();
  ASSERT_LT(came, rounds * 100);
  ReceiveLosses losses;
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, std::chrono::nanoseconds{0})), 0U);
  EXPECT_TRUE(losses.is_pending());
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, ReceiveLosses::delay - std::chrono::nanoseconds{1})), 0U);
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, ReceiveLosses::delay)), rounds * 100 - came);
  EXPECT_FALSE(losses.is_pending());
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, ReceiveLosses::delay)), 0U);
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, 2 * ReceiveLosses::delay)), 0U) << "once";
}

TEST_F(Batches, broadcasts_that_the_other_socket_has_are_no_losses) {
  ASSERT_TRUE(ip({"addr add 10.1.0.1/24 broadcast 10.1.0.255 dev lo"}));
  const Bytes request = numbered(1, 1, 300);
  batch_.add({nullptr, batch_size_++, Ipv4Address{{10, 1, 0, 255}}, 0}, request, Ipv4Address{{10, 1, 0, 1}},
             ports.server, 0);
  ASSERT_EQ(send(), std::vector<int>{0});
  ASSERT_TRUE(awaits(sockets_.requests, 10'000));
  ASSERT_EQ(received_.receive(sockets_.requests.number()), 1U);
  ReceiveLosses losses;
  losses.received_broadcast_request();
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, std::chrono::nanoseconds{0})), 0U);
  EXPECT_EQ(sum(losses.more(sockets_, {true, true}, ReceiveLosses::delay)), 0U);
  ReceiveLosses unaware;
  EXPECT_EQ(sum(unaware.more(sockets_, {true, true}, std::chrono::nanoseconds{0})), 0U);
  EXPECT_EQ(sum(unaware.more(sockets_, {true, true}, ReceiveLosses::delay)), 1U)
      << "the filter's drop is what there is to take off";
}

}  // namespace
}  // namespace relay::io
