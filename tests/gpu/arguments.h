// The self-test's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/precision.h>

namespace fovea::selftest {

struct Arguments {
  std::vector<std::string> parts{"kernels", "tactics", "networks", "tuner", "bench"};
  std::vector<std::string> networks;                 ///< empty: all
  std::vector<Precision> precisions;                 ///< empty: all that the backend has
  std::vector<std::int64_t> batches{1, 8, 32, 256};  ///< of bench
  std::string filter;                                ///< of kernels and tactics
  std::size_t shard = 0;                             ///< of them every `shards`-th, from this one
  std::size_t shards = 1;
  std::string json;             ///< a file; empty: none
  double tuning_seconds = 0;    ///< for one compilation; 0: the default
  std::string timings;          ///< a folder for measured times; empty: none
  double bench_seconds = 0.5;   ///< for one network, precision and batch
  double budget_seconds = 450;  ///< nothing new is begun behind it

  [[nodiscard]] bool has(std::string_view part) const;
};

inline constexpr const char* kUsage =
    "usage: gpu_selftest [--only PART,...] [--networks NAME,...] [--precisions P,...]\n"
    "                    [--batches N,...] [--filter TEXT] [--shard I/N]\n"
    "                    [--bench-seconds S] [--budget-seconds S]\n"
    "                    [--tuning-seconds S] [--timings FOLDER] [--json FILE]\n"
    "\n"
    "Parts: kernels (every kernel against its definition; --filter: names with TEXT;\n"
    "--shard: every N-th test from the I-th on, counted from 0),\n"
    "tactics (those of dense layers likewise), networks (the zoo against oracles,\n"
    "without tuning), tuner (the same with fast tuning), bench (time of a batch).\n"
    "What tuning measures is kept in the folder of --timings and not measured again.\n"
    "Nothing new is begun behind --budget-seconds (450). What is left out is named, and is\n"
    "a failure but for times; so is a --filter that no name has. A shard may be empty.\n"
    "Exit code: 0 all held, 1 something failed or was not checked, 2 wrong usage,\n"
    "4 no device.\n";

/// Nothing for --help. Throws InvalidArgument for what cannot be followed.
[[nodiscard]] std::optional<Arguments> parse_arguments(int argc, const char* const* argv);

}  // namespace fovea::selftest
