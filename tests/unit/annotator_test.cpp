// Packets and verdicts go in, in any order and at times that the tests make up; each test reads in what order packets
// come out and what is told of them, in a word or two each.
#include "relay/capture/annotator.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/packet_octets.h"

namespace relay::capture {
namespace {

using std::chrono::milliseconds;
using test_support::Bytes;
using test_support::discover;
using test_support::ip;
using test_support::ip6;
using test_support::joined;
using test_support::offer;
using testing::ElementsAre;
using testing::IsEmpty;

using Told = std::vector<std::string>;

constexpr Ipv4Address nobody{};
constexpr Ipv4Address gateway = ip(10, 1, 0, 1);
constexpr Ipv4Address upstream_address = ip(10, 9, 0, 1);
constexpr Ipv4Address server = ip(10, 9, 0, 2);

std::string finding_text(Finding finding) {
  switch (finding) {
    case Finding::verdict:
      return "verdict";
    case Finding::sent:
      return "sent";
    case Finding::not_received:
      return "not received:";
    case Finding::sent_by_other:
      return "sent by other";
    case Finding::for_clients:
      return "for clients";
    case Finding::in_transit:
      return "in transit";
    case Finding::other_vlan:
      return "other VLAN";
    case Finding::lost_sight:
      return "lost sight";
    case Finding::capture_ended:
      return "capture ended";
    case Finding::not_judged:
      return "not judged";
  }
  return {};
}

std::string cause_text(Cause cause) {
  switch (cause) {
    case Cause::unknown:
      return "unknown";
    case Cause::wrong_ip_checksum:
      return "IP checksum";
    case Cause::wrong_ip_size:
      return "IP size";
    case Cause::wrong_udp_checksum:
      return "UDP checksum";
    case Cause::wrong_udp_size:
      return "UDP size";
    case Cause::wrong_port:
      return "port";
    case Cause::incomplete:
      return "incomplete";
    case Cause::source_is_ours:
      return "source is ours";
  }
  return {};
}

/// From whom to whom a datagram goes, and what is wrong with it.
struct Way {
  Ipv4Address source = nobody;
  Ipv4Address destination = limited_broadcast;
  std::uint16_t source_port = 68;
  std::uint16_t destination_port = 67;
};
const Way from_client{};
const Way to_server{upstream_address, server, 67, 67};
const Way from_server{server, gateway, 67, 67};
const Way to_client{gateway, limited_broadcast, 67, 68};

Bytes packet_of(const Way& way, const Bytes& message) {
  const test_support::Ipv4Fields fields{.source = way.source, .destination = way.destination};
  return test_support::ipv4(fields, test_support::udp(fields, way.source_port, way.destination_port, message));
}

Bytes frame_of(const Way& way, const Bytes& message) {
  return test_support::ethernet(0x0800, packet_of(way, message));
}

Bytes message_number(std::uint32_t number) {
  return discover().xid(number).octets();
}

/// A message as it leaves: with another giaddr.
Bytes relayed(std::uint32_t number) {
  return discover().xid(number).hops(1).giaddr(gateway).octets();
}

/// An annotator with two interfaces: d1 for clients and u1 for servers.
class AnnotatorTest : public testing::Test {
 protected:
  static constexpr milliseconds hold{100};
  static constexpr milliseconds window{1000};

  AnnotatorTest() {
    d1_ = {.index = 2, .name = "d1", .description = {}, .addresses = {{gateway, 24}}, .mac = {}, .is_ethernet = true};
    u1_ = {.index = 3,
           .name = "u1",
           .description = {},
           .addresses = {{upstream_address, 24}},
           .mac = {},
           .is_ethernet = true};
    view_.points = {d1_, u1_};
    view_.addresses = {gateway, upstream_address, ip(127, 0, 0, 1)};
    view_.broadcasts = {ip(10, 1, 0, 255), ip(10, 9, 0, 255)};
  }

  void limit(const Annotator::Limits& limits) { annotator_ = Annotator{{}, limits}; }

  /// A frame is given to the annotator now; its time is `time` in milliseconds.
  void give(int time, const HostView::Point& point, Direction direction, const Bytes& frame,
            LinkType link_type = LinkType::ethernet) {
    const Packet packet{.link_type = link_type,
                        .time = milliseconds{time},
                        .direction = direction,
                        .octets = frame,
                        .original_size = frame.size()};
    annotator_.add(packet, view_, point, now_);
  }
  void comes(int time, const HostView::Point& point, const Way& way, const Bytes& message) {
    give(time, point, Direction::inbound, frame_of(way, message));
  }
  void leaves(int time, const HostView::Point& point, const Way& way, const Bytes& message) {
    give(time, point, Direction::outbound, frame_of(way, message));
  }

  /// The relay has sent `sent` to 10.9.0.2 and the addresses behind it, for `received` of a client on d1.
  void relays(std::uint64_t serial, const Bytes& received, const Bytes& sent, std::uint32_t servers = 1) {
    Verdict verdict{.serial = serial,
                    .arrival = arrival_,
                    .received = fingerprint(received),
                    .sent = fingerprint(sent),
                    .kind = VerdictKind::to_servers,
                    .interface_index = d1_.index,
                    .server_count = servers};
    for (std::uint8_t number = 0; number < verdict.told_servers().size(); ++number) {
      verdict.told4().servers.at(number) = ip(10, 9, 0, static_cast<std::uint8_t>(2 + number));
    }
    annotator_.add(verdict, now_);
  }
  void delivers(std::uint64_t serial, const Bytes& received, const Bytes& sent) {
    annotator_.add(Verdict{.serial = serial,
                           .arrival = arrival_,
                           .received = fingerprint(received),
                           .sent = fingerprint(sent),
                           .kind = VerdictKind::to_client,
                           .interface_index = u1_.index,
                           .egress_index = d1_.index,
                           .source = server,
                           .destination = limited_broadcast},
                   now_);
  }
  void drops(std::uint64_t serial, const Bytes& received) {
    annotator_.add(Verdict{.serial = serial,
                           .arrival = arrival_,
                           .received = fingerprint(received),
                           .kind = VerdictKind::dropped,
                           .interface_index = d1_.index},
                   now_);
  }
  void cannot_send(std::uint64_t serial, Ipv4Address destination = server) {
    annotator_.add(Verdict{.serial = serial, .kind = VerdictKind::send_failed, .destination = destination}, now_);
  }

  /// The times of packets are those of the clock that `now_` is of.
  void clocks_agree() { annotator_.clock_offset(milliseconds{0}, now_); }
  /// It is `time`, and the relay receives what the next verdicts are about.
  void received_at(int time) {
    now_ = std::max(now_, milliseconds{time});
    arrival_ = milliseconds{time};
  }

  [[nodiscard]] Annotator::Tell collect(Told& told) {
    return [this, &told](const Annotated& annotated) {
      std::string line = finding_text(annotated.finding);
      if (annotated.finding == Finding::not_received) {
        line += ' ' + cause_text(annotated.cause);
      }
      if (annotated.finding == Finding::other_vlan) {
        line += ' ' + std::to_string(annotated.vlan_id);
      }
      if (annotated.verdict != nullptr) {
        line += ' ' + std::to_string(annotated.verdict->serial);
      }
      if (annotated.finding == Finding::sent) {
        line += " of frame " + std::to_string(annotated.source_frame);
      }
      if (annotated.failed_count != 0) {
        line += ", failed " + std::to_string(annotated.failed_count);
      }
      times_.push_back(static_cast<int>(annotated.packet.time / milliseconds{1}));
      told.push_back(line);
      return ++frames_;
    };
  }
  /// What is told when `time` more have passed.
  Told told_after(milliseconds time) {
    now_ += time;
    Told told;
    annotator_.release(now_, collect(told));
    return told;
  }
  Told told_at_end() {
    Told told;
    annotator_.release_all(collect(told));
    EXPECT_TRUE(annotator_.empty());
    return told;
  }
  /// What is told of one packet for which there is no verdict.
  std::string told_of(const HostView::Point& point, Direction direction, const Bytes& frame) {
    give(0, point, direction, frame);
    const Told told = told_after(window);
    return told.size() == 1 ? told.front() : std::to_string(told.size()) + " packets";
  }

  HostView view_;
  HostView::Point d1_;
  HostView::Point u1_;
  Annotator annotator_{{}, {.hold = hold, .window = window}};
  milliseconds now_{5000};
  milliseconds arrival_{0};  // of verdicts
  std::uint64_t frames_ = 0;
  std::vector<int> times_;  // of the packets that were told
};

// Packets and the verdicts on them

TEST_F(AnnotatorTest, a_request_and_its_reply_are_followed_in_and_out) {
  const Bytes answer = offer().octets();
  const Bytes delivered = offer().siaddr(server).octets();
  comes(1, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1));
  leaves(2, u1_, to_server, relayed(1));
  comes(3, u1_, from_server, answer);
  delivers(2, answer, delivered);
  leaves(4, d1_, to_client, delivered);
  EXPECT_FALSE(annotator_.empty());
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1", "sent 1 of frame 1", "verdict 2", "sent 2 of frame 3"));
  EXPECT_THAT(times_, ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(annotator_.empty());
}

TEST_F(AnnotatorTest, verdicts_may_come_before_their_packets) {
  relays(1, message_number(1), relayed(1));
  drops(2, message_number(2));
  EXPECT_THAT(told_after(window), IsEmpty());
  leaves(3, u1_, to_server, relayed(1));
  comes(2, d1_, from_client, message_number(2));
  comes(1, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1", "verdict 2", "sent 1 of frame 1"));
}

TEST_F(AnnotatorTest, packets_wait_the_window_for_their_verdict) {
  comes(1, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(window - milliseconds{1}), IsEmpty());
  drops(1, message_number(1));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("verdict 1"));
}

TEST_F(AnnotatorTest, packets_without_a_verdict_were_not_received) {
  comes(1, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(window - milliseconds{1}), IsEmpty());
  EXPECT_THAT(told_after(milliseconds{1}), ElementsAre("not received: unknown"));
}

TEST_F(AnnotatorTest, a_verdict_is_of_the_interface_and_the_sender_of_its_packet) {
  const Way other_sender{.source = ip(10, 1, 0, 7)};
  comes(1, u1_, from_client, message_number(1));
  comes(2, d1_, other_sender, message_number(1));
  comes(3, d1_, from_client, message_number(1));
  drops(1, message_number(1));
  EXPECT_THAT(told_after(window), ElementsAre("not received: unknown", "not received: unknown", "verdict 1"));
}

TEST_F(AnnotatorTest, of_identical_requests_the_first_have_the_verdicts) {
  for (int time = 1; time <= 3; ++time) {
    comes(time, d1_, from_client, message_number(1));
  }
  relays(1, message_number(1), relayed(1));
  drops(2, message_number(1));
  leaves(4, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 1", "verdict 2", "not received: unknown", "sent 1 of frame 1"));
}

TEST_F(AnnotatorTest, copies_of_identical_requests_are_of_one_after_the_other) {
  const Way to_second{upstream_address, ip(10, 9, 0, 3), 67, 67};
  for (const std::uint8_t start : Bytes{0, 10}) {
    comes(start + 1, d1_, from_client, message_number(1));
    relays(start + 1U, message_number(1), relayed(1), 2);
    leaves(start + 2, u1_, to_server, relayed(1));
    leaves(start + 3, u1_, to_second, relayed(1));
  }
  leaves(20, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 1", "sent 1 of frame 1", "sent 1 of frame 1", "verdict 11",
                                              "sent 11 of frame 4", "sent 11 of frame 4", "sent by other"));
}

TEST_F(AnnotatorTest, copies_that_failed_are_told_and_not_waited_for) {
  comes(1, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1), 3);
  cannot_send(1, server);
  cannot_send(1, ip(10, 9, 0, 3));
  leaves(2, u1_, {upstream_address, ip(10, 9, 0, 4), 67, 67}, relayed(1));
  comes(3, d1_, from_client, message_number(1));
  relays(2, message_number(1), relayed(1));
  leaves(4, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(hold),
              ElementsAre("verdict 1, failed 2", "sent 1 of frame 1, failed 2", "verdict 2", "sent 2 of frame 3"));
}

TEST_F(AnnotatorTest, failures_beyond_all_copies_and_of_nothing_known_change_nothing) {
  drops(1, message_number(1));
  relays(2, message_number(2), relayed(2));
  for (int round = 0; round < 3; ++round) {
    cannot_send(1);
    cannot_send(2);
    cannot_send(3);
  }
  comes(1, d1_, from_client, message_number(2));
  leaves(2, u1_, to_server, relayed(2));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 2, failed 3", "sent by other"));
}

TEST_F(AnnotatorTest, the_failed_copies_of_many_servers_are_counted_and_the_first_kept) {
  comes(1, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1), 48);
  for (std::uint8_t number = 1; number <= 48; ++number) {
    cannot_send(1, ip(10, 9, 0, number));
  }
  now_ += hold;
  std::vector<Ipv4Address> kept;
  annotator_.release(now_, [&](const Annotated& annotated) {
    EXPECT_EQ(annotated.failed_count, 48U);
    for (const auto& failed : annotated.failed_copies) {
      kept.push_back(failed.destination.ipv4());
    }
    return std::uint64_t{1};
  });
  EXPECT_THAT(kept, testing::SizeIs(told_servers_max));
  EXPECT_EQ(kept.at(7), ip(10, 9, 0, 8));
}

TEST_F(AnnotatorTest, a_copy_of_a_request_that_was_not_captured_has_no_frame) {
  relays(1, message_number(1), relayed(1));
  leaves(2, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(hold), ElementsAre("sent 1 of frame 0"));
}

TEST_F(AnnotatorTest, a_frame_with_our_hardware_address_that_was_received_has_its_verdict) {
  const Way foreign{.source = ip(10, 66, 0, 9)};
  leaves(1, d1_, from_client, message_number(1));
  leaves(2, d1_, foreign, message_number(2));
  drops(1, message_number(1));
  annotator_.add(Verdict{.serial = 2,
                         .received = fingerprint(message_number(2)),
                         .interface_index = d1_.index,
                         .source = foreign.source},
                 now_);
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1", "verdict 2"));
}

TEST_F(AnnotatorTest, the_first_fragment_of_a_request_finds_its_verdict) {
  const Bytes message = joined({discover().octets(), Bytes(1500, 7)});
  const test_support::Ipv4Fields whole{.source = gateway, .destination = server};
  const Bytes datagram = test_support::udp(whole, 67, 67, message);
  const auto fragment_of = [&](std::size_t offset, std::size_t size) {
    test_support::Ipv4Fields fields = whole;
    fields.fragment_offset = offset;
    fields.more_fragments = offset + size < datagram.size();
    const auto begin = datagram.begin() + static_cast<std::ptrdiff_t>(offset);
    return test_support::ethernet(0x0800,
                                  test_support::ipv4(fields, {begin, begin + static_cast<std::ptrdiff_t>(size)}));
  };
  for (const std::size_t size : {544U, 1480U}) {  // MTUs of 576 and 1500
    const auto serial = static_cast<std::uint64_t>(size);
    relays(serial, message_number(1), message);
    give(1, u1_, Direction::outbound, fragment_of(0, size));
    give(2, u1_, Direction::outbound, fragment_of(size, datagram.size() - size));
    EXPECT_THAT(told_after(hold), ElementsAre("sent " + std::to_string(size) + " of frame 0"));
  }
}

// Identical messages

TEST_F(AnnotatorTest, copies_to_a_server_that_are_never_seen_do_not_take_those_to_another) {
  for (const std::uint8_t start : Bytes{0, 10}) {
    comes(start + 1, d1_, from_client, message_number(1));
    relays(start + 1U, message_number(1), relayed(1), 2);
    leaves(start + 2, u1_, to_server, relayed(1));
  }
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1", "sent 1 of frame 1", "verdict 11", "sent 11 of frame 3"));
}

TEST_F(AnnotatorTest, copies_to_more_servers_than_a_verdict_tells) {
  comes(1, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1), 10);
  cannot_send(1, ip(10, 9, 0, 9));
  cannot_send(1, ip(10, 9, 0, 11));
  for (std::uint8_t number = 8; number <= 11; ++number) {
    leaves(number, u1_, {upstream_address, ip(10, 9, 0, number), 67, 67}, relayed(1));
  }
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1, failed 2", "sent 1 of frame 1, failed 2",
                                            "sent 1 of frame 1, failed 2", "sent by other", "sent by other"));
}

TEST_F(AnnotatorTest, a_copy_that_was_never_seen_does_not_take_that_of_a_retransmission) {
  clocks_agree();
  received_at(5000);
  comes(5000, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 1"));
  received_at(6000);
  comes(6000, d1_, from_client, message_number(1));
  relays(2, message_number(1), relayed(1));
  leaves(6001, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 2", "sent 2 of frame 2"));
}

TEST_F(AnnotatorTest, a_copy_that_waited_for_arp_is_of_the_newest_request_before_it) {
  clocks_agree();
  for (const int time : {5000, 5010}) {
    received_at(time);
    comes(time, d1_, from_client, message_number(1));
    relays(static_cast<std::uint64_t>(time), message_number(1), relayed(1));
  }
  now_ = milliseconds{5900};
  leaves(5900, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 5000", "verdict 5010", "sent 5010 of frame 2"));
}

TEST_F(AnnotatorTest, of_identical_requests_of_one_moment_each_has_its_own_verdict_and_copy) {
  clocks_agree();
  received_at(5000);
  now_ = milliseconds{5001};
  for (std::uint8_t number = 0; number < 100; ++number) {
    comes(5000, d1_, from_client, message_number(1));
    relays(number, message_number(1), relayed(1));
    leaves(5001, u1_, to_server, relayed(1));
  }
  const Told told = told_after(hold + milliseconds{20});
  ASSERT_THAT(told, testing::SizeIs(200));
  for (std::size_t number = 0; number < 100; ++number) {
    EXPECT_EQ(told.at(number), "verdict " + std::to_string(number));
    EXPECT_EQ(told.at(100 + number), "sent " + std::to_string(number) + " of frame " + std::to_string(number + 1));
  }
}

TEST_F(AnnotatorTest, a_request_that_was_stopped_does_not_take_the_verdict_on_a_retransmission) {
  clocks_agree();
  comes(5000, d1_, from_client, message_number(1));
  told_after(milliseconds{800});
  received_at(5800);
  comes(5800, d1_, from_client, message_number(1));
  drops(1, message_number(1));
  EXPECT_THAT(told_after(milliseconds{200}), ElementsAre("not received: unknown", "verdict 1"));
}

TEST_F(AnnotatorTest, a_retransmission_that_was_stopped_does_not_take_the_verdict_on_the_request) {
  clocks_agree();
  received_at(5000);
  now_ = milliseconds{5800};
  comes(5000, d1_, from_client, message_number(1));
  comes(5800, d1_, from_client, message_number(1));
  drops(1, message_number(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 1", "not received: unknown"));
}

TEST_F(AnnotatorTest, a_packet_waits_for_others_that_may_be_nearer_to_its_verdict) {
  clocks_agree();
  comes(5000, d1_, from_client, message_number(1));
  told_after(milliseconds{60});
  received_at(5050);
  drops(1, message_number(1));
  EXPECT_THAT(told_after(milliseconds{70}), IsEmpty()) << "the next may be in the kernel's buffer";
  comes(5045, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(window), ElementsAre("not received: unknown", "verdict 1"));
}

TEST_F(AnnotatorTest, a_relay_that_waited_for_the_processor_may_say_that_packets_came_earlier) {
  clocks_agree();
  received_at(4500);
  drops(2, message_number(2));
  received_at(4520);
  drops(3, message_number(1));
  now_ = milliseconds{5010};
  for (std::uint32_t number = 1; number <= 2; ++number) {
    comes(5010, d1_, from_client, message_number(number));
  }
  EXPECT_THAT(told_after(window), ElementsAre("verdict 3", "not received: unknown"));
}

TEST_F(AnnotatorTest, packets_for_another_address_or_port_may_have_been_translated) {
  const Way transit{ip(10, 1, 0, 7), server, 67, 67};
  const Way plain{ip(10, 1, 0, 7), gateway, 67, 67};
  const Way other_port{ip(10, 1, 0, 7), gateway, 67, 1067};
  const auto drops_of_relay = [this](std::uint64_t serial) {
    annotator_.add(Verdict{.serial = serial,
                           .received = fingerprint(message_number(1)),
                           .interface_index = d1_.index,
                           .source = ip(10, 1, 0, 7)},
                   now_);
  };
  for (const Way& way : {transit, other_port}) {
    comes(1, d1_, way, message_number(1));
    drops_of_relay(1);
    EXPECT_THAT(told_after(hold), ElementsAre("verdict 1"));
  }
  comes(1, d1_, transit, message_number(1));
  comes(2, d1_, other_port, message_number(1));
  comes(3, d1_, plain, message_number(1));
  drops_of_relay(2);
  EXPECT_THAT(told_after(hold), ElementsAre("in transit", "not received: port", "verdict 2"));
}

// Clocks

TEST_F(AnnotatorTest, packets_stay_in_order_when_their_clock_steps_back) {
  using std::chrono::hours;
  annotator_.clock_offset(hours{2}, now_);
  const auto passes = [this](milliseconds offset, std::uint32_t number) {
    const auto time = static_cast<int>((now_ + offset) / milliseconds{1});
    comes(time, d1_, from_client, message_number(number));
    received_at(static_cast<int>(now_ / milliseconds{1}));
    drops(number, message_number(number));
  };
  passes(hours{2}, 1);
  now_ += milliseconds{1};
  passes(hours{1}, 2);  // before the new offset is known
  now_ += milliseconds{1};
  annotator_.clock_offset(hours{1}, now_);
  passes(hours{2}, 3);  // stamped by the old clock
  annotator_.clock_offset(hours{1}, now_);
  passes(hours{2}, 4);
  now_ += milliseconds{1};
  passes(hours{1}, 5);
  EXPECT_THAT(told_after(hold + milliseconds{20}),
              ElementsAre("verdict 2", "verdict 1", "verdict 3", "verdict 4", "verdict 5"));
}

TEST_F(AnnotatorTest, packets_that_pass_while_others_are_given_stay_in_order) {
  clocks_agree();
  leaves(5041, u1_, to_server, relayed(1));
  comes(5040, d1_, from_client, message_number(1));
  received_at(5040);
  relays(1, message_number(1), relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 1", "sent 1 of frame 1"));
}

TEST_F(AnnotatorTest, one_measurement_that_was_interrupted_changes_nothing) {
  clocks_agree();
  annotator_.clock_offset(milliseconds{-300}, now_);
  comes(5000, d1_, from_client, message_number(1));
  annotator_.clock_offset(milliseconds{0}, now_);
  leaves(5000, u1_, to_server, relayed(1));
  comes(4999, d1_, from_client, message_number(2));
  received_at(5000);
  relays(1, message_number(1), relayed(1));
  drops(2, message_number(2));
  EXPECT_THAT(told_after(window), ElementsAre("verdict 2", "verdict 1", "sent 1 of frame 2"));
}

// Packets that no verdict is awaited for, or that say themselves why there is none

TEST_F(AnnotatorTest, what_packets_say_by_themselves) {
  const Bytes message = discover().octets();
  Bytes wrong_ip_checksum = frame_of(from_client, message);
  wrong_ip_checksum[14 + 8] ^= 1U;  // TTL
  Bytes wrong_udp_checksum = frame_of(from_client, message);
  wrong_udp_checksum.back() ^= 1U;
  struct Case {
    std::string expected;
    Bytes frame;
  };
  for (const auto& [expected, frame] : std::vector<Case>{
           {"not received: IP checksum", wrong_ip_checksum},
           {"not received: UDP checksum", wrong_udp_checksum},
           {"not received: port", frame_of({.destination_port = 1067}, message)},
           {"not received: port", frame_of({.destination_port = 68}, message)},
           {"not received: source is ours", frame_of({.source = upstream_address}, message)},
           {"not received: unknown", frame_of({.source = ip(10, 66, 0, 9)}, message)},
           {"not received: unknown", frame_of({.destination = ip(10, 1, 0, 255)}, message)},
           {"not received: unknown", frame_of({.destination = ip(10, 9, 0, 255)}, message)},
           {"not received: unknown", frame_of({.destination = upstream_address}, message)},
           {"for clients", frame_of({.source = server, .destination_port = 68}, offer().octets())},
           {"for clients", frame_of({server, gateway, 67, 68}, offer().octets())},
           {"in transit", frame_of({ip(10, 1, 0, 50), server, 68, 67}, message)},
           {"in transit", frame_of({server, ip(10, 1, 0, 50), 67, 68}, offer().octets())},
           {"in transit", frame_of({.destination = ip(10, 2, 0, 255)}, message)},
           {"not received: unknown", frame_of(from_client, {})},
           {"not received: port", frame_of({.destination_port = 68}, {})},
       }) {
    EXPECT_EQ(told_of(d1_, Direction::inbound, frame), expected);
  }
}

TEST_F(AnnotatorTest, a_message_with_a_wrong_checksum_never_takes_the_verdict_of_one_like_it) {
  Bytes damaged = frame_of(from_client, message_number(1));
  damaged[14 + 20 + 6] ^= 1U;  // the checksum itself
  give(1, d1_, Direction::inbound, damaged);
  comes(2, d1_, from_client, message_number(1));
  drops(1, message_number(1));
  EXPECT_THAT(told_after(window), ElementsAre("not received: UDP checksum", "verdict 1"));
}

TEST_F(AnnotatorTest, a_checksum_that_is_absent_or_left_to_a_card_is_not_wrong) {
  const test_support::Ipv4Fields fields{.source = nobody, .destination = limited_broadcast};
  for (const std::uint16_t checksum :
       {std::uint16_t{0}, test_support::pseudo_header_sum(fields, 8 + message_number(1).size())}) {
    Bytes frame = frame_of(from_client, message_number(1));
    frame[14 + 20 + 6] = static_cast<std::uint8_t>(checksum >> 8U);
    frame[14 + 20 + 7] = static_cast<std::uint8_t>(checksum);
    EXPECT_EQ(told_of(d1_, Direction::inbound, frame), "not received: unknown");
    give(1, d1_, Direction::inbound, frame);
    drops(1 + checksum, message_number(1));
    EXPECT_THAT(told_after(hold), ElementsAre("verdict " + std::to_string(1 + checksum)));
  }
}

TEST_F(AnnotatorTest, a_first_fragment_whose_rest_did_not_come) {
  const test_support::Ipv4Fields fields{.source = nobody, .destination = limited_broadcast, .more_fragments = true};
  Bytes datagram = test_support::udp(fields, 68, 67, discover().octets());
  datagram.resize(200);
  EXPECT_EQ(told_of(d1_, Direction::inbound, test_support::ethernet(0x0800, test_support::ipv4(fields, datagram))),
            "not received: incomplete");
}

TEST_F(AnnotatorTest, a_udp_header_that_tells_a_wrong_length) {
  const Bytes whole = frame_of(from_client, discover().octets());
  const std::size_t place = 14 + 20 + 4;
  for (const std::uint16_t size : std::vector<std::uint16_t>{0, 7, 309, 65535}) {  // of 308
    Bytes frame = whole;
    frame[place] = static_cast<std::uint8_t>(size >> 8U);
    frame[place + 1] = static_cast<std::uint8_t>(size);
    EXPECT_EQ(told_of(d1_, Direction::inbound, frame), "not received: UDP size") << size;
  }
}

TEST_F(AnnotatorTest, an_ip_header_that_tells_more_than_the_frame_has) {
  Bytes frame = frame_of(from_client, discover().octets());
  frame.pop_back();
  EXPECT_EQ(told_of(d1_, Direction::inbound, frame), "not received: IP size");
  const Packet cut{.direction = Direction::inbound, .octets = frame, .original_size = frame.size() + 1};
  annotator_.add(cut, view_, d1_, now_);
  EXPECT_THAT(told_after(window), ElementsAre("not received: unknown")) << "the capture has less of it";
}

TEST_F(AnnotatorTest, ports_are_those_of_the_relay) {
  annotator_ = Annotator{{.ipv4 = {.server = 1067, .relay = 2067}}, {.hold = hold, .window = window}};
  const Bytes message = discover().octets();
  EXPECT_EQ(told_of(d1_, Direction::inbound, frame_of({.destination_port = 1067}, message)), "not received: unknown");
  EXPECT_EQ(told_of(u1_, Direction::inbound, frame_of({server, upstream_address, 67, 2067}, offer().octets())),
            "not received: unknown");
  EXPECT_EQ(told_of(d1_, Direction::inbound, frame_of({.destination_port = 67}, message)), "not received: port");
  EXPECT_EQ(told_of(d1_, Direction::inbound, frame_of({.destination_port = 1068}, offer().octets())), "for clients");
}

TEST_F(AnnotatorTest, tagged_frames_are_of_another_interface_unless_the_tag_is_of_priority_alone) {
  const auto tagged = [](std::uint8_t id) {
    return test_support::ethernet(0x8100,
                                  joined({{0x60, id, 0x08, 0x00}, packet_of(from_client, discover().octets())}));
  };
  for (const Direction direction : {Direction::inbound, Direction::outbound}) {
    EXPECT_EQ(told_of(d1_, direction, tagged(100)), "other VLAN 100");
  }
  EXPECT_EQ(told_of(d1_, Direction::inbound, tagged(0)), "not received: unknown");
}

TEST_F(AnnotatorTest, what_leaves_without_a_verdict) {
  struct Case {
    std::string expected;
    Way way;
  };
  for (const auto& [expected, way] : std::vector<Case>{
           {"sent by other", {upstream_address, server, 68, 67}},
           {"sent by other", from_client},  // a client on this host
           {"in transit", {ip(10, 1, 0, 50), server, 68, 67}},
           {"in transit", {server, ip(10, 1, 0, 50), 67, 68}},
       }) {
    EXPECT_EQ(told_of(u1_, Direction::outbound, frame_of(way, discover().octets())), expected);
  }
}

TEST_F(AnnotatorTest, what_is_not_udp_is_left_out) {
  test_support::Ipv4Fields tcp;
  tcp.protocol = 6;
  const Bytes whole = frame_of(from_client, discover().octets());
  give(1, d1_, Direction::inbound, test_support::ethernet(0x0800, test_support::ipv4(tcp, Bytes(20, 0))));
  give(2, d1_, Direction::inbound, test_support::ethernet(0x0806, Bytes(28, 0)));
  give(3, d1_, Direction::inbound, {});
  give(4, d1_, Direction::inbound, {whole.begin(), whole.begin() + 41});
  EXPECT_TRUE(annotator_.empty());
}

TEST_F(AnnotatorTest, other_link_types) {
  drops(1, discover().octets());
  give(1, d1_, Direction::inbound, packet_of(from_client, discover().octets()), LinkType::raw);
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1"));
}

TEST_F(AnnotatorTest, where_nothing_relays_nothing_is_judged) {
  annotator_ = Annotator{{}, {.hold = hold, .window = window}, false};
  comes(1, d1_, from_client, discover().octets());
  leaves(2, u1_, to_server, discover().octets());
  comes(3, d1_, {.destination_port = 1067}, {});
  EXPECT_THAT(told_after(hold - milliseconds{1}), IsEmpty());
  EXPECT_THAT(told_after(milliseconds{1}), ElementsAre("not judged", "not judged", "not judged"));
}

// Order

TEST_F(AnnotatorTest, packets_are_told_in_the_order_of_their_times) {
  leaves(40, u1_, to_server, relayed(1));
  comes(30, d1_, from_client, message_number(3));
  told_after(milliseconds{10});
  comes(20, u1_, from_server, message_number(2));
  comes(10, d1_, from_client, message_number(1));
  drops(1, message_number(1));
  drops(2, message_number(3));
  EXPECT_THAT(told_after(hold - milliseconds{1}), IsEmpty()) << "the earliest was given last";
  EXPECT_THAT(told_after(milliseconds{1}), ElementsAre("verdict 1"));
  EXPECT_THAT(told_after(window), ElementsAre("not received: unknown", "verdict 2", "sent by other"));
  EXPECT_THAT(times_, ElementsAre(10, 20, 30, 40));
}

TEST_F(AnnotatorTest, packets_of_one_time_stay_in_the_order_in_which_they_were_given) {
  drops(1, message_number(1));
  drops(2, message_number(2));
  comes(1, d1_, from_client, message_number(2));
  comes(1, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 2", "verdict 1"));
}

// Bounds and losses

TEST_F(AnnotatorTest, beyond_the_most_packets_the_oldest_are_told_with_what_is_known) {
  limit({.hold = hold, .window = window, .most_packets = 3});
  comes(1, d1_, from_client, message_number(1));
  comes(2, d1_, from_client, message_number(2));
  comes(3, d1_, {.destination_port = 9}, message_number(3));
  EXPECT_THAT(told_after(milliseconds{0}), IsEmpty());
  comes(4, d1_, from_client, message_number(4));
  comes(5, d1_, from_client, message_number(5));
  comes(6, d1_, from_client, message_number(6));
  drops(2, message_number(2));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("lost sight", "verdict 2", "not received: port"));
  EXPECT_THAT(told_after(window),
              ElementsAre("not received: unknown", "not received: unknown", "not received: unknown"));
}

TEST_F(AnnotatorTest, beyond_the_most_packets_nobody_else_is_said_to_have_sent_one_whose_verdict_may_come) {
  limit({.hold = hold, .window = window, .most_packets = 1});
  leaves(1, u1_, to_server, relayed(1));
  leaves(2, u1_, to_server, relayed(2));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("lost sight"));
  EXPECT_THAT(told_after(hold), ElementsAre("sent by other"));
}

TEST_F(AnnotatorTest, beyond_the_most_octets_too) {
  const std::size_t size = frame_of(from_client, message_number(1)).size();
  limit({.hold = hold, .window = window, .most_octets = 2 * size});
  comes(1, d1_, from_client, message_number(1));
  comes(2, d1_, from_client, message_number(2));
  EXPECT_THAT(told_after(milliseconds{0}), IsEmpty());
  comes(3, d1_, from_client, message_number(3));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("lost sight"));
  comes(4, d1_, from_client, message_number(4));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("lost sight")) << "what was told has made room";
}

TEST_F(AnnotatorTest, where_verdicts_were_lost_nothing_is_said_of_packets_without_one) {
  comes(1, d1_, from_client, message_number(1));
  comes(2, d1_, from_client, message_number(2));
  comes(3, d1_, {.destination_port = 9}, message_number(3));
  leaves(4, u1_, to_server, relayed(1));
  drops(2, message_number(2));
  annotator_.verdicts_were_lost(now_);
  EXPECT_THAT(told_after(window), ElementsAre("lost sight", "verdict 2", "not received: port", "lost sight"));

  comes(5, d1_, from_client, message_number(1));
  leaves(6, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("lost sight", "lost sight"))
      << "given just within the window of the loss";
  now_ += milliseconds{1};
  comes(7, d1_, from_client, message_number(1));
  leaves(8, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(window), ElementsAre("not received: unknown", "sent by other"));
}

TEST_F(AnnotatorTest, at_the_end_every_packet_is_told) {
  comes(1, d1_, from_client, message_number(1));
  comes(2, d1_, from_client, message_number(2));
  leaves(3, u1_, to_server, relayed(2));
  comes(4, d1_, {.destination_port = 9}, message_number(3));
  relays(1, message_number(2), relayed(2));
  EXPECT_THAT(told_at_end(), ElementsAre("capture ended", "verdict 1", "sent 1 of frame 2", "not received: port"));
  EXPECT_THAT(told_at_end(), IsEmpty());
}

TEST_F(AnnotatorTest, verdicts_are_forgotten_after_two_windows) {
  told_after(3 * window);
  told_after(window);
  told_after(window);
  relays(1, message_number(1), relayed(1));
  told_after(window);
  told_after(window);
  comes(1, d1_, from_client, message_number(1));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1"));
  leaves(2, u1_, to_server, relayed(1));
  EXPECT_THAT(told_after(hold), ElementsAre("sent by other"));
}

TEST_F(AnnotatorTest, after_a_stall_packets_find_the_verdicts_of_before_it) {
  comes(1, d1_, from_client, message_number(1));
  relays(1, message_number(1), relayed(1));
  drops(2, message_number(2));
  told_after(milliseconds{0});
  now_ += 10 * window;  // in which nobody called
  leaves(2, u1_, to_server, relayed(1));
  drops(3, message_number(3));
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("verdict 1"));
  comes(3, d1_, from_client, message_number(2));
  EXPECT_THAT(told_after(hold), ElementsAre("sent 1 of frame 1", "verdict 2"));
}

TEST_F(AnnotatorTest, beyond_the_most_verdicts_the_oldest_is_forgotten) {
  limit({.hold = hold, .window = window, .most_verdicts = 2});
  relays(1, message_number(1), relayed(1));
  relays(2, message_number(2), relayed(2));
  drops(3, message_number(3));
  cannot_send(1);
  for (std::uint32_t number = 1; number <= 3; ++number) {
    comes(static_cast<int>(number), d1_, from_client, message_number(number));
  }
  leaves(4, u1_, to_server, relayed(1));
  leaves(5, u1_, to_server, relayed(2));
  EXPECT_THAT(told_after(window),
              ElementsAre("not received: unknown", "verdict 2", "verdict 3", "sent by other", "sent 2 of frame 2"));
}

/// Half of the copies are never seen, so that as many verdicts as are kept wait under one key while others leave it.
TEST_F(AnnotatorTest, a_flood_of_identical_messages) {
  const Bytes message = message_number(1);
  const Bytes sent = relayed(1);
  comes(1, d1_, from_client, message);
  constexpr std::uint64_t most = 65536;  // verdicts that are kept, unless told otherwise
  for (std::uint64_t serial = 1; serial <= 2 * most; ++serial) {
    relays(serial, message, sent);
    if (serial % 2 == 0) {
      cannot_send(serial);
    }
  }
  leaves(2, u1_, to_server, sent);
  comes(3, d1_, from_client, message);
  leaves(4, u1_, to_server, sent);
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 65537", "sent 65537 of frame 1", "verdict 65538, failed 1",
                                            "sent 65539 of frame 0"));
}

TEST_F(AnnotatorTest, copies_that_are_never_seen_of_as_many_requests_as_are_kept) {
  clocks_agree();
  constexpr std::uint64_t count = 70000;
  for (std::uint64_t serial = 1; serial <= count; ++serial) {
    received_at(5000 + static_cast<int>(serial / 100));
    relays(serial, message_number(1), relayed(1), 48);
  }
  comes(5700, d1_, from_client, message_number(1));
  leaves(5700, u1_, to_server, relayed(1));
  now_ = milliseconds{6700};
  EXPECT_THAT(told_after(milliseconds{0}), ElementsAre("verdict 68000", "sent 45000 of frame 0"));
}

TEST_F(AnnotatorTest, a_packet_and_a_verdict_on_each_of_many_interfaces) {
  constexpr std::uint32_t count = 4096;
  HostView::Point point = d1_;
  for (std::uint32_t number = 0; number < count; ++number) {
    point.index = 10 + number;
    point.name = "v" + std::to_string(number);
    comes(static_cast<int>(number), point, from_client, message_number(1));
    annotator_.add(
        Verdict{.serial = number, .received = fingerprint(message_number(1)), .interface_index = point.index}, now_);
  }
  std::uint32_t told = 0;
  now_ += hold;
  annotator_.release(now_, [&](const Annotated& annotated) {
    EXPECT_EQ(annotated.finding, Finding::verdict);
    EXPECT_EQ(annotated.verdict->interface_index, annotated.point.index);
    EXPECT_EQ(annotated.point.name, "v" + std::to_string(told));
    return ++told;
  });
  EXPECT_EQ(told, count);
}

TEST_F(AnnotatorTest, packets_need_their_octets_and_the_view_for_the_call_alone) {
  {
    Bytes frame = frame_of(from_client, message_number(1));
    const auto view = HostView{view_};
    const HostView::Point point = d1_;
    annotator_.add(Packet{.octets = frame}, view, point, now_);
    frame.assign(frame.size(), 0xee);
  }
  now_ += window;
  int count = 0;
  annotator_.release(now_, [&](const Annotated& annotated) {
    ++count;
    EXPECT_EQ(annotated.point, d1_);
    EXPECT_EQ(Bytes(annotated.packet.octets.begin(), annotated.packet.octets.end()),
              frame_of(from_client, message_number(1)));
    EXPECT_EQ(Bytes(annotated.datagram.payload.begin(), annotated.datagram.payload.end()), message_number(1));
    return std::uint64_t{1};
  });
  EXPECT_EQ(count, 1);
}

// DHCPv6

/// A Solicit and the Relay-forward that it becomes, of two interfaces with the same names and other addresses.
class Annotator6Test : public AnnotatorTest {
 protected:
  Annotator6Test() {
    d1_.addresses6 = {{ip6("fe80::d1"), 64}, {ip6("2001:db8:1::1"), 64}};
    d1_.hears_clients6 = true;
    u1_.addresses6 = {{ip6("fe80::d2"), 64}, {ip6("2001:db8:9::1"), 64}};
    view_.points = {d1_, u1_};
    view_.addresses.insert({ip6("2001:db8:1::1"), ip6("2001:db8:9::1")});
  }

  struct Way6 {
    Ipv6Address source;
    Ipv6Address destination;
    std::uint16_t source_port = 547;
    std::uint16_t destination_port = 547;
  };

  static Bytes frame6(const Way6& way, const Bytes& message) {
    const test_support::Ipv6Fields fields{.source = way.source, .destination = way.destination};
    return test_support::ethernet(
        0x86dd, test_support::ipv6(fields, test_support::udp6(fields, way.source_port, way.destination_port, message)));
  }

  void relays6(std::uint64_t serial) {
    Verdict verdict{.serial = serial,
                    .arrival = arrival_,
                    .received = fingerprint(solicit_),
                    .sent = fingerprint(forward_),
                    .kind = VerdictKind::to_servers,
                    .interface_index = d1_.index,
                    .source = ip6("fe80::1"),
                    .server_count = 2};
    verdict.told6().servers = {ip6("2001:db8:9::2"), all_dhcp_servers};
    annotator_.add(verdict, now_);
  }

  const Way6 from_client6_{ip6("fe80::1"), all_dhcp_relay_agents_and_servers, 546, 547};
  const Way6 to_server6_{ip6("2001:db8:9::1"), ip6("2001:db8:9::2")};
  const Bytes solicit_ = test_support::solicit6();
  const Bytes forward_ = test_support::relay_message6(12, 0, ip6("2001:db8:1::1"), ip6("fe80::1"),
                                                      {test_support::option6(9, test_support::solicit6())});
};

TEST_F(Annotator6Test, a_request_and_its_copies) {
  give(1, d1_, Direction::inbound, frame6(from_client6_, solicit_));
  give(2, u1_, Direction::outbound, frame6(to_server6_, forward_));
  give(3, u1_, Direction::outbound, frame6({ip6("2001:db8:9::1"), all_dhcp_servers}, forward_));
  relays6(7);
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 7", "sent 7 of frame 1", "sent 7 of frame 1"));
}

TEST_F(Annotator6Test, messages_of_both_protocols_have_serials_of_their_own) {
  comes(1, d1_, from_client, message_number(1));
  give(2, d1_, Direction::inbound, frame6(from_client6_, solicit_));
  leaves(3, u1_, to_server, relayed(1));
  give(4, u1_, Direction::outbound, frame6(to_server6_, forward_));
  relays6(1);
  relays(1, message_number(1), relayed(1));
  EXPECT_THAT(told_after(hold), ElementsAre("verdict 1", "verdict 1", "sent 1 of frame 1", "sent 1 of frame 2"));
}

TEST_F(Annotator6Test, what_the_relay_does_not_get) {
  Bytes without_checksum = frame6(from_client6_, solicit_);
  without_checksum[14 + 40 + 6] = without_checksum[14 + 40 + 7] = 0;
  give(1, d1_, Direction::inbound, without_checksum);
  give(2, d1_, Direction::inbound, frame6({ip6("fe80::1"), all_dhcp_servers}, solicit_));
  give(3, u1_, Direction::inbound, frame6({ip6("fe80::9"), all_dhcp_relay_agents_and_servers}, solicit_));
  give(4, d1_, Direction::inbound, frame6({ip6("fe80::9"), ip6("fe80::d1"), 547, 546}, test_support::advertise6()));
  give(5, d1_, Direction::inbound, frame6({ip6("fe80::9"), ip6("fe80::d1"), 546, 546}, solicit_));
  give(6, d1_, Direction::inbound, frame6({ip6("fe80::d1"), all_dhcp_relay_agents_and_servers}, solicit_));
  give(7, d1_, Direction::inbound, frame6(from_client6_, solicit_));
  EXPECT_THAT(told_after(window),
              ElementsAre("not received: UDP checksum", "in transit", "in transit", "for clients", "not received: port",
                          "not received: source is ours", "not received: unknown"));
}

TEST_F(Annotator6Test, what_is_of_a_protocol_that_nobody_asked_for_is_left_out) {
  annotator_ = Annotator{{.families = {.ipv4 = true}}, {.hold = hold, .window = window}};
  give(1, d1_, Direction::inbound, frame6(from_client6_, solicit_));
  EXPECT_THAT(told_after(window), IsEmpty());
}

}  // namespace
}  // namespace relay::capture
