// What libhdf5 says when it fails.
#pragma once

#include <string_view>

namespace fovea::keras {

/// Keeps libhdf5 from writing to standard error and from loading filter plugins, which are code. To
/// be called before anything else of it.
void start_hdf5();

/// Throws Error model/corrupt: `what`, and the reason that the last call of libhdf5 gave.
[[noreturn]] void fail_corrupt(std::string_view what);

}  // namespace fovea::keras
