#include "engine/core/printable.h"

#include <string>

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Printable, KeepsOrdinaryText) {
  EXPECT_EQ(printable("conv1/kernel:0"), "conv1/kernel:0");
  EXPECT_EQ(printable("bn_ü €😀"), "bn_ü €😀");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, ReplacesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("\xc2\x9b"), "??");
}

TEST(Printable, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), "?");
  EXPECT_EQ(printable("\xc3"), "?");
  EXPECT_EQ(printable("\xe2\x82"), "??");
  EXPECT_EQ(printable("\xc0\x80"), "??");
  EXPECT_EQ(printable("\xc3(x"), "?(x");
  EXPECT_EQ(printable("\xe0\x9f\xbf"), "???") << "over-long";
  EXPECT_EQ(printable("\xf0\x8f\xbf\xbf"), "????") << "over-long";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "above the last character";
  EXPECT_EQ(printable("\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
            "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

TEST(Printable, EndsLongText) {
  const std::string text = printable(std::string(100'000, 'x'));

  EXPECT_EQ(text, std::string(100, 'x') + "...");
  EXPECT_EQ(printable(std::string(100, 'x')), std::string(100, 'x'));
}

TEST(PlainName, TakesTheNamesThatModelsHave) {
  EXPECT_TRUE(is_plain_name("resnet/conv1/kernel:0"));
  EXPECT_TRUE(is_plain_name("bn_ü €😀"));
  EXPECT_TRUE(is_plain_name(std::string(1'000, 'x')));
  EXPECT_FALSE(is_plain_name(std::string(1'001, 'x')));
  EXPECT_FALSE(is_plain_name("a\nb"));
  EXPECT_FALSE(is_plain_name(std::string(1, '\0')));
  EXPECT_FALSE(is_plain_name("\xff"));
}

}  // namespace
}  // namespace fovea
