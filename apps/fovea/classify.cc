// fovea classify MODEL PATH...
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <unordered_map>

#include <CLI/CLI.hpp>

#include <fovea/classifier.h>

#include "apps/fovea/command.h"
#include "apps/fovea/files.h"
#include "apps/fovea/interrupt.h"
#include "apps/fovea/picture_paths.h"
#include "apps/fovea/progress.h"
#include "apps/fovea/rows.h"

namespace fovea::app {

namespace {

struct Arguments {
  ModelArguments model;
  PreprocessArguments preprocess;
  std::vector<std::string> paths;
  std::string labels;
  std::string output;
  std::int64_t batch = 0;
  std::optional<int> top;
  bool json = false;
};

ModelOptions model_options(const Arguments& arguments) {
  ModelOptions options = arguments.model.model_options();
  options.labels = arguments.labels;
  arguments.preprocess.apply(options);
  return options;
}

ClassifierOptions classifier_options(const Arguments& arguments, const Model& model) {
  ClassifierOptions options;
  arguments.model.apply(model, options);
  options.batch = arguments.batch;
  options.top_k = arguments.top;
  return options;
}

/// A folder comes as a path only where it holds nothing to classify.
Result told_of_folder(const std::string& path, Result result) {
  std::error_code error;
  if (result.failure && std::filesystem::is_directory(path, error)) {
    result.failure->message = no_picture_in(path);
  }
  return result;
}

std::unique_ptr<RowWriter> make_writer(const Arguments& arguments) {
  if (!arguments.output.empty()) return std::make_unique<RowWriter>(arguments.output);
  return std::make_unique<RowWriter>(arguments.json ? RowFormat::kJson : RowFormat::kText);
}

/// As far as the command line names them: what is found in folders does not end as rows must.
std::vector<std::string> files_read(const Arguments& arguments) {
  std::vector<std::string> files = arguments.model.files();
  files.push_back(arguments.labels);
  for (const std::string& path : arguments.paths) {
    if (path != "-") files.push_back(path);
  }
  return files;
}

int classify(const Arguments& arguments) {
  refuse_overwriting("--output", arguments.output, files_read(arguments));
  const Model model = open_model(arguments.model.model, model_options(arguments));
  Classifier classifier = Classifier::open(model, classifier_options(arguments, model));
  catch_interrupt();
  const auto writer = make_writer(arguments);
  PicturePaths paths(arguments.paths, interrupt_descriptor());
  Progress progress(paths.count(), arguments.output.empty());

  std::mutex mutex;  // `next` and `sink` run on different threads
  std::unordered_map<std::size_t, std::string> names;
  std::size_t asked = 0;
  bool some_failed = false;
  classifier.classify_files(
      [&]() -> std::optional<std::string> {
        if (interrupted()) return std::nullopt;
        std::optional<std::string> path = paths.next();
        const std::lock_guard lock(mutex);
        if (path) names.emplace(asked++, *path);
        return path;
      },
      [&](std::size_t index, const Result& result) {
        std::unique_lock lock(mutex);
        const std::string name = std::move(names.extract(index).mapped());
        lock.unlock();
        writer->write(name, result.failure ? told_of_folder(name, result) : result);
        some_failed = some_failed || result.failure.has_value();
        progress.advance();
      },
      paths.count());
  writer->close();
  if (asked > 0) {
    print_notices(classifier.prepare(paths.count()).notices);
  } else if (!interrupted()) {
    print_notices(std::array{std::string("no path was given on standard input")});
  }
  if (interrupted()) return kExitInterrupted;
  return some_failed ? kExitSomeFailed : kExitOk;
}

}  // namespace

void add_classify(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("classify", "Label pictures");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.add_to(*command, /*with_backend=*/true);
  command
      ->add_option("PATH",
                   arguments->paths,
                   "pictures, folders of pictures, or - for one such path a line on stdin")
      ->required();
  command->add_option("--top",
                      arguments->top,
                      "predictions per picture (default: 5, or all classes where there are fewer)");
  command->add_option(
      "--labels", arguments->labels, "imagenet, mnist or a file; the default is the model's own");
  command->add_option("--batch", arguments->batch, "pictures per run; 0: chosen for the backend")
      ->capture_default_str();
  auto* json = command->add_flag("--json", arguments->json, "one JSON object a line on stdout");
  command->add_option("--output", arguments->output, "write to F.csv or F.jsonl instead of stdout")
      ->excludes(json);
  arguments->preprocess.add_to(*command);
  command->footer(
      "Examples: fovea classify lenet5 models/lenet5/digits\n"
      "          fovea classify resnet50 photos/ --weights random:1 --json");
  command->callback(
      [&action, arguments] { action = [arguments] { return classify(*arguments); }; });
}

}  // namespace fovea::app
