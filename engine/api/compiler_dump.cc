#include "engine/api/compiler_dump.h"

#include <string>
#include <system_error>

#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// A new folder under `parent`, the first number that is free. create_directory() tells which of
/// several threads or processes made it.
fs::path make_folder(const fs::path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  for (int n = 1; !error; ++n) {
    fs::path folder = parent / std::to_string(n);
    if (fs::create_directory(folder, error)) return folder;
  }
  throw Error(ErrorCode::kIoWrite,
              cat(env::kDumpDir.name,
                  ": cannot make a folder in ",
                  parent.native(),
                  ": ",
                  error.message()));
}

/// What tells this compilation from others of the same network.
std::string about(const Backend& backend, const PlanOptions& options) {
  const std::string left_out = joined(options.disabled_passes, ", ");
  return cat("backend:          ",
             backend.fingerprint(),
             "\nthreads of a run: ",
             options.threads,
             "\nbatch sizes:      ",
             joined(options.buckets, ", "),
             "\nprecision:        ",
             to_string(options.precision),
             "\nconvolutions:     ",
             options.exact_convolutions ? "direct" : "auto",
             "\ntuning:           ",
             to_string(options.tactics.tuning),
             "\npasses left out:  ",
             left_out.empty() ? "none" : left_out,
             '\n');
}

}  // namespace

CompilerDump::CompilerDump(const Graph& described,
                           const Backend& backend,
                           const PlanOptions& options) {
  const auto parent = env::get(env::kDumpDir);
  if (!parent) return;
  folder_ = make_folder(*parent);
  write_file_atomic(*folder_ / "about.txt", about(backend, options));
  write_graph("described", described);
}

PassObserver CompilerDump::observer() {
  if (!folder_) return {};
  return [this](std::string_view pass, const Graph& graph) { write_graph(pass, graph); };
}

void CompilerDump::write_graph(std::string_view name, const Graph& graph) {
  if (!folder_) return;
  const std::string number = std::to_string(graphs_++);
  write_file_atomic(*folder_ / cat(number.size() < 2 ? "0" : "", number, '-', name, ".dot"),
                    to_dot(graph));
}

void CompilerDump::write(const ExecutionPlan& plan) const {
  if (folder_) write_file_atomic(*folder_ / "plan.txt", to_string(plan));
}

}  // namespace fovea
