// Legacy Keras weight files that are read.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/shared_data.h"
#include "tests/unit/import_worker/keras_testing.h"

namespace fovea {
namespace {

using test::floats_of;
using test::H5File;
using test::H5Text;
using KerasWeights = test::KerasTest;

/// The layers of KerasTest::three_layers as they come out.
void expect_three_layers(const WeightsPackage& package) {
  ASSERT_EQ(package.layers.size(), 3U);
  EXPECT_EQ(package.layers[0].name, "conv");
  ASSERT_EQ(package.layers[0].tensors.size(), 2U);
  const StoredTensor& kernel = package.layers[0].tensors[0];
  EXPECT_EQ(kernel.name, "conv/kernel:0");
  EXPECT_EQ(kernel.desc, (TensorDesc{DType::kFloat32, {1, 2, 3, 4}}));
  ASSERT_EQ(floats_of(kernel).size(), 24U);
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(floats_of(kernel)[i], 0.125F * static_cast<float>(i)) << "stored as it was";
  }
  EXPECT_EQ(floats_of(package.layers[0].tensors[1]), (std::vector<float>{3, 3.125, 3.25, 3.375}));
  EXPECT_EQ(package.layers[1].name, "flatten");
  EXPECT_TRUE(package.layers[1].tensors.empty());
  EXPECT_EQ(package.layers[2].name, "dense");
  EXPECT_EQ(package.layers[2].tensors[0].desc.shape, (Shape{5, 2}));
}

TEST_F(KerasWeights, AreReadInTheOrderOfTheFile) {
  write_keras_file(path(), three_layers());

  const WeightsPackage package = import();

  expect_three_layers(package);
  EXPECT_TRUE(package.notes.empty());
}

TEST_F(KerasWeights, HaveNamesOfVariableLength) {
  write_keras_file(path(), three_layers(), H5Text::kVariable);

  expect_three_layers(import());
}

TEST_F(KerasWeights, AreTakenOutOfAWholeModel) {
  write_keras_file(path(), three_layers(), H5Text::kFixed, "/model_weights");

  const WeightsPackage package = import();

  expect_three_layers(package);
  ASSERT_EQ(package.notes.size(), 1U);
  EXPECT_NE(package.notes[0].find("whole model"), std::string::npos);
}

TEST_F(KerasWeights, HaveListsThatAreSplitOverAttributes) {
  {
    H5File file(path());
    for (const char* name : {"/a", "/b", "/c"}) file.add_group(name);
    file.add_floats("/a/x", {1}, {1});
    file.add_floats("/a/y", {1}, {2});
    file.add_names("/a", "weight_names0", {"x"});
    file.add_names("/a", "weight_names1", {"y"});
    file.add_names("/b", "weight_names", {});
    file.add_names("/c", "weight_names", {});
    file.add_names("/", "layer_names0", {"c", "a"});
    file.add_names("/", "layer_names1", {"b"});
    file.add_names("/", "layer_names3", {"not read: a number is missing before it"});
  }

  const WeightsPackage package = import();

  ASSERT_EQ(package.layers.size(), 3U);
  EXPECT_EQ(package.layers[0].name, "c");
  EXPECT_EQ(package.layers[2].name, "b");
  ASSERT_EQ(package.layers[1].tensors.size(), 2U);
  EXPECT_EQ(floats_of(package.layers[1].tensors[1]), std::vector<float>{2});
}

TEST_F(KerasWeights, MayBeChunkedCompressedBigEndianAndNested) {
  std::vector<float> values(1'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7);
  {
    H5File file(path());
    file.add_floats("/a/b/c/packed", {10, 100}, values, {.chunk = {4, 30}, .compressed = true});
    file.add_floats("/a/turned", {2}, {1.5F, -2.5F}, {.type = H5T_IEEE_F32BE});
    file.add_floats("/a/number", {}, {7});
    file.add_names("/a", "weight_names", {"b/c/packed", "turned", "number"});
    file.add_names("/", "layer_names", {"a"});
  }

  const WeightsPackage package = import();

  const auto& tensors = package.layers.at(0).tensors;
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(floats_of(tensors[0]), values);
  EXPECT_EQ(floats_of(tensors[1]), (std::vector<float>{1.5F, -2.5F}));
  EXPECT_TRUE(tensors[2].desc.shape.empty());
}

TEST_F(KerasWeights, MayHaveAnEmptyListOfAnyType) {
  {
    H5File file(path());
    file.add_group("/a");
    const hsize_t none = 0;
    const keras::H5Handle space(H5Screate_simple(1, &none, nullptr), H5Sclose);
    const keras::H5Handle group(H5Gopen2(file.id(), "/a", H5P_DEFAULT), H5Gclose);
    // What NumPy makes of an empty list.
    const keras::H5Handle list(
        H5Acreate2(
            group.get(), "weight_names", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    file.add_names("/", "layer_names", {"a"});
  }

  EXPECT_TRUE(import().layers.at(0).tensors.empty());
}

using KerasWeightsOfKeras = test::SharedDataTest;

TEST_F(KerasWeightsOfKeras, AreReadWhatKeras2AndKeras3Wrote) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_ / "goldens/keras-files")) {
    const std::string name = entry.path().filename().native();
    if (!name.ends_with(".h5")) continue;
    const auto import = [&] { return keras::import_weights(read_file(entry.path())); };
    if (name.ends_with(".weights.h5")) {
      test::expect_error(ErrorCode::kModelUnsupportedFormat, "of Keras 3", import);
      continue;
    }
    if (name.find("scaling") != std::string::npos) {
      // A Normalization counts what it has seen, which no network of ours has.
      test::expect_error(ErrorCode::kModelUnsupportedFormat, "64-bit integers", import);
      continue;
    }
    const WeightsPackage package = import();
    EXPECT_FALSE(package.layers.empty()) << name;
    EXPECT_EQ(package.notes.size(), name.ends_with("_legacy_weights.h5") ? 0U : 1U) << name;
    ++read;
  }
  EXPECT_GT(read, 40);
}

}  // namespace
}  // namespace fovea
