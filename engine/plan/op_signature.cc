#include "engine/plan/op_signature.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/core/joined.h"
#include "engine/core/require.h"
#include "engine/graph/attributes_json.h"

namespace fovea {

namespace {

std::string list(const Shape& values) {
  return cat('[', joined(values, ","), ']');
}

/// to_string(layout) and, for an opaque one, its size: a backend may pad one format in two ways.
std::string place(const Layout& layout) {
  if (layout.kind != Layout::Kind::kOpaque) return to_string(layout);
  return cat(layout.format, '(', layout.bytes, ')');
}

std::string input(const OpSite& site, std::size_t i) {
  const auto& inputs = site.node.inputs;
  const auto first = std::find(inputs.begin(), inputs.end(), inputs[i]) - inputs.begin();
  std::string text = to_string(site.input(i));
  if (const Constant* constant = site.constant(i)) {
    text += cat(" constant", constant->strides.empty() ? "" : list(constant->strides));
  } else {
    text += cat(' ', place(site.inputs[i]));
  }
  if (static_cast<std::size_t>(first) != i) text += cat(" = ", first);
  return text;
}

}  // namespace

std::string op_signature(const OpSite& site) {
  // Names every member, so that this stops to compile where one is added: put it into the text.
  const auto& [graph, node, inputs, threads, exact_convolutions, tf32, wanted] = site;
  (void)graph;
  (void)wanted;
  std::string text = cat(op_name(node.op), attributes_json(node.op).dump());
  for (std::size_t i = 0; i < inputs.size(); ++i) text += cat(i == 0 ? " (" : "; ", input(site, i));
  text += ") ->";
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    text += cat(i == 0 ? " " : "; ", to_string(node.outputs[i]));
    if (const auto want = site.wanted_layout(i)) text += cat(" as ", place(*want));
  }
  text += cat(" threads ", threads);
  if (exact_convolutions) text += " exact";
  if (tf32) text += " tf32";
  return text;
}

}  // namespace fovea
