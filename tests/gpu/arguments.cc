#include "tests/gpu/arguments.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "engine/core/require.h"
#include "tests/gpu/networks.h"

namespace fovea::selftest {

namespace {

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) parts.push_back(word);
  require(!parts.empty(), "a list needs a word");
  return parts;
}

/// The words, all of which must be known.
template <typename Known>
std::vector<std::string> known_words(const std::string& list, const Known& known) {
  std::vector<std::string> all = words(list);
  for (const std::string& word : all) {
    if (std::ranges::find(known, word) == std::end(known)) {
      throw InvalidArgument(cat("'", word, "' is not known; see --help"));
    }
  }
  return all;
}

template <typename Number>
Number positive(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0)) {
    throw InvalidArgument(cat("'", text, "' is no number above 0"));
  }
  return value;
}

/// "3/16": the fourth of sixteen parts.
void parse_shard(Arguments& arguments, const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto refuse = [&] {
    return InvalidArgument(cat("'", text, "' is no part such as 0/4, the first of four"));
  };
  if (slash == std::string::npos) throw refuse();
  const std::string part = text.substr(0, slash);
  arguments.shard = part == "0" ? 0 : positive<std::size_t>(part);
  arguments.shards = positive<std::size_t>(text.substr(slash + 1));
  if (arguments.shard >= arguments.shards) throw refuse();
}

/// given   the word behind the option, or null
void apply(Arguments& arguments, std::string_view option, const char* given) {
  constexpr std::array kParts{"kernels", "tactics", "networks", "tuner", "bench"};
  const auto value = [&]() -> std::string {
    if (given == nullptr) throw InvalidArgument(cat(option, " needs a value; see --help"));
    return given;
  };
  if (option == "--only") {
    arguments.parts = known_words(value(), kParts);
  } else if (option == "--networks") {
    arguments.networks = known_words(value(), network_names());
  } else if (option == "--precisions") {
    for (const std::string& word : words(value())) {
      arguments.precisions.push_back(parse_precision(word));
    }
  } else if (option == "--batches") {
    arguments.batches.clear();
    for (const std::string& word : words(value())) {
      arguments.batches.push_back(positive<std::int64_t>(word));
    }
  } else if (option == "--filter") {
    arguments.filter = value();
  } else if (option == "--shard") {
    parse_shard(arguments, value());
  } else if (option == "--json") {
    arguments.json = value();
  } else if (option == "--tuning-seconds") {
    arguments.tuning_seconds = positive<double>(value());
  } else if (option == "--timings") {
    arguments.timings = value();
  } else if (option == "--bench-seconds") {
    arguments.bench_seconds = positive<double>(value());
  } else if (option == "--budget-seconds") {
    arguments.budget_seconds = positive<double>(value());
  } else {
    throw InvalidArgument(cat("there is no option '", option, "'; see --help"));
  }
}

}  // namespace

bool Arguments::has(std::string_view part) const {
  return std::ranges::find(parts, part) != parts.end();
}

std::optional<Arguments> parse_arguments(int argc, const char* const* argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--help" || option == "-h") return std::nullopt;
    apply(arguments, option, i + 1 == argc ? nullptr : argv[i + 1]);
  }
  return arguments;
}

}  // namespace fovea::selftest
