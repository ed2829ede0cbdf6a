#include "engine/core/shared_library.h"

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

constexpr const char* kMath = "libm.so.6";  // of glibc, which everything here is linked with

TEST(SharedLibrary, FindsFunctionsOfALibrary) {
  const SharedLibrary math(kMath);

  EXPECT_EQ(math.function<double(double)>("floor")(2.5), 2.0);
  EXPECT_EQ(math.file().filename(), kMath);
}

TEST(SharedLibrary, SaysWhyALibraryCannotBeLoaded) {
  test::expect_error(ErrorCode::kArgumentUnsupported,
                     "'libfovea-none.so.1' cannot be loaded: libfovea-none.so.1: cannot open",
                     [] { (void)SharedLibrary("libfovea-none.so.1"); });
}

TEST(SharedLibrary, NamesTheFileThatLacksAFunction) {
  const SharedLibrary math(kMath);

  EXPECT_EQ(math.find_function<void()>("fovea_none"), nullptr);
  test::expect_error(ErrorCode::kArgumentUnsupported,
                     cat(math.file().string(), " has no function fovea_none"),
                     [&] { (void)math.function<void()>("fovea_none"); });
}

TEST(SharedLibrary, TakesTheFirstThatCanBeLoaded) {
  const auto found = SharedLibrary::find({"libfovea-none.so.1", kMath, "libc.so.6"});

  ASSERT_TRUE(found);
  EXPECT_EQ(found->file().filename(), kMath);
  EXPECT_FALSE(SharedLibrary::find({"libfovea-none.so.1"}));
}

}  // namespace
}  // namespace fovea
