// fovea doctor
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <fovea/diagnostics.h>

#include "apps/fovea/command.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

constexpr std::size_t kStatusColumns = 9;

std::string json_text(const std::vector<Check>& checks, bool all_ok) {
  std::string text = std::string("{\"ok\":") + (all_ok ? "true" : "false") + ",\"checks\":[";
  for (const Check& check : checks) {
    if (text.back() == '}') text += ',';
    text += "{\"area\":" + json_string(check.area) + ",\"name\":" + json_string(check.name) +
            ",\"status\":" + json_string(to_string(check.status)) +
            ",\"detail\":" + json_string(check.detail) + ",\"fix\":" + json_string(check.fix) + '}';
  }
  return text + "]}\n";
}

/// A line for each check, and one for what to do about it.
std::string table(const std::vector<Check>& checks, std::size_t problems) {
  std::string text;
  std::string area;
  for (const Check& check : checks) {
    if (check.area != area) text += (area.empty() ? "" : "\n") + check.area + '\n';
    area = check.area;
    std::string status(to_string(check.status));
    status.resize(kStatusColumns, ' ');
    const std::string line = one_line(check.name + ": " + check.detail);
    text += "  " + status + wrap(line, kStatusColumns + 2, kStatusColumns + 2) + '\n';
    if (check.fix.empty()) continue;
    const std::string indent(kStatusColumns + 2, ' ');
    text +=
        indent + wrap("-> " + one_line(check.fix), kStatusColumns + 5, kStatusColumns + 2) + '\n';
  }
  if (problems == 0) return text + "\nEverything that Fovea needs works here.\n";
  return text + "\nProblems: " + std::to_string(problems) + '\n';
}

int doctor(bool json) {
  const std::vector<Check> checks = diagnose();
  const auto problems = static_cast<std::size_t>(std::ranges::count(
      checks, CheckStatus::kProblem, [](const Check& check) { return check.status; }));
  const std::string report = json ? json_text(checks, problems == 0) : table(checks, problems);
  std::fputs(report.c_str(), stdout);
  return problems == 0 ? kExitOk : kExitSomeFailed;
}

}  // namespace

void add_doctor(CLI::App& program, Action& action) {
  auto* command =
      program.add_subcommand("doctor", "Say what works here and how to fix what does not");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "one JSON object");
  command->footer(
      "Exit code 0 where everything that Fovea needs works, 1 where there is a problem.\n"
      "A note says that something optional is missing.\n"
      "Example: fovea doctor");
  command->callback([&action, json] { action = [json] { return doctor(*json); }; });
}

}  // namespace fovea::app
