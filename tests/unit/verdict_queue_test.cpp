// Verdicts through the ring, from one thread and from two.
#include "relay/capture/verdict_queue.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

namespace relay::capture {
namespace {

/// Whether there was a place.
bool put(VerdictQueue& queue, std::uint64_t serial) {
  Verdict* const verdict = queue.claim();
  if (verdict == nullptr) {
    return false;
  }
  verdict->serial = serial;
  verdict->limit = static_cast<std::uint32_t>(~serial);
  queue.publish();
  return true;
}

std::optional<std::uint64_t> take(VerdictQueue& queue) {
  const Verdict* const verdict = queue.front();
  if (verdict == nullptr) {
    return std::nullopt;
  }
  const std::uint64_t serial = verdict->serial;
  queue.pop();
  return serial;
}

TEST(VerdictQueue, an_empty_one_has_nothing) {
  const VerdictQueue queue{4};
  EXPECT_EQ(queue.front(), nullptr);
  EXPECT_EQ(queue.lost(), 0U);
}

TEST(VerdictQueue, what_is_claimed_is_not_there_before_it_is_published) {
  VerdictQueue queue{4};
  ASSERT_NE(queue.claim(), nullptr);
  EXPECT_EQ(queue.front(), nullptr);
  queue.publish();
  EXPECT_NE(queue.front(), nullptr);
}

TEST(VerdictQueue, a_place_that_was_claimed_and_not_published_is_given_again) {
  VerdictQueue queue{1};
  EXPECT_EQ(queue.claim(), queue.claim());
  EXPECT_EQ(queue.lost(), 0U);
}

TEST(VerdictQueue, the_oldest_is_in_front_until_it_is_popped) {
  VerdictQueue queue{4};
  EXPECT_TRUE(put(queue, 1));
  EXPECT_TRUE(put(queue, 2));
  EXPECT_EQ(queue.front(), queue.front());
  EXPECT_EQ(take(queue), 1U);
  EXPECT_EQ(take(queue), 2U);
  EXPECT_EQ(take(queue), std::nullopt);
}

TEST(VerdictQueue, a_full_one_loses_what_is_new_and_counts_it) {
  for (const std::size_t capacity : {1U, 2U, 64U}) {
    VerdictQueue queue{capacity};
    for (std::uint64_t serial = 0; serial < capacity; ++serial) {
      EXPECT_TRUE(put(queue, serial));
    }
    EXPECT_FALSE(put(queue, 1000));
    EXPECT_FALSE(put(queue, 1001));
    EXPECT_EQ(queue.lost(), 2U);
    EXPECT_EQ(take(queue), 0U);
    EXPECT_TRUE(put(queue, capacity));
    EXPECT_FALSE(put(queue, 1002));
    EXPECT_EQ(queue.lost(), 3U);
    for (std::uint64_t serial = 1; serial <= capacity; ++serial) {
      EXPECT_EQ(take(queue), serial);
    }
    EXPECT_EQ(take(queue), std::nullopt);
  }
}

TEST(VerdictQueue, its_places_are_used_again_and_again) {
  VerdictQueue queue{4};
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int count = 0; count < 1 + round % 4; ++count) {
      ASSERT_TRUE(put(queue, written++));
    }
    while (const auto serial = take(queue)) {
      ASSERT_EQ(serial, read++);
    }
    ASSERT_EQ(read, written);
  }
  EXPECT_EQ(queue.lost(), 0U);
}

TEST(VerdictQueue, a_writer_and_a_reader_never_disagree) {
  constexpr std::uint64_t count = 1'000'000;
  VerdictQueue queue{64};
  std::atomic<bool> is_over{false};
  std::uint64_t read = 0;
  std::uint64_t faults = 0;
  std::thread reader{[&] {
    std::uint64_t last = 0;
    const auto drain = [&] {
      while (const Verdict* const verdict = queue.front()) {
        if (verdict->serial <= last || verdict->limit != static_cast<std::uint32_t>(~verdict->serial)) {
          ++faults;
        }
        last = verdict->serial;
        queue.pop();
        ++read;
      }
    };
    while (!is_over) {
      drain();
      std::this_thread::yield();
    }
    drain();
  }};
  std::uint64_t written = 0;
  for (std::uint64_t serial = 1; serial <= count; ++serial) {
    if (put(queue, serial)) {
      ++written;
    } else {
      std::this_thread::yield();
    }
  }
  is_over = true;
  reader.join();
  EXPECT_EQ(faults, 0U);
  EXPECT_EQ(read, written);
  EXPECT_EQ(written + queue.lost(), count);
}

}  // namespace
}  // namespace relay::capture
