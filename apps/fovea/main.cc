// fovea: one program, one file per subcommand.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "apps/fovea/command.h"
#include "apps/fovea/help.h"
#include "apps/fovea/interrupt.h"
#include "apps/fovea/text.h"
#include "apps/fovea/version.h"

namespace fovea::app {

namespace {

constexpr std::array kCommands{
    add_classify,
    add_run,
    add_preprocess,
    add_summary,
    add_plot,
    add_import,
    add_compile,
    add_inspect,
    add_bench,
    add_verify,
    add_models,
    add_doctor,
    add_version,
};

/// A stream that whoever started us has closed would be the next file that is opened: rows would
/// land in it. What stands in its place can be neither read nor written, which is then told.
void replace_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0) {
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int report(ErrorCode code, std::string_view message) {
  std::fflush(stdout);
  const std::string text = "fovea: " + std::string(to_string(code)) + ": " + one_line(message);
  std::fprintf(stderr, "%s\n", wrap(text, /*indent=*/2).c_str());
  return exit_code(code);
}

/// What was printed must have arrived: a full disk behind stdout is an error of the command.
int finish(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  // Of an earlier failure, errno is what the last call that failed left.
  const bool full = errno == ENOSPC;
  return report(full ? ErrorCode::kIoNoSpace : ErrorCode::kIoWrite,
                full ? "cannot write to stdout: no space left on the device"
                     : "the output could not be written to stdout");
}

/// Where a script's variable is not set, an option without a value would pass for none at all.
void refuse_empty_values(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() || std::ranges::count(option->results(), "") == 0) continue;
    throw InvalidArgument(option->get_name() + " has an empty value; leave it out or give one");
  }
  for (const CLI::App* chosen : command.get_subcommands()) refuse_empty_values(*chosen);
}

int run_program(int argc, char** argv) {
  CLI::App program{"Classifies pictures with neural networks: image files in, labels out.",
                   "fovea"};
  program.require_subcommand(1);
  use_narrow_help(program);
  program.set_version_flag("--version", version_text, "Print version, commit and backends");
  program.footer("Example: fovea classify lenet5 models/lenet5/digits");
  Action action;
  for (auto* add : kCommands) add(program, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help is an "error" that CLI11 prints itself.
    if (error.get_exit_code() == 0) return finish(program.exit(error));
    return report(ErrorCode::kArgumentInvalid, usage_message(program, error.what()));
  }
  refuse_empty_values(program);
  return finish(action());
}

}  // namespace

}  // namespace fovea::app

int main(int argc, char** argv) {
  using fovea::app::report;
  try {
    fovea::app::replace_closed_streams();
    return fovea::app::run_program(argc, argv);
  } catch (const fovea::app::Interrupted&) {
    return fovea::app::kExitInterrupted;
  } catch (const fovea::Error& error) {
    return report(error.code(), error.what());
  } catch (const std::exception& error) {
    return report(fovea::ErrorCode::kInternal, error.what());
  }
}
