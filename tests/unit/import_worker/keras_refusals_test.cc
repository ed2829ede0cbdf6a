// HDF5 files that are refused, each by an error that names what is wrong.
#include <string>
#include <vector>

#include "tests/unit/import_worker/keras_testing.h"

namespace fovea {
namespace {

using test::H5File;
using test::H5Storage;

class KerasRefusals : public test::KerasTest {
 protected:
  /// A file with one layer "a", whose one tensor "x" is what `write` adds as "/a/x".
  template <typename Write>
  void write_tensor(const Write& write) const {
    H5File file(path());
    file.add_group("/a");
    write(file);
    file.add_names("/a", "weight_names", {"x"});
    file.add_names("/", "layer_names", {"a"});
  }

  void write_stored(const H5Storage& storage) const {
    write_tensor([&](H5File& file) { file.add_floats("/a/x", {4}, {1, 2, 3, 4}, storage); });
  }

  /// The tensor's shape and nothing of its numbers.
  void write_shape(const std::vector<std::uint64_t>& shape, const H5Storage& storage = {}) const {
    write_tensor([&](H5File& file) { file.add_floats("/a/x", shape, {}, storage); });
  }
};

/// The tensor "/a/x", float32, without values.
void create_dataset(const H5File& file,
                    const keras::H5Handle& space,
                    const keras::H5Handle& creation) {
  const keras::H5Handle dataset(
      H5Dcreate2(
          file.id(), "/a/x", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      H5Dclose);
}

TEST_F(KerasRefusals, AFileThatIsCutAnywhere) {
  write_keras_file(path(), three_layers());
  const std::string whole = read_text_file(path());
  for (std::size_t size = 8; size < whole.size(); size += 37) {
    write_file_atomic(path(), std::string_view(whole).substr(0, size));
    expect_import_error(ErrorCode::kModelCorrupt, "not whole");
  }
}

TEST_F(KerasRefusals, HDF5FilesOfOtherKinds) {
  {
    H5File file(path());
    file.add_floats("/measurements", {1}, {1});
    file.add_group("/another");
  }
  expect_import_error(ErrorCode::kModelUnsupportedFormat,
                      "an HDF5 file, but not one with Keras weights: its root has no attribute "
                      "'layer_names', only the members 'another', 'measurements'");

  H5File(path()).add_group("/layers/conv2d/vars");
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "a .weights.h5 file of Keras 3");
}

TEST_F(KerasRefusals, NamesOfWhatIsNotThere) {
  {
    H5File file(path());
    file.add_names("/", "layer_names", {"conv1"});
  }
  expect_import_error(ErrorCode::kModelCorrupt, "there is no '/conv1'");

  {
    H5File file(path());
    file.add_group("/conv1");
    file.add_names("/", "layer_names", {"conv1"});
  }
  expect_import_error(ErrorCode::kModelCorrupt, "'/conv1' has no attribute 'weight_names'");

  write_tensor([](H5File&) {});
  expect_import_error(ErrorCode::kModelCorrupt, "there is no '/a/x'");

  H5File(path()).add_group("/model_weights");
  expect_import_error(ErrorCode::kModelCorrupt, "'/model_weights' has no attribute 'layer_names'");
}

TEST_F(KerasRefusals, ObjectsOfAnotherKind) {
  write_tensor([](H5File& file) { file.add_group("/a/x"); });
  expect_import_error(ErrorCode::kModelCorrupt, "'/a/x' is no dataset");

  {
    H5File file(path());
    file.add_floats("/a", {1}, {1});
    file.add_names("/a", "weight_names", {"x"});
    file.add_names("/", "layer_names", {"a"});
  }
  expect_import_error(ErrorCode::kModelCorrupt, "'/a' is no group");
}

TEST_F(KerasRefusals, ListsThatAreNoListsOfNames) {
  const auto write_attribute = [&](hid_t type, int rank, const std::string& bytes) {
    H5File file(path());
    const hsize_t one[] = {1, 1};
    const keras::H5Handle space(H5Screate_simple(rank, one, nullptr), H5Sclose);
    const keras::H5Handle list(
        H5Acreate2(file.id(), "layer_names", type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    ASSERT_GE(H5Awrite(list.get(), type, bytes.data()), 0);
  };
  const keras::H5Handle text(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(text.get(), 8);

  write_attribute(H5T_STD_I32LE, 1, "0123");
  expect_import_error(ErrorCode::kModelCorrupt,
                      "the attribute 'layer_names' of '/' is no list of texts");
  write_attribute(text.get(), 0, "layer_01");
  expect_import_error(ErrorCode::kModelCorrupt, "'layer_names' of '/' is no list");
  write_attribute(text.get(), 2, "layer_01");
  expect_import_error(ErrorCode::kModelCorrupt, "'layer_names' of '/' is no list");
  write_attribute(text.get(), 1, "a\x1b[31m");
  expect_import_error(ErrorCode::kModelCorrupt, "holds 'a?[31m', which is no name");
  write_attribute(text.get(), 1, std::string(8, '\0'));
  expect_import_error(ErrorCode::kModelCorrupt, "holds '', which is no name");
}

TEST_F(KerasRefusals, LinksThatAreNotHard) {
  write_tensor([](H5File& file) {
    file.add_floats("/b/x", {1}, {1});
    H5Lcreate_soft("/b/x", file.id(), "/a/x", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a/x' is a soft link");

  write_keras_file(folder_.path() / "other.h5", three_layers());
  write_tensor([](H5File& file) {
    H5Lcreate_external(
        "other.h5", "/dense/dense/kernel:0", file.id(), "/a/x", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a/x' is a external link");

  // A group on the way.
  {
    H5File file(path());
    file.add_floats("/b/x", {1}, {1});
    file.add_names("/b", "weight_names", {"x"});
    H5Lcreate_soft("/b", file.id(), "/a", H5P_DEFAULT, H5P_DEFAULT);
    file.add_names("/", "layer_names", {"a"});
  }
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a' is a soft link");
}

TEST_F(KerasRefusals, PathsThatLeadElsewhere) {
  for (const std::string name : {"/b", "../b", "c//d", "./b", "c/"}) {
    {
      H5File file(path());
      file.add_group("/c");
      file.add_floats("/b", {1}, {1});
      file.add_names("/c", "weight_names", {name});
      file.add_names("/", "layer_names", {"c"});
    }
    test::expect_error(ErrorCode::kModelCorrupt, "'/c", [&] { (void)import(); });
  }
}

TEST_F(KerasRefusals, NumbersOfOtherTypes) {
  write_stored({.type = H5T_IEEE_F64LE});
  expect_import_error(ErrorCode::kModelUnsupportedFormat,
                      "'/a/x' holds 64-bit floating-point numbers; only float32 is read");

  const keras::H5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
  H5Tset_size(half.get(), 2);
  H5Tset_ebias(half.get(), 15);
  write_stored({.type = half.get()});
  expect_import_error(ErrorCode::kModelUnsupportedFormat,
                      "'/a/x' holds 16-bit floating-point numbers");

  write_stored({.type = H5T_STD_I32LE});
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a/x' holds 32-bit integers");

  write_tensor([](H5File& file) {
    const keras::H5Handle text(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(text.get(), 4);
    const keras::H5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const keras::H5Handle dataset(
        H5Dcreate2(
            file.id(), "/a/x", text.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
  });
  expect_import_error(ErrorCode::kModelCorrupt, "'/a/x' does not hold numbers");
}

TEST_F(KerasRefusals, NumbersThatLieElsewhere) {
  write_stored({.external = (folder_.path() / "numbers").native()});
  expect_import_error(ErrorCode::kModelUnsupportedFormat,
                      "'/a/x' keeps its numbers in other files");

  write_tensor([](H5File& file) {
    const hsize_t count = 4;
    const keras::H5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const keras::H5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_virtual(creation.get(), space.get(), "other.h5", "/x", space.get());
    create_dataset(file, space, creation);
  });
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a/x' is a virtual dataset");
}

TEST_F(KerasRefusals, FiltersThatAreCode) {
  write_tensor([](H5File& file) {
    const hsize_t count = 64;
    const keras::H5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const keras::H5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 1, &count);
    H5Pset_nbit(creation.get());
    create_dataset(file, space, creation);
  });
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "'/a/x' is compressed by filter 5");
}

TEST_F(KerasRefusals, NumbersThatAreNotStored) {
  write_shape({3, 3});
  expect_import_error(ErrorCode::kModelCorrupt, "no numbers of '/a/x' are stored");

  write_shape({3, 0});
  expect_import_error(ErrorCode::kModelCorrupt, "'/a/x' has a dimension of 0");

  write_tensor([](H5File& file) {
    const keras::H5Handle space(H5Screate(H5S_NULL), H5Sclose);
    const keras::H5Handle dataset(
        H5Dcreate2(
            file.id(), "/a/x", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
  });
  expect_import_error(ErrorCode::kModelCorrupt, "'/a/x' has no shape");
}

TEST_F(KerasRefusals, MoreNumbersThanTheFileCanHold) {
  constexpr std::uint64_t kMany = std::uint64_t{1} << 31;
  for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{kMany},
                                                  {kMany, kMany},
                                                  {kMany, kMany, 4, 4},
                                                  {3, 3, 1'024, 1'024}}) {
    write_shape(shape, {.chunk = std::vector<std::uint64_t>(shape.size(), 1)});
    expect_import_error(ErrorCode::kModelLimit, "'/a/x' would make it more than the");
  }

  write_shape(std::vector<std::uint64_t>(9, 1));
  expect_import_error(ErrorCode::kModelLimit, "'/a/x' has 9 dimensions");

  // One dataset of 8 MiB, named three times.
  {
    H5File file(path());
    file.add_floats("/a/x",
                    {2'097'152},
                    std::vector<float>(2'097'152),
                    {.chunk = {2'097'152}, .compressed = true});
    file.add_names("/a", "weight_names", {"x", "x", "x"});
    file.add_names("/", "layer_names", {"a"});
  }
  expect_import_error(ErrorCode::kModelLimit, "'/a/x' would make it more than the");
}

TEST_F(KerasRefusals, WeightsOfNoLayer) {
  {
    H5File file(path());
    file.add_group("/top_level_model_weights");
    file.add_names("/top_level_model_weights", "weight_names", {"x"});
    file.add_names("/", "layer_names", {});
  }
  expect_import_error(ErrorCode::kModelUnsupportedFormat, "belong to no layer");
}

TEST_F(KerasRefusals, CompressedNumbersThatAreDamaged) {
  std::vector<float> values(4'096);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 1'000);
  write_tensor([&](H5File& file) {
    file.add_floats("/a/x", {4'096}, values, {.chunk = {4'096}, .compressed = true});
  });
  std::string bytes = read_text_file(path());
  const auto zlib_header = bytes.find("\x78\x9c");
  ASSERT_NE(zlib_header, std::string::npos);
  bytes[zlib_header + 200] = static_cast<char>(bytes[zlib_header + 200] ^ 16);
  write_file_atomic(path(), std::string_view(bytes));

  expect_import_error(ErrorCode::kModelCorrupt, "the numbers of '/a/x' cannot be read");
}

}  // namespace
}  // namespace fovea
