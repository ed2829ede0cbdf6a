#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/core/safetensors_format.h"

namespace fovea {

namespace {

using nlohmann::json;
using safetensors::kAlignment;
using safetensors::kMetadataKey;

std::string_view stored_name(DType dtype) {
  const auto* found =
      std::find_if(safetensors::kElementTypes.begin(),
                   safetensors::kElementTypes.end(),
                   [&](const safetensors::ElementType& type) { return type.dtype == dtype; });
  return found->name;
}

std::string quoted(const std::string& name) {
  try {
    return json(name).dump();
  } catch (const json::exception&) {
    throw InvalidArgument("a tensor's name is not UTF-8");
  }
}

/// The order in which tensors are stored. Those of a multiple of 8 bytes come first, so they all
/// start at one; behind them larger elements come before smaller ones, which aligns each to its
/// element size.
std::vector<NamedTensors::const_iterator> storage_order(const NamedTensors& tensors) {
  std::vector<NamedTensors::const_iterator> order;
  order.reserve(tensors.size());
  for (auto it = tensors.begin(); it != tensors.end(); ++it) order.push_back(it);
  const auto rank = [](NamedTensors::const_iterator it) {
    const TensorDesc& desc = it->second.first;
    return byte_size(desc) % kAlignment == 0 ? 0 : 1 + kAlignment - element_size(desc.dtype);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
  return order;
}

std::string header_text(const NamedTensors& tensors,
                        std::span<const NamedTensors::const_iterator> order) {
  std::map<std::string_view, std::uint64_t> begins;
  std::uint64_t offset = 0;
  for (const auto& it : order) {
    begins[it->first] = offset;
    offset += byte_size(it->second.first);
  }
  std::string text = "{";
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = begins[name];
    if (text.size() > 1) text += ',';
    text += cat(quoted(name), R"(:{"dtype":")", stored_name(tensor.first.dtype), R"(","shape":[)");
    for (std::size_t i = 0; i < tensor.first.shape.size(); ++i) {
      text += cat(i == 0 ? "" : ",", tensor.first.shape[i]);
    }
    text += cat(R"(],"data_offsets":[)", begin, ',', begin + byte_size(tensor.first), "]}");
  }
  text += '}';
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

void check_writable(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (name == kMetadataKey) throw InvalidArgument(cat("no tensor may be called '", name, "'"));
    if (tensor.second == nullptr) throw InvalidArgument(cat("tensor '", name, "' has no data"));
    if (tensor.second->size() != byte_size(tensor.first)) {
      throw InvalidArgument(cat("tensor '",
                                name,
                                "' is ",
                                to_string(tensor.first),
                                ", its data has ",
                                tensor.second->size(),
                                " bytes"));
    }
  }
}

}  // namespace

void write_safetensors(const NamedTensors& tensors,
                       const std::function<void(std::span<const std::byte>)>& sink) {
  check_writable(tensors);
  const auto order = storage_order(tensors);
  const std::string header = header_text(tensors, order);
  const std::uint64_t header_bytes = header.size();
  sink(std::as_bytes(std::span(&header_bytes, 1)));
  sink(std::as_bytes(std::span(header)));
  for (const auto& it : order) {
    const PinnedBytes bytes = it->second.second->read();
    sink({bytes.data(), bytes.size()});
  }
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  AtomicFile file(path);
  write_safetensors(tensors, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

}  // namespace fovea
