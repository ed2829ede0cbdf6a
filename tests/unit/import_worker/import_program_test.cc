// The import program itself: its limits, and what it says when it fails.
#include <cstdlib>
#include <filesystem>
#include <string>

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
};

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

  expect_error(ErrorCode::kModelLimit, "needs more than the 94 MiB", write("bomb.onnx", bytes));
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
