#include "engine/core/hash.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/core/digest.h"
#include "engine/core/file.h"

namespace fovea {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Hash, Sha256MatchesTheStandard) {
  // FIPS 180-2, appendix B.1 and B.3.
  EXPECT_EQ(sha256(bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(bytes(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, Md5MatchesTheStandard) {
  // RFC 1321, appendix A.5.
  EXPECT_EQ(md5(bytes("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5(bytes("abc")), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Hash, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const std::string text(2'500'000, 'b');
  write_file_atomic(folder.path() / "x", text);

  EXPECT_EQ(sha256_of_file(folder.path() / "x"), sha256(bytes(text)));
  EXPECT_EQ(md5_of_file(folder.path() / "x"), md5(bytes(text)));
}

TEST(Hash, Xxh3HasThePublicTestVector) {
  // The empty input of XXH3_128bits, seed 0.
  EXPECT_EQ(xxh3_128({}), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, Xxh3OfPiecesIsThatOfTheWhole) {
  const std::string text(1'000'000, 'c');
  for (const std::size_t first : {0U, 1U, 239U, 240U, 241U, 500'000U}) {
    Xxh3 hash;
    hash.add(bytes(text).first(first));
    hash.add(bytes(text).subspan(first));

    EXPECT_EQ(hash.digest(), xxh3_128(bytes(text))) << first;
  }
}

}  // namespace
}  // namespace fovea
