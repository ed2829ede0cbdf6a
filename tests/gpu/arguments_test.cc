// Wrong options of the self-test.
#include "tests/gpu/arguments.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>

namespace fovea::selftest {
namespace {

std::string complaint_of(const char* option) {
  const std::array arguments{"gpu_selftest", option};
  try {
    (void)parse_arguments(static_cast<int>(arguments.size()), arguments.data());
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(SelfTestArguments, AnUnknownOptionNeedsNoValue) {
  EXPECT_EQ(complaint_of("--bogus"), "there is no option '--bogus'; see --help");
  EXPECT_EQ(complaint_of("--filter"), "--filter needs a value; see --help");
}

}  // namespace
}  // namespace fovea::selftest
