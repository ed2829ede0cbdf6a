#include <fovea/version.h>

namespace fovea {

std::string_view version() {
  return FOVEA_VERSION;
}

std::string_view git_commit() {
  return FOVEA_GIT_COMMIT;
}

}  // namespace fovea
