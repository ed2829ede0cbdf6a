#include <algorithm>
#include <system_error>
#include <utility>

#include <fovea/options.h>
#include <fovea/precision.h>

#include "engine/api/compile.h"
#include "engine/api/plan_file.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/graph/graph_io.h"
#include "engine/importers/shared_tensors.h"
#include "engine/plan/saved_state.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// Hashing a second section beside the first saves a third of the time; more gain nothing, since
/// two sections are large.
constexpr int kHashThreads = 2;

NamedTensors open_tensors(const PlanFile& file, const CompiledFacts& facts) {
  if (!facts.shared_xxh3.empty()) {
    const SharedFile shared{.xxh3 = facts.shared_xxh3, .bytes = facts.weights_bytes};
    return parse_safetensors(open_shared_tensors(shared, file.origin()));
  }
  return file.parse("weights", [&](std::string_view /*text*/) {
    return parse_safetensors(file.bytes("weights"), file.mapping());
  });
}

std::shared_ptr<const PackedWeights> packed_weights(const PlanFile& file,
                                                    const CompiledFacts& facts) {
  auto packed = std::make_shared<PackedWeights>();
  packed->owner = file.mapping();
  const auto bytes = file.bytes("packed");
  for (const auto& [key, place] : facts.packed) {
    packed->by_key.emplace(key, bytes.subspan(place.offset, place.bytes));
  }
  return packed;
}

}  // namespace

bool is_plan_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  if (path.extension() == ".plan") return true;
  const std::string start = read_start(path, 16);
  return is_plan(std::as_bytes(std::span(start)));
}

PlanFile::PlanFile(const fs::path& path)
    : origin_(path.native()),
      mapping_(MappedFile::open(path)),
      sections_(
          read_plan(mapping_->bytes(), origin_, std::min(kHashThreads, available_threads()))) {}

bool PlanFile::has(std::string_view section) const {
  return std::ranges::find(sections_, section, &PlanSection::name) != sections_.end();
}

std::span<const std::byte> PlanFile::bytes(std::string_view section) const {
  const auto found = std::ranges::find(sections_, section, &PlanSection::name);
  if (found != sections_.end()) return found->bytes;
  throw Error(ErrorCode::kPlanCorrupt, cat(origin_, " has no section '", section, "'"));
}

std::string_view PlanFile::text(std::string_view section) const {
  const auto content = bytes(section);
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

void PlanFile::rethrow(std::string_view section, const Error& error) const {
  const bool newer = error.code() == ErrorCode::kModelUnsupportedOp;
  throw Error(newer ? ErrorCode::kPlanVersion : ErrorCode::kPlanCorrupt,
              cat(origin_, ", section '", section, "': ", error.what()));
}

CompiledFacts PlanFile::facts() const {
  return parse("compiled", [&](std::string_view text) {
    CompiledFacts facts = parse_compiled_facts(text, bytes("packed").size());
    (void)parse_precision(facts.precision);
    (void)exact_convolutions(facts.convolution);
    return facts;
  });
}

Manifest PlanFile::manifest() const {
  return parse("manifest", [](std::string_view text) { return parse_manifest(text, "manifest"); });
}

LockedTactics PlanFile::locks() const {
  if (!has("locks")) return {};
  return parse("locks",
               [](std::string_view text) { return parse_locked_tactics(text, "the list"); });
}

SavedState PlanFile::state() const {
  if (!has("state")) return {};
  return parse("state", [](std::string_view text) {
    return parse_saved_state(std::as_bytes(std::span(text)));
  });
}

NamedTensors identified(const NamedTensors& tensors,
                        const std::map<std::string, std::string>& xxh3) {
  NamedTensors known;
  for (const auto& [name, tensor] : tensors) {
    const auto hash = xxh3.find(name);
    if (hash == xxh3.end()) {
      throw Error(ErrorCode::kPlanCorrupt, cat("tensor '", name, "' has no hash"));
    }
    known.emplace_hint(
        known.end(),
        name,
        std::pair(tensor.first, tensor.second->identified(cat("xxh3 ", hash->second))));
  }
  return known;
}

OpenedPlan open_plan_file(const fs::path& path) {
  const PlanFile file(path);
  auto precompiled = std::make_shared<Precompiled>();
  precompiled->origin = file.origin();
  precompiled->facts = file.facts();
  precompiled->choices = file.parse("choices", parse_choices);
  precompiled->locks = file.locks();
  precompiled->state = file.state();
  precompiled->packed = packed_weights(file, precompiled->facts);

  Manifest manifest = file.manifest();
  std::string labels;
  if (has_label_file(manifest)) labels = file.text("labels");
  const NamedTensors tensors = open_tensors(file, precompiled->facts);
  OpenedPlan opened;
  opened.package = file.parse("graph", [&](std::string_view graph) {
    return assemble_package(std::move(manifest),
                            graph,
                            identified(tensors, precompiled->facts.tensor_xxh3),
                            std::move(labels),
                            "manifest",
                            {});
  });
  opened.precompiled = std::move(precompiled);
  return opened;
}

}  // namespace fovea
