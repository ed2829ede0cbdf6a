// Every call of a cuBLASLt failing once.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/support/fake_cublaslt.h"

namespace fovea::test {

/// Lets `work` run on a library that proposes these algorithms, first as it is and then with every
/// call that it makes failing once. Expects the library's error of the failing call, that nothing
/// is left behind or misused, and that nothing is called after a failure. Returns how many calls
/// failed.
[[nodiscard]] std::int64_t expect_failing_calls_end(
    const std::vector<FakeAlgorithm>& proposals,
    const std::function<void(const FakeCublasLt&)>& work);

}  // namespace fovea::test
