#include "engine/import_worker/onnx/onnx_tensor.h"

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/graph/ops/transpose.h"

namespace fovea::onnx {

namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

/// The format's numbers of the element types that we have (onnx.proto, TensorProto.DataType).
constexpr std::array<std::pair<int, DType>, 7> kTypes{{{1, DType::kFloat32},
                                                       {2, DType::kUInt8},
                                                       {3, DType::kInt8},
                                                       {6, DType::kInt32},
                                                       {7, DType::kInt64},
                                                       {10, DType::kFloat16},
                                                       {16, DType::kBFloat16}}};

std::string label(const TensorProto& tensor) {
  return cat("tensor '", printable(tensor.name()), "'");
}

/// Values that stand one by one in a list of `From` become elements of type `To`.
template <typename To, typename From>
std::vector<std::byte> narrow(const From& values, const TensorProto& tensor) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(values.size()) * sizeof(To));
  for (int i = 0; i < values.size(); ++i) {
    const auto element = static_cast<To>(values[i]);
    if constexpr (!std::is_same_v<To, float>) {
      if (element != values[i]) {
        throw Error(ErrorCode::kModelCorrupt, cat(label(tensor), " has a value out of its type"));
      }
    }
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(To), &element, sizeof(To));
  }
  return bytes;
}

std::vector<std::byte> listed_bytes(const TensorProto& tensor, DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return narrow<float>(tensor.float_data(), tensor);
    case DType::kInt64:
      return narrow<std::int64_t>(tensor.int64_data(), tensor);
    case DType::kInt32:
      return narrow<std::int32_t>(tensor.int32_data(), tensor);
    case DType::kInt8:
      return narrow<std::int8_t>(tensor.int32_data(), tensor);
    case DType::kUInt8:
      return narrow<std::uint8_t>(tensor.int32_data(), tensor);
    case DType::kFloat16:
    case DType::kBFloat16:
      return narrow<std::uint16_t>(tensor.int32_data(), tensor);
  }
  return {};
}

std::shared_ptr<const Buffer> take_bytes(TensorProto& tensor, DType dtype) {
  if (!tensor.has_raw_data()) {
    auto bytes = listed_bytes(tensor, dtype);
    TensorProto().Swap(&tensor);  // frees four to eight times as much
    return Buffer::from(std::move(bytes));
  }
  const auto raw = std::make_shared<std::string>(std::move(*tensor.mutable_raw_data()));
  return Buffer::view(std::as_bytes(std::span(*raw)), raw);
}

}  // namespace

DType dtype_of(int data_type, std::string_view what) {
  for (const auto& [number, dtype] : kTypes) {
    if (number == data_type) return dtype;
  }
  throw Unsupported(cat(what, " has the ONNX element type ", data_type, ", which is not supported"),
                    ErrorCode::kModelUnsupportedOp);
}

Constant take_tensor(TensorProto& tensor) {
  constexpr int kExternal = 1;
  if (tensor.data_location() == kExternal) {
    throw Unsupported(
        cat(label(tensor),
            " lies in another file (external data), which is not read; save the model as one file"),
        ErrorCode::kModelUnsupportedFormat);
  }
  TensorDesc desc{dtype_of(tensor.data_type(), label(tensor)),
                  {tensor.dims().begin(), tensor.dims().end()}};
  if (desc.shape.size() > kMaxRank) {
    throw Error(ErrorCode::kModelLimit,
                cat(label(tensor), " has ", desc.shape.size(), " dimensions, over ", kMaxRank));
  }
  try {
    check_desc(desc, label(tensor));
    check_concrete(desc, label(tensor));
  } catch (const InvalidArgument& error) {
    throw Error(ErrorCode::kModelCorrupt, error.what());
  }
  const std::string name = label(tensor);
  auto data = take_bytes(tensor, desc.dtype);
  if (data->size() != byte_size(desc)) {
    throw Error(ErrorCode::kModelCorrupt,
                cat(name,
                    " is ",
                    to_string(desc),
                    ", which takes ",
                    byte_size(desc),
                    " bytes, but the file has ",
                    data->size()));
  }
  return {std::move(desc), std::move(data)};
}

Constant transposed(const Constant& constant, const std::vector<std::int64_t>& perm) {
  const Transpose transpose{perm};
  const TensorDesc desc = transpose.infer({&constant.desc, 1}).front();
  std::vector<std::byte> bytes(byte_size(desc));
  const PinnedBytes stored = constant.read();
  const ConstTensorView from{&constant.desc, stored.data()};
  const TensorView to{&desc, bytes.data()};
  transpose.evaluate({&from, 1}, {&to, 1});
  return {desc, Buffer::from(std::move(bytes))};
}

}  // namespace fovea::onnx
