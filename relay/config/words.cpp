#include "relay/config/words.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>
#include <utility>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include "relay/config/flags.h"

namespace relay::flags {

namespace {

namespace po = boost::program_options;

[[noreturn]] void reject_missing_value(const std::string& spelled, const Flag& flag) {
  throw UsageError(spelled + ": expected a value, " + spelled + " " + std::string(flag.value));
}

std::string name_of(const std::string& word) {
  return word.substr(0, word.find('='));
}

// `-c4`, `-idd1`: the ISC flag with a value that the word starts with, the longest where there are several.
const Flag* glued_flag(std::string_view word) noexcept {
  const Flag* longest = nullptr;
  for (const Flag& flag : all()) {
    if (flag.takes_value() && !flag.isc.empty() && word.size() > flag.isc.size() && word.starts_with(flag.isc) &&
        (longest == nullptr || longest->isc.size() < flag.isc.size())) {
      longest = &flag;
    }
  }
  return longest;
}

[[noreturn]] void reject_glued(const std::string& word, const Flag& flag) {
  std::string_view value = std::string_view(word).substr(flag.isc.size());
  if (value.starts_with('=')) {
    value.remove_prefix(1);
  }
  throw UsageError(shown(word) + ": expected the value of " + std::string(flag.isc) + " as the next word, " +
                   std::string(flag.isc) + " " + shown(value));
}

[[noreturn]] void reject_unknown(const std::string& word) {
  const std::string name = name_of(word);
  const bool is_long = name.starts_with("--");
  if (const Flag* flag = find_word(name); flag != nullptr && !flag->takes_value()) {
    throw UsageError(shown(word) + ": " + name + " takes no value");
  }
  const std::string near = nearest_word(word);
  const Flag* const glued = is_long ? nullptr : glued_flag(word);
  if (glued != nullptr && (near.size() < 5 || word.size() < 5 || word[glued->isc.size()] == '=')) {
    reject_glued(word, *glued);
  }
  throw UsageError("unknown flag " + shown(name) + ": " +
                   (near.empty() ? std::string("--help lists the known ones") : "did you mean " + near + "?"));
}

// Program_options asks this about the words that are left. ISC's words and values in a word of their own are taken
// here; what it declines is a SERVER, `--`, or a long flag with its value behind '='.
std::vector<po::option> take_flag(std::vector<std::string>& words) {
  const std::string word = words.front();
  if (word.size() < 2 || word[0] != '-' || word == "--") {
    return {};
  }
  const Flag* const flag = find_word(word);
  if (flag == nullptr) {
    const Flag* const named = word[1] == '-' ? find_word(name_of(word)) : nullptr;
    if (named != nullptr && named->takes_value()) {
      return {};
    }
    reject_unknown(word);
  }
  po::option option(std::string(flag->name), {});
  option.original_tokens = {word};
  if (flag->takes_value()) {
    if (words.size() < 2 || find_word(words[1]) != nullptr) {
      reject_missing_value(word, *flag);
    }
    option.value = {words[1]};
  }
  words.erase(words.begin(), words.begin() + (flag->takes_value() ? 2 : 1));
  return {option};
}

po::options_description described_flags() {
  po::options_description description;
  for (const Flag& flag : all()) {
    const std::string name(flag.name);
    // The description takes the object over.
    description.add_options()(name.c_str(), new po::untyped_value(/*zero_tokens=*/!flag.takes_value()), "");
  }
  return description;
}

constexpr std::size_t largest_file = std::size_t{1} << 20U;
constexpr std::string_view white_space = " \t\r\v\f";

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
  return text.substr(0, text.find_last_not_of(white_space) + 1);
}

// A comment starts the line or stands behind white space, so that a value may contain '#'.
std::string_view without_comment(std::string_view line) noexcept {
  for (std::size_t hash = line.find('#'); hash != std::string_view::npos; hash = line.find('#', hash + 1)) {
    if (hash == 0 || white_space.find(line[hash - 1]) != std::string_view::npos) {
      return line.substr(0, hash);
    }
  }
  return line;
}

std::string text_of_file(const std::string& name) {
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  std::string text(largest_file + 1, '\0');
  if (!file || (file.read(text.data(), static_cast<std::streamsize>(text.size())), file.bad())) {
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), name);
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string contents(const Given& config, const ReadFile& read) {
  const std::string name = file_name(config);
  std::string text;
  try {
    std::error_code ignored;
    if (!read && std::filesystem::is_directory(name, ignored)) {
      reject(config, "this is a directory; expected a file of flags");
    }
    text = read ? read(name) : text_of_file(name);
  } catch (const std::system_error& error) {
    reject(config, "cannot be read: " + error.code().message());
  }
  if (text.size() > largest_file) {
    reject(config, "too large: a file of flags has at most 1 MiB");
  }
  return text;
}

// Reads `name = value`, `name = true`, `name = false` or `name`.
Given read_line(const std::string& where, std::string_view line) {
  const std::size_t equals = line.find('=');
  const std::string_view name = trimmed(line.substr(0, equals));
  const std::string_view value = equals == std::string_view::npos ? "" : trimmed(line.substr(equals + 1));
  const Flag* const flag = find_name(name);
  if (flag == nullptr) {
    std::string near = nearest_word(name);
    if (const Flag* meant = find_word(near); meant != nullptr) {
      near = meant->name;
    }
    throw UsageError(where + "unknown name " + shown(name) + ": " +
                     (near.empty() ? std::string("--help lists the known ones, without their dashes here")
                                   : "did you mean " + near + "?"));
  }
  const std::string spelled = where + std::string(name);
  if (flag->command_line_only) {
    throw UsageError(spelled + ": expected on the command line only, not in a file");
  }
  if (flag->takes_value()) {
    if (value.empty()) {
      throw UsageError(spelled + ": expected a value, " + std::string(name) + " = " + std::string(flag->value));
    }
    return Given{.flag = flag, .value = std::string(value), .spelled = spelled};
  }
  if (equals != std::string_view::npos && value != "true" && value != "false") {
    throw UsageError(spelled + " " + shown(value) + ": expected true or false");
  }
  return Given{.flag = flag, .value = std::string(value), .spelled = spelled};
}

}  // namespace

std::vector<Given> read_words(const std::vector<std::string>& words) {
  const po::options_description description = described_flags();
  namespace style = po::command_line_style;
  std::vector<Given> result;
  try {
    const po::parsed_options parsed = po::command_line_parser(words)
                                          .options(description)
                                          .style(style::allow_long | style::long_allow_adjacent)
                                          .extra_style_parser(take_flag)
                                          .run();
    for (const po::option& option : parsed.options) {
      Given given;
      given.positional = option.string_key.empty();
      given.flag = find_name(given.positional ? "server" : option.string_key);
      given.value = option.value.empty() ? "" : option.value.front();
      given.spelled = given.positional ? "SERVER" : name_of(option.original_tokens.front());
      result.push_back(given);
    }
  } catch (const po::invalid_command_line_syntax& error) {
    if (const Flag* const flag = find_word(error.get_option_name()); flag != nullptr) {
      reject_missing_value(error.get_option_name(), *flag);
    }
    throw UsageError(shown(error.what()));
  } catch (const po::error& error) {
    throw UsageError(shown(error.what()));
  }
  return result;
}

std::vector<Given> read_file(const Given& config, const ReadFile& read) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // in UTF-8, as some editors begin a file
  const std::string whole = contents(config, read);
  std::string_view text = whole;
  if (text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  std::vector<Given> result;
  std::size_t number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(without_comment(text.substr(start, end - start)));
    ++number;
    start = end + 1;
    if (!line.empty()) {
      result.push_back(read_line(printable(config.value) + ":" + std::to_string(number) + ": ", line));
    }
  }
  return result;
}

}  // namespace relay::flags
