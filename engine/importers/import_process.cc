#include "engine/importers/import_process.h"

#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/env.h"
#include "engine/core/install_path.h"
#include "engine/core/json_rows.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/child_process.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "fovea-import";
constexpr std::size_t kMaxMessageBytes = 2'000;
constexpr std::size_t kMaxQuotedBytes = 400;

fs::path executable_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

/// What the helper says on standard output when it fails: {"code": ..., "message": ...}.
struct Report {
  std::string code;
  std::string message;
};

Report parse_report(const std::string& output) {
  Report report;
  const auto take = [&](const std::string& key, const nlohmann::json& value) {
    if (!value.is_string()) return;
    if (key == "code") report.code = value.get<std::string>();
    if (key == "message") report.message = value.get<std::string>();
  };
  try {
    read_json_rows(output, take, [](const std::string&, const nlohmann::json&) {});
  } catch (const Error&) {
    return {};
  }
  return report;
}

/// Whether the helper may end in this code; whatever else it says is a failure of its own.
bool is_report_code(const std::string& code) {
  return code.starts_with("model/") || code.starts_with("io/");
}

[[noreturn]] void fail_as_reported(const Report& report) {
  const ErrorCode code = error_code(report.code);
  const std::string message = printable(report.message, kMaxMessageBytes);
  if (code == ErrorCode::kModelUnsupportedOp || code == ErrorCode::kModelUnsupportedFormat) {
    throw Unsupported(message, code);
  }
  throw Error(code, message);
}

/// The helper's own words where it ended in no error that it may end in: its report, and the end of
/// what it wrote to standard error; empty where it said nothing.
std::string quote(const Report& report, std::string_view errors) {
  std::string text;
  if (!report.message.empty()) {
    text = cat("; it reported: ", printable(report.message, kMaxQuotedBytes));
  }
  while (errors.ends_with('\n')) errors.remove_suffix(1);
  if (errors.size() > kMaxQuotedBytes) errors.remove_prefix(errors.size() - kMaxQuotedBytes);
  if (!errors.empty()) {
    text += cat("; its standard error ends in: ", printable(errors, kMaxQuotedBytes));
  }
  return text;
}

[[noreturn]] void fail_crashed(const fs::path& file,
                               const std::string& how,
                               const ChildResult& result) {
  throw Error(ErrorCode::kModelImporterCrashed,
              cat("the importer ",
                  how,
                  " on ",
                  file.native(),
                  "; the file is damaged, or this is a bug of the importer: check the file's hash "
                  "against its source",
                  quote(parse_report(result.output), result.errors)));
}

[[noreturn]] void fail_signalled(const fs::path& file, const ChildResult& result) {
  if (result.code == SIGXCPU) {
    throw Error(ErrorCode::kModelLimit,
                cat("importing ", file.native(), " needs more processor time than is allowed"));
  }
  const char* name = ::sigabbrev_np(result.code);
  fail_crashed(file, cat("was ended by signal ", name == nullptr ? "?" : name), result);
}

}  // namespace

fs::path find_import_helper() {
  if (const auto set = env::get(env::kImportHelper)) return *set;
  for (const fs::path& folder : {code_folder(), executable_folder()}) {
    if (folder.empty()) continue;
    for (const char* where : {"", "../libexec/fovea", "../../libexec/fovea"}) {
      std::error_code error;
      fs::path candidate = folder / where / kProgram;
      if (fs::is_regular_file(candidate, error)) return candidate.lexically_normal();
    }
  }
  throw Error(ErrorCode::kIoRead,
              cat("the program ",
                  kProgram,
                  ", which reads foreign model files, is not installed; set ",
                  env::kImportHelper.name,
                  " to where it is"));
}

namespace {

ChildResult run_helper(const fs::path& file,
                       const fs::path& package,
                       std::chrono::milliseconds time_limit) {
  const fs::path helper = find_import_helper();
  try {
    return run_child(helper, {"--input", file.native(), "--output", package.native()}, time_limit);
  } catch (const Error& error) {
    if (!env::get(env::kImportHelper)) throw;
    throw Error(error.code(), cat(error.what(), "; ", env::kImportHelper.name, " names it"));
  }
}

}  // namespace

void run_importer(const fs::path& file,
                  const fs::path& package,
                  std::chrono::milliseconds time_limit) {
  const ChildResult result = run_helper(file, package, time_limit);
  switch (result.end) {
    case ChildEnd::kTimedOut:
      throw Error(ErrorCode::kModelLimit,
                  cat("importing ",
                      file.native(),
                      " was stopped after ",
                      time_limit.count(),
                      " ms; the file is damaged or too large for this machine"));
    case ChildEnd::kSignalled:
      fail_signalled(file, result);
    case ChildEnd::kStopped:  // nobody asks for it here
    case ChildEnd::kExited:
      break;
  }
  if (result.code == 0) return;
  const Report report = parse_report(result.output);
  if (is_report_code(report.code)) fail_as_reported(report);
  fail_crashed(file, cat("ended with status ", result.code), result);
}

}  // namespace fovea
