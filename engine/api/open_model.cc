#include "engine/importers/open_model.h"

#include <charconv>
#include <filesystem>
#include <utility>

#include <fovea/model.h>

#include "engine/api/labels_source.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/random_weights.h"
#include "engine/graph/weights.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"

namespace fovea {

namespace {

constexpr std::string_view kDefaultWeights = "default";
constexpr std::string_view kRandomWeights = "random";

/// The seed of "random" (0) or "random:SEED"; nothing for another text.
std::optional<std::uint64_t> random_seed(std::string_view weights) {
  if (!weights.starts_with(kRandomWeights)) return std::nullopt;
  weights.remove_prefix(kRandomWeights.size());
  if (weights.empty()) return 0;
  std::uint64_t seed = 0;
  const auto [end, error] =
      std::from_chars(weights.data() + 1, weights.data() + weights.size(), seed);
  if (weights[0] != ':' || error != std::errc() || end != weights.data() + weights.size()) {
    throw InvalidArgument(
        cat("random weights are random or random:SEED with a seed from 0 to 2^64 - 1, not 'random",
            weights,
            "'"));
  }
  return seed;
}

const EmbeddedFile& embedded(std::string_view path) {
  const EmbeddedFile* file = find_embedded_file(path);
  if (file == nullptr)
    throw Error(ErrorCode::kInternal, cat("no file '", path, "' in the library"));
  return *file;
}

/// The weights that come with the library, for the networks small enough to have some.
void load_default_weights(Graph& graph, const Manifest& manifest) {
  for (const WeightFile& file : manifest.weights) {
    const EmbeddedFile* bytes = find_embedded_file(file.file);
    if (bytes != nullptr && file.format == "safetensors") {
      load_weights(graph, parse_safetensors(bytes->bytes, nullptr));
      return;
    }
  }
  throw Error(
      ErrorCode::kWeightsMissing,
      cat("no weights for '",
          manifest.name,
          "' come with this version; use --weights random:SEED, or --weights FILE.safetensors "
          "with tensors named like the model's parameters"));
}

void give_weights(Graph& graph, const Manifest& manifest, const std::string& weights) {
  if (weights == kDefaultWeights) {
    load_default_weights(graph, manifest);
  } else if (const auto seed = random_seed(weights)) {
    fill_random_weights(graph, *seed, manifest.random_head);
  } else {
    if (!std::filesystem::exists(weights)) {
      throw Error(ErrorCode::kWeightsMissing, cat("there is no weights file '", weights, "'"));
    }
    load_weights(graph, read_safetensors(weights));
  }
}

/// Puts what the user says of the labels over the model's own, which are `own_file` where that is
/// not empty. The manifest keeps only the name of a set that is built in.
void give_labels(Model::Impl& impl, const std::string& wanted, std::string_view own_file) {
  const std::string set = wanted.empty() ? impl.manifest.labels : wanted;
  if (!wanted.empty()) {
    impl.labels = read_labels(wanted);
  } else if (!own_file.empty()) {
    impl.labels = parse_labels(own_file, set);
  } else if (!set.empty()) {
    impl.labels = read_labels(set);
  }
  impl.manifest.labels = is_label_set(set) ? set : "";
}

/// What the options say of preprocessing, over what the manifest says; nothing where neither names
/// a mode.
std::optional<PreprocessSpec> preprocessing(const Manifest& manifest, const ModelOptions& options) {
  if (!manifest.preprocess && !options.mode) return std::nullopt;
  PreprocessSpec spec = manifest.preprocess.value_or(PreprocessSpec{});
  spec.mode = options.mode.value_or(spec.mode);
  spec.interpolation = options.interpolation.value_or(spec.interpolation);
  spec.fit = options.fit.value_or(spec.fit);
  spec.shorter_side = options.shorter_side.value_or(spec.shorter_side);
  spec.color = options.color.value_or(spec.color);
  return spec;
}

Model open_zoo_model(const zoo::Model& entry, const ModelOptions& options) {
  const std::string path = cat(entry.folder, "/manifest.json");
  const Manifest manifest = parse_manifest(embedded(path).text(), path);
  if (!manifest.preprocess) {
    throw Error(ErrorCode::kInternal, cat(path, " has no preprocessing contract"));
  }
  zoo::InputSize size{manifest.preprocess->height, manifest.preprocess->width};
  if (options.input_size) size = {options.input_size->first, options.input_size->second};

  Graph graph = ModelGraphAccess::graph(entry.build(size));
  give_weights(graph, manifest, options.weights);
  auto impl = std::make_shared<Model::Impl>();
  impl->manifest = manifest;
  impl->graph = ModelGraphAccess::wrap(std::move(graph));
  impl->preprocessing = preprocessing(manifest, options);
  give_labels(*impl, options.labels, {});
  return Model(std::move(impl));
}

/// A package, or a foreign file as the package that it is imported to.
Model open_file(const std::filesystem::path& path, const ModelOptions& options) {
  Package package = open_model_file(path);
  if (options.weights != kDefaultWeights) {
    throw InvalidArgument(
        cat(path.native(),
            " brings its own weights; only networks of the zoo take others, and '",
            options.weights,
            "' was asked for"));
  }
  if (options.input_size) {
    throw InvalidArgument(cat("the size of the pictures that ",
                              path.native(),
                              " takes is fixed; only networks of the zoo take another one"));
  }
  auto impl = std::make_shared<Model::Impl>();
  impl->manifest = std::move(package.manifest);
  impl->graph = ModelGraphAccess::wrap(std::move(package.graph));
  impl->preprocessing = preprocessing(impl->manifest, options);
  give_labels(*impl, options.labels, package.labels);
  return Model(std::move(impl));
}

}  // namespace

Model open_model(std::string_view model, const ModelOptions& options) {
  for (const zoo::Model& entry : zoo::models()) {
    if (entry.name == model) return open_zoo_model(entry, options);
  }
  std::error_code ignored;
  if (std::filesystem::exists(model, ignored)) return open_file(model, options);
  std::string names;
  for (const zoo::Model& entry : zoo::models()) names += cat(names.empty() ? "" : ", ", entry.name);
  throw Error(ErrorCode::kModelNotFound,
              cat("there is no file and no network of the zoo called '",
                  printable(model),
                  "'; the zoo has: ",
                  names));
}

}  // namespace fovea
