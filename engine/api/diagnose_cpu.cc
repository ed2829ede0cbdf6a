#include <algorithm>
#include <cmath>
#include <cstring>

#include <unistd.h>

#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/model.h>

#include "engine/api/backends.h"
#include "engine/api/diagnose.h"
#include "engine/backend/cpu/library.h"
#include "engine/core/cpu_features.h"
#include "engine/core/env.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr std::string_view kArea = "cpu";

/// The most by which a probability may differ: float32 rounding over LeNet-5's few layers is far
/// below it, a wrong result far above.
constexpr float kTolerance = 1e-4F;

constexpr std::string_view kEmulated = "bf16 works, but is emulated and slower than fp32 here";

Check check_features() {
  Check check{.area = std::string(kArea), .name = "instruction sets"};
  bool has_avx2 = false;
  for (const CpuFeature& feature : cpu_features()) {
    if (!feature.present) continue;
    check.detail += cat(check.detail.empty() ? "" : ", ", feature.name);
    has_avx2 = has_avx2 || feature.name == "AVX2";
  }
  if (has_avx2) return check;
  check.status = CheckStatus::kNote;
  check.detail += check.detail.empty() ? "none that is looked for" : "; no AVX2";
  check.fix = "networks run, but slowly: use a processor with AVX2 or AVX-512";
  return check;
}

Check check_bf16() {
  Check check{.area = std::string(kArea), .name = "bf16"};
  switch (bf16_support()) {
    case Bf16Support::kNative:
    case Bf16Support::kTiles:
      check.detail = "the processor has instructions for it";
      return check;
    case Bf16Support::kEmulated:
      check.detail = kEmulated;
      check.fix = "use --precision fp32: the processor has neither AVX512_BF16 nor AMX";
      break;
    case Bf16Support::kNone:
      check.detail = "not available";
      check.fix = env::get(kOnednnIsa)
                      ? cat("use --precision fp32, or unset ",
                            kOnednnIsa.name,
                            ", which keeps the processor's instructions from being used")
                      : "use --precision fp32: the processor has no AVX-512";
      break;
  }
  check.status = CheckStatus::kNote;
  return check;
}

Check check_threads() {
  const long present = ::sysconf(_SC_NPROCESSORS_ONLN);
  const int usable = available_threads();
  Check check{.area = std::string(kArea), .name = "threads"};
  check.detail = cat(usable, " usable of ", present);
  if (usable >= present) return check;
  check.status = CheckStatus::kNote;
  check.fix = "the affinity mask or the control group's CPU quota keeps the others away";
  return check;
}

/// What LeNet-5 answers for one fixed picture, on that backend.
std::vector<float> probabilities(const std::string& backend) {
  const Model model = open_model("lenet5");
  CompileOptions options;
  options.backend = backend;
  options.buckets = {1};
  const auto plan = compile(model.graph(), options);
  std::vector<float> picture(byte_size(with_batch(plan->inputs()[0].desc, 1)) / sizeof(float));
  for (std::size_t i = 0; i < picture.size(); ++i) {
    picture[i] = static_cast<float>(i * 7 % 256) / 255.0F;
  }
  std::vector<float> scores(byte_size(with_batch(plan->outputs()[0].desc, 1)) / sizeof(float));
  const std::span<const std::byte> in = std::as_bytes(std::span(picture));
  const std::span<std::byte> out = std::as_writable_bytes(std::span(scores));
  Context(plan).run(1, {&in, 1}, {&out, 1});
  return scores;
}

/// A network that comes with the library, against the reference.
Check check_backend(const std::string& backend) {
  Check check{.area = std::string(kArea), .name = cat("backend ", backend)};
  const auto fail = [&](std::string what) {
    check.status = CheckStatus::kProblem;
    check.detail = std::move(what);
    check.fix =
        cat("use --backend reference meanwhile, and report this with the output of fovea version");
  };
  if (device_count(backend) == 0) {
    check.status = CheckStatus::kNote;
    check.detail = "was not tried: there is no device for it";
    return check;
  }
  try {
    const std::vector<float> want = probabilities("reference");
    const std::vector<float> got = probabilities(backend);
    float worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const float difference = std::abs(got[i] - want[i]);
      worst = std::isnan(difference) ? difference : std::max(worst, difference);
    }
    if (worst <= kTolerance) {
      check.detail = "computes lenet5 as the reference does";
    } else {
      fail(cat("computes lenet5 wrongly: a probability differs by ", worst));
    }
  } catch (const InvalidArgument& error) {
    // Nothing is asked for here but what the environment says.
    check.status = CheckStatus::kNote;
    check.detail = cat("was not tried: ", error.what());
    check.fix = "correct or unset the variable of the environment that asks for it";
  } catch (const Error& error) {
    fail(error.what());
  }
  return check;
}

}  // namespace

std::string precision_note(std::string_view backend, Precision precision) {
  if (precision != Precision::kBf16 || bf16_support() != Bf16Support::kEmulated) return {};
  const bool on_cpu =
      backend == "cpu" || (backend == "auto" && make_backend(backend)->name() == "cpu");
  return on_cpu ? std::string(kEmulated) : std::string();
}

std::vector<Check> diagnose_cpu() {
  std::vector<Check> checks;
  checks.push_back({.area = std::string(kArea), .name = "processor", .detail = processor_name()});
  checks.push_back(check_features());
  checks.push_back(check_bf16());
  checks.push_back(check_threads());
  checks.push_back({.area = std::string(kArea),
                    .name = "oneDNN",
                    .detail = cat("version ", onednn_version(), ", uses ", onednn_isa())});
  for (const std::string& backend : backend_names()) {
    if (backend != "reference") checks.push_back(check_backend(backend));
  }
  return checks;
}

}  // namespace fovea
