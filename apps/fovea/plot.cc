// fovea plot MODEL --output G.svg
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <fovea/describe.h>
#include <fovea/model.h>

#include "apps/fovea/command.h"
#include "apps/fovea/interrupt.h"

namespace fovea::app {

namespace {

struct Arguments {
  ModelArguments model;
  std::string output;
  std::string rankdir = "TB";
  std::string stage = "imported";
  std::optional<std::int64_t> batch;
  PlotOptions options;
};

PlotStage parse_stage(const std::string& text) {
  if (text == "imported") return PlotStage::kImported;
  if (text == "optimised") return PlotStage::kOptimised;
  if (text == "plan") return PlotStage::kPlan;
  throw InvalidArgument("--stage is imported, optimised or plan, not '" + text + "'");
}

int plot(Arguments arguments) {
  if (arguments.rankdir != "TB" && arguments.rankdir != "LR") {
    throw InvalidArgument("--rankdir is TB (top to bottom) or LR (left to right), not '" +
                          arguments.rankdir + "'");
  }
  arguments.options.left_to_right = arguments.rankdir == "LR";
  PlotOptions& options = arguments.options;
  options.stage = parse_stage(arguments.stage);
  if (options.stage == PlotStage::kImported && options.beside) {
    throw InvalidArgument("--beside draws the network as it was imported beside another --stage");
  }
  if (options.stage == PlotStage::kImported && arguments.batch) {
    throw InvalidArgument(
        "--batch is for --stage optimised and --stage plan, whose steps are timed");
  }
  if (arguments.model.weights.empty()) {
    // Weights are not drawn, but the compiler folds them: any content will do.
    arguments.model.weights = options.stage == PlotStage::kImported   ? "none"
                              : is_zoo_network(arguments.model.model) ? "random"
                                                                      : "imagenet";
  }
  options.compile.buckets = {arguments.batch.value_or(1)};
  const Model model = open_model(arguments.model.model, arguments.model.model_options());
  arguments.model.apply(model, options.compile);
  options.on_notice = [](const std::string& notice) { print_notices({&notice, 1}); };
  options.stop = [] { return interrupted(); };
  // The drawing may have a temporary name from the start: not every file system hides it.
  catch_interrupt();
  try {
    fovea::plot(model, arguments.output, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kQueueCancelled) throw Interrupted{};
    throw;
  }
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

void add_plot(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("plot", "Draw a network's layers into a file");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.weights.clear();
  arguments->model.add_to(*command, /*with_backend=*/true);
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
  command
      ->add_option("--stage",
                   arguments->stage,
                   "imported (the layers), optimised (what the compiler fused, coloured by shares "
                   "of the time) or plan (with tactics and added copies, too)")
      ->capture_default_str();
  command->add_flag(
      "--beside", arguments->options.beside, "draw the imported network beside another stage");
  command->add_option(
      "--batch", arguments->batch, "pictures that the drawn plan computes at once (default 1)");
  command->footer("Example: fovea plot resnet50 --output resnet50.svg --show-shapes");
  command->callback([&action, arguments] { action = [arguments] { return plot(*arguments); }; });
}

}  // namespace fovea::app
