// The resizing kernels, emulated, against real Keras: sha256 of resized and normalised pixels.
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/image.h>

#include "engine/core/digest.h"
#include "kernels/resize.h"
#include "tests/kernels/device_batch.h"
#include "tests/support/preprocess_goldens.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::Row;

/// Photographs, a gray one, one of four inks, one of 3 x 5 pixels and one far higher than wide.
const std::vector<std::string> kPictures{
    "keras_elephant.jpg", "n07753592_banana.JPEG", "gray.jpg", "cmyk.jpg", "tiny.png", "tall.png"};

class ResizeKernelsGolden : public test::SharedDataTest {
 protected:
  /// The lines of a table that say the same of kPictures, by what they say: columns from 1 to
  /// `last`. The i-th line is that of the i-th picture.
  [[nodiscard]] std::map<Row, std::vector<Row>> lines(const std::string& table,
                                                      std::ptrdiff_t last) const {
    const auto by_picture = test::rows_by_picture(shared_ / "goldens" / "preprocess" / table);
    std::map<Row, std::vector<Row>> groups;
    for (const std::string& name : kPictures) {
      for (const Row& row : by_picture.at(name)) {
        if (row.at(1) == "0") continue;  // the decoded picture
        groups[Row(row.begin() + 1, row.begin() + 1 + last)].push_back(row);
      }
    }
    return groups;
  }

  /// All of kPictures as one batch.
  const test::RaggedBatch& batch(ColorMode color) {
    test::RaggedBatch& result = batches_[color];
    if (result.size() == 0) {
      for (const std::string& name : kPictures) {
        result.add(decode_file(test::picture_path(shared_, name), color));
      }
    }
    return result;
  }

  /// Runs `launch` on a stream and compares every picture's share of `y` with the last column.
  template <typename T, typename Launch>
  void expect_hashes(const std::vector<Row>& rows, std::size_t size, const Launch& launch) {
    ASSERT_EQ(rows.size(), kPictures.size());
    const cuda::StreamHandle stream = cuda::make_stream();
    const test::DeviceArray<T> y(size);

    ASSERT_EQ(launch(y.data(), stream.get()), cudaSuccess);

    const std::vector<T> got = y.download(stream.get());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto share = std::span(got).subspan(i * (size / rows.size()), size / rows.size());
      EXPECT_EQ(sha256(std::as_bytes(share)), rows[i].back()) << testing::PrintToString(rows[i]);
    }
  }

 private:
  std::map<ColorMode, test::RaggedBatch> batches_;
};

TEST_F(ResizeKernelsGolden, ResizeLikeKeras) {
  const auto groups = lines("resize.tsv", 6);
  EXPECT_EQ(groups.size(), 96U);
  for (const auto& [what, rows] : groups) {
    const PreprocessSpec spec = test::spec_of(rows.front());
    const test::DeviceBatch device(spec, batch(spec.color));
    expect_hashes<std::uint8_t>(
        rows, device.result_bytes(), [&](std::uint8_t* y, cudaStream_t stream) {
          return kernels::resize(device.args(), y, stream);
        });
  }
}

TEST_F(ResizeKernelsGolden, NormaliseLikeKeras) {
  const auto groups = lines("modes.tsv", 3);
  EXPECT_EQ(groups.size(), 12U);
  for (const auto& [what, rows] : groups) {
    const PreprocessSpec spec{.height = std::stoi(what.at(0)), .width = std::stoi(what.at(1))};
    const NormalizationConstants constants =
        normalization_constants(parse_normalization(what.at(2)));
    const test::DeviceBatch device(spec, batch(spec.color));
    expect_hashes<float>(rows, device.result_bytes(), [&](float* y, cudaStream_t stream) {
      return kernels::resize_normalize(device.args(),
                                       {.y = y,
                                        .swap_red_blue = constants.swap_red_blue,
                                        .divisor = constants.divisor,
                                        .mean = constants.mean,
                                        .scale = constants.scale},
                                       stream);
    });
  }
}

}  // namespace
}  // namespace fovea
