// Inputs of command_line_fuzz: one octet for the number of words, each word with a zero behind it as in
// /proc/PID/cmdline, and the file of flags that `--config` means, whatever name it gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "relay/config/flags.h"

namespace fuzz {

struct CommandLine {
  std::vector<std::string> words;
  std::string file;
};

inline CommandLine read_input(std::string_view input) {
  CommandLine result;
  if (input.empty()) {
    return result;
  }
  const auto count = static_cast<std::uint8_t>(input[0]);
  input.remove_prefix(1);
  while (result.words.size() < count && !input.empty()) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    result.words.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  result.file = input;
  return result;
}

inline std::string written_input(const CommandLine& line) {
  std::string result(1, static_cast<char>(std::min<std::size_t>(line.words.size(), 255)));
  for (const std::string& word : line.words) {
    result += word;
    result += '\0';
  }
  return result + line.file;
}

/// What stands for a word of `--help` such as `PORT`: right, just not right, and wrong.
struct TypicalValues {
  std::string_view placeholder;
  std::vector<std::string_view> values;
};

/// The last ones are for whatever has no others.
inline const std::vector<TypicalValues>& typical_values() {
  static const std::vector<TypicalValues> all{
      {"ADDR",
       {"192.0.2.1", "10.0.0.2", "10.0.0.3", "255.255.255.255", "0.0.0.0", "224.0.0.1", "127.0.0.1", "240.0.0.1",
        "2001:db8::1", "dhcp.example.org", "10.0.0.2:67", "10.0.0.0/24", "10.0.0.2,10.0.0.3", "10.0.0.2,"}},
      {"IF", {"eth0", "eth1", "br-lan", "vlan*", "eth[0-3]", "eth[", "*", "?", "fifteen-octets-", "sixteen-octets--"}},
      {"PORT", {"0", "1", "67", "68", "1067", "65534", "65535", "65536", "67x", "-1"}},
      {"NAME=CIDR",
       {"eth0=192.0.2.1/24", "eth0=10.0.0.1/32,02:00:00:00:00:01", "eth1=10.0.0.2/1,02:00:00:00:00:01",
        "eth0=10.0.0.1/24,ff:ff:ff:ff:ff:ff", "eth0=10.0.0.1/33", "eth0=10.0.0.1", "10.0.0.1/24", "vlan*=10.0.0.1/24"}},
      {"N", {"0", "1", "4", "16", "17", "63", "64", "300", "65507", "65508", "65535", "65536", "99999999999", "4 "}},
      {"LEVEL", {"trace", "debug", "info", "warning", "error", "all"}},
      {"FILE", {"conf", "missing", "/run/x.pid", "a\nb", "-"}},
      {"MB", {"0", "1", "1000000", "1000001"}},
      {"EXPR", {"udp", "host 192.0.2.1", "a\nb"}},
      {"", {"true", "false", "--", "-h", "=", "a=b"}},
  };
  return all;
}

/// Changes an input as somebody would who knows the flags: one word or line more or less, or another in its place.
/// The flags and the forms of their values come from the table of flags, so that new ones are known at once.
class CommandLineMutator {
 public:
  explicit CommandLineMutator(unsigned seed) : random_(seed) {}

  void change(CommandLine& line) {
    std::vector<std::string>& words = line.words;
    switch (number_below(9)) {
      case 0:
        start_afresh(line);
        break;
      case 1:
        insert(words, flag());
        break;
      case 2:
      case 3:
        replace_value(words);
        break;
      case 4:
        if (!words.empty()) {
          erase(words, number_below(words.size()));
        }
        break;
      case 5:
        if (!words.empty()) {
          std::swap(words[number_below(words.size())], words[number_below(words.size())]);
        }
        break;
      case 6:
        add_line(line.file, flag());
        break;
      default:
        words.insert(place(words, number_below(words.size() + 1)), typical_for("ADDR"));
        break;
    }
  }

 private:
  using Words = std::vector<std::string>;

  [[nodiscard]] std::size_t number_below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
  }

  [[nodiscard]] static Words::iterator place(Words& words, std::size_t number) {
    return words.begin() + static_cast<std::ptrdiff_t>(number);
  }

  [[nodiscard]] const relay::flags::Flag& flag() {
    return relay::flags::all()[number_below(relay::flags::all().size())];
  }

  [[nodiscard]] std::string typical_for(std::string_view placeholder) {
    const auto& all = typical_values();
    const auto named = std::find_if(all.begin(), all.end(), [&](const TypicalValues& each) {
      return !each.placeholder.empty() && placeholder.starts_with(each.placeholder);
    });
    const auto& values = named == all.end() ? all[number_below(all.size())].values : named->values;
    return std::string(values[number_below(values.size())]);
  }

  /// One that `--help` promises to be right, mostly: `[IF=]ADDR|zero` is an address or `zero`, perhaps with an IF.
  [[nodiscard]] std::string value_of(const relay::flags::Flag& flag) {
    constexpr std::string_view prefix = "[IF=]";
    std::string_view form = flag.value;
    std::string result;
    if (form.starts_with(prefix)) {
      form.remove_prefix(prefix.size());
      result = number_below(2) == 0 ? typical_for("IF") + "=" : "";
    }
    for (auto count = std::count(form.begin(), form.end(), '|'); count > 0 && number_below(2) == 0; --count) {
      form.remove_prefix(form.find('|') + 1);
    }
    form = form.substr(0, form.find('|'));
    const bool is_word = !form.empty() && form[0] >= 'a' && form[0] <= 'z';
    return result + (is_word && number_below(8) != 0 ? std::string(form) : typical_for(is_word ? "" : form));
  }

  void insert(Words& words, const relay::flags::Flag& flag) {
    const auto at = number_below(words.size() + 1);
    const std::string name = std::string("--").append(flag.name);
    if (number_below(4) == 0) {
      words.insert(place(words, at), name + "=" + value_of(flag));
      return;
    }
    if (flag.takes_value() && number_below(8) != 0) {
      words.insert(place(words, at), value_of(flag));
    }
    words.insert(place(words, at), flag.isc.empty() || number_below(2) == 0 ? name : std::string(flag.isc));
  }

  /// What is complete, and some flags with it; most of what is made by chance is not complete.
  void start_afresh(CommandLine& line) {
    if (number_below(2) == 0) {
      line.words = {"-id", "eth0", "10.0.0.2"};
    } else {
      line.words = {"-i", "eth0", "--server", "eth0=10.0.0.2"};
    }
    for (std::size_t count = number_below(3); count > 0; --count) {
      insert(line.words, flag());
    }
    if (number_below(2) == 0) {
      replace_value(line.words);
    }
  }

  /// With its value, mostly.
  void erase(Words& words, std::size_t at) {
    const auto* flag = relay::flags::find_word(words[at]);
    const bool with_value = flag != nullptr && flag->takes_value() && at + 1 < words.size() && number_below(4) != 0;
    words.erase(place(words, at), place(words, at + (with_value ? 2 : 1)));
  }

  void replace_value(Words& words) {
    for (std::size_t tries = 0; tries < 2 * words.size(); ++tries) {
      const std::size_t at = number_below(words.size());
      const auto* flag = at + 1 < words.size() ? relay::flags::find_word(words[at]) : nullptr;
      if (flag != nullptr && flag->takes_value()) {
        words[at + 1] = value_of(*flag);
        return;
      }
    }
  }

  void add_line(std::string& file, const relay::flags::Flag& flag) {
    const std::size_t start = number_below(2) == 0 ? 0 : std::min(file.find('\n') + 1, file.size());
    const bool has_value = flag.takes_value() ? number_below(8) != 0 : number_below(2) == 0;
    const std::string value = flag.takes_value() ? value_of(flag) : typical_for("");
    file.insert(start, std::string(flag.name) + (has_value ? " = " + value : "") + "\n");
  }

  std::minstd_rand random_;
};

}  // namespace fuzz
