#include "engine/backend/cpu/formats.h"

#include <array>
#include <string_view>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

using Tag = dnnl::memory::format_tag;

struct NamedFormat {
  std::string_view name;
  Tag tag;
};

/// What activations may lie in, beside dense NHWC. Letters are oneDNN's: a is the batch, b
/// channels.
constexpr std::array<NamedFormat, 4> kPictureFormats{{
    {"aBcd16b", Tag::aBcd16b},
    {"aBcd8b", Tag::aBcd8b},
    {"aBcd4b", Tag::aBcd4b},
    {"abcd", Tag::abcd},
}};

bool is_picture(const TensorDesc& desc) {
  return desc.shape.size() == 4;
}

dnnl::memory::desc with_tag(const TensorDesc& desc, Tag tag) {
  return {dims_of(desc), element_type(desc.dtype), tag};
}

Tag dense_tag(const TensorDesc& desc) {
  switch (desc.shape.size()) {
    case 1:
      return Tag::a;
    case 2:
      return Tag::ab;
    case 4:
      return Tag::acdb;
    default:
      throw Error(ErrorCode::kInternal, cat("no oneDNN format for ", to_string(desc)));
  }
}

}  // namespace

dnnl::memory::dims dims_of(const TensorDesc& desc) {
  const Shape& shape = desc.shape;
  if (is_picture(desc)) return {shape[0], shape[3], shape[1], shape[2]};
  return {shape.begin(), shape.end()};
}

dnnl::memory::data_type element_type(DType dtype) {
  if (dtype == DType::kFloat32) return dnnl::memory::data_type::f32;
  if (dtype == DType::kBFloat16) return dnnl::memory::data_type::bf16;
  throw Error(ErrorCode::kInternal, cat("oneDNN was asked for tensors of ", to_string(dtype)));
}

dnnl::memory::desc memory_desc(const TensorDesc& desc, const Layout& layout) {
  if (layout.kind == Layout::Kind::kDense) return with_tag(desc, dense_tag(desc));
  if (layout.kind == Layout::Kind::kSliced && is_picture(desc)) {
    const dnnl::memory::dims dims = dims_of(desc);
    const std::int64_t pixel = layout.pixel_stride;
    return {dims,
            element_type(desc.dtype),
            dnnl::memory::dims{dims[2] * dims[3] * pixel, 1, dims[3] * pixel, pixel}};
  }
  for (const NamedFormat& format : kPictureFormats) {
    if (layout.kind == Layout::Kind::kOpaque && layout.format == format.name) {
      return with_tag(desc, format.tag);
    }
  }
  throw Error(ErrorCode::kInternal, cat("cpu cannot read the layout ", to_string(layout)));
}

dnnl::memory::desc any_format(const TensorDesc& desc) {
  return with_tag(desc, Tag::any);
}

Layout unsliced(const Layout& layout) {
  return layout.kind == Layout::Kind::kSliced ? Layout{} : layout;
}

Layout resized(Layout layout, const TensorDesc& desc) {
  if (layout.kind == Layout::Kind::kOpaque) layout.bytes = memory_desc(desc, layout).get_size();
  return layout;
}

std::optional<std::int64_t> pixel_stride(const TensorDesc& desc, const Layout& layout) {
  switch (layout.kind) {
    case Layout::Kind::kDense:
      return desc.shape.back();
    case Layout::Kind::kSliced:
      return layout.pixel_stride;
    case Layout::Kind::kOpaque:
      break;
  }
  return std::nullopt;
}

std::int64_t pixel_stride_of(const TensorDesc& desc, const Layout& layout) {
  if (const auto stride = pixel_stride(desc, layout)) return *stride;
  throw Error(ErrorCode::kInternal, cat("pixels of ", to_string(layout), " have no stride"));
}

Layout channels_last(const TensorDesc& desc, const Layout& layout) {
  return pixel_stride(desc, layout) ? layout : Layout{};
}

dnnl::memory read_memory(const dnnl::memory::desc& desc, const std::byte* data) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  return {desc, engine(), const_cast<std::byte*>(data)};
}

std::optional<Layout> layout_of(const TensorDesc& desc, const dnnl::memory::desc& memory) {
  if (memory == with_tag(desc, dense_tag(desc))) return Layout{};
  if (!is_picture(desc)) return std::nullopt;
  for (const NamedFormat& format : kPictureFormats) {
    if (memory == with_tag(desc, format.tag)) {
      return Layout::opaque(std::string(format.name), memory.get_size());
    }
  }
  return std::nullopt;
}

}  // namespace fovea::cpu
