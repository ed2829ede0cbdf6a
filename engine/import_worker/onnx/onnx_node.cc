#include "engine/import_worker/onnx/onnx_node.h"

#include <algorithm>
#include <limits>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::onnx {

std::string OnnxNode::label() const {
  const bool unnamed = proto_->name().empty() && proto_->output_size() > 0;
  return cat(
      printable(op_type()), " '", printable(unnamed ? proto_->output(0) : proto_->name()), "'");
}

bool OnnxNode::has_input(int i) const {
  return i < proto_->input_size() && !proto_->input(i).empty();
}

const std::string& OnnxNode::input(int i) const {
  if (!has_input(i)) fail_corrupt(cat("has no input ", i));
  return proto_->input(i);
}

const std::string& OnnxNode::output() const {
  return proto_->output(0);
}

std::string OnnxNode::further_output(int i) const {
  return i < proto_->output_size() ? proto_->output(i) : std::string();
}

void OnnxNode::check_counts(int least, int most, int most_outputs) const {
  const int inputs = proto_->input_size();
  if (inputs < least || inputs > most) {
    fail_corrupt(cat("has ", inputs, " inputs instead of ", least, " to ", most));
  }
  // A variable number of inputs is one of inputs that are there.
  for (int i = 0; i < (most == kAnyNumber ? inputs : least); ++i) (void)input(i);
  const int outputs = proto_->output_size();
  if (outputs < 1 || outputs > most_outputs || proto_->output(0).empty()) {
    fail_corrupt(
        most_outputs == 1
            ? cat("has ", outputs, " outputs instead of one")
            : cat("has ", outputs, " outputs instead of a first and ", most_outputs, " at most"));
  }
}

bool OnnxNode::has_attribute(std::string_view name) const {
  return std::any_of(proto_->attribute().begin(),
                     proto_->attribute().end(),
                     [&](const AttributeProto& attribute) { return attribute.name() == name; });
}

const AttributeProto* OnnxNode::find(std::string_view name, AttributeProto::Type type) {
  understood_.emplace(name);
  const AttributeProto* found = nullptr;
  for (const AttributeProto& attribute : proto_->attribute()) {
    if (attribute.name() != name) continue;
    if (found != nullptr) fail_corrupt(cat("has two attributes '", name, "'"));
    found = &attribute;
  }
  if (found != nullptr && found->type() != type) {
    fail_corrupt(cat("has an attribute '", name, "' of another kind than the format says"));
  }
  return found;
}

std::int64_t OnnxNode::integer(std::string_view name, std::int64_t fallback) {
  const AttributeProto* attribute = find(name, AttributeProto::INT);
  return attribute == nullptr ? fallback : attribute->i();
}

float OnnxNode::real(std::string_view name, float fallback) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT);
  return attribute == nullptr ? fallback : attribute->f();
}

std::string OnnxNode::text(std::string_view name, std::string_view fallback) {
  const AttributeProto* attribute = find(name, AttributeProto::STRING);
  return attribute == nullptr ? std::string(fallback) : attribute->s();
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::INTS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<std::vector<float>> OnnxNode::reals(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

std::optional<TensorProto> OnnxNode::tensor(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR);
  return attribute == nullptr ? std::nullopt : std::optional(attribute->t());
}

std::vector<std::int64_t> OnnxNode::sizes(std::string_view name,
                                          std::size_t count,
                                          std::int64_t fallback,
                                          std::int64_t least) {
  auto sizes = integers(name).value_or(std::vector<std::int64_t>(count, fallback));
  if (sizes.size() != count) {
    fail_unsupported(cat("has ",
                         sizes.size(),
                         " values in '",
                         name,
                         "' instead of ",
                         count,
                         "; only two-dimensional pictures are supported"));
  }
  for (const std::int64_t size : sizes) {
    if (size >= least && size <= std::numeric_limits<std::int32_t>::max()) continue;
    fail_corrupt(cat("has the value ", size, " in '", name, "'"));
  }
  return sizes;
}

std::int64_t OnnxNode::axis(std::int64_t fallback, std::size_t rank) {
  const auto dimensions = static_cast<std::int64_t>(rank);
  const std::int64_t axis = integer("axis", fallback);
  if (axis < -dimensions || axis >= dimensions) {
    fail_corrupt(cat("has axis ", axis, " of ", dimensions, " dimensions"));
  }
  return axis < 0 ? axis + dimensions : axis;
}

void OnnxNode::check_understood() const {
  for (const AttributeProto& attribute : proto_->attribute()) {
    if (understood_.contains(attribute.name())) continue;
    fail_unsupported(
        cat("has an attribute '", printable(attribute.name()), "', which is not supported"));
  }
}

void OnnxNode::fail_corrupt(std::string_view what) const {
  throw Error(ErrorCode::kModelCorrupt, cat(label(), " ", what));
}

void OnnxNode::fail_unsupported(std::string_view what) const {
  throw Unsupported(cat(label(), " ", what), ErrorCode::kModelUnsupportedOp);
}

}  // namespace fovea::onnx
