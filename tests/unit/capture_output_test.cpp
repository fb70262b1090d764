// What a capture writes, read back by the project's own reader from a folder of each test's own.
#include "relay/io/capture_output.h"

#include <stdlib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/capture/capture_reader.h"

namespace relay::io {
namespace {

namespace fs = std::filesystem;

using capture::HostView;
using capture::LinkType;
using Lines = std::vector<std::string>;

bool never() {
  return false;
}

std::string content(const std::string& name) {
  std::ifstream file{name, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

HostView::Point point(std::uint32_t index, const std::string& name) {
  return {.index = index,
          .name = name,
          .description = "description of " + name,
          .addresses = {{Ipv4Address{{10, 1, 0, 1}}, 24}},
          .mac = MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}},
          .is_ethernet = true};
}

class CaptureOutputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "capture_output_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    name_ = folder_ + "/c.pcapng";
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] CaptureOutput output(std::uint64_t max_size = 1'000'000) {
    file_.emplace(CaptureFile::Options{.name = name_, .max_size = max_size, .max_count = 5});
    return CaptureOutput{*file_, {{}, {}, "test of captures", {}}, "udp", {}};
  }

  /// The packet's one octet is `octet`.
  std::uint64_t put(CaptureOutput& output, const HostView::Point& point, std::uint8_t octet,
                    LinkType link_type = LinkType::ethernet, std::uint64_t lost = 0) {
    const std::vector<std::uint8_t> octets{octet};
    const capture::Packet packet{
        .link_type = link_type, .time = std::chrono::seconds{octet}, .octets = octets, .original_size = 1};
    return output.packet(
        point, packet, [octet] { return "comment " + std::to_string(octet); }, lost, never);
  }

  struct Read {
    Lines interfaces;  ///< `name/link type`
    Lines packets;     ///< `octet on number of interface`
    std::string fault;
  };
  [[nodiscard]] static Read read(const std::string& name) {
    const std::string all = content(name);
    std::size_t offset = 0;
    capture::CaptureReader reader{[&](std::span<std::uint8_t> octets) {
      const std::size_t size = all.copy(reinterpret_cast<char*>(octets.data()), octets.size(), offset);
      offset += size;
      return size;
    }};
    Read result;
    while (const auto packet = reader.next()) {
      result.packets.push_back(std::to_string(packet->octets.front()) + " on " + std::to_string(packet->interface));
    }
    for (const capture::CapturedInterface& interface : reader.interfaces()) {
      result.interfaces.push_back(interface.name + "/" + std::to_string(static_cast<unsigned>(interface.link_type)));
    }
    result.fault = reader.fault();
    return result;
  }

  std::string folder_;
  std::string name_;
  std::optional<CaptureFile> file_;
  const HostView::Point d1_ = point(2, "d1");
  const HostView::Point u1_ = point(3, "u1");
};

TEST_F(CaptureOutputTest, packets_stand_with_their_interfaces_and_comments) {
  CaptureOutput capture = output();
  capture.describe({.points = {d1_, u1_}});
  EXPECT_EQ(put(capture, u1_, 7), 1U);
  EXPECT_EQ(put(capture, d1_, 8), 2U);
  EXPECT_EQ(capture.written().packets, 0U);
  EXPECT_GT(capture.unwritten(), 0U);
  EXPECT_EQ(content(name_), "");
  capture.flush(never);
  EXPECT_EQ(capture.unwritten(), 0U);
  EXPECT_EQ(capture.written().packets, 2U);
  const Read there = read(name_);
  EXPECT_EQ(there.fault, "");
  EXPECT_EQ(there.interfaces, (Lines{"d1/1", "u1/1"}));
  EXPECT_EQ(there.packets, (Lines{"7 on 1", "8 on 0"}));
  for (const char* const text :
       {"test of captures", "description of d1", "description of u1", "comment 7", "comment 8"}) {
    EXPECT_EQ(occurrences(content(name_), text), 1U) << text;
  }
}

TEST_F(CaptureOutputTest, a_section_alone_is_a_file) {
  CaptureOutput capture = output();
  capture.flush(never);
  capture.flush(never);
  EXPECT_EQ(read(name_).fault, "");
  EXPECT_EQ(occurrences(content(name_), "test of captures"), 1U);
}

TEST_F(CaptureOutputTest, losses_stand_beside_the_packet_behind_them) {
  CaptureOutput capture = output();
  put(capture, d1_, 1);
  const std::size_t without = capture.unwritten();
  put(capture, d1_, 2);
  const std::size_t next = capture.unwritten();
  put(capture, d1_, 3, LinkType::ethernet, 9);
  EXPECT_EQ(capture.unwritten() - next, next - without + 12) << "epb_dropcount";
}

TEST_F(CaptureOutputTest, an_interface_is_described_anew_when_it_changes_and_not_before) {
  CaptureOutput capture = output();
  HostView view{.points = {d1_, u1_}};
  capture.describe(view);
  put(capture, d1_, 1);
  capture.describe(view);
  put(capture, d1_, 2);
  view.points.at(0).description = "another description";
  capture.describe(view);
  put(capture, view.points.at(0), 3);
  put(capture, u1_, 4);
  view.points.at(0).name = "renamed";
  put(capture, view.points.at(0), 5);
  capture.flush(never);
  const Read there = read(name_);
  EXPECT_EQ(there.fault, "");
  EXPECT_EQ(there.interfaces, (Lines{"d1/1", "u1/1", "d1/1", "renamed/1"}));
  EXPECT_EQ(there.packets, (Lines{"1 on 0", "2 on 0", "3 on 2", "4 on 1", "5 on 3"}));
}

TEST_F(CaptureOutputTest, an_interface_of_another_link_type_keeps_it) {
  CaptureOutput capture = output();
  HostView::Point tunnel = point(4, "t1");
  tunnel.is_ethernet = false;
  const HostView view{.points = {tunnel}};
  capture.describe(view);
  put(capture, tunnel, 1, LinkType::linux_sll);
  for (int times = 0; times < 3; ++times) {
    capture.describe(view);
    put(capture, tunnel, 2, LinkType::linux_sll);
  }
  capture.flush(never);
  EXPECT_EQ(read(name_).interfaces, (Lines{"t1/101", "t1/113"}));
}

TEST_F(CaptureOutputTest, each_file_of_a_rotation_has_all_descriptions) {
  CaptureOutput capture = output(4000);
  capture.describe({.points = {d1_, u1_}});
  std::uint8_t octet = 0;
  while (!fs::exists(name_ + ".2")) {
    ASSERT_LT(octet, 255);
    EXPECT_EQ(put(capture, octet % 2 == 0 ? d1_ : u1_, octet), octet + 1U);
    capture.flush(never);
    ++octet;
  }
  std::uint8_t next = 0;
  for (const std::string& name : {name_ + ".2", name_ + ".1", name_}) {
    const Read there = read(name);
    EXPECT_EQ(there.fault, "") << name;
    EXPECT_EQ(there.interfaces, (Lines{"d1/1", "u1/1"})) << name;
    EXPECT_LE(fs::file_size(name), 4000U) << name;
    EXPECT_FALSE(there.packets.empty()) << name;
    for (const std::string& packet : there.packets) {
      EXPECT_EQ(packet, std::to_string(next) + " on " + std::to_string(next % 2)) << name;
      ++next;
    }
  }
  EXPECT_EQ(next, octet);
}

TEST_F(CaptureOutputTest, frames_are_counted_as_readers_of_the_file_do) {
  CaptureOutput capture = output(4000);
  EXPECT_EQ(capture.frame_of(0), std::nullopt);
  const std::uint64_t first = put(capture, d1_, 0);
  EXPECT_EQ(capture.frame_of(first), 1U);
  std::uint64_t last = first;
  while (!fs::exists(name_ + ".1")) {
    ASSERT_LT(last, 200U);
    capture.flush(never);
    last = put(capture, d1_, 1);
  }
  EXPECT_EQ(capture.frame_of(last), 1U) << "the first in its file";
  EXPECT_EQ(capture.frame_of(last - 1), std::nullopt);
  EXPECT_EQ(capture.frame_of(first), std::nullopt);
  EXPECT_EQ(capture.frame_of(put(capture, d1_, 2)), 2U);
}

TEST_F(CaptureOutputTest, a_comment_is_asked_for_when_its_file_is_known) {
  CaptureOutput capture = output(4000);
  std::uint64_t before = put(capture, d1_, 0);
  bool has_seen_rotation = false;
  for (int count = 0; count < 100 && !has_seen_rotation; ++count) {
    capture.flush(never);
    std::optional<std::uint64_t> frame;
    const std::vector<std::uint8_t> octets{1};
    const auto comment = [&] {
      frame = capture.frame_of(before);
      return std::string{"comment"};
    };
    const std::uint64_t number = capture.packet(d1_, {.octets = octets, .original_size = 1}, comment, 0, never);
    has_seen_rotation = fs::exists(name_ + ".1");
    EXPECT_EQ(frame, has_seen_rotation ? std::nullopt : std::optional{before});
    before = number;
  }
  EXPECT_TRUE(has_seen_rotation);
}

TEST_F(CaptureOutputTest, statistics_are_of_described_interfaces_alone) {
  CaptureOutput capture = output();
  capture.describe({.points = {d1_}});
  const std::size_t before = capture.unwritten();
  capture.statistics(u1_, std::chrono::seconds{1}, {.received = 1});
  EXPECT_EQ(capture.unwritten(), before);
  capture.statistics(d1_, std::chrono::seconds{1}, {.received = 1});
  EXPECT_GT(capture.unwritten(), before);
  capture.flush(never);
  EXPECT_EQ(read(name_).fault, "");
}

TEST_F(CaptureOutputTest, an_earlier_capture_is_kept) {
  {
    CaptureOutput capture = output();
    put(capture, d1_, 1);
    capture.flush(never);
  }
  file_->end_capture();
  file_->begin_capture(true);
  CaptureOutput capture{*file_, {}, {}, {}};
  put(capture, d1_, 2);
  capture.flush(never);
  EXPECT_EQ(read(name_ + ".1").packets, (Lines{"1 on 0"}));
  EXPECT_EQ(read(name_).packets, (Lines{"2 on 0"}));
}

TEST_F(CaptureOutputTest, another_capture_in_the_same_file_counts_on) {
  CaptureOutput::Count count;
  {
    CaptureOutput capture = output(4000);
    while (!fs::exists(name_ + ".1")) {
      put(capture, d1_, 1);
      capture.flush(never);
    }
    count = capture.written();
  }
  CaptureOutput capture{*file_, {}, {}, count};
  const std::uint64_t number = put(capture, d1_, 2);
  EXPECT_EQ(number, count.packets + 1);
  EXPECT_EQ(capture.frame_of(number), number - count.in_earlier_files);
  EXPECT_EQ(capture.frame_of(count.in_earlier_files), std::nullopt);
}

}  // namespace
}  // namespace relay::io
