// fovea summary MODEL
#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fovea/describe.h>
#include <fovea/model.h>

#include "apps/fovea/command.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

/// The columns of the terminal that the table goes to; those of a usual one where it goes
/// elsewhere.
int table_columns() {
  constexpr int kFewest = 44;  // of summary()
  constexpr int kUsual = 80;
  ::winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
      size.ws_col == 0) {
    return kUsual;
  }
  return std::max<int>(size.ws_col, kFewest);
}

int summary(const ModelArguments& arguments) {
  const Model model = open_model(arguments.model, arguments.model_options());
  std::fputs(fovea::summary(model.graph(), one_line(model.name()), table_columns()).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

void add_summary(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("summary", "Print a network's layers and parameters");
  auto arguments = std::make_shared<ModelArguments>();
  arguments->weights = "none";
  arguments->add_to(*command, /*with_backend=*/false);
  command->footer("Example: fovea summary resnet50");
  command->callback([&action, arguments] { action = [arguments] { return summary(*arguments); }; });
}

}  // namespace fovea::app
