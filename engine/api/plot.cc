// Drawings of networks, made by Graphviz.
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fovea/describe.h>

#include "engine/core/file.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/child_process.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// InceptionV3 takes less than a second.
constexpr std::chrono::minutes kTimeLimit{2};

/// What `dot` is told for each kind of file. Drawings of deep networks are shrunk to what programs
/// can show: pictures to 31,968 x 16,272 pixels, pages to the 200 inches that PDF knows.
std::optional<std::vector<std::string>> dot_options(const std::string& extension) {
  using Options = std::vector<std::string>;
  if (extension == ".svg") return Options{"-Tsvg"};
  if (extension == ".png") return Options{"-Tpng", "-Gdpi=144", "-Gsize=222,113"};
  if (extension == ".pdf") return Options{"-Tpdf", "-Gsize=200,200"};
  return std::nullopt;
}

[[noreturn]] void refuse(const fs::path& file, std::string_view what) {
  throw Unsupported(cat("cannot draw ", file.native(), ": ", what));
}

[[noreturn]] void cancel(const fs::path& file) {
  throw Error(ErrorCode::kQueueCancelled, cat("drawing ", file.native(), " was stopped"));
}

/// Runs `dot` in a folder of its own.
std::vector<std::byte> draw(const std::string& text,
                            std::vector<std::string> options,
                            const fs::path& file,
                            const std::function<bool()>& stop) {
  const TemporaryFolder folder(fs::absolute(file).parent_path());
  const fs::path source = folder.path() / "plot.dot";
  const fs::path target = folder.path() / "plot";
  write_file_atomic(source, text);
  options.insert(options.end(), {"-o", target.native(), source.native()});
  ChildResult result;
  try {
    result = run_child("dot", options, kTimeLimit, stop);
  } catch (const Error& error) {
    refuse(file,
           cat(error.what(),
               "; install Graphviz (on Debian and Ubuntu: apt-get install graphviz), or name a "
               ".dot file, which needs none"));
  }
  if (result.end == ChildEnd::kStopped) cancel(file);
  if (result.end == ChildEnd::kTimedOut) refuse(file, "dot of Graphviz took more than two minutes");
  if (result.end == ChildEnd::kSignalled || result.code != 0 || !fs::exists(target)) {
    refuse(file,
           cat("dot of Graphviz failed (",
               printable(result.errors, 500),
               "); a .dot file can be drawn by another version"));
  }
  return read_file(target);
}

}  // namespace

void plot(const Model& model, std::string_view file, const PlotOptions& options) {
  const fs::path path(file);
  const std::string extension = path.extension().string();
  const bool is_text = extension == ".dot";
  const auto chosen = dot_options(extension);
  if (!is_text && !chosen) {
    throw InvalidArgument(
        cat("a drawing is an .svg, .png, .pdf or .dot file, and '", file, "' is none by its name"));
  }
  AtomicFile target(path);  // first, so that a place that cannot be written is told at once
  const std::string text = plot_text(model, options);
  if (options.stop && options.stop()) cancel(path);
  if (is_text) {
    target.write(text);
  } else {
    target.write(draw(text, *chosen, path, options.stop));
  }
  target.commit();
}

}  // namespace fovea
