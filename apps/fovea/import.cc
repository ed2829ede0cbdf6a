// fovea import FILE --output PACKAGE
#include <cstdio>
#include <memory>

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

int import(const Arguments& arguments) {
  ModelOptions options;
  options.labels = arguments.labels;
  arguments.preprocess.apply(options);
  const Model model = open_model(arguments.file, options);
  save_package(model, arguments.output);
  std::fprintf(stderr,
               "%s: imported '%s'; preprocessing: %s; labels: %zu\n",
               arguments.output.c_str(),
               model.name().c_str(),
               model.preprocessing() ? std::string(to_string(model.preprocessing()->mode)).c_str()
                                     : "unknown (say it with --mode)",
               model.labels().size());
  return kExitOk;
}

}  // namespace

void add_import(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("import", "Turn a model file into a model package");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file, "an ONNX file")->required();
  command->add_option("--output", arguments->output, "the package's folder; must not exist")
      ->required();
  command->add_option("--labels", arguments->labels, "imagenet, mnist or a file of labels");
  arguments->preprocess.add_to(*command);
  command->footer(
      "Example: fovea import mobilenet_v2.onnx --mode tf --labels imagenet --output mobilenet_v2");
  command->callback([&action, arguments] { action = [arguments] { return import(*arguments); }; });
}

}  // namespace fovea::app
