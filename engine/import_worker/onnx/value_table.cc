#include "engine/import_worker/onnx/value_table.h"

#include <array>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/import_worker/onnx/onnx_tensor.h"

namespace fovea::onnx {

namespace {

[[noreturn]] void fail(std::string_view what, const std::string& name, std::string_view problem) {
  throw Error(ErrorCode::kModelCorrupt, cat(what, " '", printable(name), "' ", problem));
}

void check_name(std::string_view what, const std::string& name) {
  if (name.empty() || !is_plain_name(name)) fail(what, name, "has no usable name");
  if (name == "__metadata__") {
    throw Unsupported(
        cat(what, " '", name, "' has a name that safetensors files keep for themselves"),
        ErrorCode::kModelUnsupportedFormat);
  }
}

}  // namespace

bool is_one_pixel(const TensorDesc& desc, Order order) {
  if (desc.shape.size() != 4) return false;
  const std::size_t h = order == Order::kNhwc ? 1 : 2;
  return desc.shape[h] == 1 && desc.shape[h + 1] == 1;
}

std::int64_t nhwc_axis(std::int64_t nchw_axis) {
  constexpr std::array<std::int64_t, 4> kAxes{0, 3, 1, 2};
  return kAxes.at(static_cast<std::size_t>(nchw_axis));
}

ValueTable::ValueTable(Graph& graph, GraphProto& file) : graph_(graph) {
  for (TensorProto& tensor : *file.mutable_initializer()) {
    check_name("the tensor", tensor.name());
    if (!initializers_.emplace(tensor.name(), &tensor).second) {
      fail("the tensor", tensor.name(), "is there twice");
    }
    names_.insert(tensor.name());
  }
  for (const ValueInfoProto& input : file.input()) {
    check_name("the input", input.name());
    names_.insert(input.name());
  }
  for (const NodeProto& node : file.node()) {
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;  // an optional output that is not asked for
      check_name("the value", output);
      names_.insert(output);
    }
  }
}

void ValueTable::define(const std::string& name, Value value, Order order) {
  const bool is_new = !is_initializer(name) && !refused_.contains(name) &&
                      entries_.emplace(name, Entry(value, order)).second;
  if (!is_new) fail("the value", name, "is produced twice");
}

void ValueTable::refuse(const std::string& name, std::string message) {
  const bool is_new = !is_initializer(name) && !entries_.contains(name) &&
                      refused_.emplace(name, std::move(message)).second;
  if (!is_new) fail("the value", name, "is produced twice");
}

bool ValueTable::is_initializer(const std::string& name) const {
  return initializers_.contains(name);
}

ValueTable::Entry& ValueTable::entry(const std::string& name) {
  const auto known = entries_.find(name);
  if (known != entries_.end()) return known->second;
  if (const auto refused = refused_.find(name); refused != refused_.end()) {
    throw Unsupported(refused->second, ErrorCode::kModelUnsupportedOp);
  }
  const auto stored = initializers_.find(name);
  if (stored == initializers_.end()) {
    fail("the value", name, "is used, but no node before produces it");
  }
  const Value value = graph_.add(take_tensor(*stored->second), {}, name);
  return entries_.emplace(name, Entry(value, Order::kFile)).first->second;
}

Value ValueTable::held(const std::string& name) {
  return entry(name).value;
}

Order ValueTable::order(const std::string& name) {
  return entry(name).order;
}

Value ValueTable::turn(Entry& entry, const std::string& name) {
  if (entry.turned.node >= 0) return entry.turned;
  const bool to_nhwc = entry.order == Order::kFile;
  const std::vector<std::int64_t> perm =
      to_nhwc ? std::vector<std::int64_t>{0, 2, 3, 1} : std::vector<std::int64_t>{0, 3, 1, 2};
  const TensorDesc desc = graph_.desc(entry.value);
  Op op = Transpose{perm};
  if (is_one_pixel(desc, entry.order)) op = Reshape{Transpose{perm}.infer({&desc, 1})[0].shape};
  entry.turned =
      graph_.add(std::move(op), {entry.value}, free_name(name, to_nhwc ? "nhwc" : "nchw"));
  return entry.turned;
}

Value ValueTable::in_file_order(const std::string& name) {
  Entry& found = entry(name);
  return found.order == Order::kFile ? found.value : turn(found, name);
}

Value ValueTable::in_nhwc(const std::string& name) {
  Entry& found = entry(name);
  return found.order == Order::kNhwc ? found.value : turn(found, name);
}

Value ValueTable::permuted_weight(const std::string& name, const std::vector<std::int64_t>& perm) {
  Value& known = entry(name).permuted[perm];
  if (known.node < 0) known = permute(name, perm);
  return known;
}

Value ValueTable::permute(const std::string& name, const std::vector<std::int64_t>& perm) {
  const Value value = in_file_order(name);
  if (const Constant* weights = constant(name)) {
    return graph_.add(transposed(*weights, perm), {}, free_name(name, "permuted"));
  }
  // Copies: adding nodes moves the ones that are there.
  const Node node = graph_.node(value);
  const auto* dequantize = node.as<DequantizeLinear>();
  const Constant* stored =
      dequantize == nullptr ? nullptr : graph_.node(node.inputs[0]).as<Constant>();
  if (stored == nullptr) return graph_.add(Transpose{perm}, {value}, free_name(name, "permuted"));

  DequantizeLinear turned = *dequantize;
  for (std::size_t d = 0; d < perm.size(); ++d) {
    if (perm[d] == dequantize->axis) turned.axis = static_cast<std::int64_t>(d);
  }
  std::vector<Value> inputs = node.inputs;
  const std::string stored_name = graph_.node(node.inputs[0]).name;
  inputs[0] = graph_.add(transposed(*stored, perm), {}, free_name(stored_name, "permuted"));
  return graph_.add(turned, std::move(inputs), free_name(name, "permuted"));
}

const Constant* ValueTable::constant(const std::string& name) {
  return graph_.node(held(name)).as<Constant>();
}

std::string ValueTable::free_name(std::string_view name, std::string_view what) {
  std::string wanted = cat(name, '/', what);
  if (!is_plain_name(wanted)) wanted = what;  // too long
  std::string free = wanted;
  for (int i = 2; !names_.insert(free).second; ++i) free = cat(wanted, i);
  return free;
}

}  // namespace fovea::onnx
