// The structure that the plans of the zoo's networks are meant to have, and the tables of
// docs/compiler.md that show it. Nothing is run.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/core/file.h"
#include "tests/support/zoo_plans.h"

namespace fovea {
namespace {

using test::Goal;
using test::ZooPlan;

/// Compiled once: eight networks take seconds in a debug build.
const std::vector<ZooPlan>& cpu_plans() {
  static const std::vector<ZooPlan> kPlans = test::zoo_plans(make_cpu_backend);
  return kPlans;
}

const std::vector<ZooPlan>& cuda_plans() {
  static const std::vector<ZooPlan> kPlans = test::zoo_plans(make_cuda_emu_backend);
  return kPlans;
}

void expect_reached(const Goal& goal) {
  EXPECT_TRUE(goal.reached) << goal.network << ": " << goal.aim << ", not " << goal.got;
}

TEST(CompilerGoals, AreReachedOnCpu) {
  const bool applies_partly = make_cpu_backend()->traits().partial_activations != 0;
  for (const Goal& goal : test::goals(cpu_plans())) {
    // Four of ResNet50's shortcuts have no activation and their siblings a Relu: without kernels
    // that apply one to some channels only (AVX-512) they stay apart.
    if (goal.network == "resnet50" && !applies_partly) {
      EXPECT_LE(std::stoi(goal.got), 58) << goal.aim;
      continue;
    }
    expect_reached(goal);
  }
}

TEST(CompilerGoals, AreReachedByTheRulesOfTheDevice) {
  for (const Goal& goal : test::goals(cuda_plans())) expect_reached(goal);
}

/// The part of docs/compiler.md below the heading that begins so.
std::string section_of_page(std::string_view heading) {
  std::string page = read_text_file(FOVEA_SOURCE_DIR "/docs/compiler.md");
  const std::size_t begin = page.find(heading);
  if (begin == std::string::npos) return {};
  return page.substr(begin, page.find("\n<!--", begin) - begin)
      .substr(0, page.find("\n### ", begin) - begin);
}

/// The counts of the page must be those of the compiler; sizes and work follow from them.
void expect_on_page(std::string_view heading, const std::vector<ZooPlan>& plans) {
  constexpr std::string_view kAdvice = "\nmake the page anew: docs/update_compiler_tables.sh";
  const std::string section = section_of_page(heading);
  for (const ZooPlan& plan : plans) {
    const std::string row = test::structure_row(plan);
    EXPECT_NE(section.find(row), std::string::npos) << row << kAdvice;
  }
  for (const Goal& goal : test::goals(plans)) {
    const std::string row = test::goal_row(goal);
    EXPECT_NE(section.find(row), std::string::npos) << row << kAdvice;
  }
}

TEST(CompilerPage, HasWhatTheCompilerMakesForCpu) {
  const auto backend = make_cpu_backend();
  // The kernels of this backend and oneDNN's, which an environment variable can hold back.
  const bool onednn_too = backend->fingerprint().find("avx512") != std::string::npos;
  if (!backend->traits().reads_slices || !onednn_too) {
    GTEST_SKIP() << "the page's plans are for a processor with AVX-512";
  }
  expect_on_page("### cpu", cpu_plans());
}

TEST(CompilerPage, HasWhatTheCompilerMakesForTheDevice) {
  expect_on_page("### cuda", cuda_plans());
}

}  // namespace
}  // namespace fovea
