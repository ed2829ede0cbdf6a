// fovea compile MODEL --output P.plan
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fovea/dry_run.h>
#include <fovea/plan_file.h>

#include "apps/fovea/command.h"
#include "apps/fovea/dry_run_text.h"
#include "apps/fovea/explanation.h"
#include "apps/fovea/files.h"
#include "apps/fovea/plan_text.h"
#include "apps/fovea/progress.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  ModelArguments model;
  PreprocessArguments preprocess;
  std::string labels;
  std::string output;
  std::string weights_in = "plan";
  std::string tactics_file;
  std::int64_t batch = 32;
  std::vector<std::int64_t> buckets;
  bool weights_named = false;
  bool dry_run = false;
  bool explain = false;
  bool json = false;
};

constexpr std::string_view kNoContract =
    "the model does not say how pictures are preprocessed, so the plan runs on tensors and cannot "
    "classify; --mode none, caffe, tf, torch or unit says it";

CompileOptions compile_options(const Arguments& arguments, const Model& model) {
  CompileOptions options;
  arguments.model.apply(model, options);
  options.batch = arguments.batch;
  options.buckets = arguments.buckets;
  return options;
}

PlanFileOptions file_options(const Arguments& arguments) {
  if (arguments.weights_in == "plan") return {};
  if (arguments.weights_in == "cache") return {.shared_weights = true};
  throw InvalidArgument("weights lie in plan or in cache, not in '" + arguments.weights_in + "'");
}

/// Bytes that are no UTF-8 become U+FFFD.
std::string one_json_line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string seconds(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f s", value);
  return text.data();
}

void print_text(const FileInfo& info, const SavedPlan& saved, const Arguments& arguments) {
  if (!info.compiled) {
    throw Error(ErrorCode::kPlanCorrupt,
                "'" + arguments.output + "' was overwritten before it could be described");
  }
  std::string text = one_line(arguments.output) + ": model '" + one_line(info.model) + "' for " +
                     info.compiled->backend + ", " + bytes_text(saved.file_bytes) + "\n" +
                     buckets_text(info.compiled->buckets);
  text += "  packed weights " + bytes_text(info.compiled->packed_bytes) + "\n";
  text += "  compiled in " + seconds(saved.compile_s) + "; wrote the model's weights in " +
          seconds(saved.model_s) + ",\n  packed weights and all else in " + seconds(saved.write_s) +
          "\n";
  if (arguments.explain) text += "\n" + explanation_text(explain(*saved.plan));
  std::fputs(text.c_str(), stdout);
}

void print_json(const FileInfo& info, const SavedPlan& saved, const Arguments& arguments) {
  auto json = nlohmann::ordered_json::parse(file_json(info));
  json["output"] = arguments.output;
  json["seconds"] = {
      {"model", saved.model_s}, {"compile", saved.compile_s}, {"write", saved.write_s}};
  if (arguments.explain) json["explanation"] = explanation_json(explain(*saved.plan));
  std::fputs(one_json_line(json).c_str(), stdout);
}

/// Before anything is compiled: a file that would be written over another of the command's own, or
/// into a folder that there is not.
void check_files(const Arguments& arguments) {
  if (is_same_file(arguments.output, arguments.tactics_file)) {
    throw InvalidArgument("--output and --save-tactics are one file: " + arguments.tactics_file);
  }
  std::vector<std::string> read = arguments.model.files();
  read.push_back(arguments.labels);
  refuse_overwriting("--output", arguments.output, read);
  // The choices may be written to where they came from.
  std::erase(read, arguments.model.tactics.lock);
  refuse_overwriting("--save-tactics", arguments.tactics_file, read);
  const fs::path folder = fs::path(arguments.tactics_file).parent_path();
  if (folder.empty() || fs::is_directory(folder)) return;
  throw Error(ErrorCode::kIoWrite,
              std::string("cannot write ")
                  .append(arguments.tactics_file)
                  .append(": there is no folder ")
                  .append(folder.string()));
}

bool has_cuda() {
  const std::vector<std::string> names = backend_names();
  return std::ranges::find(names, "cuda") != names.end();
}

Model opened(const Arguments& arguments) {
  ModelOptions options = arguments.model.model_options();
  options.labels = arguments.labels;
  arguments.preprocess.apply(options);
  return open_model(arguments.model.model, options);
}

int dry_run(Arguments arguments) {
  if (!arguments.model.target.empty()) {
    check_target(arguments.model.backend, arguments.model.target);
    // Nothing of the backend that this machine has is then to be told.
    arguments.model.backend = "cuda";
  }
  // No value of the weights is shown.
  if (!arguments.weights_named && is_zoo_network(arguments.model.model)) {
    arguments.model.weights = "random";
  }
  const Model model = opened(arguments);
  const CompileOptions how = compile_options(arguments, model);
  const DryRun run = fovea::dry_run(model, how, arguments.model.target);
  print_notices(run.plan->notices());
  std::string text;
  if (arguments.json) {
    auto json = nlohmann::ordered_json::parse(dry_run_json(run));
    if (arguments.explain) json["explanation"] = explanation_json(explain(*run.plan));
    text = one_json_line(json);
  } else {
    text = dry_run_text(run);
    if (arguments.explain) text += "\n" + explanation_text(explain(*run.plan));
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

int compile(const Arguments& arguments) {
  if (arguments.batch < 1) throw InvalidArgument("--batch is at least 1");
  if (arguments.dry_run) return dry_run(arguments);
  if (!arguments.model.target.empty()) {
    throw InvalidArgument(
        "--target is for --dry-run: a plan file is made on its device, or for the CPU");
  }
  if (arguments.output.empty()) {
    throw InvalidArgument(
        "a file to be written needs a name: --output says where the plan goes; --dry-run writes "
        "none");
  }
  check_files(arguments);
  const PlanFileOptions place = file_options(arguments);
  const Model model = opened(arguments);
  const CompileOptions how = compile_options(arguments, model);
  const SavedPlan saved = [&] {
    const ElapsedLine line(how.tuning == "off" ? "compiling" : "compiling and measuring");
    return save_plan(model, arguments.output, how, place);
  }();
  print_notices(saved.plan->notices());
  if (!model.preprocessing()) print_notices(std::array{std::string(kNoContract)});
  if (!arguments.tactics_file.empty()) save_tactics(*saved.plan, arguments.tactics_file);
  const FileInfo info = inspect_file(arguments.output);
  if (arguments.json) {
    print_json(info, saved, arguments);
  } else {
    print_text(info, saved, arguments);
  }
  return kExitOk;
}

}  // namespace

void add_compile(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("compile", "Compile a model into a plan file");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.tactics.tuning = "fast";
  arguments->model.add_to(*command, /*with_backend=*/true);
  auto* output = command->add_option(
      "--output", arguments->output, "the plan file; P.plan is a MODEL from then on");
  command->add_option("--batch", arguments->batch, "the largest batch")->capture_default_str();
  command
      ->add_option("--buckets",
                   arguments->buckets,
                   "batch sizes to compile for (default: 1, 8 and 32 up to --batch, and --batch)")
      ->delimiter(',')
      ->excludes("--batch");
  command
      ->add_option("--weights-in",
                   arguments->weights_in,
                   "plan (the file has all it needs), or cache (plans of one model share the "
                   "model's own weights, in $FOVEA_HOME/tensors; packed ones are in each file)")
      ->capture_default_str();
  command->add_option(
      "--labels", arguments->labels, "imagenet, mnist or a file, to travel with it");
  auto* save_tactics =
      command->add_option("--save-tactics",
                          arguments->tactics_file,
                          "write how each node is computed to a JSON file, as --lock takes it");
  command->add_flag("--explain",
                    arguments->explain,
                    "say of every candidate for a fusion and of every tactic why it was or was not "
                    "taken");
  command
      ->add_flag(
          "--dry-run",
          arguments->dry_run,
          "write, measure and download nothing: print the plan, step by step, with the "
          "bytes and the operations of each and the batch sizes that memory is too small for; a "
          "network of the zoo gets random weights where --weights are not named")
      ->excludes(output)
      ->excludes(save_tactics)
      ->excludes(command->get_option("--tuning"))
      ->excludes(command->get_option("--tuning-seconds"));
  command->add_option(
      "--target",
      arguments->model.target,
      "a type of GPU that need not be here, sm_75 to sm_90, for --dry-run: also the "
      "least time of every step by the data sheet of such a device; needs a build with the CUDA "
      "backend");
  command->add_flag("--json", arguments->json, "one JSON object on stdout");
  arguments->preprocess.add_to(*command);
  command->footer(
      "Example: fovea compile lenet5 --output lenet5.plan\n"
      "         fovea classify lenet5.plan models/lenet5/digits\n"
      "         fovea compile lenet5 --output a.plan --save-tactics a.json\n"
      "         fovea compile lenet5 --output b.plan --lock a.json\n"
      "         fovea compile lenet5 " +
      std::string(has_cuda() ? "--backend cuda --target sm_90 --dry-run" : "--dry-run"));
  command->callback([&action, command, arguments] {
    arguments->weights_named = command->count("--weights") != 0;
    action = [arguments] { return compile(*arguments); };
  });
}

}  // namespace fovea::app
