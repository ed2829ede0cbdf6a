// Runs of the emulated device: one per schedule.
#include "kernels/simt/emulator.h"
#include "tests/kernels/device_test.h"

namespace fovea::test {

int device_runs() {
  return 3;
}

void prepare_device(int run) {
  simt::set_schedule(static_cast<simt::Schedule>(run));
}

}  // namespace fovea::test
