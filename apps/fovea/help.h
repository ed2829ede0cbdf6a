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
/// An option that the command does not have goes before what CLI11 says, which is then a
/// consequence.
///
/// what   CLI11's message
[[nodiscard]] std::string usage_message(const CLI::App& program, std::string_view what);

}  // namespace fovea::app
