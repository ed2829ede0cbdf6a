// For processors whose widest instruction is not known here.
#include "apps/fovea/multiply_adds.h"

namespace fovea::app {

double run_multiply_adds(std::int64_t /*repeats*/) {
  return 0;
}

double run_bf16_multiply_adds(std::int64_t /*repeats*/) {
  return 0;
}

}  // namespace fovea::app
