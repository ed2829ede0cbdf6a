#include "engine/import_worker/keras/h5_tensor.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/import_worker/keras/h5_error.h"

namespace fovea::keras {

namespace {

[[noreturn]] void refuse(const H5Object& dataset, const std::string& why) {
  throw Unsupported(cat("'", dataset.path(), "' ", why), ErrorCode::kModelUnsupportedFormat);
}

void check_type(const H5Object& dataset) {
  const H5Handle type(H5Dget_type(dataset.get()), H5Tclose);
  if (!type.valid()) fail_corrupt(cat("the type of '", dataset.path(), "' cannot be read"));
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
    throw Error(ErrorCode::kModelCorrupt, cat("'", dataset.path(), "' does not hold numbers"));
  }
  const bool is_float32 =
      H5Tequal(type.get(), H5T_IEEE_F32LE) > 0 || H5Tequal(type.get(), H5T_IEEE_F32BE) > 0;
  if (is_float32) return;
  refuse(dataset,
         cat("holds ",
             8 * H5Tget_size(type.get()),
             kind == H5T_INTEGER ? "-bit integers" : "-bit floating-point numbers",
             "; only float32 is read: save the weights as float32"));
}

/// Data may lie in the file itself only, and behind filters that are part of libhdf5.
void check_storage(const H5Object& dataset) {
  const H5Handle creation(H5Dget_create_plist(dataset.get()), H5Pclose);
  if (!creation.valid()) fail_corrupt(cat("the storage of '", dataset.path(), "' is unreadable"));
  if (H5Pget_layout(creation.get()) == H5D_VIRTUAL) {
    refuse(dataset, "is a virtual dataset, whose numbers are in other files");
  }
  if (H5Pget_external_count(creation.get()) != 0)
    refuse(dataset, "keeps its numbers in other files");
  const int filters = H5Pget_nfilters(creation.get());
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(
        creation.get(), static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      refuse(dataset,
             cat("is compressed by filter ",
                 filter,
                 "; only gzip, shuffle and fletcher32 are read: save it without compression"));
    }
  }
}

std::vector<hsize_t> dimensions(const H5Object& dataset) {
  const H5Handle space(H5Dget_space(dataset.get()), H5Sclose);
  if (!space.valid()) fail_corrupt(cat("the shape of '", dataset.path(), "' cannot be read"));
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
    throw Error(ErrorCode::kModelCorrupt, cat("'", dataset.path(), "' has no shape"));
  }
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank > static_cast<int>(kMaxStoredRank)) {
    throw Error(ErrorCode::kModelLimit,
                cat("'",
                    dataset.path(),
                    "' has ",
                    rank,
                    " dimensions, at most ",
                    kMaxStoredRank,
                    " are read"));
  }
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank < 0 ? 0 : rank));
  if (rank < 0 || H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr) != rank) {
    fail_corrupt(cat("the shape of '", dataset.path(), "' cannot be read"));
  }
  return dims;
}

}  // namespace

StoredTensor TensorReader::read(const H5Object& dataset, std::string name) {
  if (H5Iget_type(dataset.get()) != H5I_DATASET) {
    throw Error(ErrorCode::kModelCorrupt, cat("'", dataset.path(), "' is no dataset"));
  }
  check_type(dataset);
  check_storage(dataset);

  std::uint64_t count = 1;
  TensorDesc desc{DType::kFloat32, {}};
  for (const hsize_t dim : dimensions(dataset)) {
    if (dim == 0) {
      throw Error(ErrorCode::kModelCorrupt, cat("'", dataset.path(), "' has a dimension of 0"));
    }
    if (dim > left_ / sizeof(float) / count) {
      throw Error(ErrorCode::kModelLimit,
                  cat("'",
                      dataset.path(),
                      "' would make it more than the ",
                      max_bytes_,
                      " bytes that a file of this size may hold"));
    }
    count *= dim;
    desc.shape.push_back(static_cast<std::int64_t>(dim));
  }
  if (H5Dget_storage_size(dataset.get()) == 0) {
    throw Error(ErrorCode::kModelCorrupt, cat("no numbers of '", dataset.path(), "' are stored"));
  }

  std::shared_ptr<float[]> values = std::make_unique_for_overwrite<float[]>(count);
  if (H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.get()) < 0) {
    fail_corrupt(cat("the numbers of '", dataset.path(), "' cannot be read"));
  }
  const std::span<const float> numbers(values.get(), count);
  left_ -= numbers.size_bytes();
  return {
      std::move(name), std::move(desc), Buffer::view(std::as_bytes(numbers), std::move(values))};
}

}  // namespace fovea::keras
