#include "engine/importers/open_model.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include <fovea/model.h>

#include "engine/api/classify_graph.h"
#include "engine/api/labels_source.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/plan_file.h"
#include "engine/api/weight_file.h"
#include "engine/api/zoo_manifest.h"
#include "engine/core/joined.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/random_weights.h"
#include "engine/graph/weights.h"
#include "engine/importers/fetch_weights.h"
#include "models/builders/zoo.h"

namespace fovea {

namespace {

constexpr std::string_view kDefaultWeights = "imagenet";
constexpr std::string_view kRandomWeights = "random";
constexpr std::string_view kNoWeights = "none";

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

/// Whether there is a file or folder of that name. Throws io/read where that cannot be told, for
/// example in a folder that may not be searched.
bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const bool there = std::filesystem::exists(path, error);
  if (error) {
    throw Error(ErrorCode::kIoRead, cat("cannot read ", path.native(), ": ", error.message()));
  }
  return there;
}

/// The first weights that the manifest names: from the library, else downloaded where needed.
void load_default_weights(Graph& graph, const Manifest& manifest, const ModelOptions& options) {
  const WeightFile& file = default_weights(manifest);
  if (const EmbeddedFile* bundled = bundled_weights(file)) {
    load_weights(graph, parse_safetensors(bundled->bytes));
    return;
  }
  load_weight_file(
      graph, manifest, fetch_weights(file, manifest.name, {.progress = options.on_download}));
}

/// Whether the text names the network's own weights: by their name, or as what is taken where
/// nothing is said.
bool is_own_weights(const Manifest& manifest, const std::string& weights) {
  return weights == kDefaultWeights ||
         std::ranges::find(manifest.weights, weights, &WeightFile::name) != manifest.weights.end();
}

void give_weights(Graph& graph, const Manifest& manifest, const ModelOptions& options) {
  const std::string& weights = options.weights;
  if (weights == kNoWeights) return;
  if (is_own_weights(manifest, weights)) {
    load_default_weights(graph, manifest, options);
  } else if (const auto seed = random_seed(weights)) {
    fill_random_weights(graph, *seed, manifest.random_head);
  } else {
    load_weight_file(graph, manifest, weights);
  }
}

/// The labels of a package; `file` is the content of its own label file.
std::vector<Label> package_labels(const Manifest& manifest, std::string_view file) {
  try {
    return parse_labels(file, manifest.labels);
  } catch (const InvalidArgument& error) {
    throw Error(ErrorCode::kModelCorrupt,
                cat("the package of '", manifest.name, "': ", error.what()));
  }
}

/// Puts what the user says of the labels over the model's own, whose file is `own_file` where they
/// are a file. The manifest keeps only the name of a set that is built in.
void give_labels(Model::Impl& impl, const std::string& wanted, std::string_view own_file) {
  Manifest& manifest = impl.manifest;
  if (!wanted.empty()) {
    impl.labels = read_labels(wanted);
    manifest.labels = wanted;
  } else if (has_label_file(manifest)) {
    impl.labels = package_labels(manifest, own_file);
  } else if (!manifest.labels.empty()) {
    impl.labels = read_labels(manifest.labels);
  }
  if (!is_label_set(manifest.labels)) manifest.labels.clear();
}

void check_options(const ModelOptions& options) {
  if (options.shorter_side && (*options.shorter_side < 1 || *options.shorter_side > kLargestSide)) {
    throw InvalidArgument(
        cat("the shorter side is 1 to ", kLargestSide, " pixels, not ", *options.shorter_side));
  }
  if (!options.input_size) return;
  const auto [height, width] = *options.input_size;
  if (height < 1 || height > kLargestSide || width < 1 || width > kLargestSide) {
    throw InvalidArgument(cat(
        "a network's input is 1 to ", kLargestSide, " pixels a side, not ", height, " x ", width));
  }
}

/// What the options say of preprocessing, over what the manifest says.
PreprocessSpec preprocessing(const Manifest& manifest,
                             const ModelOptions& options,
                             const ClassifierShape& shape) {
  PreprocessSpec spec;
  spec.color = shape.channels == 1 ? ColorMode::kGrayscale : ColorMode::kRgb;
  if (manifest.preprocess) spec = *manifest.preprocess;
  spec.mode = options.mode.value_or(spec.mode);
  spec.interpolation = options.interpolation.value_or(spec.interpolation);
  spec.fit = options.fit.value_or(spec.fit);
  spec.shorter_side = options.shorter_side.value_or(spec.shorter_side);
  spec.color = options.color.value_or(spec.color);
  if (options.shorter_side && spec.fit != Fit::kCentreCrop) {
    throw InvalidArgument(
        cat("a shorter side goes with centre-crop, not with ", to_string(spec.fit)));
  }
  return classifier_spec(spec, shape);
}

bool resizes_or_colours(const ModelOptions& options) {
  return options.interpolation || options.fit || options.shorter_side || options.color;
}

/// Gives the model its contract and labels, which must fit its network: whoever opens a package
/// made of it has no other. A model without either may be any network.
///
/// label_file   the content of the package's own, where it has one
void complete(Model::Impl& impl, const ModelOptions& options, std::string_view label_file) {
  const Manifest& manifest = impl.manifest;
  const bool has_contract = manifest.preprocess || options.mode;
  if (!has_contract && resizes_or_colours(options)) {
    throw InvalidArgument(
        cat("model '",
            manifest.name,
            "' does not say how pictures are preprocessed; how they are resized and coloured can "
            "only be said together with a mode (--mode on the command line)"));
  }
  give_labels(impl, options.labels, label_file);
  if (!has_contract && impl.labels.empty()) return;
  const Graph& network = ModelGraphAccess::graph(impl.graph);
  const ClassifierShape shape = classifier_shape(network, manifest.input_layout);
  if (has_contract) impl.preprocessing = preprocessing(manifest, options, shape);
  const std::size_t labels = impl.labels.size();
  if (labels != 0 && !std::cmp_equal(labels, shape.classes)) {
    throw InvalidArgument(
        cat("there are ", labels, " labels for the network's ", shape.classes, " classes"));
  }
}

Model open_zoo_model(const zoo::Model& entry, const ModelOptions& options) {
  const Manifest manifest = zoo_manifest(entry);
  zoo::InputSize size = default_input(manifest);
  if (options.input_size) size = {options.input_size->first, options.input_size->second};

  Graph graph = ModelGraphAccess::graph(entry.build(size));
  give_weights(graph, manifest, options);
  auto impl = std::make_shared<Model::Impl>();
  impl->manifest = manifest;
  impl->graph = ModelGraphAccess::wrap(std::move(graph));
  complete(*impl, options, {});
  return Model(std::move(impl));
}

/// A package, the one in a plan file, or a foreign file as the package that it is imported to.
Model open_file(const std::filesystem::path& path, const ModelOptions& options) {
  if (options.weights != kDefaultWeights && options.weights != kNoWeights) {
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
  OpenedPlan opened =
      is_plan_file(path) ? open_plan_file(path) : OpenedPlan{open_model_file(path), nullptr};
  Package& package = opened.package;
  auto impl = std::make_shared<Model::Impl>();
  impl->manifest = std::move(package.manifest);
  impl->graph = ModelGraphAccess::wrap(std::move(package.graph), std::move(opened.precompiled));
  try {
    complete(*impl, options, package.labels);
  } catch (const InvalidArgument& error) {
    if (options.mode || !options.labels.empty() || resizes_or_colours(options)) throw;
    // Nothing was asked for, so the package does not fit itself.
    throw Error(ErrorCode::kModelCorrupt, cat(path.native(), ": ", error.what()));
  }
  return Model(std::move(impl));
}

}  // namespace

Model open_model(std::string_view model, const ModelOptions& options) {
  check_options(options);
  for (const zoo::Model& entry : zoo::models()) {
    if (entry.name == model) return open_zoo_model(entry, options);
  }
  if (is_there(model)) return open_file(model, options);
  throw Error(ErrorCode::kModelNotFound,
              cat("there is no file and no network of the zoo called '",
                  printable(model),
                  "'; the zoo has: ",
                  joined(zoo::models(), ", ", &zoo::Model::name)));
}

}  // namespace fovea
