// The parts of the self-test that run networks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/precision.h>

#include "engine/backend/backend.h"
#include "engine/plan/tactic_options.h"
#include "tests/gpu/report.h"

namespace fovea::selftest {

/// Compiles the network, runs the oracle's pictures and judges the logits (compare_logits.h). Never
/// throws: what goes wrong is in the result.
[[nodiscard]] NetworkResult check_network(std::string_view network,
                                          Precision precision,
                                          const std::shared_ptr<const Backend>& backend,
                                          const TacticOptions& tactics);

/// Times runs of the batch for about `seconds` and judges the logits of the last. Never throws.
[[nodiscard]] BenchResult bench_network(std::string_view network,
                                        Precision precision,
                                        std::int64_t batch,
                                        const std::shared_ptr<const Backend>& backend,
                                        const TacticOptions& tactics,
                                        double seconds);

/// Bytes a second, read plus written, of a copy on the device that no cache holds.
[[nodiscard]] double measure_copy(const Backend& backend);

}  // namespace fovea::selftest
