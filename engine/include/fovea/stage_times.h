// Where the time of classifying pictures goes.
#pragma once

#include <cstdint>

namespace fovea {

/// Seconds that each stage took, summed over pictures and threads. A picture that several threads
/// compute together counts once.
struct StageTimes {
  double decode_s = 0;  ///< file bytes to pixels, reading the file included
  double preprocess_s =
      0;                  ///< resizing on the host; what the plan itself normalises is in compute_s
  double upload_s = 0;    ///< host to device; on a CPU a copy into the context's memory
  double compute_s = 0;   ///< the plan's steps, softmax and top-k among them
  double download_s = 0;  ///< device to host
  double postprocess_s = 0;   ///< labels
  std::int64_t pictures = 0;  ///< that were computed; one that could not be decoded is not counted

  StageTimes& operator+=(const StageTimes& other) {
    decode_s += other.decode_s;
    preprocess_s += other.preprocess_s;
    upload_s += other.upload_s;
    compute_s += other.compute_s;
    download_s += other.download_s;
    postprocess_s += other.postprocess_s;
    pictures += other.pictures;
    return *this;
  }

  /// For the time between two moments.
  StageTimes& operator-=(const StageTimes& earlier) {
    decode_s -= earlier.decode_s;
    preprocess_s -= earlier.preprocess_s;
    upload_s -= earlier.upload_s;
    compute_s -= earlier.compute_s;
    download_s -= earlier.download_s;
    postprocess_s -= earlier.postprocess_s;
    pictures -= earlier.pictures;
    return *this;
  }
};

}  // namespace fovea
