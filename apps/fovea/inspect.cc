// fovea inspect FILE
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/fovea/command.h"
#include "apps/fovea/plan_text.h"

namespace fovea::app {

namespace {

struct Arguments {
  std::string file;
  bool steps = false;
  bool json = false;
};

int inspect(const Arguments& arguments) {
  const FileInfo info = inspect_file(arguments.file);
  const std::string text =
      arguments.json ? file_json(info) + "\n" : file_text(info, arguments.steps);
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

void add_inspect(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("inspect", "Show what is in a plan or model package");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file, "a plan file, or a model package")->required();
  command->add_flag("--steps", arguments->steps, "every step of every batch size as well");
  command->add_flag("--json", arguments->json, "one JSON object, with the steps");
  command->footer("Example: fovea inspect lenet5.plan --steps");
  command->callback([&action, arguments] { action = [arguments] { return inspect(*arguments); }; });
}

}  // namespace fovea::app
