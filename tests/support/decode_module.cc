// Points a test at the decode module of this build. Compiled into every test that links
// fovea::test_decode; a FOVEA_DECODE_MODULE that is set already wins.
#include <cstdlib>

namespace {

[[maybe_unused]] const int kPointed = setenv("FOVEA_DECODE_MODULE", FOVEA_BUILT_DECODE_MODULE, 0);

}  // namespace
