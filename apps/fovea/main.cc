// fovea: one program, one file per subcommand.
#include <array>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "apps/fovea/command.h"

namespace fovea::app {

namespace {

constexpr std::array kCommands{add_classify, add_run, add_preprocess, add_import, add_version};

int report(std::string_view code, const char* message) {
  std::fflush(stdout);
  std::fprintf(stderr, "fovea: %.*s: %s\n", static_cast<int>(code.size()), code.data(), message);
  return exit_code(error_code(code));
}

/// What was printed must have arrived: a full disk behind stdout is an error of the command.
int finish(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  return report(to_string(ErrorCode::kIoWrite), "the output could not be written to stdout");
}

int run_program(int argc, char** argv) {
  CLI::App program{"Classifies pictures with neural networks: image files in, labels out.",
                   "fovea"};
  program.require_subcommand(1);
  program.footer("Example: fovea classify lenet5 models/lenet5/digits");
  Action action;
  for (auto* add : kCommands) add(program, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? kExitOk : kExitUsage;
  }
  return finish(action());
}

}  // namespace

}  // namespace fovea::app

int main(int argc, char** argv) {
  using fovea::app::report;
  try {
    return fovea::app::run_program(argc, argv);
  } catch (const fovea::Error& error) {
    return report(to_string(error.code()), error.what());
  } catch (const std::exception& error) {
    return report(to_string(fovea::ErrorCode::kInternal), error.what());
  }
}
