// Damaged HDF5 files in the import program: every one ends in a package or in an error of a known
// kind. In a process of its own each, because libhdf5 itself crashes on some.
#include <chrono>
#include <filesystem>
#include <random>
#include <string>

#include "engine/importers/import_process.h"
#include "tests/unit/import_worker/keras_testing.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

class KerasDamage : public test::KerasTest {
 protected:
  KerasDamage() {
    const std::vector<float> values(600, 0.5F);
    {
      test::H5File file(path());
      file.add_floats("/a/packed", {20, 30}, values, {.chunk = {8, 16}, .compressed = true});
      file.add_floats("/a/plain", {6}, {1, 2, 3, 4, 5, 6});
      file.add_names("/a", "weight_names", {"packed", "plain"}, test::H5Text::kVariable);
      file.add_group("/b");
      file.add_names("/b", "weight_names", {});
      file.add_names("/", "layer_names0", {"a"});
      file.add_names("/", "layer_names1", {"b"});
    }
    whole_ = read_text_file(path());
  }

  /// Whether the file still gives a package; anything but a typed error fails the test.
  [[nodiscard]] bool imports(const std::string& bytes) const {
    write_file_atomic(path(), std::string_view(bytes));
    const fs::path out = folder_.path() / "package";
    bool fine = false;
    try {
      run_importer(path(), out, std::chrono::seconds(30));
      fine = true;
      EXPECT_FALSE(load_weights_package(out).layers.empty());
    } catch (const Error& error) {
      // A changed signature is a file of another format, or an ONNX file.
      const std::string_view code = to_string(error.code());
      EXPECT_TRUE(code.starts_with("model/")) << code << ": " << error.what();
      EXPECT_FALSE(fine) << "the package that was made cannot be read: " << error.what();
      EXPECT_FALSE(fs::exists(out)) << "half a package was left behind: " << error.what();
    }
    fs::remove_all(out);
    return fine;
  }

  std::string whole_;
};

TEST_F(KerasDamage, TheWholeFileIsFine) {
  EXPECT_TRUE(imports(whole_));
}

TEST_F(KerasDamage, CutAtManyPlaces) {
  for (std::size_t size = 0; size < whole_.size(); size += 97) {
    EXPECT_FALSE(imports(whole_.substr(0, size))) << size;
  }
  EXPECT_FALSE(imports(whole_.substr(0, whole_.size() - 1)));
}

TEST_F(KerasDamage, SomeBytesReplaced) {
  std::minstd_rand random(1);
  int refused = 0;
  constexpr int kRounds = 300;
  for (int i = 0; i < kRounds; ++i) {
    std::string bytes = whole_;
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    refused += imports(bytes) ? 0 : 1;
  }
  EXPECT_GT(refused, kRounds / 10) << "the damage hits nothing";
}

}  // namespace
}  // namespace fovea
