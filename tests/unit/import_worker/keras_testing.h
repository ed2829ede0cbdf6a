// What the tests of the Keras import share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/import_worker/keras/keras_weights.h"
#include "tests/support/errors.h"
#include "tests/support/h5_file.h"

namespace fovea::test {

/// Writes small HDF5 files into a folder of its own and imports them within the test.
class KerasTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "weights.h5"; }

  [[nodiscard]] WeightsPackage import() const { return keras::import_weights(read_file(path())); }

  void expect_import_error(ErrorCode code, const std::string& part) const {
    expect_error(code, part, [&] { (void)import(); });
  }

  /// A convolution, a layer without weights and a dense layer.
  static std::vector<H5Layer> three_layers() {
    return {{"conv", {{"conv/kernel:0", {1, 2, 3, 4}}, {"conv/bias:0", {4}}}},
            {"flatten", {}},
            {"dense", {{"dense/kernel:0", {5, 2}}}}};
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

inline std::vector<float> floats_of(const StoredTensor& tensor) {
  const PinnedBytes bytes = tensor.data->read();
  const auto* first = reinterpret_cast<const float*>(bytes.data());
  return {first, first + bytes.size() / sizeof(float)};
}

}  // namespace fovea::test
