// The import program itself: its limits, and what it says when it fails.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/import_worker/process_limits.h"
#include "engine/importers/child_process.h"
#include "engine/importers/import_process.h"
#include "engine/importers/open_model.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ImportProgram : public testing::Test {
 protected:
  ImportProgram() { ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1); }

  void TearDown() override { ::setenv("FOVEA_IMPORT_HELPER", program_.c_str(), 1); }

  /// Lets a shell script start the program, which is "$program" there.
  void start_by(const std::string& script) const {
    const fs::path path =
        write("helper.sh", "#!/bin/sh\nprogram=" + program_.native() + "\n" + script);
    fs::permissions(path, fs::perms::owner_all);
    ::setenv("FOVEA_IMPORT_HELPER", path.c_str(), 1);
  }

  [[nodiscard]] fs::path write(const std::string& name, const std::string& bytes) const {
    write_file_atomic(folder_.path() / name, std::string_view(bytes));
    return folder_.path() / name;
  }

  void expect_error(ErrorCode code, const std::string& part, const fs::path& file) const {
    test::expect_error(code, part, [&] { (void)open_model_file(file); });
    test::expect_error(code, file.native(), [&] { (void)open_model_file(file); });
    EXPECT_TRUE(fs::is_empty(folder_.path() / "home" / "packages")) << file;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  fs::path program_ = find_import_helper();
};

/// A chain of nodes that takes far longer to read than a tick of the system's clock.
std::string long_chain() {
  test::OnnxModel model({-1, 2});
  std::string last = "x";
  for (int i = 0; i < 20'000; ++i) {
    const std::string next = "y" + std::to_string(i);
    model.add_node("Add", {last.c_str(), last.c_str()}, next);
    last = next;
  }
  model.add_output(last);
  return model.bytes();
}

TEST_F(ImportProgram, WritesAPackageThatSaysWhereItCameFrom) {
  test::OnnxModel model({-1, 2});
  model.add_floats("c", {2}, {1, 2});
  model.add_node("Add", {"x", "c"}, "y");
  model.add_output("y");

  const Package package = open_model_file(write("a model.onnx", model.bytes()));

  EXPECT_EQ(package.manifest.name, "a model");
  ASSERT_TRUE(package.manifest.source.has_value());
  EXPECT_EQ(package.manifest.source->file, "a model.onnx");
  EXPECT_EQ(package.graph.size(), 3);
}

TEST_F(ImportProgram, NamesTheFileAndWhatIsWrong) {
  test::OnnxModel model({-1, 2});
  model.add_node("Lstm", {"x"}, "y");
  model.add_output("y");

  expect_error(ErrorCode::kModelUnsupportedOp, "Lstm", write("op.onnx", model.bytes()));
  expect_error(ErrorCode::kModelUnsupportedFormat, "no ONNX model", write("text", "hello\n"));
  expect_error(ErrorCode::kModelUnsupportedFormat, "no ONNX model", write("empty", ""));
  expect_error(ErrorCode::kModelCorrupt,
               "cut off",
               write("cut.onnx", model.bytes().substr(0, model.bytes().size() - 7)));
}

TEST_F(ImportProgram, BoundsTheMemoryOfABomb) {
  if (!limits_memory()) GTEST_SKIP() << "sanitizers need more memory than any limit";
  // Every empty node takes two bytes of the file and over a hundred of memory.
  std::string nodes;
  for (int i = 0; i < 4'000'000; ++i) nodes += std::string("\x0a\x00", 2);
  test::OnnxModel model({-1, 2});
  model.add_node("Clip", {"x"}, "y");
  std::string bytes = model.bytes();
  const auto append_varint = [&bytes](std::size_t value) {
    for (; value >= 128; value >>= 7U) bytes += static_cast<char>(value % 128 + 128);
    bytes += static_cast<char>(value);
  };
  bytes += '\x3a';  // field 7, the graph once more: messages of one field are joined
  append_varint(nodes.size());
  bytes += nodes;

  expect_error(ErrorCode::kModelLimit, "needs more than the 102 MiB", write("bomb.onnx", bytes));
}

TEST_F(ImportProgram, SaysThatProcessorTimeRanOut) {
  // The shell uses up a second, the program may then not use another one: a hard limit of 2 s
  // leaves 1 s before it.
  start_by(
      "ulimit -S -t 1 && ulimit -H -t 2 || exit\n"
      "trap 'ulimit -S -t 2; exec \"$program\" \"$@\"' XCPU\n"
      "while :; do :; done\n");
  const fs::path file = write("slow.onnx", long_chain());

  test::expect_error(ErrorCode::kModelLimit, "slow.onnx needs more processor time", [&] {
    (void)open_model_file(file);
  });
}

TEST_F(ImportProgram, SaysThatThePackageIsTooLarge) {
  start_by("ulimit -f 1; echo run >> \"$0.runs\"; exec \"$program\" \"$@\"\n");
  test::OnnxModel model({-1, 1'000});
  model.add_floats("c", {1'000}, std::vector<float>(1'000, 1.0F));
  model.add_node("Add", {"x", "c"}, "y");
  model.add_output("y");
  const fs::path file = write("large.onnx", model.bytes());

  test::expect_error(ErrorCode::kModelLimit, "would be longer than the 512 bytes", [&] {
    (void)open_model_file(file);
  });

  EXPECT_EQ(read_text_file(folder_.path() / "helper.sh.runs"), "run\n") << "not tried again";
}

TEST_F(ImportProgram, ExplainsItselfToWhoeverStartsItByHand) {
  const fs::path program = find_import_helper();

  const ChildResult help = run_child(program, {"--help"}, 10s);
  const ChildResult wrong = run_child(program, {"model.onnx"}, 10s);

  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(help.output.find("Usage: fovea-import --input FILE --output FOLDER"),
            std::string::npos);
  EXPECT_EQ(help.output, wrong.output);
}

}  // namespace
}  // namespace fovea
