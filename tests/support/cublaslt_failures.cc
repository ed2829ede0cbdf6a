#include "tests/support/cublaslt_failures.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace fovea::test {

std::int64_t expect_failing_calls_end(const std::vector<FakeAlgorithm>& proposals,
                                      const std::function<void(const FakeCublasLt&)>& work) {
  std::int64_t calls = 0;
  std::int64_t failures = 0;
  for (std::int64_t call = -1; call < calls; ++call) {
    FakeCublasLt fake;
    fake.proposals = proposals;
    fake.failing_call = call;

    const std::string error = error_of([&] { work(fake); });

    const FakeCublasLtRecord record = fake.record();
    EXPECT_EQ(record.live_objects, 0) << "call " << call;
    EXPECT_EQ(record.misuse, std::vector<std::string>{}) << "call " << call;
    if (call < 0) {
      calls = record.calls;
      EXPECT_EQ(error, "");
      continue;
    }
    ++failures;
    EXPECT_TRUE(error.starts_with("device/failed: cuBLASLt: ")) << error;
    EXPECT_TRUE(error.ends_with(": FAKE_STATUS_14")) << error;
    EXPECT_EQ(record.calls_after_failure, 0) << "call " << call << ": " << error;
  }
  EXPECT_EQ(failures, calls);
  return failures;
}

}  // namespace fovea::test
