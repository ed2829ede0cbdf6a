// What measured times are kept under.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/direct.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/cpu_features.h"

namespace fovea {
namespace {

TEST(Fingerprint, OfTheCpuNamesTheProcessorAndTheLibrary) {
  const std::string text = make_cpu_backend()->fingerprint();

  for (const std::string& part : {cpu_model(), onednn_version(), onednn_isa()}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
  EXPECT_EQ(text.find(" by avx512") != std::string::npos, cpu::own_kernels()) << text;
  EXPECT_TRUE(std::ranges::none_of(text, [](char c) { return c == '\n' || c == '\0'; })) << text;
  EXPECT_NE(text, make_reference_backend()->fingerprint());
}

TEST(Fingerprint, TheProcessorsNameHasNoPadding) {
  const std::string name = cpu_model();

  ASSERT_FALSE(name.empty());
  EXPECT_NE(name.front(), ' ');
  EXPECT_NE(name.back(), ' ');
  EXPECT_EQ(name.find('\0'), std::string::npos);
}

}  // namespace
}  // namespace fovea
