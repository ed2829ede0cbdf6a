// fovea classify --output: files that are there whole or not at all.
#include <algorithm>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::run_program;

namespace fs = std::filesystem;

using CliOutput = test::CliTest;

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST_F(CliOutput, JsonLinesAreThoseOfStandardOutput) {
  const std::vector<std::string> command{"classify", "lenet5", digit(1), "no.png", digit(2)};
  std::vector<std::string> to_file = command;
  to_file.insert(to_file.end(), {"--output", path("rows.jsonl")});
  std::vector<std::string> to_stdout = command;
  to_stdout.emplace_back("--json");

  const auto got = run_program(to_file);

  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(read_text_file(path("rows.jsonl")), run_program(to_stdout).out);
  EXPECT_EQ(files_in(folder_.path()), 1);
}

TEST_F(CliOutput, CsvHasALinePerPrediction) {
  const std::string name = copy(digit(1), "a, \"b\".png");

  const auto got = run_program(
      {"classify", "lenet5", name, "no.png", "--top", "2", "--output", path("rows.csv")});

  EXPECT_EQ(got.code, 1);
  const auto lines = test::lines_of(read_text_file(path("rows.csv")));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "image,rank,index,id,label,probability,error\r");
  const std::string json = run_program({"classify", "lenet5", name, "--top", "1", "--json"}).out;
  const std::size_t number = json.find("\"probability\":") + 14;
  const std::string probability = json.substr(number, json.find('}', number) - number);
  EXPECT_TRUE(lines[1].ends_with("/a, \"\"b\"\".png\",1,1,1,1," + probability + ",\r")) << lines[1];
  EXPECT_TRUE(lines[1].starts_with("\"")) << lines[1];
  EXPECT_NE(lines[2].find(".png\",2,9,9,9,"), std::string::npos) << lines[2];
  EXPECT_EQ(lines[3], "no.png,,,,,,image/not-found\r");
}

TEST_F(CliOutput, AnErrorLeavesTheOldFile) {
  write_file_atomic(path("rows.csv"), std::string_view("old"));
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--top", "11"}, {"--weights", "absent"}, {"--labels", "absent"}}) {
    std::vector<std::string> command{"classify", "lenet5", digit(1), "--output", path("rows.csv")};
    command.insert(command.end(), wrong.begin(), wrong.end());

    EXPECT_GT(run_program(command).code, 1);

    EXPECT_EQ(read_text_file(path("rows.csv")), "old");
    EXPECT_EQ(files_in(folder_.path()), 1) << "a temporary file was left";
  }
}

TEST_F(CliOutput, ReplacesNoFileThatIsRead) {
  const std::string file = path("rows.jsonl");
  write_file_atomic(file, std::string_view("old"));
  for (const std::vector<std::string>& read : {std::vector<std::string>{digit(1), "--labels", file},
                                               {digit(1), "--weights", file},
                                               {digit(1), "--lock", file},
                                               {digit(1), file}}) {
    std::vector<std::string> command{"classify", "lenet5", "--output", file};
    command.insert(command.end(), read.begin(), read.end());

    const auto got = run_program(command);

    EXPECT_EQ(got.code, 2) << read.back();
    EXPECT_NE(test::unwrapped(got.err).find("would replace it"), std::string::npos) << got.err;
    EXPECT_EQ(read_text_file(file), "old");
  }
}

/// Standard input that turns out to be no list of paths ends the command in the middle.
TEST_F(CliOutput, AnErrorAfterSomeRowsLeavesNoFile) {
  const auto got = run_program({"classify", "lenet5", "-", "--output", path("rows.jsonl")},
                               {.input = digit(1) + '\n' + std::string(1, '\0') + '\n'});

  EXPECT_EQ(got.code, 2);
  EXPECT_EQ(files_in(folder_.path()), 0);
}

TEST_F(CliOutput, ReplacesNothingThatIsNoFile) {
  fs::create_directory(path("folder.csv"));
  ASSERT_EQ(::mkfifo(path("fifo.csv").c_str(), 0600), 0);
  for (const char* name : {"folder.csv", "fifo.csv", "absent/rows.csv"}) {
    const auto got = run_program({"classify", "lenet5", digit(1), "--output", path(name)});

    EXPECT_EQ(got.code, 5) << name;
    EXPECT_TRUE(got.err.starts_with("fovea: io/write: cannot write")) << got.err;
  }
  EXPECT_TRUE(fs::is_fifo(path("fifo.csv")));
  EXPECT_EQ(files_in(folder_.path()), 2);
}

TEST_F(CliOutput, AReadOnlyFolderIsAnErrorOfTheCommand) {
  // Nobody may write there, the superuser included.
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"classify", "lenet5", digit(1), "--output", "/sys/rows.csv"},
        {"preprocess", digit(1), "--output", "/sys/picture.safetensors"}}) {
    const auto got = run_program(command);

    EXPECT_EQ(got.code, 5);
    EXPECT_TRUE(got.err.starts_with("fovea: io/write: cannot write")) << got.err;
    EXPECT_LE(test::widest_line(got.err), 80U) << got.err;
  }
}

}  // namespace
}  // namespace fovea
