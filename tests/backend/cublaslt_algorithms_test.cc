// Descriptors, candidates and algorithms of products, on a cuBLASLt that multiplies on the host.
#include "engine/backend/cuda/cublaslt_algorithms.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/support/cublaslt_failures.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cublaslt.h"

namespace fovea::cuda {
namespace {

using Strings = std::vector<std::string>;

constexpr std::size_t kMostWorkspaceBytes = 1000;

/// 3 rows of 5 inputs, in a buffer of 8, to 4 outputs in one of 6.
CublasLtProduct full_product(DType dtype = DType::kFloat32) {
  return {.dtype = dtype,
          .rows = 3,
          .inputs = 5,
          .outputs = 4,
          .x = {.row_stride = 8, .alignment = 8},
          .y = {.row_stride = 6, .alignment = 4},
          .bias = true,
          .relu = true};
}

test::FakeAlgorithm algorithm(std::uint32_t id) {
  return {.algorithm = {.config = {id, 20, 1, 0, 0, 0, 35, 0, 0}}, .workspace_bytes = 10 * id};
}

Strings names(const CublasLtCandidates& candidates) {
  Strings list;
  for (const CublasLtCandidate& candidate : candidates.best) {
    list.push_back(to_string(candidate.algorithm));
  }
  return list;
}

class CublasLtAlgorithmsTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  CublasLtCandidates candidates(const CublasLtProduct& product = full_product()) {
    const CublasLtHandle handle = make_handle(*library_);
    const CublasLtOperation operation = make_operation(*library_, product, &bias_);
    return find_candidates(*library_, handle.get(), operation, product, kMostWorkspaceBytes);
  }

  std::optional<CublasLtChoice> configured(const CublasLtAlgorithm& algorithm,
                                           const CublasLtProduct& product = full_product()) {
    const CublasLtHandle handle = make_handle(*library_);
    const CublasLtOperation operation = make_operation(*library_, product, &bias_);
    return configure(*library_, handle.get(), operation, product, algorithm, kMostWorkspaceBytes);
  }

  test::FakeCublasLt fake_;
  std::shared_ptr<const CublasLtLibrary> library_ = fake_.library();
  std::array<float, 4> bias_{};
};

TEST_F(CublasLtAlgorithmsTest, TransposesTheWeightsAndNothingElse) {
  (void)candidates();

  const test::FakeProduct product = fake_.record().questions.at(0).product;
  EXPECT_EQ(product.attribute(CUBLASLT_MATMUL_DESC_TRANSA), CUBLAS_OP_T);
  EXPECT_EQ(product.attribute(CUBLASLT_MATMUL_DESC_TRANSB), CUBLAS_OP_N);
  const auto expect_matrix = [](const test::FakeMatrix& matrix,
                                std::uint64_t rows,
                                std::uint64_t columns,
                                std::int64_t stride) {
    EXPECT_EQ(matrix.rows, rows);
    EXPECT_EQ(matrix.columns, columns);
    EXPECT_EQ(matrix.stride, stride);
  };
  expect_matrix(product.a, 5, 4, 5);
  expect_matrix(product.b, 5, 3, 8);
  expect_matrix(product.c, 4, 3, 6);
  expect_matrix(product.d, 4, 3, 6);
  EXPECT_EQ(product.bias, &bias_);
}

TEST_F(CublasLtAlgorithmsTest, EpiloguesAreWhatIsBehindTheSum) {
  for (const auto& [bias, relu, epilogue] : {std::tuple{false, false, CUBLASLT_EPILOGUE_DEFAULT},
                                             std::tuple{true, false, CUBLASLT_EPILOGUE_BIAS},
                                             std::tuple{false, true, CUBLASLT_EPILOGUE_RELU},
                                             std::tuple{true, true, CUBLASLT_EPILOGUE_RELU_BIAS}}) {
    CublasLtProduct product = full_product();
    product.bias = bias;
    product.relu = relu;
    (void)candidates(product);

    const test::FakeProduct asked = fake_.record().questions.back().product;
    EXPECT_EQ(asked.attribute(CUBLASLT_MATMUL_DESC_EPILOGUE), epilogue);
    EXPECT_EQ(asked.bias != nullptr, bias);
  }
}

TEST_F(CublasLtAlgorithmsTest, TypesAreThoseOfThePrecision) {
  const auto asked = [&](const CublasLtProduct& product) {
    (void)candidates(product);
    return fake_.record().questions.back().product;
  };
  CublasLtProduct tf32 = full_product();
  tf32.tf32 = true;

  EXPECT_EQ(asked(full_product()).compute, CUBLAS_COMPUTE_32F);
  EXPECT_EQ(asked(tf32).compute, CUBLAS_COMPUTE_32F_FAST_TF32);
  for (const auto& [dtype, type] :
       {std::pair{DType::kFloat16, CUDA_R_16F}, std::pair{DType::kBFloat16, CUDA_R_16BF}}) {
    const test::FakeProduct half = asked(full_product(dtype));
    EXPECT_EQ(half.compute, CUBLAS_COMPUTE_32F);
    EXPECT_EQ(half.scale, CUDA_R_32F);
    for (const test::FakeMatrix& matrix : {half.a, half.b, half.c, half.d}) {
      EXPECT_EQ(matrix.type, type);
    }
  }
}

TEST_F(CublasLtAlgorithmsTest, SaysWhatAProductIs) {
  CublasLtProduct product = full_product(DType::kFloat16);
  EXPECT_EQ(to_string(product), "f16[3,5] x8@8 [4] y6@4 bias+relu");
  product = full_product();
  product.bias = product.relu = false;
  product.tf32 = true;
  EXPECT_EQ(to_string(product), "f32[3,5] x8@8 [4] y6@4 tf32");
}

TEST_F(CublasLtAlgorithmsTest, TakesTheBestOnce) {
  for (std::uint32_t id = 1; id <= 12; ++id) {
    fake_.proposals.push_back(algorithm(id));
    fake_.proposals.push_back(algorithm(id));
  }
  fake_.proposals[0].state = CUBLAS_STATUS_NOT_SUPPORTED;
  fake_.proposals[1].state = CUBLAS_STATUS_NOT_SUPPORTED;

  const CublasLtCandidates found = candidates();

  ASSERT_EQ(found.best.size(), 8U);
  EXPECT_EQ(names(found).front(), "alg2:tile20:stages35");
  EXPECT_EQ(names(found).back(), "alg9:tile20:stages35");
  EXPECT_EQ(found.best[0].choice.workspace_bytes, 20U);
  EXPECT_EQ(found.refusals, Strings{});
}

TEST_F(CublasLtAlgorithmsTest, NamesSayEverythingThatIsNotTheDefault) {
  EXPECT_EQ(to_string(CublasLtAlgorithm{{66, 0, 1, 0, 0, 0, 0, 0, 0}}), "alg66");
  EXPECT_EQ(to_string(CublasLtAlgorithm{{66, 20, 4, 2, 1, 3, 35, 4, 2}}),
            "alg66:tile20:split4:reduce2:swizzle1:custom3:stages35:inner4:cluster2");
  EXPECT_EQ(to_string(CublasLtAlgorithm{{66, 0, 0, 0, 0, 0, 0, 0, 0}}), "alg66:split0");
}

TEST_F(CublasLtAlgorithmsTest, PartsOfSumsAreAddedUpInFloat32AndInOneOrder) {
  test::FakeAlgorithm in_workspace = algorithm(1);
  in_workspace.algorithm.config[2] = 4;
  in_workspace.algorithm.config[3] = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  test::FakeAlgorithm in_output_type = in_workspace;
  in_output_type.algorithm.config[3] = CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  test::FakeAlgorithm in_place = in_workspace;
  in_place.algorithm.config[3] = CUBLASLT_REDUCTION_SCHEME_INPLACE;
  test::FakeAlgorithm at_will = algorithm(2);
  at_will.algorithm.config[2] = static_cast<std::uint32_t>(-1);
  fake_.proposals = {in_output_type, at_will, in_place, in_workspace};

  const CublasLtCandidates found = candidates(full_product(DType::kFloat16));

  EXPECT_EQ(names(found), Strings{"alg1:tile20:split4:reduce2:stages35"});
  ASSERT_EQ(found.refusals.size(), 1U);
  EXPECT_TRUE(found.refusals[0].ends_with("splits its sums by a rule of its own"));
}

TEST_F(CublasLtAlgorithmsTest, LeavesOutWhatIsCoarserThanThePrecision) {
  const auto with = [](std::uint32_t id, std::uint64_t flags) {
    test::FakeAlgorithm made = algorithm(id);
    made.numerical_flags = flags;
    return made;
  };
  constexpr std::uint64_t kTensorCores =
      CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F;
  fake_.proposals = {
      with(1, kTensorCores | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32),
      with(2, kTensorCores | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16BF),
      with(3,
           CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_16F |
               CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16F),
      with(4, test::kFloat32Sums)};
  const auto ids = [&](const CublasLtProduct& product) {
    std::vector<std::uint32_t> list;
    for (const auto& candidate : candidates(product).best) {
      list.push_back(candidate.algorithm.config[0]);
    }
    return list;
  };
  CublasLtProduct tf32 = full_product();
  tf32.tf32 = true;

  using Ids = std::vector<std::uint32_t>;
  EXPECT_EQ(ids(full_product()), Ids{4});
  EXPECT_EQ(ids(tf32), (Ids{1, 4}));
  EXPECT_EQ(ids(full_product(DType::kFloat16)), (Ids{1, 2, 4}));
  EXPECT_EQ(candidates(full_product(DType::kFloat16)).refusals,
            Strings{"alg3:tile20:stages35: sums in less than float32"});
}

TEST_F(CublasLtAlgorithmsTest, AsksForWhatFitsTheOperands) {
  test::FakeAlgorithm large = algorithm(1);
  large.workspace_bytes = kMostWorkspaceBytes + 1;
  test::FakeAlgorithm aligned = algorithm(2);
  aligned.alignment = 8;
  fake_.proposals = {large, aligned, algorithm(3)};

  EXPECT_EQ(names(candidates()), Strings{"alg3:tile20:stages35"});

  const auto preferences = fake_.record().questions.at(0).preferences;
  EXPECT_EQ(preferences.at(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES), 16U);
  EXPECT_EQ(preferences.at(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES), 8U);
  EXPECT_EQ(preferences.at(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES), 4U);
  EXPECT_EQ(preferences.at(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES), 4U);
  EXPECT_EQ(preferences.at(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES), kMostWorkspaceBytes);
}

TEST_F(CublasLtAlgorithmsTest, NumbersMakeTheAlgorithmAgain) {
  test::FakeAlgorithm split = algorithm(7);
  split.algorithm.config = {7, 20, 4, 2, 1, 3, 35, 4, 2};
  fake_.proposals = {split};
  const CublasLtCandidate found = candidates().best.at(0);

  const auto made = configured(found.algorithm);

  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(std::ranges::equal(made->algorithm.data, found.choice.algorithm.data));
  EXPECT_EQ(made->workspace_bytes, found.choice.workspace_bytes);
}

TEST_F(CublasLtAlgorithmsTest, NumbersOfAnotherVersionMakeNone) {
  fake_.proposals = {algorithm(7)};

  EXPECT_FALSE(configured({{8, 20, 1, 0, 0, 0, 35, 0, 0}}).has_value()) << "no such algorithm";
  EXPECT_FALSE(configured({{7, 21, 1, 0, 0, 0, 35, 0, 0}}).has_value()) << "no such tile";
  fake_.is_for = [](const test::FakeProduct& product) { return product.d.stride == 4; };
  EXPECT_FALSE(configured(algorithm(7).algorithm).has_value()) << "not for this product";
}

TEST_F(CublasLtAlgorithmsTest, AnAlgorithmMayWantMoreThanThereIs) {
  fake_.proposals = {algorithm(1), algorithm(101), algorithm(2)};
  fake_.proposals[2].alignment = 8;

  EXPECT_TRUE(configured(algorithm(1).algorithm).has_value());
  EXPECT_FALSE(configured(algorithm(101).algorithm).has_value()) << "1010 bytes of workspace";
  EXPECT_FALSE(configured(algorithm(2).algorithm).has_value()) << "y is aligned to 4";
  CublasLtProduct aligned = full_product();
  aligned.y.alignment = 8;
  EXPECT_TRUE(configured(algorithm(2).algorithm, aligned).has_value());
  aligned.x.alignment = 4;
  EXPECT_FALSE(configured(algorithm(2).algorithm, aligned).has_value()) << "x is aligned to 4";
}

TEST_F(CublasLtAlgorithmsTest, RunningOutOfMemoryIsToldAsThat) {
  fake_.failing_call = 0;
  fake_.failure = CUBLAS_STATUS_ALLOC_FAILED;

  test::expect_error(ErrorCode::kDeviceOutOfMemory,
                     "cuBLASLt: creating a handle: FAKE_STATUS_3",
                     [&] { (void)candidates(); });
}

TEST_F(CublasLtAlgorithmsTest, HeuristicsMayHaveNothing) {
  fake_.proposals = {algorithm(1)};
  (void)candidates();
  const std::int64_t calls = fake_.record().calls;
  fake_.failure = CUBLAS_STATUS_NOT_SUPPORTED;
  std::int64_t refused = 0;
  for (std::int64_t call = 0; call < calls; ++call) {
    fake_.failing_call = fake_.record().calls + call;
    try {
      refused += candidates().best.empty() ? 1 : 0;
    } catch (const CublasLtError& error) {
      EXPECT_EQ(error.status(), CUBLAS_STATUS_NOT_SUPPORTED) << error.what();
    }
  }

  EXPECT_EQ(refused, 1) << "of the one call that asks them";
}

/// Whatever call fails: nothing is left behind, the error has cuBLASLt's own name of it, and
/// nothing more is called.
TEST(CublasLtFailures, LeaveNothingBehindWhereverTheyHappen) {
  const auto work = [](const test::FakeCublasLt& fake) {
    const auto library = fake.library();
    const CublasLtProduct product = full_product();
    const std::array<float, 4> bias{1, 2, 3, 4};
    const std::array<float, 20> weights{};
    const std::array<float, 24> x{};
    std::array<float, 18> y{};
    alignas(16) std::array<std::byte, 16> workspace{};
    const CublasLtHandle handle = make_handle(*library);
    const CublasLtOperation operation = make_operation(*library, product, bias.data());
    const CublasLtCandidates found =
        find_candidates(*library, handle.get(), operation, product, kMostWorkspaceBytes);
    const auto choice = configure(*library,
                                  handle.get(),
                                  operation,
                                  product,
                                  found.best.at(0).algorithm,
                                  kMostWorkspaceBytes);
    ASSERT_TRUE(choice.has_value());
    const float one = 1;
    const float zero = 0;
    check(*library,
          library->multiply(handle.get(),
                            operation.matmul.get(),
                            &one,
                            weights.data(),
                            operation.weights.get(),
                            x.data(),
                            operation.x.get(),
                            &zero,
                            y.data(),
                            operation.y.get(),
                            y.data(),
                            operation.y.get(),
                            &choice->algorithm,
                            workspace.data(),
                            choice->workspace_bytes,
                            nullptr),
          "multiplying");
    EXPECT_EQ(y[3], 4) << "its bias";
  };
  EXPECT_GT(test::expect_failing_calls_end({algorithm(1), algorithm(2)}, work), 50);
}

}  // namespace
}  // namespace fovea::cuda
