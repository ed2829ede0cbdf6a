// Points a test at the import program of this build. Compiled into every test that links
// fovea::test_import; a FOVEA_IMPORT_HELPER that is set already wins.
#include <cstdlib>

namespace {

[[maybe_unused]] const int kPointed = setenv("FOVEA_IMPORT_HELPER", FOVEA_BUILT_IMPORT_HELPER, 0);

}  // namespace
