// fovea compile and fovea inspect, and plan files as MODEL of the other commands.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;

using Words = std::vector<std::string>;

class CliCompile : public test::CliTest {
 protected:
  [[nodiscard]] ProgramResult run(const Words& arguments,
                                  std::vector<std::string> environment = {}) const {
    environment.push_back("FOVEA_HOME=" + path("home"));
    return test::run_program(arguments, {.folder = folder_.path(), .environment = environment});
  }

  /// LeNet-5 compiled under that name.
  void compile(const std::string& name, const std::vector<std::string>& environment = {}) const {
    const auto made = run({"compile", "lenet5", "--output", name, "--tuning", "off"}, environment);
    ASSERT_EQ(made.code, 0) << made.err;
    ASSERT_EQ(made.err, "");
  }

  [[nodiscard]] std::string labels(const std::string& model,
                                   const std::vector<std::string>& environment = {}) const {
    const auto got = run({"classify", model, test::kDigits.string(), "--json"}, environment);
    EXPECT_EQ(got.code, 0) << got.err;
    std::string labels;
    for (const auto& row : test::rows_of(got.out)) {
      labels += row.at("predictions").at(0).at("label").get<std::string>();
    }
    return labels;
  }

  [[nodiscard]] std::set<std::pair<std::string, std::string>> offered(
      const std::string& threads) const;
};

TEST_F(CliCompile, APlanIsAModelForEveryCommand) {
  compile("x.plan");

  const auto want = run({"classify", "lenet5", test::digit(3), "--json"});
  const auto got = run({"classify", "x.plan", test::digit(3), "--json"});
  EXPECT_EQ(got.out, want.out);
  EXPECT_EQ(got.err, "");
  EXPECT_EQ(run({"summary", "x.plan"}).out, run({"summary", "lenet5"}).out);
  EXPECT_EQ(run({"bench", "x.plan", "--duration", "0.1", "--warmup", "0"}).code, 0);
  EXPECT_EQ(run({"compile", "x.plan", "--output", "y.plan", "--tuning", "off"}).code, 0);
  EXPECT_EQ(read_file(path("y.plan")), read_file(path("x.plan")));
  EXPECT_EQ(run({"import", "x.plan", "--output", "package"}).code, 0);
  EXPECT_EQ(labels("package"), labels("x.plan"));
}

TEST_F(CliCompile, TwoProcessesWriteTheSameBytes) {
  compile("x.plan");
  compile("y.plan");

  EXPECT_EQ(read_file(path("x.plan")), read_file(path("y.plan")));
}

TEST_F(CliCompile, SaysWhatItMade) {
  const auto got = run({"compile", "lenet5", "--output", "x.plan", "--buckets", "1,3"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_TRUE(got.out.starts_with("x.plan: model 'lenet5' for cpu, ")) << got.out;
  EXPECT_NE(got.out.find("\n      3  "), std::string::npos) << got.out;
  EXPECT_LE(test::widest_line(got.out), 80U) << got.out;

  const auto json = run({"compile", "lenet5", "--output", "x.plan", "--batch", "4", "--json"});
  const auto row = test::rows_of(json.out).at(0);
  EXPECT_EQ(row.at("output"), "x.plan");
  EXPECT_EQ(row.at("compiled").at("buckets").size(), 2U);
  EXPECT_GE(row.at("seconds").at("compile").get<double>(), 0.0);
}

TEST_F(CliCompile, InspectShowsPlansAndPackages) {
  compile("x.plan");

  const auto text = run({"inspect", "x.plan"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_TRUE(text.out.starts_with("plan of model 'lenet5', ")) << text.out;
  EXPECT_LE(test::widest_line(text.out), 80U) << text.out;
  EXPECT_NE(run({"inspect", "x.plan", "--steps"}).out.find("\nbatch 32\n"), std::string::npos);
  const auto row = test::rows_of(run({"inspect", "x.plan", "--json"}).out).at(0);
  EXPECT_EQ(row.at("kind"), "plan");
  EXPECT_EQ(row.at("compiled").at("buckets").at(0).at("batch"), 1);
  EXPECT_EQ(row.at("labels"), "mnist");
  EXPECT_EQ(run({"import", "lenet5", "--output", "package"}).code, 0);
  EXPECT_EQ(test::rows_of(run({"inspect", "package", "--json"}).out).at(0).at("weights"),
            row.at("weights"));
  EXPECT_EQ(run({"inspect", "absent"}).code, 3);
}

TEST_F(CliCompile, APlanForAnotherProcessorGivesTheSameLabelsAndSaysSoOnce) {
  const std::vector<std::string> old{"ONEDNN_MAX_CPU_ISA=AVX2"};
  compile("here.plan");
  compile("old.plan", old);

  const auto newer = run({"classify", "old.plan", test::kDigits.string(), "--json"});
  const auto older = run({"classify", "here.plan", test::kDigits.string(), "--json"}, old);

  for (const auto& got : {newer, older}) {
    EXPECT_EQ(got.code, 0);
    EXPECT_TRUE(got.err.starts_with("fovea: note: ")) << got.err;
    EXPECT_EQ(test::unwrapped(got.err).find("note: ", 8), std::string::npos) << got.err;
    EXPECT_LE(test::widest_line(got.err), 80U) << got.err;
    EXPECT_EQ(got.err.find("rebuild"), std::string::npos);
  }
  EXPECT_EQ(labels("here.plan"), "0123456789");
  EXPECT_EQ(labels("old.plan"), "0123456789");
  EXPECT_EQ(labels("here.plan", old), "0123456789");
  EXPECT_EQ(run({"classify", "old.plan", test::digit(3)}, old).err, "") << "made for this one";
}

TEST_F(CliCompile, EveryCommandThatUsesAPlanSaysThatItIsForAnotherProcessor) {
  compile("old.plan", {"ONEDNN_MAX_CPU_ISA=AVX2"});

  for (const Words& command :
       {Words{"verify", "old.plan"},
        Words{"plot", "old.plan", "--output", "x.dot", "--stage", "optimised"},
        Words{"bench", "old.plan", "--duration", "0.1", "--warmup", "0", "--json"}}) {
    const auto got = run(command);
    EXPECT_EQ(got.code, 0) << command[0] << got.err;
    const std::string text = test::unwrapped(got.err);
    EXPECT_NE(text.find("note: old.plan was compiled for another machine"), std::string::npos)
        << command[0] << text;
  }
  const auto anew = run({"compile", "old.plan", "--output", "new.plan", "--tuning", "off"});
  EXPECT_EQ(anew.code, 0);
  EXPECT_EQ(anew.err, "") << "this is what the note tells to do";
}

TEST_F(CliCompile, SavedTacticsAreALock) {
  const Words base{"compile", "lenet5", "--tuning", "off", "--threads", "1", "--output"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more);
  };
  ASSERT_EQ(with({"x.plan", "--save-tactics", "x.json"}).code, 0);

  const auto locked = with({"y.plan", "--lock", "x.json", "--explain"});

  EXPECT_EQ(locked.code, 0) << locked.err;
  EXPECT_NE(locked.out.find("(locked)"), std::string::npos) << locked.out;
  EXPECT_EQ(locked.out.find("(heuristic)"), std::string::npos) << locked.out;
  const auto text = run({"inspect", "y.plan"});
  EXPECT_NE(text.out.find("\n  locks         c1 (batch 1) "), std::string::npos) << text.out;
  EXPECT_LE(test::widest_line(text.out), 80U) << text.out;
  EXPECT_EQ(with({"z.plan", "--save-tactics", "absent/x.json"}).code, 5);
  EXPECT_FALSE(fs::exists(path("z.plan"))) << "told before anything is compiled";
  EXPECT_EQ(with({"./x.json", "--lock", "x.json"}).code, 2);
  EXPECT_EQ(with({"z.plan", "--save-tactics", "./z.plan"}).code, 2);
  EXPECT_FALSE(fs::exists(path("z.plan")));
}

/// What is offered for each node on so many threads.
std::set<std::pair<std::string, std::string>> CliCompile::offered(
    const std::string& threads) const {
  std::set<std::pair<std::string, std::string>> names;
  const auto got = run({"compile",
                        "lenet5",
                        "--output",
                        "x.plan",
                        "--tuning",
                        "off",
                        "--batch",
                        "1",
                        "--threads",
                        threads,
                        "--explain",
                        "--json"});
  const auto explanation = test::rows_of(got.out).at(0).at("explanation");
  for (const auto& chosen : explanation.at("tactics")) {
    if (chosen.value("threads", std::stoi(threads)) != std::stoi(threads)) continue;
    for (const auto& tactic : chosen.at("offered"))
      names.emplace(chosen.at("node").get<std::string>(), tactic.at("tactic").get<std::string>());
  }
  return names;
}

TEST_F(CliCompile, ALockForSomeThreadsHoldsWhereItIsOffered) {
  const auto shared = offered("2");
  const auto alone = offered("1");
  const auto only = std::ranges::find_if(shared, [&](const auto& x) { return !alone.contains(x); });
  if (only == shared.end()) GTEST_SKIP() << "the threads do not change what is offered";
  const auto& [node, tactic] = *only;
  write_file_atomic(path("lock.json"), R"({"tactics": {")" + node + R"(": ")" + tactic + R"("}})");
  const Words forced{std::string("FOVEA_TACTIC=").append(node).append("=").append(tactic)};
  const std::string digits = test::kDigits.string();

  for (const Words& command : {Words{"compile", "lenet5", "--output", "y.plan", "--tuning", "off"},
                               Words{"verify", "lenet5"}}) {
    for (const bool lock : {true, false}) {
      Words words = command;
      words.insert(words.end(), {"--threads", "2"});
      if (lock) words.insert(words.end(), {"--lock", "lock.json"});
      const auto got = run(words, lock ? Words{} : forced);
      EXPECT_EQ(got.code, 0) << command[0] << got.err;
      EXPECT_EQ(got.err, "") << command[0];
    }
  }
  for (const Words& command : {Words{"classify", "lenet5", digits},
                               Words{"bench", "lenet5", "--duration", "0.1", "--warmup", "0"}}) {
    Words words = command;
    words.insert(words.end(), {"--threads", "2", "--lock", "lock.json"});
    const auto got = run(words);
    EXPECT_EQ(got.code, 0) << command[0] << got.err;
    EXPECT_NE(test::unwrapped(got.err).find("not offered on 1 thread"), std::string::npos)
        << command[0] << got.err;
  }
  EXPECT_EQ(run({"classify", "y.plan", digits, "--threads", "2"}).err, "");
}

TEST_F(CliCompile, ALockForMoreThreadsThanARunHasIsLeftAside) {
  const auto many = offered("96");
  const auto few = offered("2");
  const auto only = std::ranges::find_if(
      many, [](const auto& x) { return x.second.find("/96") != std::string::npos; });
  if (only == many.end()) GTEST_SKIP() << "the threads do not change what is offered";
  EXPECT_FALSE(few.contains(*only));
  const auto lock = [&](const std::string& tactic) {
    write_file_atomic(path("lock.json"),
                      R"({"tactics": {")" + only->first + R"(": ")" + tactic + R"("}})");
    return run({"compile",
                "lenet5",
                "--output",
                "y.plan",
                "--threads",
                "2",
                "--tuning",
                "off",
                "--lock",
                "lock.json"});
  };

  const auto aside = lock(only->second);
  const auto unknown = lock(only->second + "x96");

  EXPECT_EQ(aside.code, 0) << aside.err;
  EXPECT_NE(test::unwrapped(aside.err).find("not offered on 2 threads"), std::string::npos)
      << aside.err;
  EXPECT_EQ(unknown.code, 2) << unknown.err;
}

TEST_F(CliCompile, KeepsHowItWasCompiled) {
  const auto made = run({"compile", "lenet5", "--output", "x.plan", "--backend", "reference"});
  ASSERT_EQ(made.code, 0) << made.err;

  const auto row =
      test::rows_of(run({"bench", "x.plan", "--duration", "0.1", "--warmup", "0", "--json"}).out);

  EXPECT_EQ(row.at(0).at("backend"), "reference");
  EXPECT_EQ(run({"classify", "x.plan", test::digit(3), "--backend", "cpu"}).err, "");
}

TEST_F(CliCompile, DamagedPlansAreRefused) {
  compile("x.plan");
  std::vector<std::byte> bytes = read_file(path("x.plan"));
  bytes[bytes.size() / 2] ^= std::byte{4};
  write_file_atomic(path("bad.plan"), bytes);
  fs::rename(path("bad.plan"), path("bad"));  // known by its content

  for (const Words& command : {Words{"classify", "bad", test::digit(3)}, Words{"inspect", "bad"}}) {
    const auto got = run(command);
    EXPECT_EQ(got.code, 3);
    EXPECT_TRUE(got.err.starts_with("fovea: plan/corrupt: bad is damaged: ")) << got.err;
    EXPECT_NE(test::unwrapped(got.err).find("section '"), std::string::npos) << got.err;
  }
}

TEST_F(CliCompile, ReportsWhatItCannotWriteOrRead) {
  const auto code_of = [&](const Words& arguments) {
    const auto got = run(arguments);
    return std::to_string(got.code) + " " + got.err.substr(0, got.err.find(": ", 7));
  };
  EXPECT_EQ(code_of({"compile", "lenet5", "--output", "absent/x.plan"}), "5 fovea: io/write");
  EXPECT_EQ(code_of({"compile", "lenet5", "--output", "/dev/full"}), "5 fovea: io/write");
  EXPECT_EQ(code_of({"compile", "lenet5", "--output", "."}), "5 fovea: io/write");
  EXPECT_EQ(code_of({"compile", "lenet5"}), "2 fovea: argument/invalid");
  EXPECT_EQ(code_of({"compile", "lenet5", "--output", "x", "--buckets", "0"}),
            "2 fovea: argument/invalid");
  EXPECT_EQ(code_of({"compile", "lenet5", "--output", "x", "--weights-in", "air"}),
            "2 fovea: argument/invalid");
  EXPECT_FALSE(fs::exists(path("x")));
  if (::geteuid() != 0) {
    compile("secret.plan");
    ASSERT_EQ(::chmod(path("secret.plan").c_str(), 0), 0);
    EXPECT_EQ(code_of({"inspect", "secret.plan"}), "5 fovea: io/read");
  }
}

TEST_F(CliCompile, NothingIsWrittenOverWhatIsRead) {
  compile("x.plan");
  compile("lenet5");  // the second time over a file that is called like the network
  compile("lenet5");
  fs::create_symlink("x.plan", path("link.plan"));
  write_file_atomic(path("labels.txt"), std::string_view("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"));
  const auto before = read_file(path("x.plan"));

  for (const Words& words : {Words{"x.plan", "--output", "./x.plan"},
                             {"link.plan", "--output", "x.plan"},
                             {"x.plan", "--output", "link.plan"},
                             {"./lenet5", "--output", "lenet5"},
                             {"lenet5", "--labels", "labels.txt", "--output", "labels.txt"},
                             {"x.plan", "--output", "y.plan", "--save-tactics", "x.plan"}}) {
    Words arguments{"compile"};
    arguments.insert(arguments.end(), words.begin(), words.end());

    const auto got = run(arguments);

    EXPECT_EQ(got.code, 2) << words.back() << got.err;
    EXPECT_NE(test::unwrapped(got.err).find("is a file that the command reads"), std::string::npos)
        << got.err;
    EXPECT_EQ(read_file(path("x.plan")), before);
    EXPECT_FALSE(fs::exists(path("y.plan")));
  }
}

TEST_F(CliCompile, AFullDiskLeavesNothing) {
  // No file may grow beyond 64 KiB: the same as a disk that is full in the middle of the weights.
  const auto got = test::run_program(
      {"compile", "lenet5", "--output", "x.plan", "--tuning", "off"},
      {.shell = "trap '' XFSZ; ulimit -f 64; exec \"$@\"", .folder = folder_.path()});

  EXPECT_EQ(got.code, 5) << got.err;
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(CliCompile, AKilledCompilationLeavesAWholePlanOrNone) {
  compile("x.plan");
  const auto before = read_file(path("x.plan"));
  for (int i = 0; i < 10; ++i) {
    test::Program program({"compile", "lenet5", "--output", "x.plan", "--tuning", "off"},
                          {.folder = folder_.path()});
    std::this_thread::sleep_for(std::chrono::milliseconds(7 * i));
    program.send(SIGKILL);
    (void)program.wait();

    ASSERT_EQ(read_file(path("x.plan")), before) << "killed after " << 7 * i << " ms";
  }
}

TEST_F(CliCompile, ManyProcessesMayWriteOnePlan) {
  compile("want.plan");
  std::vector<std::unique_ptr<test::Program>> programs;
  for (int i = 0; i < 6; ++i) {
    programs.push_back(std::make_unique<test::Program>(
        Words{"compile", "lenet5", "--output", "x.plan", "--tuning", "off"},
        test::ProgramOptions{.folder = folder_.path()}));
  }
  for (const auto& program : programs) EXPECT_EQ(program->wait().code, 0);

  EXPECT_EQ(read_file(path("x.plan")), read_file(path("want.plan")));
}

}  // namespace
}  // namespace fovea
