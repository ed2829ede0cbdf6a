// fovea verify MODEL
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fovea/verify.h>

#include "apps/fovea/command.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

struct Arguments {
  ModelArguments model;
  VerifyOptions options;
  bool json = false;
};

/// JSON has no infinity: a difference to something that is no number is null.
nlohmann::ordered_json row(const LayerDifference& layer) {
  return {{"name", layer.name},
          {"op", layer.op},
          {"tactic", layer.tactic},
          {"max_abs", layer.max_abs},
          {"max_rel", layer.max_rel},
          {"cosine", layer.cosine},
          {"ok", layer.ok}};
}

void print_json(const Verification& result, bool bisected) {
  nlohmann::ordered_json json{{"model", result.model},
                              {"backend", result.backend},
                              {"precision", result.precision},
                              {"tolerance", result.tolerance},
                              {"output_tolerance", result.output_tolerance},
                              {"layers", nlohmann::json::array()},
                              {"outputs", nlohmann::json::array()}};
  for (const auto& layer : result.layers) json["layers"].push_back(row(layer));
  for (const auto& output : result.outputs) json["outputs"].push_back(row(output));
  json["top1_agreement"] = nullptr;
  if (result.top1_agreement) json["top1_agreement"] = *result.top1_agreement;
  json["worst"] = result.worst;
  json["first_failed"] = result.first_failed;
  if (bisected) json["failed_pass"] = result.failed_pass;
  json["ok"] = result.ok;
  std::puts(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void print_row(const LayerDifference& layer) {
  std::printf("%-4s %9.1e %9.1e  %.7f  %-14s %s\n",
              layer.ok ? "ok" : "FAIL",
              layer.max_rel,
              layer.max_abs,
              layer.cosine,
              layer.op.c_str(),
              one_line(layer.name).c_str());
}

void print_table(const Verification& result, bool bisected) {
  std::printf("%-4s %9s %9s  %-9s  %-14s %s\n", "", "max_rel", "max_abs", "cosine", "op", "layer");
  for (const auto& layer : result.layers) print_row(layer);
  std::printf("\nOutputs, against the network as it was described, within %.0e:\n",
              result.output_tolerance);
  for (const auto& output : result.outputs) print_row(output);
  std::printf("\n%s on %s (%s): %td of %zu steps are within %.0e; worst: %s\n",
              one_line(result.model).c_str(),
              result.backend.c_str(),
              result.precision.c_str(),
              std::ranges::count(result.layers, true, &LayerDifference::ok),
              result.layers.size(),
              result.tolerance,
              one_line(result.worst).c_str());
  if (result.top1_agreement) {
    std::printf("Top-1 agreement: %.4g %%\n", 100 * *result.top1_agreement);
  }
  if (!result.first_failed.empty()) {
    std::printf("First over the tolerance: %s\n", one_line(result.first_failed).c_str());
  }
  if (!bisected) return;
  if (result.failed_pass.empty()) {
    std::printf("No pass changes the outputs by more than %.0e.\n", result.output_tolerance);
  } else {
    std::printf("The outputs differ after the pass %s.\n", result.failed_pass.c_str());
  }
}

int verify(Arguments arguments) {
  VerifyOptions& options = arguments.options;
  const Model model = open_model(arguments.model.model, arguments.model.model_options());
  arguments.model.apply(model, options.compile);
  const Verification result = fovea::verify(model, options);
  print_notices(result.notices);
  if (arguments.json) {
    print_json(result, options.bisect_passes);
  } else {
    print_table(result, options.bisect_passes);
  }
  return result.ok ? kExitOk : kExitSomeFailed;
}

}  // namespace

void add_verify(CLI::App& program, Action& action) {
  auto* command =
      program.add_subcommand("verify", "Compare a backend with the operators' definitions");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.add_to(*command, /*with_backend=*/true);
  command
      ->add_option(
          "--batch", arguments->options.pictures, "pseudo-random pictures that are computed")
      ->capture_default_str();
  command->add_option("--seed", arguments->options.seed, "of the pictures")->capture_default_str();
  command->add_option("--tolerance",
                      arguments->options.tolerance,
                      "of a step's largest error, relative to its largest value; 0: by precision");
  command->add_flag("--bisect-passes",
                    arguments->options.bisect_passes,
                    "name the compiler pass that changes the outputs");
  command->add_flag("--json", arguments->json, "one JSON object instead of a table");
  command->footer("Example: fovea verify lenet5 --backend cpu");
  command->callback([&action, arguments] { action = [arguments] { return verify(*arguments); }; });
}

}  // namespace fovea::app
