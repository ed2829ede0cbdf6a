// fovea version
#include "apps/fovea/version.h"

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <fovea/version.h>

#include "apps/fovea/command.h"

namespace fovea::app {

namespace {

std::string joined_backends(std::string_view separator, bool quoted) {
  std::string text;
  for (const std::string& name : backend_names()) {
    if (!text.empty()) text += separator;
    text += quoted ? json_string(name) : name;
  }
  return text;
}

std::string version_json() {
  return "{\"version\":" + json_string(version()) + ",\"commit\":" + json_string(git_commit()) +
         ",\"backends\":[" + joined_backends(",", /*quoted=*/true) + "]}";
}

}  // namespace

std::string version_text() {
  return "fovea " + std::string(version()) + " (commit " + std::string(git_commit()) +
         ")\nbackends: " + joined_backends(" ", /*quoted=*/false);
}

void add_version(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("version", "Print version, commit and backends");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "one JSON object");
  command->footer("Example: fovea version --json");
  command->callback([&action, json] {
    action = [json] {
      std::printf("%s\n", (*json ? version_json() : version_text()).c_str());
      return kExitOk;
    };
  });
}

}  // namespace fovea::app
