#include "relay/io/segmentation.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace relay::io {

namespace {

constexpr std::string_view feature_name = "tx-udp-segmentation";

/// Cards that other machines on the same host emulate: what leaves by them may arrive there uncut.
constexpr std::array<std::string_view, 4> emulated{"virtio_net", "vmxnet3", "hv_netvsc", "vif"};

/// What ethtool_gfeatures begins with, whose array of no size clang refuses to make.
struct FeaturesHead {
  std::uint32_t cmd;
  std::uint32_t size;
};

[[nodiscard]] bool ask(int socket, const std::string& interface, void* request) noexcept {
  ifreq question{};
  interface.copy(std::begin(question.ifr_name), IFNAMSIZ - 1);
  question.ifr_data = static_cast<char*>(request);
  return ::ioctl(socket, SIOCETHTOOL, &question) == 0;
}

/// A request that ends in an array, with room for the answer, in words so that it is aligned.
template <typename Head>
[[nodiscard]] std::vector<std::uint64_t> storage_for(const Head& head, std::size_t array_size) {
  std::vector<std::uint64_t> storage((sizeof(Head) + array_size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
  std::memcpy(storage.data(), &head, sizeof(Head));
  return storage;
}

template <typename Value>
[[nodiscard]] Value read(const std::vector<std::uint64_t>& storage, std::size_t offset) noexcept {
  Value value{};
  std::memcpy(&value, reinterpret_cast<const std::uint8_t*>(storage.data()) + offset, sizeof(value));
  return value;
}

/// The number of features that the kernel knows.
[[nodiscard]] std::optional<std::uint32_t> count_features(int socket, const std::string& interface) {
  ethtool_sset_info head{};
  head.cmd = ETHTOOL_GSSET_INFO;
  head.sset_mask = 1ULL << ETH_SS_FEATURES;
  auto storage = storage_for(head, sizeof(std::uint32_t));
  if (!ask(socket, interface, storage.data()) || read<ethtool_sset_info>(storage, 0).sset_mask == 0) {
    return std::nullopt;
  }
  return read<std::uint32_t>(storage, sizeof(head));
}

/// Which of them ours is.
[[nodiscard]] std::optional<std::uint32_t> find_feature(int socket, const std::string& interface, std::uint32_t count) {
  ethtool_gstrings head{};
  head.cmd = ETHTOOL_GSTRINGS;
  head.string_set = ETH_SS_FEATURES;
  head.len = count;
  auto storage = storage_for(head, std::size_t{count} * ETH_GSTRING_LEN);
  if (!ask(socket, interface, storage.data())) {
    return std::nullopt;
  }
  for (std::uint32_t number = 0; number < count; ++number) {
    const std::size_t offset = sizeof(head) + std::size_t{number} * ETH_GSTRING_LEN;
    const auto name = read<std::array<char, ETH_GSTRING_LEN>>(storage, offset);
    if (std::string_view{name.data(), ::strnlen(name.data(), name.size())} == feature_name) {
      return number;
    }
  }
  return std::nullopt;
}

/// Whether the interface takes runs as they are; nothing where that cannot be told.
[[nodiscard]] std::optional<bool> takes_runs(int socket, const std::string& interface) {
  const auto count = count_features(socket, interface);
  const auto number = count ? find_feature(socket, interface, *count) : std::nullopt;
  if (!number) {
    return std::nullopt;
  }
  constexpr std::uint32_t bits = 32;
  const FeaturesHead head{ETHTOOL_GFEATURES, (*count + bits - 1) / bits};
  auto storage = storage_for(head, head.size * sizeof(ethtool_get_features_block));
  if (!ask(socket, interface, storage.data())) {
    return std::nullopt;
  }
  const auto block =
      read<ethtool_get_features_block>(storage, sizeof(head) + *number / bits * sizeof(ethtool_get_features_block));
  return (block.active >> (*number % bits) & 1U) != 0;
}

/// A card in a slot of this machine, which no virtual interface has.
[[nodiscard]] bool is_network_card(int socket, const std::string& interface) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!ask(socket, interface, &info) || info.bus_info[0] == '\0') {
    return false;
  }
  const std::string_view driver{std::begin(info.driver), ::strnlen(std::begin(info.driver), sizeof(info.driver))};
  return std::ranges::find(emulated, driver) == emulated.end();
}

}  // namespace

bool cuts_up_runs(int socket, const std::string& interface) {
  const auto takes = takes_runs(socket, interface);
  return takes && (!*takes || is_network_card(socket, interface));
}

}  // namespace relay::io
