// fovea models list|pull|path|verify
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <fovea/zoo.h>

#include "apps/fovea/command.h"
#include "apps/fovea/download.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

struct Arguments {
  std::vector<std::string> names;
  bool json = false;
};

std::string_view word(WeightsPlace place) {
  switch (place) {
    case WeightsPlace::kBundled:
      return "bundled";
    case WeightsPlace::kCached:
      return "cached";
    case WeightsPlace::kAbsent:
      return "absent";
  }
  return "absent";
}

std::string state(const ZooWeights& weights, const std::string& name) {
  if (weights.place == WeightsPlace::kBundled) return "bundled";
  if (weights.place == WeightsPlace::kCached) return "here";
  return "not here: fovea models pull " + name;
}

/// 25636712 as "25,636,712".
std::string in_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

/// The members that every row has, without the braces.
std::string json_members(const std::string& name, const ZooWeights& weights) {
  return "\"name\":" + json_string(name) + ",\"weights\":\"" + std::string(word(weights.place)) +
         "\",\"file\":" + json_string(weights.file) +
         ",\"bytes\":" + std::to_string(weights.bytes) + ",\"hash\":" + json_string(weights.hash) +
         ",\"path\":" + (weights.path.empty() ? "null" : json_string(weights.path));
}

void print_row(const Arguments& arguments, const std::string& json, const std::string& text) {
  std::printf("%s\n", arguments.json ? ("{" + json + "}").c_str() : one_line(text).c_str());
}

int list(const Arguments& arguments) {
  for (const std::string_view view : zoo_names()) {
    const std::string name(view);
    const ZooWeights weights = zoo_weights(name);
    const std::string description(zoo_description(name));
    const std::int64_t parameters = zoo_parameters(name);
    if (arguments.json) {
      print_row(arguments,
                json_members(name, weights) + ",\"description\":" + json_string(description) +
                    ",\"parameters\":" + std::to_string(parameters),
                {});
      continue;
    }
    std::printf("%-13s%12s parameters %10s  %s\n%13s%s\n",
                name.c_str(),
                in_thousands(parameters).c_str(),
                weights.bytes == 0 ? "?" : in_megabytes(weights.bytes).c_str(),
                state(weights, name).c_str(),
                "",
                wrap(description, /*indent=*/13, /*used=*/13).c_str());
  }
  return kExitOk;
}

/// The names given; all of the zoo for "all".
std::vector<std::string> wanted(const Arguments& arguments) {
  const auto& names = arguments.names;
  if (std::find(names.begin(), names.end(), "all") == names.end()) return names;
  const auto all = zoo_names();
  return {all.begin(), all.end()};
}

/// Calls `each` for every network that is wanted; those behind one that fails get their turn, too.
/// The first failure ends the command.
int for_each_wanted(const Arguments& arguments,
                    const std::function<void(const std::string&)>& each) {
  const std::vector<std::string> names = wanted(arguments);
  for (const std::string& name : names) (void)zoo_weights(name);  // a wrong name before any work
  std::exception_ptr first;
  for (const std::string& name : names) {
    try {
      each(name);
    } catch (const Error& error) {
      if (first == nullptr) first = std::current_exception();
      if (!arguments.json && names.size() == 1) break;  // the error says it all
      const std::string code(to_string(error.code()));
      print_row(arguments,
                json_members(name, zoo_weights(name)) + ",\"error\":{\"code\":" +
                    json_string(code) + ",\"message\":" + json_string(error.what()) + "}",
                std::string(name).append(": ").append(code));
    }
    std::fflush(stdout);
  }
  if (first != nullptr) std::rethrow_exception(first);
  return kExitOk;
}

int pull(const Arguments& arguments) {
  return for_each_wanted(arguments, [&](const std::string& name) {
    pull_weights(name, show_downloads());
    const ZooWeights weights = zoo_weights(name);
    print_row(arguments,
              json_members(name, weights),
              name + ": " + (weights.path.empty() ? "bundled with the program" : weights.path));
  });
}

int path(const Arguments& arguments) {
  const std::string& name = arguments.names.front();
  const ZooWeights weights = zoo_weights(name);
  if (weights.place == WeightsPlace::kBundled) {
    throw Error(ErrorCode::kWeightsMissing,
                "the weights of " + name + " are part of the program, there is no file of them");
  }
  if (weights.place == WeightsPlace::kAbsent) {
    throw Error(ErrorCode::kWeightsMissing,
                "the weights of " + name + " are not here; fovea models pull " + name +
                    " downloads them to " + weights.path);
  }
  // As it is: for scripts, which may meet any byte in a path.
  if (arguments.json) {
    print_row(arguments, json_members(name, weights), {});
  } else {
    std::printf("%s\n", weights.path.c_str());
  }
  return kExitOk;
}

int verify(const Arguments& arguments) {
  return for_each_wanted(arguments, [&](const std::string& name) {
    verify_weights(name);
    const ZooWeights weights = zoo_weights(name);
    print_row(
        arguments, json_members(name, weights) + ",\"ok\":true", name + ": ok, " + weights.hash);
  });
}

/// One of the commands below `models`.
CLI::App* add(CLI::App& models,
              Action& action,
              const std::shared_ptr<Arguments>& arguments,
              const char* name,
              const char* description,
              const char* example,
              int (*run)(const Arguments&)) {
  CLI::App* command = models.add_subcommand(name, description);
  command->add_flag("--json", arguments->json, "one JSON object a line on stdout");
  command->footer(std::string("Example: fovea models ") + example);
  command->callback(
      [&action, arguments, run] { action = [arguments, run] { return run(*arguments); }; });
  return command;
}

}  // namespace

void add_models(CLI::App& program, Action& action) {
  auto* models = program.add_subcommand("models", "The zoo's weights: list, download, check");
  auto arguments = std::make_shared<Arguments>();
  models->require_subcommand(1);
  models->footer(
      "Examples: fovea models list\n"
      "          fovea models pull resnet50\n"
      "Weights lie in $FOVEA_HOME/weights and are checked against the published hash.\n"
      "FOVEA_OFFLINE=1 forbids downloads; FOVEA_WEIGHTS_URL names a mirror.");
  add(*models,
      action,
      arguments,
      "list",
      "Every network, and whether its weights are here",
      "list --json",
      list);
  add(*models,
      action,
      arguments,
      "pull",
      "Download weights; goes on where it was interrupted",
      "pull resnet50",
      pull)
      ->add_option("NAME", arguments->names, "networks of the zoo, or all")
      ->required();
  add(*models,
      action,
      arguments,
      "path",
      "Print the path of a network's weights",
      "path resnet50",
      path)
      ->add_option("NAME", arguments->names, "a network of the zoo")
      ->required()
      ->expected(1);
  add(*models,
      action,
      arguments,
      "verify",
      "Compare weights with the published hash",
      "verify resnet50",
      verify)
      ->add_option("NAME", arguments->names, "networks of the zoo, or all")
      ->required();
}

}  // namespace fovea::app
