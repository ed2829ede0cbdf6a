#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <unistd.h>

#include "engine/api/diagnose.h"
#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/child_process.h"
#include "engine/importers/import_process.h"
#include "engine/pipeline/decode_module.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArea = "files";

Check check_import_helper() {
  Check check{.area = std::string(kArea), .name = "import helper"};
  const auto fail = [&](std::string what) {
    check.status = CheckStatus::kProblem;
    check.detail = std::move(what);
    check.fix = cat("foreign model files cannot be opened: install fovea-import, or set ",
                    env::kImportHelper.name,
                    " to its path");
  };
  try {
    const fs::path helper = find_import_helper();
    check.detail = helper.native();
    std::error_code error;
    if (!fs::is_regular_file(helper, error)) {
      fail(cat(helper.native(), " is no file"));
    } else if (::access(helper.c_str(), X_OK) != 0) {
      fail(cat(helper.native(), " may not be executed"));
    }
  } catch (const Error& error) {
    fail(error.what());
  }
  return check;
}

Check check_decode_module() {
  Check check{.area = std::string(kArea), .name = "decode module"};
  try {
    check.detail = cat(load_decode_module().native(), ": BMP and WebP can be decoded");
  } catch (const Error& error) {
    check.status = CheckStatus::kProblem;
    check.detail = error.what();
    check.fix =
        "until then pictures of these formats are error rows; JPEG and PNG are not affected";
  }
  return check;
}

std::uintmax_t size_of(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) bytes += entry->file_size(ignored);
  }
  return bytes;
}

Check check_cache() {
  Check check{.area = std::string(kArea), .name = "cache"};
  const auto fail = [&](std::string what) {
    check.status = CheckStatus::kProblem;
    check.detail = std::move(what);
    check.fix = cat("models are imported again every time: set ",
                    env::kHome.name,
                    " to a folder that you may write to");
  };
  const auto home = cache_home();
  if (!home) {
    fail("there is no folder for it: neither HOME nor XDG_CACHE_HOME is set");
    return check;
  }
  // As the first model that needs it would.
  std::error_code error;
  fs::create_directories(*home, error);
  if (error) {
    fail(cat(home->native(), " cannot be made: ", error.message()));
    return check;
  }
  try {
    const TemporaryFolder probe(*home, ".probe-");
  } catch (const Error& failure) {
    fail(failure.what());
    return check;
  }
  check.detail = cat(home->native(),
                     " may be written, ",
                     readable_bytes(static_cast<double>(size_of(*home))),
                     " used");
  const fs::space_info space = fs::space(*home, error);
  if (!error) {
    check.detail += cat(", ", readable_bytes(static_cast<double>(space.available)), " free");
  }
  return check;
}

Check check_graphviz() {
  Check check{.area = std::string(kArea), .name = "Graphviz"};
  try {
    constexpr std::chrono::seconds kLimit{10};
    const ChildResult result = run_child("dot", {"-V"}, kLimit);
    if (result.end == ChildEnd::kExited && result.code == 0) {
      check.detail = printable(result.errors.substr(0, result.errors.find('\n')));
      return check;
    }
    check.detail = "the program dot does not work";
  } catch (const Error& error) {
    check.detail = error.what();
  }
  check.status = CheckStatus::kNote;
  check.fix = "only drawings of networks need it: install graphviz";
  return check;
}

}  // namespace

std::vector<Check> diagnose_files() {
  return {check_import_helper(), check_decode_module(), check_cache(), check_graphviz()};
}

}  // namespace fovea
