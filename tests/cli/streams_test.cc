// Ctrl-C, readers that go away, full disks: how the program treats its streams.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::Program;
using test::ProgramResult;
using test::rows_of;
using test::run_program;

using CliStreams = test::CliTest;

constexpr int kManyPictures = 20'000;

/// Far more rows than a pipe holds.
std::string many_paths() {
  std::string text;
  for (int i = 0; i < kManyPictures; ++i) text += digit(i % 10) + '\n';
  return text;
}

/// The rows are the first ones, in order, each one whole.
void expect_first_rows(const std::string& out, std::size_t already_read) {
  const auto rows = rows_of(out);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i]["image"], digit(static_cast<int>((already_read + i) % 10)));
    ASSERT_TRUE(rows[i].contains("predictions"));
  }
}

TEST_F(CliStreams, CtrlCEndsTheWaitForStandardInput) {
  for (const char* threads : {"1", "2", "4"}) {
    Program program({"classify", "lenet5", "-", "--json", "--threads", threads},
                    {.input = std::nullopt});
    program.write(digit(1) + '\n' + digit(2) + '\n');
    std::string first = program.read_line() + '\n';
    first += program.read_line() + '\n';

    program.send(SIGINT);
    const ProgramResult got = program.wait();

    EXPECT_EQ(got.code, 130) << threads << " threads";
    EXPECT_EQ(test::members(rows_of(first), "image"),
              (std::vector<std::string>{digit(1), digit(2)}));
    EXPECT_EQ(got.out, "");
    EXPECT_EQ(got.err, "");
  }
}

TEST_F(CliStreams, CtrlCComesAfterWholeRows) {
  Program program({"classify", "lenet5", "-", "--json", "--threads", "2"}, {.input = many_paths()});
  (void)program.read_line();
  // Ctrl-C meets it in the middle of writing a row.
  program.let_output_fill();

  program.send(SIGINT);
  const ProgramResult got = program.wait();

  EXPECT_EQ(got.code, 130) << got.err;
  EXPECT_EQ(got.err, "");
  expect_first_rows(got.out, 1);
  const std::size_t rows = test::lines_of(got.out).size();
  EXPECT_GT(rows, 100U);
  EXPECT_LT(rows, kManyPictures - 1U) << "it ran to the end";
}

TEST_F(CliStreams, CtrlCKeepsTheRowsOfAnOutputFile) {
  Program program({"classify", "lenet5", "-", "--output", path("rows.jsonl")},
                  {.input = std::nullopt});
  program.write(digit(1) + '\n' + digit(2) + '\n');
  // It catches the signal before it makes the file. Of the rows in there nothing shows.
  while (std::filesystem::is_empty(folder_.path())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));

  program.send(SIGINT);
  const ProgramResult got = program.wait();

  EXPECT_EQ(got.code, 130) << got.err;
  EXPECT_EQ(rows_of(read_text_file(path("rows.jsonl"))).size(), 2U);
}

TEST_F(CliStreams, ASecondCtrlCEndsItAtOnce) {
  Program program({"classify", "lenet5", "-", "--json"}, {.input = many_paths()});
  (void)program.read_line();
  program.let_output_fill();

  program.send(SIGINT);
  // Two that come together are one.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  program.send(SIGINT);

  EXPECT_EQ(program.wait().signal, SIGINT);
}

TEST_F(CliStreams, AReaderThatHasSeenEnoughEndsItQuietly) {
  for (const char* form : {"--json", "--keep-aspect-ratio"}) {
    Program program({"classify", "lenet5", "-", form}, {.input = many_paths()});
    EXPECT_FALSE(program.read_line().empty());

    program.close_output();
    const ProgramResult got = program.wait();

    EXPECT_EQ(got.signal, SIGPIPE) << "exit code " << got.code;
    EXPECT_EQ(got.err, "");
  }
}

TEST_F(CliStreams, AFullDiskBehindStandardOutputIsAnError) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"classify", "lenet5", digit(1), "--json"},
        {"classify", "lenet5", digit(1)},
        {"version"},
        {"version", "--json"},
        {"--help"},
        {"classify", "--help"}}) {
    const auto got = run_program(command, {.output = "/dev/full"});

    EXPECT_EQ(got.code, 5) << command.back();
    EXPECT_TRUE(got.err.starts_with("fovea: io/no-space: cannot write to stdout: ")) << got.err;
    EXPECT_EQ(test::lines_of(got.err).size(), 1U) << got.err;
  }
}

TEST_F(CliStreams, WhatIsNotDataGoesToStandardError) {
  const std::string y = path("y.safetensors");
  const auto preprocess = run_program({"preprocess", digit(1), "--output", y});

  EXPECT_EQ(preprocess.out, "");
  EXPECT_EQ(preprocess.err, y + ": image u8[28,28,3]\n");
}

TEST_F(CliStreams, AnUnreadableStandardInputIsAnError) {
  // A folder can be opened but not read.
  const auto got = run_program({"classify", "lenet5", "-"}, {.input_file = folder_.path()});

  EXPECT_EQ(got.code, 5);
  EXPECT_TRUE(got.err.starts_with("fovea: io/read: cannot read standard input")) << got.err;
}

TEST_F(CliStreams, AClosedStreamIsAnErrorAndNoOtherFile) {
  const auto without_input = run_program({"classify", "lenet5", "-"}, {.shell = "exec \"$@\" <&-"});
  EXPECT_EQ(without_input.code, 5);
  EXPECT_TRUE(without_input.err.starts_with("fovea: io/read: cannot read standard input"))
      << without_input.err;

  const auto without_output =
      run_program({"classify", "lenet5", digit(1), "--json"}, {.shell = "exec \"$@\" >&-"});
  EXPECT_EQ(without_output.code, 5);
  EXPECT_TRUE(without_output.err.starts_with("fovea: io/write:")) << without_output.err;

  const auto without_both = run_program({"classify", "lenet5", digit(1), "--output", path("a.csv")},
                                        {.shell = "exec \"$@\" <&- >&- 2>&-"});
  EXPECT_EQ(without_both.code, 0);
  EXPECT_TRUE(read_text_file(path("a.csv")).starts_with("image,rank,"));
}

TEST_F(CliStreams, CtrlCThatIsIgnoredStaysIgnored) {
  Program program({"classify", "lenet5", "-", "--json"},
                  {.input = std::nullopt, .shell = "trap '' INT; exec \"$@\""});
  program.write(digit(1) + '\n');
  (void)program.read_line();

  program.send(SIGINT);
  program.write(digit(2) + '\n');

  EXPECT_NE(program.read_line().find("2.png"), std::string::npos);
}

TEST_F(CliStreams, NoColourAndNoTerminalSequencesInAPipe) {
  const std::vector<std::string> command{"classify", "lenet5", digit(1), "no.png"};
  const auto plain = run_program(command, {.environment = {"TERM=xterm-256color"}});
  const auto no_color =
      run_program(command, {.environment = {"TERM=xterm-256color", "NO_COLOR=1"}});

  EXPECT_EQ(plain.out.find('\x1B'), std::string::npos);
  EXPECT_EQ(plain.err, "");
  EXPECT_EQ(no_color.out, plain.out);
}

}  // namespace
}  // namespace fovea
