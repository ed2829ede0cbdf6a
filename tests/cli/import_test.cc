// fovea import: what it says, what it refuses, and that its packages classify.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::OnnxModel;
using test::ProgramResult;

using Words = std::vector<std::string>;

class CliImport : public test::CliTest {
 protected:
  CliImport() {
    write("colours.onnx", colours().bytes());
    write("labels.txt", "red\ngreen\nblue\n");
    write("blue.ppm", std::string("P6\n1 1\n255\n\x05\x10\xF0"));
  }

  /// The means of the three colours as scores of three classes.
  static OnnxModel colours() {
    OnnxModel model({-1, 3, 4, 5});
    model.add_node("GlobalAveragePool", {"x"}, "mean");
    model.add_node("Flatten", {"mean"}, "scores");
    model.add_output("scores");
    return model;
  }

  void write(const std::string& name, const std::string& content) const {
    write_file_atomic(path(name), std::string_view(content));
  }

  /// Runs the program in the test's folder, whose "home" holds its cache.
  [[nodiscard]] ProgramResult run(const Words& arguments, const std::string& home = "home") const {
    return test::run_program(
        arguments, {.folder = folder_.path(), .environment = {"FOVEA_HOME=" + path(home)}});
  }

  /// Expects the command to end so, saying `part` and leaving no package "new".
  void expect_refused(const Words& arguments,
                      int code,
                      const std::string& error,
                      const std::string& part) const {
    std::string command;
    for (const std::string& word : arguments) command += word + ' ';
    SCOPED_TRACE(command);

    const ProgramResult got = run(arguments);

    EXPECT_EQ(got.code, code) << got.err;
    EXPECT_EQ(got.out, "");
    EXPECT_TRUE(got.err.starts_with("fovea: " + error + ": ")) << got.err;
    EXPECT_NE(test::unwrapped(got.err).find(part), std::string::npos) << got.err;
    EXPECT_LE(test::widest_line(got.err), 80U) << got.err;
    EXPECT_FALSE(fs::exists(path("new")));
  }
};

TEST_F(CliImport, APlanWithoutPreprocessingSaysThatItCannotClassify) {
  const Words base{"compile", "colours.onnx", "--output", "x.plan", "--tuning", "off"};
  Words with_mode = base;
  with_mode.insert(with_mode.end(), {"--mode", "unit"});

  EXPECT_NE(test::unwrapped(run(base).err).find("note: the model does not say how"),
            std::string::npos);
  EXPECT_EQ(run(with_mode).err, "");
}

TEST_F(CliImport, SaysWhatItMadeAndThePackageClassifies) {
  const auto made = run({"import",
                         "colours.onnx",
                         "--output",
                         "package",
                         "--mode",
                         "unit",
                         "--interpolation",
                         "box",
                         "--shorter-side",
                         "6",
                         "--labels",
                         "labels.txt"});

  EXPECT_EQ(made.code, 0);
  EXPECT_EQ(made.err, "");
  EXPECT_EQ(made.out,
            "package: model 'colours'\n"
            "  2 nodes converted: 1 Flatten, 1 GlobalAveragePool\n"
            "  input          x f32[N,3,4,5]\n"
            "  output         scores f32[N,3], taken for scores: a softmax is added\n"
            "  preprocessing  unit, box, centre-crop, rgb, shorter side 6\n"
            "  labels         3\n");
  fs::remove(path("colours.onnx"));
  fs::remove(path("labels.txt"));
  for (const char* package : {"package", "package/manifest.json"}) {
    const auto got = run({"classify", package, "blue.ppm", "--json"});

    EXPECT_EQ(got.code, 0) << got.err;
    const auto rows = test::rows_of(got.out);
    ASSERT_EQ(rows.size(), 1U);
    ASSERT_EQ(rows[0]["predictions"].size(), 3U) << "all of fewer than five classes";
    EXPECT_EQ(rows[0]["predictions"][0]["label"], "blue");
  }
}

TEST_F(CliImport, SaysWhatThePackageLacks) {
  OnnxModel model = colours();
  model.add_node("Softmax", {"scores"}, "y");
  model.graph().clear_output();
  model.add_output("y");
  write("probabilities.onnx", model.bytes());

  const auto got = run({"import", "probabilities.onnx", "--output", "package"});

  EXPECT_EQ(got.code, 0) << got.err;
  for (const char* part : {"  output         y f32[N,3], taken for probabilities\n",
                           "  preprocessing  not known; import with --mode",
                           "  labels         none; import with --labels"}) {
    EXPECT_NE(got.out.find(part), std::string::npos) << got.out;
  }
  expect_refused({"classify", "package", "blue.ppm"}, 2, "argument/invalid", "--mode");
  EXPECT_EQ(run({"classify", "package", "blue.ppm", "--mode", "unit"}).code, 0);
}

TEST_F(CliImport, RefusesFilesThatAreNoModels) {
  const std::string bytes = colours().bytes();
  OnnxModel strange = colours();
  strange.add_node("Spiral", {"scores"}, "spun");
  write("strange.onnx", strange.bytes());
  write("text.onnx", "not a model\n");
  write("empty.onnx", "");
  write("short.onnx", bytes.substr(0, bytes.size() / 2));
  write("keras.h5", "\x89HDF\r\n\x1A\n and more than sixteen bytes");
  fs::create_directory(path("folder"));
  const auto refuse = [&](const char* file, int code, const char* error, const char* part) {
    expect_refused({"import", file, "--output", "new"}, code, error, part);
  };

  refuse("text.onnx", 3, "model/unsupported-format", "text.onnx");
  refuse("empty.onnx", 3, "model/unsupported-format", "empty.onnx");
  refuse("short.onnx", 3, "model/corrupt", "short.onnx");
  refuse("strange.onnx", 3, "model/unsupported-op", "Spiral");
  refuse("keras.h5", 3, "model/corrupt", "HDF5");
  refuse("folder", 3, "model/not-found", "manifest.json");
  refuse("missing.onnx", 3, "model/not-found", "missing.onnx");
  fs::create_symlink("loop.onnx", path("loop.onnx"));
  refuse("loop.onnx", 5, "io/read", "loop.onnx");
}

/// They would travel with the package, and every use of it would fail.
TEST_F(CliImport, RefusesAContractOrLabelsThatDoNotFit) {
  write("two.txt", "hot\ncold\n");
  const auto refuse = [&](const Words& options, int code, const char* error, const char* part) {
    Words arguments{"import", "colours.onnx", "--output", "new"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    expect_refused(arguments, code, error, part);
  };

  refuse({"--mode", "unit", "--shorter-side", "99999"}, 2, "argument/invalid", "16384");
  refuse({"--mode", "unit", "--shorter-side", "-5"}, 2, "argument/invalid", "-5");
  refuse({"--mode", "unit", "--shorter-side", "0"}, 2, "argument/invalid", "not 0");
  refuse({"--mode", "unit", "--shorter-side", "4"}, 2, "argument/invalid", "4 x 5");
  refuse({"--mode", "unit", "--color", "grayscale"}, 2, "argument/invalid", "3 channels");
  refuse({"--mode", "unit", "--labels", "two.txt"}, 2, "argument/invalid", "2 labels");
  refuse({"--labels", "imagenet"}, 2, "argument/invalid", "3 classes");
  refuse({"--labels", "none.txt"}, 5, "io/read", "none.txt");
  refuse({"--interpolation", "box"}, 2, "argument/invalid", "--mode");
  refuse({"--shorter-side", "6"}, 2, "argument/invalid", "--mode");
  refuse({"--keep-aspect-ratio"}, 2, "argument/invalid", "--mode");
  refuse({"--color", "rgb"}, 2, "argument/invalid", "--mode");
}

TEST_F(CliImport, WritesANewFolderOnly) {
  fs::create_directory(path("full"));
  write("full/mine.txt", "mine");

  const auto below = run({"import", "colours.onnx", "--output", "new/deep/package"});

  EXPECT_EQ(below.code, 0) << below.err;
  EXPECT_TRUE(fs::exists(path("new/deep/package/manifest.json")));
  fs::remove_all(path("new"));
  expect_refused({"import", "colours.onnx", "--output", "full"}, 5, "io/write", "not empty");
  EXPECT_EQ(std::distance(fs::directory_iterator(path("full")), {}), 1);
  expect_refused(
      {"import", "colours.onnx", "--output", "labels.txt/new"}, 5, "io/write", "labels.txt/new");
}

TEST_F(CliImport, NeedsNoCache) {
  const auto made = run({"import", "colours.onnx", "--output", "package"}, "labels.txt/home");

  EXPECT_EQ(made.code, 0) << made.err;
  const auto got =
      run({"classify", "colours.onnx", "blue.ppm", "--mode", "unit"}, "labels.txt/home");
  EXPECT_EQ(got.code, 0) << got.err;
}

/// A package may be any network; `fovea run` takes it.
TEST_F(CliImport, TakesNetworksThatAreNoClassifiers) {
  OnnxModel map_first = colours();
  map_first.graph().clear_output();
  map_first.add_node("Relu", {"x"}, "map");
  map_first.add_output("map");
  map_first.add_output("scores");
  OnnxModel two_inputs = colours();
  two_inputs.add_input("z", {-1, 3});
  OnnxModel no_picture({-1, 6});
  no_picture.add_node("Softmax", {"x"}, "y");
  no_picture.add_output("y");
  const auto take = [&](const OnnxModel& model, const char* line, const char* reason) {
    write("model.onnx", model.bytes());
    fs::remove_all(path("package"));

    const auto made = run({"import", "model.onnx", "--output", "package"});

    EXPECT_EQ(made.code, 0) << made.err;
    EXPECT_NE(made.out.find(line), std::string::npos) << made.out;
    expect_refused({"classify", "package", "blue.ppm"}, 2, "argument/invalid", reason);
  };

  take(map_first,
       "  output         map f32[N,3,4,5]\n  output         scores f32[N,3]\n",
       "one row");
  take(two_inputs, "  input          z f32[N,3]\n", "one input; this network has 2");
  take(no_picture, "  input          x f32[N,6]\n", "picture input");
}

TEST_F(CliImport, ANameBreaksNoLine) {
  const auto got = run({"import", "colours.onnx", "--output", "a\nb\x1B[31m"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_TRUE(got.out.starts_with("a?b?[31m: model 'colours'\n")) << got.out;
}

TEST_F(CliImport, AnOnnxFileHasASummaryOfItsOperators) {
  const auto got = run({"summary", "colours.onnx"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out,
            "Model: \"colours\"\n"
            "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
            "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
            "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
            "│ x (Input)                       │ (None, 3, 4, 5)        │             0 │\n"
            "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
            "│ x/nhwc (Transpose)              │ (None, 4, 5, 3)        │             0 │\n"
            "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
            "│ mean (GlobalPool)               │ (None, 1, 1, 3)        │             0 │\n"
            "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
            "│ scores (Reshape)                │ (None, 3)              │             0 │\n"
            "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
            " Total params: 0 (0.00 B)\n"
            " Trainable params: 0 (0.00 B)\n"
            " Non-trainable params: 0 (0.00 B)\n");
}

}  // namespace
}  // namespace fovea
