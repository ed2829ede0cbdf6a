// Weights without a network, as a folder.
#include "engine/importers/weights_package.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class WeightsPackageTest : public testing::Test {
 protected:
  static StoredTensor tensor(const std::string& name, const Shape& shape, std::byte fill) {
    const TensorDesc desc{DType::kFloat32, shape};
    return {name, desc, Buffer::from(std::vector<std::byte>(byte_size(desc), fill))};
  }

  /// Tensors of one name in two layers, and one of several.
  static WeightsPackage example() {
    WeightsPackage package;
    package.layers = {
        {"b", {tensor("kernel", {2, 3}, std::byte{1})}},
        {"a", {}},
        {"a", {tensor("kernel", {4}, std::byte{2}), tensor("bias", {}, std::byte{3})}}};
    package.source = {.file = "weights.h5", .sha256 = "abc", .importer = 7};
    package.notes = {"a note"};
    return package;
  }

  [[nodiscard]] fs::path path() const { return folder_.path() / "package"; }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(WeightsPackageTest, ComesBackAsItWas) {
  save_weights_package(path(), example());

  const WeightsPackage package = load_weights_package(path());

  const WeightsPackage before = example();
  EXPECT_EQ(package.source, before.source);
  EXPECT_EQ(package.notes, before.notes);
  ASSERT_EQ(package.layers.size(), before.layers.size());
  for (std::size_t k = 0; k < before.layers.size(); ++k) {
    EXPECT_EQ(package.layers[k].name, before.layers[k].name);
    ASSERT_EQ(package.layers[k].tensors.size(), before.layers[k].tensors.size());
    for (std::size_t i = 0; i < before.layers[k].tensors.size(); ++i) {
      const StoredTensor& want = before.layers[k].tensors[i];
      const StoredTensor& got = package.layers[k].tensors[i];
      EXPECT_EQ(got.name, want.name);
      EXPECT_EQ(got.desc, want.desc);
      EXPECT_TRUE(std::ranges::equal(got.data->read(), want.data->read()));
    }
  }
}

TEST_F(WeightsPackageTest, OutlivesItsFolder) {
  save_weights_package(path(), example());
  const WeightsPackage package = load_weights_package(path());

  fs::remove_all(path());

  EXPECT_EQ(package.layers[0].tensors[0].data->read().data()[23], std::byte{1});
}

TEST_F(WeightsPackageTest, NoticesDamageToEitherFile) {
  save_weights_package(path(), example());
  const auto replace = [&](const char* name, const std::string& from, const std::string& to) {
    const std::string whole = read_text_file(path() / name);
    std::string text = whole;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    write_file_atomic(path() / name, std::string_view(text));
    expect_error(
        ErrorCode::kModelCorrupt, path().native(), [&] { (void)load_weights_package(path()); });
    write_file_atomic(path() / name, std::string_view(whole));
  };
  replace("weights.safetensors", std::string(4, '\x02'), std::string(4, '\x05'));
  replace("layers.json", "\"shape\":[2,3]", "\"shape\":[3,2]");
  replace("layers.json", "\"shape\":[2,3]", "\"shape\":\"2,3\"");
  replace("layers.json", "0000/0/kernel", "0000/0/kernal");
  replace("layers.json", "\"layers\":[{", "\"layers\":[7,{");
  replace("layers.json", "\"files\":{", "\"files\":{}, \"more\":{");
  replace("layers.json", "}", "");
  EXPECT_EQ(load_weights_package(path()).layers.size(), 3U);

  fs::remove(path() / "weights.safetensors");
  expect_error(
      ErrorCode::kModelCorrupt, "weights.safetensors", [&] { (void)load_weights_package(path()); });
  fs::remove(path() / "layers.json");
  expect_error(
      ErrorCode::kModelNotFound, "layers.json", [&] { (void)load_weights_package(path()); });
}

TEST_F(WeightsPackageTest, RefusesANewerFormat) {
  save_weights_package(path(), example());
  std::string text = read_text_file(path() / "layers.json");
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  write_file_atomic(path() / "layers.json", std::string_view(text));

  expect_error(
      ErrorCode::kModelUnsupportedFormat, "format 2", [&] { (void)load_weights_package(path()); });
}

TEST_F(WeightsPackageTest, ReplacesNothingAndLeavesNothingBehind) {
  fs::create_directory(path());
  expect_error(
      ErrorCode::kIoWrite, "is there already", [&] { save_weights_package(path(), example()); });
  fs::remove(path());

  WeightsPackage broken = example();
  broken.layers[0].tensors[0].data = nullptr;
  expect_error(ErrorCode::kArgumentInvalid, "", [&] { save_weights_package(path(), broken); });
  EXPECT_FALSE(fs::exists(path()));
}

}  // namespace
}  // namespace fovea
