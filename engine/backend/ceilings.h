// What a device can do at most.
#pragma once

#include <string>

namespace fovea {

/// Of a device, by its data sheet and without sparsity. The floor under a step's time is the larger
/// of its operations and its bytes over these.
struct Ceilings {
  std::string device;      ///< whose they are, such as "H100 SXM"
  double bytes_per_s = 0;  ///< of device memory, read and written together
  double fp32_flops = 0;   ///< a second, of exact float32 products
  double tf32_flops = 0;   ///< 0 where the device has no such products
  double half_flops = 0;   ///< of fp16 and bf16 products with sums in float32
};

}  // namespace fovea
