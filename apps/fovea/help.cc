#include "apps/fovea/help.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <vector>

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

std::vector<std::string> command_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// "--json" and the like; positional arguments have other names.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) names.push_back(option->get_name());
  return names;
}

/// "classify, run and version"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

/// How many letters must be added, left out or replaced to make one word the other.
std::size_t edit_distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (const char letter : one) {
    std::size_t diagonal = row[0]++;
    for (std::size_t i = 0; i < other.size(); ++i) {
      const std::size_t replaced = diagonal + (letter == other[i] ? 0 : 1);
      diagonal = row[i + 1];
      row[i + 1] = std::min({replaced, row[i] + 1, row[i + 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean 'classify'?" or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t kMostEdits = 2;
  const auto distance = [&](const std::string& name) { return edit_distance(word, name); };
  const auto nearest = std::ranges::min_element(names, {}, distance);
  if (nearest == names.end() || distance(*nearest) > kMostEdits) return "";
  return "; did you mean '" + *nearest + "'?";
}

/// The first word that looks like an option and is none of the command's; empty: none.
std::string unknown_option(const CLI::App& command) {
  for (const std::string& word : command.remaining()) {
    if (word.size() > 1 && word.front() == '-' && word != "--") return word;
  }
  return "";
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

std::string usage_message(const CLI::App& program, std::string_view what) {
  const CLI::App* command = &program;
  std::string help = "; see fovea ";
  std::string option = unknown_option(program);
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    help += command->get_name() + ' ';
    if (option.empty()) option = unknown_option(*command);
  }
  help += "--help";
  if (!option.empty()) {
    const char* const dashes = "; names of files that begin with a dash go behind --";
    return "there is no option '" + option + '\'' + suggestion(option, option_names(*command)) +
           help + (command == &program ? "" : dashes);
  }
  const std::vector<std::string> names = command_names(*command);
  if (names.empty()) return std::string(what) + help;
  const std::vector<std::string> words = command->remaining();
  const std::string known = "; there are " + listed(names) + help;
  if (words.empty()) return "a command is missing" + known;
  return "no command is called '" + words.front() + '\'' + suggestion(words.front(), names) + known;
}

}  // namespace fovea::app
