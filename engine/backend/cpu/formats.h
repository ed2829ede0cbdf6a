// Our layouts and oneDNN's memory descriptions, one to one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/layout.h"

namespace fovea::cpu {

/// oneDNN's dimensions of a tensor: pictures {N,C,H,W} whatever their layout; matrices as they are.
[[nodiscard]] dnnl::memory::dims dims_of(const TensorDesc& desc);

/// oneDNN's name of a float type. Throws Error (internal) for one that it does not compute in.
[[nodiscard]] dnnl::memory::data_type element_type(DType dtype);

/// The memory description of a float tensor in a layout; Layout{} is NHWC for pictures. For a
/// slice it begins at its first channel; of oneDNN's primitives only reorders are fast on those.
/// Throws Error (internal) for an unknown format.
[[nodiscard]] dnnl::memory::desc memory_desc(const TensorDesc& desc, const Layout& layout);

/// "Choose for me": the description with oneDNN's format any.
[[nodiscard]] dnnl::memory::desc any_format(const TensorDesc& desc);

/// The layout of a memory description, or nothing where it is none that we can name.
[[nodiscard]] std::optional<Layout> layout_of(const TensorDesc& desc,
                                              const dnnl::memory::desc& memory);

/// The layout, or dense in place of a slice: what primitives other than reorders are given.
[[nodiscard]] Layout unsliced(const Layout& layout);

/// The same layout of another tensor: an opaque one has its own size.
[[nodiscard]] Layout resized(Layout layout, const TensorDesc& desc);

/// Elements from one pixel of a tensor to the next; nothing for a layout that has no such number.
[[nodiscard]] std::optional<std::int64_t> pixel_stride(const TensorDesc& desc,
                                                       const Layout& layout);

/// The same for a layout that has one; throws Error (internal) for others.
[[nodiscard]] std::int64_t pixel_stride_of(const TensorDesc& desc, const Layout& layout);

/// The layout if its pixels are one stride apart, else dense.
[[nodiscard]] Layout channels_last(const TensorDesc& desc, const Layout& layout);

/// oneDNN's view of bytes that it only reads. (Its memory objects take a pointer to void.)
[[nodiscard]] dnnl::memory read_memory(const dnnl::memory::desc& desc, const std::byte* data);

}  // namespace fovea::cpu
