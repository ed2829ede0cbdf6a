// The table of the resizing kernels: its size, and what it refuses. That its content is right, the
// kernels show.
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "tests/kernels/device_batch.h"

namespace fovea {
namespace {

using kernels::ResizePicture;
using test::batch_of;
using test::RaggedBatch;

TEST(PictureTable, EqualAxesAreWrittenOnce) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const std::size_t one = test::HostTable(spec, batch_of({{40, 30}}, spec.color)).bytes.size();

  const test::HostTable three(spec, batch_of({{40, 30}, {40, 30}, {40, 30}}, spec.color));

  EXPECT_EQ(three.bytes.size(), one + 2 * sizeof(ResizePicture));
}

TEST(PictureTable, OnlyAxesThatAreBothFilteredTakeWorkspace) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const auto bytes = [&](int width, int height) {
    return test::HostTable(spec, batch_of({{width, height}}, spec.color)).workspace_bytes;
  };

  EXPECT_EQ(bytes(12, 9), 0U);
  EXPECT_EQ(bytes(12, 30), 0U);
  EXPECT_EQ(bytes(40, 9), 0U);
  EXPECT_EQ(bytes(40, 9 + 4), std::size_t{12} * 13 * 3) << "horizontally first: every source row";
  EXPECT_EQ(bytes(14, 90), std::size_t{14} * 9 * 3) << "vertically first: every source column";
}

TEST(PictureTable, RefusesWhatItCannotHold) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const RaggedBatch batch = batch_of({{40, 30}, {20, 20}}, spec.color);
  std::vector<std::byte> table(test::HostTable(spec, batch).bytes.size());
  const auto write = [&](std::span<const std::int64_t> rows, std::size_t bytes) {
    (void)cuda::write_picture_table(spec, rows, batch.pixels.size(), std::span(table).first(bytes));
  };

  write(batch.table, table.size());
  EXPECT_THROW(write(batch.table, table.size() - 4), InvalidArgument);
  EXPECT_THROW(write(batch.table, 2 * sizeof(ResizePicture) - 1), InvalidArgument);
  for (const std::array<std::int64_t, 3>& row : {std::array<std::int64_t, 3>{0, 5, 0},
                                                 {5, 16'385, 0},
                                                 {20, 20, -1},
                                                 {20, 20, 3601},
                                                 {1'000, 1'000, 0}}) {
    EXPECT_THROW(write(row, table.size()), InvalidArgument) << row[0] << "x" << row[1];
  }
}

TEST(PictureTable, RefusesLimitsThatPicturesCannotHave) {
  const PreprocessSpec spec{.height = 224, .width = 224, .interpolation = Interpolation::kLanczos};
  const auto most = [&](std::int64_t pictures, int width, int height) {
    return cuda::most_picture_table_bytes(spec, {pictures, width, height});
  };

  EXPECT_EQ(most(0, 1, 1).table, 0U);
  EXPECT_GT(most(256, 16'384, 16'384).table, most(256, 500, 500).table);
  EXPECT_THROW((void)most(-1, 10, 10), InvalidArgument);
  EXPECT_THROW((void)most(1, 0, 10), InvalidArgument);
  EXPECT_THROW((void)most(1, 10, 16'385), InvalidArgument);
  EXPECT_THROW((void)most(std::int64_t{1} << 40, 10, 10), InvalidArgument);
  EXPECT_THROW((void)cuda::most_picture_table_bytes({}, {1, 10, 10}), InvalidArgument);
}

}  // namespace
}  // namespace fovea
