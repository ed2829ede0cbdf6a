// fovea-import: reads one foreign model or weights file and writes it as a package.
//
// Usage: fovea-import --input FILE --output FOLDER
// The engine starts it. It ends with 0, or says on standard output what is wrong:
// {"code":"model/corrupt","message":"..."}. Nothing else it does matters to whoever called it.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/core/digest.h"
#include "engine/core/file.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/import_worker/keras/keras_weights.h"
#include "engine/import_worker/onnx/import_onnx.h"
#include "engine/import_worker/process_limits.h"
#include "engine/importers/file_format.h"
#include "engine/importers/importer_version.h"
#include "engine/importers/package.h"
#include "engine/importers/weights_package.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr int kExitFailed = 3;
constexpr FileLimit kFileLimit{std::uint64_t{2} << 30, ErrorCode::kModelLimit};

std::string report(ErrorCode code, std::string_view message) {
  return nlohmann::json({{"code", to_string(code)}, {"message", message}})
             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

void print(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
}

/// What is said where memory runs out; made while there still is some.
std::string& out_of_memory_report() {
  static std::string text;
  return text;
}

void end_out_of_memory() {
  print(out_of_memory_report());
  ::_exit(kExitFailed);
}

/// Whether this is how the engine calls; the paths are arguments 2 and 4.
bool is_call(int argc, char** argv) {
  return argc == 5 && std::string_view(argv[1]) == "--input" &&
         std::string_view(argv[3]) == "--output";
}

/// Ends this process with the one that started it, which may be killed at any time. To be called
/// first: whoever was killed before has closed the other end of our output.
void end_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::pollfd output{STDOUT_FILENO, 0, 0};
  if (::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) ::_exit(kExitFailed);
}

void import_file(const fs::path& input, const fs::path& output) {
  // Read once: the file may change at any time, and the hash must be that of what was imported.
  const std::vector<std::byte> file = read_file(input, kFileLimit);
  const ImportSource source{.file = printable(input.filename().native()),
                            .sha256 = sha256(file),
                            .importer = kImporterVersion};
  if (file_format(file) == FileFormat::kHdf5) {
    WeightsPackage package = keras::import_weights(file);
    package.source = source;
    save_weights_package(output, package);
    return;
  }
  Package package = onnx::import_onnx(file);
  package.manifest.source = source;
  name_after(package.manifest, input);
  save_package(output, package);
}

int run(const fs::path& input, const fs::path& output) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(input, error);
  const ProcessLimits limits = limits_for(error ? 0 : bytes);
  try {
    out_of_memory_report() = report(ErrorCode::kModelLimit,
                                    cat(input.native(),
                                        ": reading it needs more than the ",
                                        limits.memory_bytes >> 20U,
                                        " MiB that a file of its size may take"));
    std::set_new_handler(end_out_of_memory);
    set_process_limits(limits);
    import_file(input, output);
    return EXIT_SUCCESS;
  } catch (const Error& failure) {
    const auto limit = output_limit_hit();
    print(limit ? report(ErrorCode::kModelLimit,
                         cat(input.native(),
                             ": a file of its package would be longer than the ",
                             *limit,
                             " bytes that it may have"))
                : report(failure.code(), cat(input.native(), ": ", failure.what())));
  } catch (const std::exception& failure) {
    print(report(ErrorCode::kInternal, cat(input.native(), ": ", failure.what())));
  }
  return kExitFailed;
}

}  // namespace

}  // namespace fovea

int main(int argc, char** argv) {
  fovea::end_with_parent();
  if (!fovea::is_call(argc, argv)) {
    fovea::print(
        "Usage: fovea-import --input FILE --output FOLDER\n"
        "Converts a model file (ONNX), or the weights in a Keras .h5 file, into a package.\n"
        "`fovea import` and `--weights` call it.\n");
    return argc == 2 && std::strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : 2;
  }
  return fovea::run(argv[2], argv[4]);
}
