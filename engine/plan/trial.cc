#include "engine/plan/trial.h"

#include <algorithm>
#include <utility>

#include "engine/core/align.h"
#include "engine/plan/written_layout.h"

namespace fovea {

namespace {

TrialPlace place_at(std::size_t offset, const TensorDesc& desc, const Layout& layout) {
  const std::size_t skip =
      static_cast<std::size_t>(layout.channel_offset) * element_size(desc.dtype);
  return {offset, offset + skip, buffer_bytes(desc, layout)};
}

bool is_place(const TrialPlace& place) {
  return place.buffer != kNoPlace.buffer;
}

}  // namespace

TrialInputs::TrialInputs(const OpSite& site) {
  const auto& inputs = site.node.inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto first = std::ranges::find(inputs, inputs[i]) - inputs.begin();
    if (site.constant(i) != nullptr) {
      places.push_back(kNoPlace);
    } else if (static_cast<std::size_t>(first) < i) {
      places.push_back(places[static_cast<std::size_t>(first)]);
    } else {
      places.push_back(place_at(bytes, site.input(i), site.inputs[i]));
      bytes += align_up(places.back().bytes, kBufferAlignment);
    }
  }
}

void BoundTrial::enqueue(Stream& stream) const {
  for (const BoundStep& step : steps_) step.enqueue(stream);
}

Trial::Trial(const Backend& backend,
             const OpSite& site,
             const TrialInputs& inputs,
             const Tactic& tactic,
             std::span<const Layout> results,
             WeightStore& weights)
    : bytes_(inputs.bytes), workspace_bytes_(tactic.workspace_bytes) {
  TrialStep step;
  step.inputs = inputs.places;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    if (!is_place(step.inputs[i])) continue;
    step.inputs[i] = converted(
        backend, site.input(i), step.inputs[i], site.inputs[i], tactic.inputs[i], weights, steps_);
  }
  std::vector<Layout> written;
  for (std::size_t i = 0; i < tactic.outputs.size(); ++i) {
    written.push_back(written_layout(tactic, i, site));
    step.outputs.push_back(add_place(site.node.outputs[i], written[i]));
  }
  std::vector<Layout> input_layouts = tactic.inputs;
  input_layouts.resize(step.inputs.size());
  step.step = tactic.build({input_layouts, written, weights});

  output_ = step.outputs.at(0);
  for (const Alias& alias : tactic.aliases) {
    const TrialPlace& input = step.inputs[alias.input];
    const bool legal = site.node.as<Conv2d>() != nullptr && alias.output == 0 && is_place(input) &&
                       written[0].kind != Layout::Kind::kSliced && input.address == input.buffer &&
                       input.bytes >= output_.bytes &&
                       std::ranges::count(step.inputs, input.buffer, &TrialPlace::buffer) == 1;
    if (legal) in_place_ = input;
  }

  const std::vector<TrialPlace> outputs = step.outputs;
  steps_.push_back(std::move(step));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorDesc& desc = site.node.outputs[i];
    const TrialPlace result =
        converted(backend, desc, outputs[i], written[i], results[i], weights, steps_);
    dense_outputs_.push_back(
        converted(backend, desc, result, results[i], Layout{}, weights, check_steps_));
  }
}

TrialPlace Trial::add_place(const TensorDesc& desc, const Layout& layout) {
  const TrialPlace place = place_at(bytes_, desc, layout);
  bytes_ += align_up(place.bytes, kBufferAlignment);
  return place;
}

/// The place itself, or that of a copy in another layout, which a step added here makes.
TrialPlace Trial::converted(const Backend& backend,
                            const TensorDesc& desc,
                            TrialPlace place,
                            const Layout& from,
                            const Layout& to,
                            WeightStore& weights,
                            std::vector<TrialStep>& steps) {
  if (from == to) return place;
  const Tactic conversion = backend.conversion(desc, from, to);
  workspace_bytes_ = std::max(workspace_bytes_, conversion.workspace_bytes);
  TrialStep step;
  step.inputs = {place};
  step.outputs = {add_place(desc, to)};
  step.step = conversion.build({{&from, 1}, {&to, 1}, weights});
  const TrialPlace result = step.outputs[0];
  steps.push_back(std::move(step));
  return result;
}

BoundTrial Trial::bind_steps(std::span<const TrialStep* const> steps,
                             const TrialPlace& output,
                             std::byte* block,
                             std::byte* workspace,
                             Stream& stream) const {
  const auto address = [&](const TrialPlace& place) {
    return block + (place.buffer == output_.buffer ? output : place).address;
  };
  BoundTrial trial;
  for (const TrialStep* step : steps) {
    std::vector<const std::byte*> inputs;
    inputs.reserve(step->inputs.size());
    for (const TrialPlace& input : step->inputs) {
      inputs.push_back(is_place(input) ? address(input) : nullptr);
    }
    std::vector<std::byte*> outputs;
    outputs.reserve(step->outputs.size());
    for (const TrialPlace& place : step->outputs) outputs.push_back(address(place));
    trial.steps_.emplace_back(
        *step->step, std::move(inputs), std::move(outputs), workspace, stream);
  }
  return trial;
}

BoundTrial Trial::bind(std::byte* block, std::byte* workspace, Stream& stream) const {
  std::vector<const TrialStep*> steps;
  steps.reserve(steps_.size());
  for (const TrialStep& step : steps_) steps.push_back(&step);
  return bind_steps(steps, is_place(in_place_) ? in_place_ : output_, block, workspace, stream);
}

BoundTrial Trial::bind_check(std::byte* block, std::byte* workspace, Stream& stream) const {
  std::vector<const TrialStep*> steps;
  steps.reserve(steps_.size() + check_steps_.size());
  for (const TrialStep& step : steps_) steps.push_back(&step);
  for (const TrialStep& step : check_steps_) steps.push_back(&step);
  return bind_steps(steps, output_, block, workspace, stream);
}

}  // namespace fovea
