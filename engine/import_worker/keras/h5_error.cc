#include "engine/import_worker/keras/h5_error.h"

#include <string>

#include <hdf5.h>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::keras {

namespace {

/// Takes the description of the innermost function that failed, which knows the cause.
herr_t take_cause(unsigned depth, const H5E_error2_t* error, void* text) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

void start_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

void fail_corrupt(std::string_view what) {
  std::string cause;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_cause, &cause);
  throw Error(ErrorCode::kModelCorrupt,
              cat(what, cause.empty() ? "" : ": ", printable(cause, 200)));
}

}  // namespace fovea::keras
