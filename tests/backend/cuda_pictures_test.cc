// Pictures into the inputs of a plan that resizes them itself: what goes there as it is, what is
// resized before, and that it does not show in the result.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/picture_table.h"
#include "engine/pipeline/picture_batch.h"
#include "engine/runtime/execution_context.h"
#include "tests/support/formula_picture.h"

namespace fovea {
namespace {

using test::formula_picture;

constexpr std::int64_t kBudget = 5'000;

class CudaPictures : public testing::Test {
 protected:
  static std::shared_ptr<const ExecutionPlan> plan_for(const PreprocessSpec& spec,
                                                       std::int64_t budget) {
    Graph graph;
    const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, budget}}}, {}, "pixels");
    const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
    graph.mark_output(graph.add(ResizeImage{spec}, {pixels, table}, "resized"));
    return compile_plan(graph, make_cuda_emu_backend(), {.buckets = {4}, .threads = 1});
  }

  /// Adds the pictures; what the table says of each of them.
  std::vector<std::array<std::int64_t, 3>> add(const std::vector<Image>& images) {
    std::array<std::span<std::byte>, 2> inputs{pixels_, table_};
    PictureBatch batch(form_, inputs);
    for (const Image& image : images) batch.add(image.view());
    n_ = batch.size();
    used_ = batch.bytes();
    std::vector<std::array<std::int64_t, 3>> rows(images.size());
    std::memcpy(rows.data(), table_.data(), rows.size() * sizeof rows[0]);
    return rows;
  }

  /// The batch through the plan.
  std::vector<std::uint8_t> resized() {
    std::vector<std::uint8_t> y(static_cast<std::size_t>(n_) * form_.picture_bytes);
    const auto n = static_cast<std::size_t>(n_);
    const std::array<std::span<const std::byte>, 2> inputs{
        std::span(pixels_).first(n * kBudget),
        std::span(table_).first(n * 3 * sizeof(std::int64_t))};
    const std::array outputs{std::as_writable_bytes(std::span(y))};
    ExecutionContext(plan_).run(n_, inputs, outputs);
    return y;
  }

  [[nodiscard]] std::vector<std::uint8_t> by_host(const std::vector<Image>& images) const {
    std::vector<std::uint8_t> y;
    for (const Image& image : images) {
      const Image small = resize(image.view(), spec_);
      y.insert(y.end(), small.data(), small.data() + small.bytes());
    }
    return y;
  }

  const PreprocessSpec spec_{.height = 9,
                             .width = 12,
                             .interpolation = Interpolation::kBilinear,
                             .fit = Fit::kCentreCrop,
                             .shorter_side = 14};
  const std::shared_ptr<const ExecutionPlan> plan_ = plan_for(spec_, kBudget);
  const PictureForm form_{*plan_, spec_};
  std::vector<std::byte> pixels_ = std::vector<std::byte>(4 * kBudget);
  std::vector<std::byte> table_ = std::vector<std::byte>(4 * 3 * sizeof(std::int64_t));
  std::int64_t n_ = 0;
  std::size_t used_ = 0;
};

std::vector<Image> pictures(const std::vector<std::pair<int, int>>& sizes) {
  std::vector<Image> images;
  for (const auto& [width, height] : sizes) {
    images.push_back(formula_picture(width, height, PixelFormat::kRgb8));
  }
  return images;
}

TEST_F(CudaPictures, GoThereAsTheyAreWhileThereIsRoom) {
  // 600, 2,400, 12,000 and 4,800 bytes.
  const std::vector<Image> images = pictures({{20, 10}, {40, 20}, {50, 80}, {40, 40}});

  const auto rows = add(images);

  using Row = std::array<std::int64_t, 3>;
  EXPECT_EQ(rows[0], (Row{20, 10, 0}));
  EXPECT_EQ(rows[1], (Row{40, 20, 600}));
  EXPECT_EQ(rows[2], (Row{50, 80, 3'000})) << "all that three pictures brought along: 15,000";
  EXPECT_EQ(rows[3], (Row{40, 40, 15'000}));
  EXPECT_EQ(used_, 19'800U);
  EXPECT_EQ(resized(), by_host(images));
}

TEST_F(CudaPictures, AreResizedBeforeWhereThereIsNone) {
  // 5,100, 10,200 and 9,000 bytes: neither of the first two fits, nor do they take room of others.
  const std::vector<Image> images = pictures({{50, 34}, {50, 68}, {50, 60}});

  const auto rows = add(images);

  using Row = std::array<std::int64_t, 3>;
  EXPECT_EQ(rows[0], (Row{0, 0, 0}));
  EXPECT_EQ(rows[1], (Row{0, 0, 9 * 12 * 3}));
  EXPECT_EQ(rows[2], (Row{50, 60, 2 * 9 * 12 * 3}));
  EXPECT_EQ(resized(), by_host(images));
}

TEST_F(CudaPictures, AreResizedBeforeWhereASideIsTooLong) {
  constexpr int kLongest = cuda::kLargestPicture;
  const std::vector<Image> images =
      pictures({{kLongest, 1}, {kLongest + 1, 1}, {1, kLongest}, {1, kLongest + 1}});

  const auto rows = add(images);

  EXPECT_EQ(rows[0][0], kLongest);
  EXPECT_EQ(rows[1][0], 0);
  EXPECT_EQ(rows[2][1], kLongest);
  EXPECT_EQ(rows[3][1], 0);
  EXPECT_EQ(resized(), by_host(images));
}

/// Of itself alone, whatever the batch has besides.
TEST_F(CudaPictures, ThatTheSpecDoesNotTakeAreRefused) {
  std::array<std::span<std::byte>, 2> inputs{pixels_, table_};
  PictureBatch batch(form_, inputs);
  const Image flat = formula_picture(1'200, 1, PixelFormat::kRgb8);
  batch.add(formula_picture(20, 10, PixelFormat::kRgb8).view());

  EXPECT_THROW(batch.add(flat.view()), InvalidArgument) << "16,800 pixels wide before the crop";

  EXPECT_EQ(batch.size(), 1);
  EXPECT_EQ(batch.bytes(), 600U);
}

TEST_F(CudaPictures, TakeAPlanThatFitsThem) {
  EXPECT_TRUE(form_.packed);
  EXPECT_THROW(PictureForm(*plan_for(spec_, 9 * 12 * 3 - 1), spec_), InvalidArgument);
  EXPECT_NO_THROW(PictureForm(*plan_for(spec_, 9 * 12 * 3), spec_));
}

}  // namespace
}  // namespace fovea
