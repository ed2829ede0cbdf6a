#include "engine/core/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::expect_error;

std::shared_ptr<const Buffer> buffer(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return Buffer::from({bytes.begin(), bytes.end()});
}

/// A tensor whose bytes are `fill`, `fill` + 1, ...
NamedTensors::mapped_type tensor(DType dtype, Shape shape, int fill) {
  const TensorDesc desc{dtype, std::move(shape)};
  std::vector<std::byte> bytes(byte_size(desc));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(static_cast<std::size_t>(fill) + i);
  }
  return {desc, Buffer::from(std::move(bytes))};
}

std::string written(const NamedTensors& tensors) {
  std::string file;
  write_safetensors(tensors, [&](std::span<const std::byte> bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return file;
}

NamedTensors parse(const std::string& file) {
  const auto owner = buffer(file);
  return parse_safetensors(owner->read(), owner);
}

/// A file with that header and `data_bytes` zeros.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t size = header.size();
  std::string file(sizeof(size), '\0');
  std::memcpy(file.data(), &size, sizeof(size));
  return file + header + std::string(data_bytes, '\0');
}

NamedTensors every_dtype() {
  return {{"z", tensor(DType::kFloat32, {2, 3}, 1)},
          {"y", tensor(DType::kFloat16, {3}, 2)},
          {"x", tensor(DType::kBFloat16, {1, 1}, 3)},
          {"w", tensor(DType::kInt8, {5}, 4)},
          {"v", tensor(DType::kUInt8, {}, 5)},
          {"u", tensor(DType::kInt32, {1}, 6)},
          {"t", tensor(DType::kInt64, {2}, 7)},
          {"empty", tensor(DType::kFloat32, {0, 4}, 0)},
          {"bn_ü \"\\\n", tensor(DType::kFloat32, {2}, 8)}};
}

TEST(Safetensors, RoundTripsEveryElementType) {
  const NamedTensors before = every_dtype();

  const NamedTensors after = parse(written(before));

  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, tensor] : before) {
    ASSERT_TRUE(after.contains(name)) << name;
    const auto& [desc, data] = after.at(name);
    EXPECT_EQ(desc, tensor.first) << name;
    EXPECT_TRUE(std::ranges::equal(data->read(), tensor.second->read())) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data->read().data()) % 8, 0U) << name;
  }
}

TEST(Safetensors, WritesExactlyTheDocumentedBytes) {
  const NamedTensors tensors{{"b", tensor(DType::kFloat32, {2}, 'A')},
                             {"a", tensor(DType::kInt8, {3}, 'a')},
                             {"c", tensor(DType::kFloat16, {1, 1}, 'x')}};

  const std::string header = R"({"a":{"dtype":"I8","shape":[3],"data_offsets":[10,13]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("c":{"dtype":"F16","shape":[1,1],"data_offsets":[8,10]}})";
  const std::string padded = header + std::string(8 - header.size() % 8, ' ');
  ASSERT_NE(header.size() % 8, 0U);
  EXPECT_EQ(written(tensors), file_of(padded, 0) + "ABCDEFGHxyabc");
}

TEST(Safetensors, ReadsAFileWithoutCopyingIt) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const auto path = folder.path() / "x.safetensors";
  write_safetensors(path, every_dtype());

  const NamedTensors tensors = read_safetensors(path);

  // One mapping holds them all: tensors lie as far apart as in the file.
  const auto* t = tensors.at("t").second->read().data();
  const auto* z = tensors.at("z").second->read().data();
  EXPECT_EQ(z - t, 16);
  EXPECT_EQ(read_text_file(path), written(every_dtype()));
}

TEST(Safetensors, NamesTheFileInItsErrors) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const auto path = folder.path() / "x.safetensors";
  write_file_atomic(path, std::string_view("short"));

  expect_error(ErrorCode::kModelCorrupt, path.native(), [&] { (void)read_safetensors(path); });
  expect_error(
      ErrorCode::kIoRead, "absent", [&] { (void)read_safetensors(folder.path() / "absent"); });
}

using SafetensorsFiles = test::SharedDataTest;

TEST_F(SafetensorsFiles, ReadsAFileOfThePublicWriter) {
  const NamedTensors tensors = read_safetensors(shared_ / "goldens/lenet/LeNet5.safetensors");

  const auto& [desc, data] = tensors.at("seed1/digits/probabilities");
  EXPECT_EQ(to_string(desc), "f32[16,10]");
  std::array<float, 10> first{};
  std::memcpy(first.data(), data->read().data(), sizeof(first));
  EXPECT_NEAR(std::accumulate(first.begin(), first.end(), 0.0), 1.0, 1e-6);
  EXPECT_FALSE(tensors.contains("seed1/digits/probabilities_f64"));
}

TEST(Safetensors, LeavesOutElementTypesThatItDoesNotHave) {
  const auto tensors = parse(file_of(
      R"({"__metadata__":{"format":"np"},"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
      R"("f":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
      12));

  EXPECT_EQ(tensors.size(), 1U);
  EXPECT_TRUE(tensors.contains("f"));
}

TEST(Safetensors, AlignsATensorThatAForeignWriterDidNot) {
  const auto tensors = parse(file_of(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)"
                                     R"("f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
                                     5));

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors.at("f").second->read().data()) % 8, 0U);
}

TEST(Safetensors, RefusesToWriteWhatCouldNotBeRead) {
  const auto write = [](const std::string& name, const NamedTensors::mapped_type& tensor) {
    return [=] { (void)written({{name, tensor}}); };
  };
  const TensorDesc two{DType::kFloat32, {2}};

  expect_error(ErrorCode::kArgumentInvalid, "'x' has no data", write("x", {two, nullptr}));
  expect_error(ErrorCode::kArgumentInvalid,
               "'x' is f32[2], its data has 4 bytes",
               write("x", {two, buffer("1234")}));
  expect_error(ErrorCode::kArgumentInvalid, "UTF-8", write("\xff", {two, buffer("12345678")}));
  expect_error(ErrorCode::kArgumentInvalid,
               "__metadata__",
               write("__metadata__", {two, buffer("12345678")}));
}

struct BadFile {
  const char* header;
  std::size_t data_bytes;
  const char* message;
  ErrorCode code = ErrorCode::kModelCorrupt;
};

constexpr BadFile kBadFiles[] = {
    {"", 0, "not JSON"},
    {"[]", 0, "an array"},
    {"1", 0, "a number"},
    {"null", 0, "null"},
    {"{", 0, "not JSON"},
    {"{}x", 0, "not JSON"},
    {"{}", 4, "the tensors end at byte 0 of 4"},
    {R"({"x":1})", 0, "a number"},
    {R"({"x":{"y":{}}})", 0, "an object"},
    {R"({"x":{}})", 0, "lacks one of"},
    {R"({"x":{"dtype":"F32","shape":[1]}})", 4, "lacks one of"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "lacks one of"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4, "a third offset"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4, "a number"},
    {R"({"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "a string"},
    {R"({"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4, "an array"},
    {R"({"x":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, "unknown element type"},
    {R"({"x":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4, "a number"},
    {R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "a negative number"},
    {R"({"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "a fraction"},
    {R"({"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, "a string"},
    {R"({"x":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}})", 4, "a boolean"},
    {R"({"x":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "an array"},
    {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "larger than the file"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8, "its shape says 4"},
    {R"({"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}})",
     4,
     "larger than the file"},
    {R"({"x":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})",
     4,
     "dimension that is too large"},
    {R"({"x":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]}})",
     0,
     "dimension that is too large"},
    {R"({"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})",
     4,
     "a fraction"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "ends at byte 0"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "ends at byte 4 of 3"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,3]}})",
     4,
     "ends at byte 3"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     8,
     "begins at byte 4, the one before it ends at 0"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
     8,
     "the tensors end at byte 4 of 8"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
     R"("y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
     4,
     "begins at byte 0, the one before it ends at 4"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
     R"("x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     8,
     "two tensors are called 'x'"},
    {R"({"__metadata__":{},"__metadata__":{}})", 0, "two tensors are called"},
    {R"({"__metadata__":{"a":1}})", 0, "a number"},
    {R"({"__metadata__":{"a":{}}})", 0, "an object"},
    {R"({"a\u0000b":{}})", 0, "zero byte"},
    {"{\"\xff\":{}}", 0, "not JSON"},
    {R"({"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
     4,
     "more than 8 dimensions",
     ErrorCode::kModelLimit},
};

TEST(Safetensors, RefusesHeadersThatTheFormatForbids) {
  for (const BadFile& bad : kBadFiles) {
    SCOPED_TRACE(bad.header);
    expect_error(bad.code, bad.message, [&] { (void)parse(file_of(bad.header, bad.data_bytes)); });
  }
}

TEST(Safetensors, RefusesAHeaderLengthThatIsALie) {
  std::string file = written(every_dtype());

  for (const std::uint64_t lie : {std::uint64_t{0},
                                  std::uint64_t{1},
                                  std::uint64_t{file.size()},
                                  std::uint64_t{1} << 63,
                                  ~std::uint64_t{0}}) {
    std::memcpy(file.data(), &lie, sizeof(lie));
    EXPECT_THROW((void)parse(file), Error) << lie;
  }
}

TEST(Safetensors, RefusesDeepJsonBeforeItIsBuilt) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');

  EXPECT_THROW((void)parse(file_of(R"({"x":)" + deep + "}", 0)), Error);
  EXPECT_THROW((void)parse(file_of(R"({"x":{"shape":)" + deep + "}}", 0)), Error);
}

TEST(Safetensors, RefusesMoreTensorsThanTheLimit) {
  std::string header = "{";
  for (std::size_t i = 0; i <= kMaxStoredTensors; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) +
              R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }

  expect_error(ErrorCode::kModelLimit, "more than 200000 tensors", [&] {
    (void)parse(file_of(header + "}", 0));
  });
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string file = written(every_dtype());

  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW((void)parse(file.substr(0, size)), Error) << size;
  }
  EXPECT_THROW((void)parse(file + '\0'), Error);
}

TEST(Safetensors, SurvivesRandomDamage) {
  const std::string file = written(every_dtype());
  std::mt19937 random(20);
  std::size_t refused = 0;
  constexpr std::size_t kRounds = 20'000;

  for (std::size_t round = 0; round < kRounds; ++round) {
    std::string damaged = file;
    for (auto flips = 1 + random() % 4; flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    }
    try {
      for (const auto& [name, tensor] : parse(damaged)) {
        ASSERT_EQ(tensor.second->size(), byte_size(tensor.first));
      }
    } catch (const Error&) {
      ++refused;
    }
  }

  // Most of the file is header; damage to names and to data is legal.
  EXPECT_GT(refused, kRounds / 2);
  EXPECT_LT(refused, kRounds);
}

}  // namespace
}  // namespace fovea
