// A network of the zoo from the bytes of pictures to its best classes, on the emulated device and
// by the operators' definitions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <fovea/precision.h>

namespace fovea::test {

struct ZooNetwork {
  std::string_view name;
  int side = 0;       ///< of its pictures, pixels
  double head = 1.0;  ///< of fill_random_weights(): what spreads the probabilities of its classes
};

/// Compiles the network for the emulated device with these buckets, runs a batch of every size of
/// `batches` in a context that has several in flight, and expects of every picture the reference's
/// best five classes, which computes the largest batch's pictures once: probabilities within 1e-4
/// of the highest one, and the same class wherever no other one is as close as that. Expects that
/// most classes are so far apart.
void expect_classifies_as_the_reference(const ZooNetwork& network,
                                        const std::vector<std::int64_t>& buckets,
                                        const std::vector<std::int64_t>& batches);

}  // namespace fovea::test
