// --precision: what is computed, what is refused, and what is said about it.
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include <fovea/tensors.h>

#include "engine/backend/cpu/library.h"
#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::run_program;

/// As on a processor with AVX-512 and without bf16 instructions; and as on one without AVX-512.
const std::string kWithoutBf16 = "ONEDNN_MAX_CPU_ISA=AVX512_CORE";
const std::string kWithoutAvx512 = "ONEDNN_MAX_CPU_ISA=AVX2";

class CliPrecision : public test::CliTest {
 protected:
  void SetUp() override {
    if (bf16_support() == Bf16Support::kNone) GTEST_SKIP() << "this processor has no bf16";
  }
};

TEST_F(CliPrecision, Bf16FindsTheSameDigits) {
  std::vector<std::string> command{"classify", "lenet5", "--top", "1", "--json"};
  for (int i = 0; i < 10; ++i) command.push_back(digit(i));
  const auto single = run_program(command);
  command.insert(command.end(), {"--precision", "bf16"});

  const auto half = run_program(command);

  ASSERT_EQ(half.code, 0) << half.err;
  const auto want = test::rows_of(single.out);
  const auto got = test::rows_of(half.out);
  ASSERT_EQ(got.size(), want.size());
  bool same_bits = true;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto& best = got[i]["predictions"][0];
    EXPECT_EQ(best["label"], want[i]["predictions"][0]["label"]) << got[i];
    same_bits = same_bits && best == want[i]["predictions"][0];
  }
  EXPECT_FALSE(same_bits) << "nothing was computed in bf16";
}

TEST_F(CliPrecision, RunWritesFloats) {
  const std::string input = path("x.safetensors");
  TensorData zeros{"image", {DType::kFloat32, {2, 28, 28, 1}}, {}};
  zeros.bytes.resize(byte_size(zeros.desc));
  write_tensors(input, {zeros});

  // clang-format off
  const auto got = run_program({"run", "lenet5", "--input", input, "--output", path("y.safetensors"),
                                "--precision", "bf16", "--tap", "all"});
  // clang-format on

  ASSERT_EQ(got.code, 0) << got.err;
  for (const TensorData& tensor : read_tensors(path("y.safetensors"))) {
    EXPECT_EQ(tensor.desc.dtype, DType::kFloat32) << tensor.name;
  }
}

TEST_F(CliPrecision, SaysThatBf16IsEmulated) {
  const std::vector<std::string> command{"classify", "lenet5", digit(3), "--precision", "bf16"};

  const auto got = run_program(command, {.environment = {kWithoutBf16}});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("bf16 works, but is emulated and slower than fp32 here"),
            std::string::npos)
      << got.err;
  const auto single =
      run_program({"classify", "lenet5", digit(3)}, {.environment = {kWithoutBf16}});
  EXPECT_EQ(single.err.find("emulated"), std::string::npos) << single.err;
}

TEST_F(CliPrecision, RefusedWhereTheProcessorHasNone) {
  const std::vector<std::string> command{"classify", "lenet5", digit(3), "--precision", "bf16"};

  const auto got = run_program(command, {.environment = {kWithoutAvx512}});

  EXPECT_EQ(got.code, 2);
  EXPECT_NE(test::unwrapped(got.err).find(
                "precision bf16 is not available on the backend cpu of this machine; use fp32"),
            std::string::npos)
      << got.err;
}

TEST_F(CliPrecision, DoctorSaysWhatBf16Costs) {
  const auto detail = [&](const std::string& isa) {
    const auto got =
        run_program({"doctor", "--json"}, {.environment = {isa, "FOVEA_HOME=" + path("cache")}});
    const auto report = nlohmann::json::parse(got.out);
    for (const auto& check : report["checks"]) {
      if (check["name"] == "bf16") return check["detail"].get<std::string>();
    }
    return std::string();
  };

  EXPECT_EQ(detail(kWithoutBf16), "bf16 works, but is emulated and slower than fp32 here");
  EXPECT_EQ(detail(kWithoutAvx512), "not available");
}

}  // namespace
}  // namespace fovea
