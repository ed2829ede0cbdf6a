// fovea summary and fovea plot.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;

using Words = std::vector<std::string>;

class CliDescribe : public test::CliTest {
 protected:
  /// Runs the program in the test's folder. Where `graphviz` is false it finds no program `dot`.
  [[nodiscard]] ProgramResult run(const Words& arguments, bool graphviz = true) const {
    test::ProgramOptions options{.folder = folder_.path()};
    if (!graphviz) options.environment = {"PATH=" + path("empty")};
    return test::run_program(arguments, options);
  }

  [[nodiscard]] std::string written(const std::string& name) const {
    return read_text_file(path(name));
  }

  /// The names in the test's folder: nothing may stay behind.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
};

bool has_graphviz() {
  return std::system("dot -V >/dev/null 2>&1") == 0;
}

TEST_F(CliDescribe, SummaryNeedsNoWeights) {
  const auto got = run({"summary", "resnet50"});

  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(got.err, "");
  EXPECT_TRUE(got.out.starts_with("Model: \"resnet50\"\n┏")) << got.out;
  EXPECT_TRUE(
      got.out.ends_with(" Total params: 25,636,712 (97.80 MB)\n"
                        " Trainable params: 25,583,592 (97.59 MB)\n"
                        " Non-trainable params: 53,120 (207.50 KB)\n"))
      << got.out;
  EXPECT_EQ(test::widest_line(got.out), 76U);
}

TEST_F(CliDescribe, SummaryTakesAnotherInputSizeAndWeights) {
  const auto big = run({"summary", "resnet50", "--input-size", "256x320"});
  const auto random = run({"summary", "lenet5", "--weights", "random:3"});

  EXPECT_NE(big.out.find("(None, 256, 320,"), std::string::npos) << big.out;
  EXPECT_EQ(random.out, run({"summary", "lenet5"}).out);
}

TEST_F(CliDescribe, PlotWritesDotWithoutGraphviz) {
  const auto got = run({"plot", "lenet5", "--output", "net.dot"}, /*graphviz=*/false);
  const auto more = run({"plot",
                         "lenet5",
                         "--output",
                         "more.dot",
                         "--show-shapes",
                         "--show-dtype",
                         "--rankdir",
                         "LR"},
                        /*graphviz=*/false);

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out + got.err, "");
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_NE(written("net.dot").find("<b>c1</b> (Conv2D)"), std::string::npos);
  EXPECT_EQ(written("net.dot").find("float32"), std::string::npos);
  for (const char* part : {"rankdir=LR", "float32", "(None, 28, 28, 6)", "<b>tanh</b>"}) {
    EXPECT_NE(written("more.dot").find(part), std::string::npos) << part;
  }
}

TEST_F(CliDescribe, PlotDrawsWhatTheCompilerMakesOfTheNetwork) {
  const auto optimised =
      run({"plot", "lenet5", "--output", "o.dot", "--stage", "optimised", "--backend", "cpu"});
  const auto compiled = run({"compile",
                             "lenet5",
                             "--output",
                             "l.plan",
                             "--tuning",
                             "off",
                             "--backend",
                             "cpu",
                             "--batch",
                             "2"});
  const auto plan = run({"plot",
                         "lenet5",
                         "--output",
                         "p.dot",
                         "--stage",
                         "plan",
                         "--beside",
                         "--backend",
                         "cpu",
                         "--batch",
                         "2"});

  EXPECT_EQ(optimised.code, 0) << optimised.err;
  EXPECT_EQ(plan.code, 0) << plan.err;
  const std::string fused = written("o.dot");
  EXPECT_NE(fused.find("<b>c1</b> (Conv2D)"), std::string::npos) << fused;
  EXPECT_NE(fused.find("<b>bias, tanh</b>"), std::string::npos) << fused;
  EXPECT_EQ(fused.find("Tactic"), std::string::npos) << fused;
  EXPECT_NE(fused.find("Time"), std::string::npos) << fused;
  EXPECT_EQ(fused.find("(Input)"), fused.rfind("(Input)")) << "only what is compiled has an input";
  const std::string planned = written("p.dot");
  for (const char* part : {"\"imported\"",
                           "<b>c1</b> (Conv2D)",
                           "batch 2",
                           "Tactic",
                           "Time",
                           "(NormalizeImage)",
                           "(TopK)",
                           "input0 -> layer0"}) {
    EXPECT_NE(planned.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(planned.find("(Conv2d)"), std::string::npos) << "an operator has one name";
  // The same steps as the plan that a classifier runs.
  EXPECT_EQ(compiled.code, 0) << compiled.err;
  const auto inspected =
      nlohmann::json::parse(run({"inspect", "l.plan", "--json"}).out).at("compiled");
  const auto steps = inspected.at("buckets").back().at("steps").size();
  EXPECT_NE(planned.find("batch 2: " + std::to_string(steps) + " steps"), std::string::npos)
      << planned.substr(0, 500);
}

TEST_F(CliDescribe, PlotDrawsEveryFormat) {
  if (!has_graphviz()) GTEST_SKIP() << "Graphviz is not installed";
  for (const auto& [name, start] : {std::pair{"net.svg", "<?xml"},
                                    std::pair{"net.png", "\x89PNG\r\n"},
                                    std::pair{"net.pdf", "%PDF-"}}) {
    const auto got = run({"plot", "inception_v3", "--output", name, "--show-shapes"});

    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(got.out + got.err, "") << name;
    EXPECT_TRUE(written(name).starts_with(start)) << name;
  }
  EXPECT_NE(written("net.svg").find("mixed10"), std::string::npos);
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(CliDescribe, PlotSaysHowToGetGraphviz) {
  const auto got = run({"plot", "lenet5", "--output", "net.svg"}, /*graphviz=*/false);

  EXPECT_EQ(got.code, 2);
  EXPECT_TRUE(got.err.starts_with("fovea: argument/unsupported: cannot draw net.svg: ")) << got.err;
  for (const char* part : {"apt-get install graphviz", ".dot file"}) {
    EXPECT_NE(test::unwrapped(got.err).find(part), std::string::npos) << got.err;
  }
  EXPECT_LE(test::widest_line(got.err), 80U) << got.err;
  EXPECT_TRUE(names().empty());
}

TEST_F(CliDescribe, PlotKeepsTheOldFileWhereGraphvizFails) {
  fs::create_directory(path("empty"));
  write_file_atomic(path("empty/dot"), std::string_view("#!/bin/sh\necho no fonts >&2\nexit 1\n"));
  fs::permissions(path("empty/dot"), fs::perms::owner_all);
  write_file_atomic(path("net.svg"), std::string_view("old"));

  const auto got = run({"plot", "lenet5", "--output", "net.svg"}, /*graphviz=*/false);

  EXPECT_EQ(got.code, 2);
  EXPECT_NE(test::unwrapped(got.err).find("no fonts"), std::string::npos) << got.err;
  EXPECT_EQ(written("net.svg"), "old");
  EXPECT_EQ(names().size(), 2U);
}

/// Three others on the only processor that it has leave it a quarter.
TEST_F(CliDescribe, PlotSaysThatOtherProgramsMadeTimesLong) {
  const auto got = test::run_program(
      {"plot", "lenet5", "--output", "p.dot", "--stage", "plan", "--backend", "cpu"},
      {.shell = "cpu=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')\n"
                "for i in 1 2 3; do\n"
                "  timeout 30 taskset -c $cpu sh -c 'while :; do :; done' >/dev/null 2>&1 &\n"
                "  others=\"$others $!\"\n"
                "done\n"
                "taskset -c $cpu \"$@\"; code=$?\n"
                "kill $others\n"
                "exit $code",
       .folder = folder_.path()});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_TRUE(got.err.starts_with("fovea: note: other programs used the processors")) << got.err;
}

TEST_F(CliDescribe, CtrlCWhileGraphvizDrawsLeavesNothing) {
  fs::create_directory(path("bin"));
  write_file_atomic(path("bin/dot"),
                    std::string_view("#!/bin/sh\necho $$ >bin/part && mv bin/part bin/drawing\n"
                                     "exec sleep 50\n"));
  fs::permissions(path("bin/dot"), fs::perms::owner_all);
  fs::create_directory(path("out"));
  const std::string search = std::string("PATH=") + path("bin") + ":" + std::getenv("PATH");
  test::Program program({"plot", "lenet5", "--output", "out/net.svg"},
                        {.folder = folder_.path(), .environment = {search}});
  while (!fs::exists(path("bin/drawing"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  program.send(SIGINT);
  const ProgramResult got = program.wait();

  EXPECT_EQ(got.code, 130);
  EXPECT_EQ(got.err, "");
  EXPECT_TRUE(fs::is_empty(path("out")));
  const int drawing = std::stoi(written("bin/drawing"));
  EXPECT_EQ(::kill(drawing, 0), -1) << "Graphviz goes on";
}

/// While the steps are compiled, where the drawing may have a temporary name already.
TEST_F(CliDescribe, CtrlCBeforeItIsDrawnIsNoted) {
  fs::create_directory(path("out"));
  test::Program program(
      {"plot", "resnet50", "--output", "out/net.dot", "--stage", "plan", "--backend", "cpu"},
      {.shell = "echo $$ >pid && mv pid started && exec \"$@\"", .folder = folder_.path()});
  const auto is_open = [&] {
    if (!fs::exists(path("started"))) return false;
    const fs::path files = "/proc/" + std::to_string(std::stoi(written("started"))) + "/fd";
    return std::ranges::any_of(fs::directory_iterator(files), [&](const auto& file) {
      std::error_code closed_meanwhile;
      return fs::read_symlink(file, closed_meanwhile).native().starts_with(path("out"));
    });
  };
  while (!is_open()) std::this_thread::sleep_for(std::chrono::milliseconds(1));

  program.send(SIGINT);
  const ProgramResult got = program.wait();

  EXPECT_EQ(got.code, 130);
  EXPECT_TRUE(fs::is_empty(path("out")));
}

TEST_F(CliDescribe, WrongUseHasItsErrorAndWritesNothing) {
  struct Wrong {
    Words arguments;
    int code;
    std::string error;
    std::string part;
  };

  const std::vector<Wrong> wrong{
      {{"summary"}, 2, "argument/invalid", "MODEL"},
      {{"plot", "lenet5", "--output", "a.dot", "--stage", "planned"},
       2,
       "argument/invalid",
       "imported, optimised or plan"},
      {{"plot", "lenet5", "--output", "a.dot", "--beside"}, 2, "argument/invalid", "--stage"},
      {{"plot", "lenet5", "--output", "a.dot", "--batch", "3"}, 2, "argument/invalid", "--batch"},
      {{"summary", "lenet6"}, 3, "model/not-found", "lenet5"},
      {{"summary", "lenet5", "--input-size", "32x32"}, 2, "argument/invalid", "28 x 28"},
      {{"plot", "lenet5"}, 2, "argument/invalid", "--output"},
      {{"plot", "lenet5", "--output", "net.jpg"}, 2, "argument/invalid", "'net.jpg'"},
      {{"plot", "lenet5", "--output", "net"}, 2, "argument/invalid", ".svg, .png, .pdf or .dot"},
      {{"plot", "lenet5", "--output", "net.dot", "--rankdir", "BT"}, 2, "argument/invalid", "'BT'"},
      {{"plot", "lenet5", "--output", "no/net.dot"}, 5, "io/write", "no/net.dot"},
      {{"plot", "lenet5", "--output", "no/net.svg"}, 5, "io/write", "no/net.svg"},
  };
  for (const Wrong& use : wrong) {
    SCOPED_TRACE(use.arguments.back());

    const auto got = run(use.arguments);

    EXPECT_EQ(got.code, use.code);
    EXPECT_EQ(got.out, "");
    EXPECT_TRUE(got.err.starts_with("fovea: " + use.error + ": ")) << got.err;
    EXPECT_NE(test::unwrapped(got.err).find(use.part), std::string::npos) << got.err;
  }
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace fovea
