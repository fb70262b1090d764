#include "relay/io/packet_filter.h"

#include <map>
#include <utility>

#include <pcap/pcap.h>

namespace relay::io {

namespace {

using capture::LinkType;

constexpr int snapshot_size = 262'144;

/// One expression for one link type.
class Program {
 public:
  Program(const std::string& expression, LinkType link_type) {
    // Of the types that are read, this one alone has another number in files (pcap-linktype(7)).
    const int type = link_type == LinkType::raw ? DLT_RAW : static_cast<int>(link_type);
    const std::unique_ptr<pcap_t, decltype(&::pcap_close)> handle(::pcap_open_dead(type, snapshot_size), &::pcap_close);
    if (!handle) {
      throw FilterError("libpcap has no room for a filter");
    }
    if (::pcap_compile(handle.get(), &program_, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      throw FilterError(::pcap_geterr(handle.get()));
    }
  }
  ~Program() { ::pcap_freecode(&program_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] bool selects(const capture::Packet& packet) const {
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(packet.octets.size());
    header.len = static_cast<bpf_u_int32>(packet.original_size);
    return ::pcap_offline_filter(&program_, &header, packet.octets.data()) != 0;
  }

 private:
  bpf_program program_{};
};

}  // namespace

class PacketFilter::Impl {
 public:
  explicit Impl(std::string expression) : expression_(std::move(expression)) {
    static_cast<void>(program_for(LinkType::ethernet));
  }

  [[nodiscard]] const Program& program_for(LinkType link_type) {
    return programs_.try_emplace(link_type, expression_, link_type).first->second;
  }

 private:
  std::string expression_;
  std::map<LinkType, Program> programs_;
};

PacketFilter::PacketFilter(const std::string& expression) : impl_(std::make_unique<Impl>(expression)) {}
PacketFilter::~PacketFilter() = default;

bool PacketFilter::selects(const capture::Packet& packet) {
  return impl_->program_for(packet.link_type).selects(packet);
}

}  // namespace relay::io
