#include "engine/graph/layer_weights.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/layers.h"

namespace fovea {

namespace {

constexpr const char* kNextStep =
    "; weights are given by the order of the layers, as Keras does: use a file of this very model";

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::kWeightsShapeMismatch, cat(what, kNextStep));
}

const std::string& name_of(const Graph& graph, const Layer& layer) {
  return graph.node(layer.result).name;
}

/// A layer of each side: "layer 3 of 107, 'conv1_conv' of the file and 'conv1' of the model".
std::string pair_text(std::size_t number,
                      std::size_t count,
                      const std::string& stored,
                      const std::string& model) {
  return cat("layer ",
             number,
             " of ",
             count,
             ", '",
             stored,
             "' of the file and '",
             model,
             "' of the model");
}

/// A name's number among those that are equal but for the number at the end, which Keras counts up
/// within a session: "conv2d_7" is the third one where conv2d_5 and conv2d_6 are there.
using Rank = std::pair<std::string, std::size_t>;

Rank split_number(const std::string& name) {
  const auto underscore = name.rfind('_');
  if (underscore == std::string::npos) return {name, 0};
  std::size_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + underscore + 1, end, number);
  if (error != std::errc() || stop != end) return {name, 0};
  return {name.substr(0, underscore), number};
}

std::vector<Rank> ranks(const std::vector<std::string>& names) {
  std::map<std::string, std::set<std::size_t>> numbers;
  std::vector<Rank> result;
  for (const std::string& name : names) {
    result.push_back(split_number(name));
    numbers[result.back().first].insert(result.back().second);
  }
  for (auto& [base, number] : result) {
    const auto& all = numbers[base];
    number = static_cast<std::size_t>(std::distance(all.begin(), all.find(number)));
  }
  return result;
}

/// What there is to say of the layers' names, where they are the same in another order.
std::string compare_names(const std::vector<std::string>& stored,
                          const std::vector<std::string>& model) {
  std::vector<Rank> of_file = ranks(stored);
  std::vector<Rank> of_model = ranks(model);
  const auto [first, other] = std::ranges::mismatch(of_file, of_model);
  if (first == of_file.end()) return {};
  const auto place = static_cast<std::size_t>(first - of_file.begin());
  std::ranges::sort(of_file);
  std::ranges::sort(of_model);
  if (of_file != of_model) return {};
  return cat(
      "the file's layers have the model's names in another order: layer ",
      place + 1,
      " with weights is '",
      stored[place],
      "', in the model '",
      model[place],
      "'; weights are given by order, as Keras does, so check that this file is Keras's own");
}

void check_tensor(const Graph& graph,
                  const StoredTensor& tensor,
                  NodeId parameter,
                  const std::string& where) {
  const Node& node = graph.node(parameter);
  const TensorDesc& wanted = node.outputs[0];
  if (tensor.desc == wanted && tensor.data->size() == byte_size(wanted)) return;
  fail(cat(where,
           ": '",
           tensor.name,
           "' is ",
           to_string(tensor.desc),
           ", the model's '",
           node.name,
           "' ",
           to_string(wanted)));
}

}  // namespace

std::string load_weights_in_order(Graph& graph, std::span<const StoredLayer> stored) {
  std::vector<const StoredLayer*> of_file;
  std::vector<std::string> file_names;
  for (const StoredLayer& layer : stored) {
    if (layer.tensors.empty()) continue;
    of_file.push_back(&layer);
    file_names.push_back(layer.name);
  }
  std::vector<Layer> of_model = layers(graph);
  std::erase_if(of_model, [](const Layer& layer) { return layer.parameters.empty(); });
  std::vector<std::string> model_names;
  model_names.reserve(of_model.size());
  for (const Layer& layer : of_model) model_names.push_back(name_of(graph, layer));

  const std::size_t common = std::min(of_file.size(), of_model.size());
  std::vector<std::pair<NodeId, Constant>> loaded;
  for (std::size_t k = 0; k < common; ++k) {
    const auto& tensors = of_file[k]->tensors;
    const auto& parameters = of_model[k].parameters;
    const std::string where = pair_text(k + 1, of_model.size(), file_names[k], model_names[k]);
    if (tensors.size() != parameters.size()) {
      fail(cat(where, ": ", tensors.size(), " tensors and ", parameters.size(), " parameters"));
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      check_tensor(graph, tensors[i], parameters[i], where);
      loaded.push_back({parameters[i], {.desc = tensors[i].desc, .data = tensors[i].data}});
    }
  }
  if (of_file.size() != of_model.size()) {
    const bool more = of_file.size() > common;
    fail(cat("the file has ",
             of_file.size(),
             " layers with weights, the model ",
             of_model.size(),
             "; the first that has no counterpart is '",
             more ? file_names[common] : model_names[common],
             more ? "' of the file" : "' of the model"));
  }
  for (auto& [id, constant] : loaded) graph.replace_op(id, std::move(constant));
  return compare_names(file_names, model_names);
}

}  // namespace fovea
