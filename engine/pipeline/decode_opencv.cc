// The module libfovea_decode_opencv.so: OpenCV's imdecode behind the C interface.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <new>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "engine/pipeline/decode_opencv_abi.h"

namespace {

std::int32_t answer(std::int32_t status, const char* text, char* message, std::size_t bytes) {
  (void)std::snprintf(message, bytes, "%s", text);
  return status;
}

std::int32_t decode(const std::uint8_t* bytes,
                    std::size_t size,
                    FoveaDecodedPicture* picture,
                    char* message,
                    std::size_t message_bytes) {
  const auto fail = [&](std::int32_t status, const char* text) {
    return answer(status, text, message, message_bytes);
  };
  try {
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      return fail(fovea::kDecodeUnsupported, "the file has 2 GB or more");
    }
    // A header over the caller's bytes; imdecode does not write to them.
    const cv::Mat file(1, static_cast<int>(size), CV_8U, const_cast<std::uint8_t*>(bytes));
    auto image = std::make_unique<cv::Mat>(cv::imdecode(file, cv::IMREAD_UNCHANGED));
    if (image->empty()) return fail(fovea::kDecodeCorrupt, "its data is damaged");
    const int depth = image->depth();
    if ((depth != CV_8U && depth != CV_16U) || image->channels() == 2) {
      return fail(fovea::kDecodeUnsupported, "its pixels are neither 8 nor 16 bits gray or RGB");
    }
    *picture = {image->data,
                static_cast<std::int64_t>(image->step[0]),
                image->cols,
                image->rows,
                image->channels(),
                static_cast<std::int32_t>(image->elemSize1()),
                nullptr};
    picture->owner = image.release();
    return fovea::kDecodeOk;
  } catch (const std::bad_alloc&) {
    return fail(fovea::kDecodeNoMemory, "there is not enough memory for it");
  } catch (const cv::Exception& error) {
    const bool memory = error.code == cv::Error::StsNoMem;
    return fail(memory ? fovea::kDecodeNoMemory : fovea::kDecodeCorrupt, error.err.c_str());
  } catch (...) {
    return fail(fovea::kDecodeCorrupt, "OpenCV gave up on it");
  }
}

void release(FoveaDecodedPicture* picture) {
  const std::unique_ptr<cv::Mat> owner(static_cast<cv::Mat*>(picture->owner));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): a symbol of C
extern "C" [[gnu::visibility("default")]] const FoveaDecodeModule fovea_decode_module;
const FoveaDecodeModule fovea_decode_module{fovea::kDecodeModuleVersion, decode, release};
