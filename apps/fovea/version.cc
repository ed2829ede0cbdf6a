// fovea version
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include <fovea/version.h>

#include "apps/fovea/command.h"

namespace fovea::app {

void add_version(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("version", "Print version, commit and backends");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "one JSON object");
  command->footer("Example: fovea version --json");
  command->callback([&action, json] {
    action = [json] {
      std::string backends;
      for (const std::string& name : backend_names()) {
        if (!backends.empty()) backends += *json ? "," : " ";
        backends += *json ? json_string(name) : name;
      }
      const std::string commit(git_commit());
      const std::string number(version());
      if (*json) {
        std::printf("{\"version\":\"%s\",\"commit\":\"%s\",\"backends\":[%s]}\n",
                    number.c_str(),
                    commit.c_str(),
                    backends.c_str());
      } else {
        std::printf("fovea %s (commit %s)\nbackends: %s\n",
                    number.c_str(),
                    commit.c_str(),
                    backends.c_str());
      }
      return kExitOk;
    };
  });
}

}  // namespace fovea::app
