// fovea doctor: every check is there, and a planted fault is found.
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::ProgramResult;
using test::run_program;

using CliDoctor = test::CliTest;

nlohmann::json report_of(const ProgramResult& got) {
  const auto rows = test::rows_of(got.out);
  EXPECT_EQ(rows.size(), 1U) << got.out << got.err;
  return rows.empty() ? nlohmann::json::object() : rows[0];
}

nlohmann::json check(const nlohmann::json& report, const std::string& name) {
  for (const auto& entry : report["checks"]) {
    if (entry["name"] == name) return entry;
  }
  ADD_FAILURE() << "there is no check " << name << " in " << report.dump(1);
  return {};
}

TEST_F(CliDoctor, LooksAtEverything) {
  const auto got =
      run_program({"doctor", "--json"}, {.environment = {"FOVEA_HOME=" + path("cache")}});

  EXPECT_EQ(got.code, 0) << got.out << got.err;
  const auto report = report_of(got);
  EXPECT_EQ(report["ok"], true);
  for (const auto& entry : report["checks"]) {
    EXPECT_EQ(entry.size(), 5U) << entry;
    for (const char* key : {"area", "name", "status", "detail", "fix"}) {
      EXPECT_TRUE(entry[key].is_string()) << entry;
    }
    EXPECT_NE(entry["detail"], "") << entry;
    EXPECT_NE(entry["status"], "problem") << entry;
  }
  for (const char* name : {"processor",
                           "instruction sets",
                           "threads",
                           "oneDNN",
                           "backend cpu",
                           "driver",
                           "CUDA runtime",
                           "cuDNN",
                           "cuBLASLt",
                           "machine",
                           "import helper",
                           "decode module",
                           "cache",
                           "Graphviz",
                           "FOVEA_HOME"}) {
    (void)check(report, name);
  }
  EXPECT_EQ(check(report, "backend cpu")["status"], "ok");
  EXPECT_NE(check(report, "cache")["detail"].get<std::string>().find(path("cache")),
            std::string::npos);
}

TEST_F(CliDoctor, HasALineForEachCheck) {
  const auto got = run_program({"doctor"}, {.environment = {"FOVEA_HOME=" + path("cache")}});

  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(got.err, "");
  EXPECT_NE(got.out.find("\n  ok       processor: "), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("\nEverything that Fovea needs works here.\n"), std::string::npos);
}

struct Fault {
  std::string variable;
  std::string name;  ///< of the check that finds it
};

TEST_F(CliDoctor, FindsAFaultAndSaysWhatToDo) {
  // A file where a folder is needed, and paths that lead nowhere.
  const std::string file = copy(test::digit(1), "file");
  for (const Fault& fault :
       {Fault{"FOVEA_IMPORT_HELPER=" + path("nothing"), "import helper"},
        Fault{"FOVEA_IMPORT_HELPER=" + folder_.path().string(), "import helper"},
        Fault{"FOVEA_IMPORT_HELPER=" + file, "import helper"},
        Fault{"FOVEA_DECODE_MODULE=" + path("nothing"), "decode module"},
        Fault{"FOVEA_DECODE_MODULE=" + file, "decode module"},
        Fault{"FOVEA_HOME=" + file, "cache"},
        Fault{"FOVEA_HOME=" + file + "/below", "cache"}}) {
    SCOPED_TRACE(fault.variable);

    std::vector<std::string> environment{fault.variable};
    if (fault.name != "cache") environment.push_back("FOVEA_HOME=" + path("cache"));
    const auto got = run_program({"doctor", "--json"}, {.environment = environment});

    EXPECT_EQ(got.code, 1);
    const auto report = report_of(got);
    EXPECT_EQ(report["ok"], false);
    const auto found = check(report, fault.name);
    EXPECT_EQ(found["status"], "problem");
    EXPECT_NE(found["fix"], "");
    for (const auto& entry : report["checks"]) {
      EXPECT_EQ(entry["status"] == "problem", entry["name"] == fault.name) << entry;
    }
  }
  const auto text = run_program({"doctor"}, {.environment = {"FOVEA_HOME=" + file}});
  EXPECT_EQ(text.code, 1);
  EXPECT_NE(text.out.find("  problem  cache: "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\n           -> "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\nProblems: 1\n"), std::string::npos) << text.out;
}

TEST_F(CliDoctor, NotesAVariableThatNobodyReads) {
  const auto got = run_program(
      {"doctor", "--json"},
      {.environment = {"FOVEA_HOME=" + path("cache"), "FOVEA_HMOE=elsewhere", "FOVEAX=1"}});

  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(check(report_of(got), "FOVEA_HMOE")["status"], "note");
  EXPECT_EQ(got.out.find("FOVEAX"), std::string::npos);
}

TEST_F(CliDoctor, BlamesAWrongVariableAndNotTheBackend) {
  for (const auto& [variable, value] : {std::pair{"FOVEA_DISABLE_PASSES", "typo"},
                                        {"FOVEA_TACTIC", "nonsense"},
                                        {"FOVEA_CUDNN_DIR", "/nonexistent"},
                                        {"FOVEA_CUBLASLT_DIR", "/"}}) {
    const auto got = run_program(
        {"doctor", "--json"},
        {.environment = {"FOVEA_HOME=" + path("cache"), std::string(variable) + "=" + value}});

    EXPECT_EQ(got.code, 1);
    const auto report = report_of(got);
    EXPECT_EQ(check(report, variable)["fix"], "correct or unset it");
    for (const auto& entry : report["checks"]) {
      EXPECT_EQ(entry["status"] == "problem", entry["name"] == variable) << entry;
      EXPECT_EQ(entry["fix"].get<std::string>().find("report this"), std::string::npos) << entry;
    }
  }
}

TEST_F(CliDoctor, TellsWhatLimitsTheInstructionSets) {
  const auto got =
      run_program({"doctor", "--json"},
                  {.environment = {"FOVEA_HOME=" + path("cache"), "ONEDNN_MAX_CPU_ISA=AVX2"}});

  const auto report = report_of(got);
  EXPECT_EQ(check(report, "ONEDNN_MAX_CPU_ISA")["detail"], "AVX2");
  const std::string fix = check(report, "bf16")["fix"];
  EXPECT_NE(fix.find("unset ONEDNN_MAX_CPU_ISA"), std::string::npos) << fix;
}

TEST_F(CliDoctor, CountsWhatTheCacheHolds) {
  (void)copy(test::digit(1), "cache/packages/one");
  std::filesystem::resize_file(path("cache/packages/one"), 3 << 20);

  const auto got =
      run_program({"doctor", "--json"}, {.environment = {"FOVEA_HOME=" + path("cache")}});

  const std::string detail = check(report_of(got), "cache")["detail"];
  EXPECT_NE(detail.find(", 3 MiB used"), std::string::npos) << detail;
}

TEST_F(CliDoctor, LeavesNothingInTheCache) {
  std::filesystem::create_directory(path("cache"));

  (void)run_program({"doctor"}, {.environment = {"FOVEA_HOME=" + path("cache")}});

  EXPECT_TRUE(std::filesystem::is_empty(path("cache")));
}

}  // namespace
}  // namespace fovea
