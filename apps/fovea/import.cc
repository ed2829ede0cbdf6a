// fovea import FILE --output PACKAGE
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <fovea/model.h>

#include "apps/fovea/command.h"

namespace fovea::app {

namespace {

struct Arguments {
  std::string file;
  std::string output;
  std::string labels;
  PreprocessArguments preprocess;
};

std::string describe(const PreprocessSpec& spec) {
  std::string text = std::string(to_string(spec.mode)) + ", " +
                     std::string(to_string(spec.interpolation)) + ", " +
                     std::string(to_string(spec.fit)) + ", " + std::string(to_string(spec.color));
  if (spec.fit == Fit::kCentreCrop) {
    text += ", shorter side " + std::to_string(spec.shorter_side);
  }
  return text;
}

/// What was converted, and what the package still lacks to classify pictures.
void print_report(const Model& model, const Arguments& arguments) {
  std::string text = arguments.output + ": model '" + model.name() + "'\n";
  const auto line = [&text](const char* what, const std::string& value) {
    text += "  ";
    text += what;
    text += value + "\n";
  };
  for (const std::string& note : model.notes()) line("", note);
  for (const TensorInfo& input : model.inputs()) {
    line("input          ", input.name + " " + to_string(input.desc));
  }
  for (const TensorInfo& output : model.outputs()) {
    line("output         ", output.name + " " + to_string(output.desc));
  }
  const auto& spec = model.preprocessing();
  line("preprocessing  ",
       spec ? describe(*spec) : "not known; import with --mode to classify pictures");
  line("labels         ",
       model.labels().empty() ? "none; import with --labels to have them"
                              : std::to_string(model.labels().size()));
  std::fputs(text.c_str(), stdout);
}

int import(const Arguments& arguments) {
  ModelOptions options;
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
  command->add_option("FILE", arguments->file, "an ONNX file")->required();
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
