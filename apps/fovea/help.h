// How help and usage errors look.
#pragma once

#include <string>
#include <string_view>

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace fovea::app {

/// Gives the program, and the commands that are added to it later, help within kTextColumns
/// columns.
void use_narrow_help(CLI::App& program);

/// What is wrong with a command line that was not understood, and where to read on.
///
/// what    CLI11's message
/// first   the first argument after the program's name, or empty
[[nodiscard]] std::string usage_message(const CLI::App& program,
                                        std::string_view what,
                                        std::string_view first);

}  // namespace fovea::app
