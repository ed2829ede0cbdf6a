// fovea import FILE --output PACKAGE
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <fovea/model.h>

#include "apps/fovea/command.h"
#include "apps/fovea/download.h"
#include "apps/fovea/plan_text.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

struct Arguments {
  std::string file;
  std::string output;
  std::string labels;
  PreprocessArguments preprocess;
};

/// What a classifier takes the first output for; empty where it is no row of numbers per picture.
std::string meaning(const Model& model, const TensorInfo& first_output) {
  if (first_output.desc.shape.size() != 2 || !has_batch(first_output.desc)) return {};
  return model.gives_scores() ? ", taken for scores: a softmax is added"
                              : ", taken for probabilities";
}

/// What was converted, and what the package still lacks to classify pictures.
void print_report(const Model& model, const Arguments& arguments) {
  std::string text = one_line(arguments.output + ": model '" + model.name() + "'") + "\n";
  const auto line = [&text](const char* what, const std::string& value) {
    text += "  ";
    text += what;
    text += one_line(value) + "\n";
  };
  for (const std::string& note : model.notes()) line("", note);
  for (const TensorInfo& input : model.inputs()) {
    line("input          ", input.name + " " + to_string(input.desc));
  }
  bool first = true;
  for (const TensorInfo& output : model.outputs()) {
    line("output         ",
         output.name + " " + to_string(output.desc) +
             (std::exchange(first, false) ? meaning(model, output) : ""));
  }
  const auto& spec = model.preprocessing();
  line("preprocessing  ",
       preprocessing_text(spec) + (spec ? "" : "; import with --mode to classify pictures"));
  line("labels         ",
       model.labels().empty() ? "none; import with --labels to have them"
                              : std::to_string(model.labels().size()));
  std::fputs(text.c_str(), stdout);
}

int import(const Arguments& arguments) {
  ModelOptions options;
  options.on_download = show_downloads();
  options.labels = arguments.labels;
  arguments.preprocess.apply(options);
  const Model model = open_model(arguments.file, options);
  save_package(model, arguments.output);
  print_report(model, arguments);
  return kExitOk;
}

}  // namespace

void add_import(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("import", "Convert a model file into a model package");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file, "an ONNX file, or any other MODEL")->required();
  command->add_option("--output", arguments->output, "the package, a new folder")->required();
  command->add_option(
      "--labels", arguments->labels, "imagenet, mnist or a file, to travel with the model");
  arguments->preprocess.add_to(*command);
  command->footer(
      "Example: fovea import mobilenet_v2.onnx --output mobilenet_v2 \\\n"
      "           --mode tf --labels imagenet");
  command->callback([&action, arguments] { action = [arguments] { return import(*arguments); }; });
}

}  // namespace fovea::app
