// Logits beside the oracle's, and what they may differ by.
#pragma once

#include <span>
#include <string>

#include <fovea/precision.h>

namespace fovea::selftest {

/// How far rows of logits are from their oracles: the worst of all rows, and NaN where a row has
/// one.
struct LogitsError {
  double max_error = 0;    ///< largest |logit - oracle| over the range of the oracle's row
  double cosine = 1;       ///< least
  double shift = 0;        ///< how far on the way to another picture's: 0 its own, 1 the other's
  bool top1_equal = true;  ///< wherever the oracle's margin exceeds the measured error
};

/// `want` has a row of as many classes for each of kPictures pictures; row i of `got` is that of
/// picture i % kPictures. Throws InvalidArgument where there are no such rows.
[[nodiscard]] LogitsError compare_logits(std::span<const float> got, std::span<const float> want);

/// What is out of the precision's bounds; empty where nothing is. Whatever is not a number is.
[[nodiscard]] std::string judgement(const LogitsError& error, Precision precision);

}  // namespace fovea::selftest
