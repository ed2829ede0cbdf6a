// ONNX models written message by message, for tests of the importer.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "engine/import_worker/onnx/import_onnx.h"
#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::test {

/// A model of operator set 17 with one float32 input "x"; nodes and tensors are added to it.
class OnnxModel {
 public:
  /// dims   of "x"; -1 is an open batch called N
  explicit OnnxModel(const std::vector<std::int64_t>& dims, std::int64_t operator_set = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(operator_set);
    add_input("x", dims);
  }

  onnx::TypeProto::Tensor& add_input(const std::string& name,
                                     const std::vector<std::int64_t>& dims) {
    onnx::ValueInfoProto& input = *graph().add_input();
    input.set_name(name);
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(1);
    type.mutable_shape();
    for (const std::int64_t dim : dims) {
      auto& added = *type.mutable_shape()->add_dim();
      if (dim < 0) {
        added.set_dim_param("N");
      } else {
        added.set_dim_value(dim);
      }
    }
    return type;
  }

  /// A tensor that the file brings along, its values in raw_data.
  template <typename T>
  onnx::TensorProto& add_tensor(const std::string& name,
                                int data_type,
                                const std::vector<std::int64_t>& dims,
                                const std::vector<T>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(data_type);
    for (const std::int64_t dim : dims) tensor.add_dims(dim);
    tensor.set_raw_data(values.data(), values.size() * sizeof(T));
    return tensor;
  }

  onnx::TensorProto& add_floats(const std::string& name,
                                const std::vector<std::int64_t>& dims,
                                const std::vector<float>& values) {
    return add_tensor(name, 1, dims, values);
  }

  /// A node that produces one value, and is called like it.
  onnx::NodeProto& add_node(const std::string& op_type,
                            std::initializer_list<const char*> inputs,
                            const std::string& output) {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(op_type);
    node.set_name(output);
    for (const char* input : inputs) node.add_input(input);
    node.add_output(output);
    return node;
  }

  void add_output(const std::string& name) { graph().add_output()->set_name(name); }

  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  [[nodiscard]] std::string bytes() const { return model.SerializeAsString(); }

  /// What the importer makes of the model.
  [[nodiscard]] Package import() const {
    const std::string file = bytes();
    return onnx::import_onnx(std::as_bytes(std::span(file)));
  }

  onnx::ModelProto model;
};

inline void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

inline void set_ints(onnx::NodeProto& node,
                     const std::string& name,
                     std::initializer_list<std::int64_t> values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

inline void set_float(onnx::NodeProto& node, const std::string& name, float value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
}

inline void set_text(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

}  // namespace fovea::test
