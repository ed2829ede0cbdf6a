// Help, wrong arguments and the exit code of each kind of error.
#include <regex>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::run_program;

using Words = std::vector<std::string>;

std::string joined(const Words& words) {
  std::string text = "fovea";
  for (const std::string& word : words) text += ' ' + word;
  return text;
}

TEST(CliHelp, FitsATerminalAndHasAnExample) {
  for (const Words& command : {Words{},
                               {"classify"},
                               {"run"},
                               {"preprocess"},
                               {"summary"},
                               {"plot"},
                               {"import"},
                               {"bench"},
                               {"doctor"},
                               {"version"},
                               {"models"},
                               {"models", "list"},
                               {"models", "pull"},
                               {"models", "path"},
                               {"models", "verify"}}) {
    Words arguments = command;
    arguments.emplace_back("--help");

    const auto got = run_program(arguments);

    EXPECT_EQ(got.code, 0) << joined(arguments);
    EXPECT_EQ(got.err, "") << joined(arguments);
    EXPECT_LE(test::widest_line(got.out), 80U) << got.out;
    EXPECT_TRUE(std::regex_search(got.out, std::regex("Examples?: +fovea "))) << got.out;
  }
}

TEST(CliHelp, NamesEveryCommand) {
  const std::string help = run_program({"--help"}).out;

  for (const char* command : {"classify",
                              "run",
                              "preprocess",
                              "summary",
                              "plot",
                              "import",
                              "bench",
                              "models",
                              "doctor",
                              "version"}) {
    EXPECT_NE(help.find(std::string("\n  ") + command + ' '), std::string::npos) << command;
  }
}

TEST(CliVersion, SaysVersionCommitAndBackends) {
  const auto text = run_program({"version"});
  const auto rows = test::rows_of(run_program({"version", "--json"}).out);

  EXPECT_EQ(text.code, 0);
  EXPECT_EQ(run_program({"--version"}).out, text.out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].size(), 3U);
  EXPECT_TRUE(
      std::regex_match(rows[0].value("version", ""), std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
  EXPECT_FALSE(rows[0].value("commit", "").empty());
  const char* const backends =
      FOVEA_WITH_CUDA != 0 ? R"(["cuda","cpu","reference"])" : R"(["cpu","reference"])";
  EXPECT_EQ(rows[0]["backends"], nlohmann::json::parse(backends));
  for (const char* part : {"version", "commit"}) {
    EXPECT_NE(text.out.find(rows[0].value(part, "?")), std::string::npos) << text.out;
  }
}

struct WrongUse {
  Words arguments;
  int code;
  std::string error;  ///< the error's code
  std::string part;   ///< what the message must name: the culprit or the next step
};

std::vector<WrongUse> wrong_uses() {
  const std::string one = digit(1);
  return {
      {{}, 2, "argument/invalid", "fovea --help"},
      {{"clasify"}, 2, "argument/invalid", "'clasify'; did you mean 'classify'?"},
      {{"classifiers"}, 2, "argument/invalid", "'classifiers'; there are"},
      {{"--verbose"}, 2, "argument/invalid", "no option '--verbose'; see fovea --help"},
      {{"classify", "lenet5", "--nosuch"}, 2, "argument/invalid", "'--nosuch'"},
      {{"classify", "lenet5", "-dash.jpg"}, 2, "argument/invalid", "'-dash.jpg'; see fovea"},
      {{"classify", "lenet5", "-dash.jpg"}, 2, "argument/invalid", "go behind --"},
      {{"bench", "lenet5", "--duration", "1", "--top", "3"}, 2, "argument/invalid", "'--top'"},
      {{"models", "pull", "--all"},
       2,
       "argument/invalid",
       "no option '--all'; see fovea models pull --help"},
      {{"classify"}, 2, "argument/invalid", "fovea classify --help"},
      {{"classify", "lenet5"}, 2, "argument/invalid", "PATH"},
      {{"classify", "lenet5", one, "--tops", "3"}, 2, "argument/invalid", "'--top'?"},
      {{"classify", "lenet5", one, "--top", "few"}, 2, "argument/invalid", "few"},
      {{"classify", "lenet5", one, "--top", "99999999999999"}, 2, "argument/invalid", "--top"},
      {{"classify", "lenet5", one, "--top"}, 2, "argument/invalid", "--top"},
      {{"classify", "lenet5", one, "--top", "11"}, 2, "argument/invalid", "1 to 10"},
      {{"classify", "lenet5", one, "--top", "0"}, 2, "argument/invalid", "1 to 10"},
      {{"classify", "lenet5", one, "--precision", ""}, 2, "argument/invalid", "--precision has"},
      {{"compile", "lenet5", "--dry-run", "--target", ""}, 2, "argument/invalid", "--target has"},
      {{"classify", "lenet5", one, "--threads", "-1"}, 2, "argument/invalid", "1024"},
      {{"classify", "lenet5", one, "--threads", "100000"}, 2, "argument/invalid", "1024"},
      {{"classify", "lenet5", one, "--batch", "-1"}, 2, "argument/invalid", "batch"},
      {{"classify", "lenet5", one, "--batch", "100000000"}, 2, "argument/invalid", "65536"},
      {{"classify", "lenet5", one, "--output", "rows.txt"}, 2, "argument/invalid", ".jsonl"},
      {{"classify", "lenet5", one, "--json", "--output", "a.csv"}, 2, "argument/invalid", "--json"},
      {{"classify", "lenet5", one, "--backend", "tpu"}, 2, "argument/invalid", "reference"},
      {{"classify", "lenet5", one, "--device", "first"}, 2, "argument/invalid", "--device"},
      {{"classify", "lenet5", one, "--device", "0,"}, 2, "argument/invalid", "commas"},
      {{"classify", "lenet5", one, "--device", "-1"}, 2, "argument/invalid", "commas"},
      {{"classify", "lenet5", one, "--backend", "cpu", "--device", "1"},
       2,
       "argument/invalid",
       "one device, 0"},
      {{"classify", "lenet5", one, "--backend", "cpu", "--device", "0,0"},
       2,
       "argument/invalid",
       "twice"},
      {{"run", "lenet5", "--input", "x", "--output", "y.safetensors", "--device", "0,1"},
       2,
       "argument/invalid",
       "one device"},
      {{"bench", "lenet5", "--device", "0,1"}, 2, "argument/invalid", "one device"},
      {{"classify", "lenet5", one, "--convolution", "fft"}, 2, "argument/invalid", "direct"},
      {{"bench", "lenet5", "--convolution", "fft"}, 2, "argument/invalid", "direct"},
      {{"classify", "lenet5", one, "--precision", "fp8"}, 2, "argument/invalid", "fp16, bf16\n"},
      {{"classify", "lenet5", one, "--precision", "int8"},
       2,
       "argument/unsupported",
       "in this version"},
      {{"classify", "lenet5", one, "--precision", "tf32"}, 2, "argument/unsupported", "fp32"},
      {{"classify", "lenet5", one, "--precision", "fp16"}, 2, "argument/unsupported", "use fp32"},
      {{"run", "lenet5", "--input", "x", "--output", "y.safetensors", "--precision", "fp8"},
       2,
       "argument/invalid",
       "bf16"},
      {{"classify", "lenet5", one, "--input-size", "28"}, 2, "argument/invalid", "224x224"},
      {{"classify", "lenet5", one, "--input-size", "32x32"}, 2, "argument/invalid", "28 x 28"},
      {{"classify", "lenet5", one, "--mode", "vgg"}, 2, "argument/invalid", "caffe"},
      {{"classify", "lenet5", one, "--mode", "caffe"}, 2, "argument/invalid", "gray"},
      {{"classify", "lenet5", one, "--interpolation", "best"}, 2, "argument/invalid", "lanczos"},
      {{"classify", "lenet5", one, "--color", "cmyk"}, 2, "argument/invalid", "grayscale"},
      {{"classify", "lenet5", one, "--color", "rgb"}, 2, "argument/invalid", "1 channel"},
      {{"classify", "lenet5", one, "--shorter-side", "20"}, 2, "argument/invalid", "28"},
      {{"classify", "lenet5", one, "--shorter-side", "0"}, 2, "argument/invalid", "16384"},
      {{"classify", "lenet5", one, "--weights", "random:-1"}, 2, "argument/invalid", "2^64"},
      {{"classify", "lenet5", one, "--labels", "imagenet"}, 2, "argument/invalid", "10 classes"},
      {{"preprocess", one}, 2, "argument/invalid", "--output"},
      {{"preprocess", one, "--output", "y.safetensors", "--size", "3"},
       2,
       "argument/invalid",
       "224x224"},
      {{"preprocess", one, "--output", "y.safetensors", "--size", "1x99999"},
       2,
       "argument/invalid",
       "16384"},
      {{"preprocess", one, "--output", "y.safetensors", "--keep-aspect-ratio"},
       2,
       "argument/invalid",
       "--size"},
      {{"preprocess", one, "--output", "y.png"}, 2, "argument/invalid", ".safetensors"},
      {{"import", "lenet5"}, 2, "argument/invalid", "--output"},
      {{"import", "--output", "y"}, 2, "argument/invalid", "FILE"},
      {{"import", "lenet5", "--output", "y", "--mode", "vgg"}, 2, "argument/invalid", "caffe"},
      {{"import", "lenet5", "--output", "y", "--shorter-side", "-5"},
       2,
       "argument/invalid",
       "16384"},
      {{"import", "lenet5", "--output", "y", "--labels", "imagenet"},
       2,
       "argument/invalid",
       "10 classes"},
      {{"import", "lenet6", "--output", "y"}, 3, "model/not-found", "lenet5"},
      {{"models", "puul"}, 2, "argument/invalid", "'puul'; did you mean 'pull'?; there are list,"},
      {{"models"}, 2, "argument/invalid", "fovea models --help"},
      {{"models", "pull"}, 2, "argument/invalid", "NAME"},
      {{"models", "path", "lenet5", "resnet50"}, 2, "argument/invalid", "At Most 1"},
      {{"models", "verify", "lenet6"}, 3, "model/not-found", "lenet5"},
      {{"models", "path", "lenet5"}, 3, "weights/missing", "part of the program"},
      {{"version", "now"}, 2, "argument/invalid", "fovea version --help"},
      {{"classify", "lenet6", one}, 3, "model/not-found", "lenet5"},
      {{"classify", "lenet5", one, "--weights", "no.safetensors"}, 3, "weights/missing", "no.safe"},
      {{"classify", "lenet5", one, "--weights", one}, 3, "model/unsupported-format", "1.png"},
      {{"classify", "lenet5", one, "--backend", "cuda"}, 4, "device/none", "--backend cpu"},
      {{"classify", "vgg16", one, "--backend", "tpu"}, 2, "argument/invalid", "reference"},
      {{"classify", "lenet5", one, "--labels", "no.txt"}, 5, "io/read", "no.txt"},
      {{"run", "lenet5", "--input", "no", "--output", "y"}, 2, "argument/invalid", ".safetensors"},
      {{"run", "lenet5", "--input", "no", "--output", "y.safetensors"}, 5, "io/read", "no"},
  };
}

/// Nothing is classified, nothing but the error is said, and it says what to do.
TEST(CliErrors, HaveTheirExitCodeAndNameTheNextStep) {
  for (const WrongUse& use : wrong_uses()) {
    SCOPED_TRACE(joined(use.arguments));

    const auto got = run_program(use.arguments);

    EXPECT_EQ(got.code, use.code);
    EXPECT_EQ(got.out, "");
    EXPECT_TRUE(got.err.starts_with("fovea: " + use.error + ": ")) << got.err;
    EXPECT_TRUE(got.err.ends_with("\n"));
    EXPECT_NE(test::unwrapped(got.err).find(use.part), std::string::npos) << got.err;
    // The path of the picture is the only word that may be wider.
    const std::string text = std::regex_replace(got.err, std::regex(R"(\S*/1\.png\S*)"), "");
    EXPECT_LE(test::widest_line(text), 80U) << got.err;
  }
}

/// The weights are half a gigabyte, which whoever has no such device must not wait for.
TEST(CliErrors, ThereIsNoDeviceBeforeThereAreWeights) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const test::ProgramOptions options{.folder = folder.path(),
                                     .environment = {"FOVEA_HOME=" + folder.path().string(),
                                                     "FOVEA_WEIGHTS_URL=http://127.0.0.1:9",
                                                     "CUDA_VISIBLE_DEVICES=-1"}};
  for (const Words& command : {Words{"classify", digit(1)},
                               {"bench"},
                               {"run", "--input", "x.safetensors", "--output", "y.safetensors"},
                               {"verify"},
                               {"compile", "--output", "x.plan"},
                               {"compile", "--dry-run", "--weights", "imagenet"}}) {
    Words arguments{command.front(), "vgg16", "--backend", "cuda"};
    arguments.insert(arguments.end(), command.begin() + 1, command.end());
    SCOPED_TRACE(joined(arguments));

    const auto got = run_program(arguments, options);

    EXPECT_EQ(got.code, 4);
    EXPECT_TRUE(got.err.starts_with("fovea: device/none: ")) << got.err;
  }
}

/// A message speaks of what the user gave, not of where the program was built or runs.
TEST(CliErrors, NameNoPathOfTheMachine) {
  for (const WrongUse& use : wrong_uses()) {
    std::string text = run_program(use.arguments).err;
    for (std::size_t at = 0; (at = text.find(digit(1))) != std::string::npos;) {
      text.erase(at, digit(1).size());
    }
    EXPECT_FALSE(std::regex_search(text, std::regex("(^|[ '\"(])/[a-z]"))) << text;
    EXPECT_EQ(text.find("0x"), std::string::npos) << text;
    EXPECT_EQ(text.find(".cc"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace fovea
