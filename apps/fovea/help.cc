#include "apps/fovea/help.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

constexpr std::size_t kNameColumns = 30;

/// A name and, from column kNameColumns on, what it means; below the name where that is too long.
std::string entry(std::string_view name, std::string_view description) {
  std::string text = "  " + std::string(name);
  if (text.size() + 2 > kNameColumns) {
    text += '\n' + std::string(kNameColumns, ' ');
  } else {
    text.resize(kNameColumns, ' ');
  }
  return text + wrap(description, kNameColumns, kNameColumns) + '\n';
}

/// "classify, run and version"
std::string command_names(const CLI::App& program) {
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  std::string names;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i != 0) names += i + 1 == commands.size() ? " and " : ", ";
    names += commands[i]->get_name();
  }
  return names;
}

class NarrowFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string name = make_option_name(option, is_positional);
    if (!is_positional && option->get_type_size() != 0) name += ' ' + option->get_type_name();
    return entry(name, make_option_desc(option));
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    if (option->nonpositional() && option->get_required()) text += " (required)";
    if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ')';
    std::string others;
    for (const CLI::Option* other : option->get_excludes()) {
      others += (others.empty() ? " (not with " : ", ") + other->get_name();
    }
    return others.empty() ? text : text + others + ')';
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
};

}  // namespace

void use_narrow_help(CLI::App& program) {
  program.formatter(std::make_shared<NarrowFormatter>());
}

std::string usage_message(const CLI::App& program, std::string_view what, std::string_view first) {
  const auto commands = program.get_subcommands();
  if (!commands.empty()) {
    return std::string(what) + "; see fovea " + commands.front()->get_name() + " --help";
  }
  const std::string known = "there are " + command_names(program) + "; see fovea --help";
  if (first.empty()) return "a command is missing; " + known;
  return "no command is called '" + std::string(first) + "'; " + known;
}

}  // namespace fovea::app
