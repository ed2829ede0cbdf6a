// What the compiler makes of the zoo: the tables of docs/compiler.md, as Markdown on stdout.
//
// plan_table [BATCH]      (default 1)
//
// Every network is compiled with the head and the tail that a classifier gives it. Nothing is run:
// all figures follow from shapes and from the steps that the backends choose without tuning.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "tests/support/zoo_plans.h"

namespace fovea {
namespace {

using test::ZooPlan;

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

double moved(const Cost& cost) {
  return static_cast<double>(cost.read_bytes + cost.written_bytes + cost.weight_bytes) / kMega;
}

void print_row(const ZooPlan& plan) {
  std::printf("%s %.2f | %.2f | %.1f | %.1f | %.2f | %.3f |\n",
              test::structure_row(plan).c_str(),
              static_cast<double>(plan.before.flops) / kGiga,
              static_cast<double>(plan.after.flops) / kGiga,
              moved(plan.before),
              moved(plan.after),
              static_cast<double>(plan.arena_bytes) / kMega,
              static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.lower_bound));
}

void print_goals(const std::vector<ZooPlan>& plans) {
  std::puts("\n| network | goal | it has | |");
  std::puts("|---|---|---|---|");
  for (const test::Goal& goal : test::goals(plans)) {
    std::puts(test::goal_row(goal).c_str());
  }
}

int print_tables(std::int64_t batch) {
  struct Target {
    const char* name;
    std::unique_ptr<Backend> (*make)();
  };

  constexpr std::array<Target, 2> kTargets{
      {{"cpu", make_cpu_backend}, {"cuda (rules of the emulated device)", make_cuda_emu_backend}}};
  for (const Target& target : kTargets) {
    std::printf("\n### %s, batch %lld, %d threads\n\nCompiled for: %s.\n\n",
                target.name,
                static_cast<long long>(batch),
                test::kZooThreads,
                target.make()->fingerprint().c_str());
    std::puts(
        "| network | layers | operators | steps | launches | copies | GFLOP before | after | "
        "MB moved before | after | arena MB | of its bound |");
    std::puts("|---|---|---|---|---|---|---|---|---|---|---|---|");
    const std::vector<ZooPlan> plans = test::zoo_plans(target.make, batch);
    for (const ZooPlan& plan : plans) print_row(plan);
    print_goals(plans);
  }
  return 0;
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  return fovea::print_tables(argc > 1 ? std::atoll(argv[1]) : 1);
}
