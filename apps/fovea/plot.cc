// fovea plot MODEL --output G.svg
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <fovea/describe.h>
#include <fovea/model.h>

#include "apps/fovea/command.h"

namespace fovea::app {

namespace {

struct Arguments {
  ModelArguments model;
  std::string output;
  std::string rankdir = "TB";
  PlotOptions options;
};

int plot(Arguments arguments) {
  if (arguments.rankdir != "TB" && arguments.rankdir != "LR") {
    throw InvalidArgument("--rankdir is TB (top to bottom) or LR (left to right), not '" +
                          arguments.rankdir + "'");
  }
  arguments.options.left_to_right = arguments.rankdir == "LR";
  const Model model = open_model(arguments.model.model, arguments.model.model_options());
  fovea::plot(model.graph(), arguments.output, arguments.options);
  return kExitOk;
}

}  // namespace

void add_plot(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("plot", "Draw a network's layers into a file");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.weights = "none";
  arguments->model.add_to(*command, /*with_backend=*/false);
  command
      ->add_option("--output",
                   arguments->output,
                   "a file ending in .svg, .png, .pdf or .dot; all but .dot need Graphviz")
      ->required();
  command->add_flag(
      "--show-shapes", arguments->options.show_shapes, "shapes of inputs and outputs");
  command->add_flag("--show-dtype", arguments->options.show_dtype, "element types of outputs");
  command->add_option("--rankdir", arguments->rankdir, "TB (top to bottom) or LR (left to right)")
      ->capture_default_str();
  command->footer("Example: fovea plot resnet50 --output resnet50.svg --show-shapes");
  command->callback([&action, arguments] { action = [arguments] { return plot(*arguments); }; });
}

}  // namespace fovea::app
