// fovea run and fovea preprocess: tensors in files.
#include <cmath>
#include <cstring>
#include <span>

#include <sys/stat.h>

#include <fovea/tensors.h>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::run_program;

class CliTensors : public test::CliTest {
 protected:
  /// The digits 0 to n - 1 as LeNet-5's input, made by fovea preprocess.
  [[nodiscard]] std::string digits(int n) const {
    TensorData all{"image", {DType::kFloat32, {n, 28, 28, 1}}, {}};
    for (int i = 0; i < n; ++i) {
      const std::string one = path("one.safetensors");
      EXPECT_EQ(
          run_program(
              {"preprocess", digit(i), "--mode", "unit", "--color", "grayscale", "--output", one})
              .code,
          0);
      const auto tensors = read_tensors(one);
      all.bytes.insert(all.bytes.end(), tensors.at(0).bytes.begin(), tensors.at(0).bytes.end());
    }
    write_tensors(path("digits.safetensors"), {all});
    return path("digits.safetensors");
  }
};

std::vector<float> floats(const TensorData& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

TEST_F(CliTensors, PreprocessWritesTheDocumentedTensor) {
  const std::string file = (test::kPictures / "rgb.jpg").string();
  const auto tensor = [&](const std::vector<std::string>& options) {
    std::vector<std::string> command{"preprocess", file, "--output", path("y.safetensors")};
    command.insert(command.end(), options.begin(), options.end());
    const auto got = run_program(command);
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(got.out, "");
    const auto tensors = read_tensors(path("y.safetensors"));
    EXPECT_EQ(tensors.size(), 1U);
    EXPECT_EQ(tensors.at(0).name, "image");
    return tensors.at(0);
  };

  const TensorData whole = tensor({});
  const TensorData resized = tensor({"--size", "3x5"});
  const TensorData unit = tensor({"--size", "3x5", "--mode", "unit"});
  const TensorData gray = tensor({"--size", "3x5", "--color", "grayscale"});

  EXPECT_EQ(whole.desc.dtype, DType::kUInt8);
  EXPECT_EQ(whole.desc.shape.at(2), 3);
  EXPECT_EQ(resized.desc, (TensorDesc{DType::kUInt8, {3, 5, 3}}));
  EXPECT_EQ(gray.desc, (TensorDesc{DType::kUInt8, {3, 5, 1}}));
  EXPECT_EQ(unit.desc, (TensorDesc{DType::kFloat32, {3, 5, 3}}));
  const std::vector<float> values = floats(unit);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], static_cast<float>(resized.bytes[i]) / 255.0F);
  }
}

/// Under another name, through a link, or as one of a package's files.
TEST_F(CliTensors, NothingIsWrittenOverWhatIsRead) {
  std::filesystem::copy_file(digit(1), path("picture.safetensors"));
  std::filesystem::create_symlink("picture.safetensors", path("link.safetensors"));
  const std::string tensors = digits(1);
  std::filesystem::create_hard_link(tensors, path("hard.safetensors"));
  ASSERT_EQ(run_program({"import", "lenet5", "--output", path("package")}).code, 0);
  const std::string weights = path("package") + "/weights.safetensors";

  for (const std::vector<std::string>& command :
       {std::vector<std::string>{
            "preprocess", path("picture.safetensors"), path("link.safetensors")},
        {"preprocess", path("link.safetensors"), folder_.path() / "." / "picture.safetensors"},
        {"run", "lenet5", "--input", tensors, path("hard.safetensors")},
        {"run", path("package"), "--input", tensors, weights},
        {"run", "lenet5", "--weights", weights, "--input", tensors, weights}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end() - 1, "--output");
    const std::string before = read_text_file(arguments.back());

    const auto got = run_program(arguments);

    EXPECT_EQ(got.code, 2) << got.err;
    EXPECT_TRUE(got.err.starts_with("fovea: argument/invalid: --output is a file")) << got.err;
    EXPECT_EQ(read_text_file(arguments.back()), before);
  }
  EXPECT_TRUE(std::filesystem::is_symlink(path("link.safetensors")));
}

TEST_F(CliTensors, APictureThatCannotBeReadStopsPreprocess) {
  const std::string text = path("text.jpg");
  write_file_atomic(text, std::string_view("no picture"));
  for (const std::string& picture : {text, path("absent.png"), folder_.path().string()}) {
    const auto got = run_program({"preprocess", picture, "--output", path("y.safetensors")});

    EXPECT_EQ(got.code, 1) << got.err;
    EXPECT_TRUE(got.err.starts_with("fovea: image/")) << got.err;
    EXPECT_FALSE(std::filesystem::exists(path("y.safetensors")));
  }
}

TEST_F(CliTensors, RunWritesEveryOutputAndTap) {
  const std::string input = digits(10);

  const auto got = run_program({"run",
                                "--tap",
                                "c1",
                                "lenet5",
                                "--input",
                                input,
                                "--output",
                                path("y.safetensors"),
                                "--tap",
                                "f6",
                                "--batch",
                                "4"});

  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "");
  const auto tensors = read_tensors(path("y.safetensors"));
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors[0].name, "c1");
  EXPECT_EQ(tensors[0].desc.shape, (Shape{10, 28, 28, 6}));
  EXPECT_EQ(tensors[1].name, "f6");
  EXPECT_EQ(tensors[2].name, "output");
  const std::vector<float> probabilities = floats(tensors[2]);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_GT(probabilities.at(i * 10 + i), 0.99F) << "digit " << i;
  }
}

TEST_F(CliTensors, RunRefusesWhatDoesNotFit) {
  const std::string input = digits(1);
  write_tensors(path("u8"),
                {{"image", {DType::kUInt8, {1, 28, 28, 1}}, std::vector<std::byte>(784)}});
  write_tensors(path("wide"),
                {{"image",
                  {DType::kFloat32, {1, 28, 29, 1}},
                  std::vector<std::byte>(std::size_t{28} * 29 * 4)}});
  write_file_atomic(path("text"), std::string_view("no tensors, but long enough for a header"));

  struct Case {
    std::string input;
    std::vector<std::string> more;
    int code;
    std::string part;
  };

  const std::vector<Case> cases{
      {path("u8"), {}, 2, "u8[1,28,28,1]"},
      {path("wide"), {}, 2, "f32[1,28,29,1]"},
      {path("text"), {}, 3, "model/corrupt"},
      {path("absent"), {}, 5, "io/read"},
      {input, {"--tap", "c9"}, 2, "c9"},
      {input, {"--batch", "0"}, 2, "--batch"},
      {input, {"--backend", "cuda"}, 4, "device/none"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> command{
        "run", "lenet5", "--input", c.input, "--output", path("y.safetensors")};
    command.insert(command.end(), c.more.begin(), c.more.end());

    const auto got = run_program(command);

    EXPECT_EQ(got.code, c.code) << got.err;
    EXPECT_NE(got.err.find(c.part), std::string::npos) << got.err;
    EXPECT_FALSE(std::filesystem::exists(path("y.safetensors"))) << c.part;
  }
}

/// A rename would put a file in the place of the FIFO, or of /dev/null for a careless superuser.
TEST_F(CliTensors, WritesNothingInPlaceOfWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(path("fifo.safetensors").c_str(), 0600), 0);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run", "lenet5", "--input", digits(1)},
        {"preprocess", digit(1)}}) {
    std::vector<std::string> to_fifo = command;
    to_fifo.insert(to_fifo.end(), {"--output", path("fifo.safetensors")});

    EXPECT_EQ(run_program(to_fifo).code, 5);

    EXPECT_TRUE(std::filesystem::is_fifo(path("fifo.safetensors")));
  }
}

}  // namespace
}  // namespace fovea
