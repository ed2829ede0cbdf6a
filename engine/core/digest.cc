#include "engine/core/digest.h"

#include <array>
#include <memory>

#include <openssl/evp.h>

#include "engine/core/hex.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// One of OpenSSL's hashes.
class Digest {
 public:
  explicit Digest(const EVP_MD* kind) { check(EVP_DigestInit_ex(context_.get(), kind, nullptr)); }

  void add(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  }

  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
    return hex(std::span(digest).first(size));
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  static void check(int result) {
    if (result != 1) {
      throw Error(ErrorCode::kInternal, "SHA-256 or MD5 is not available in this OpenSSL");
    }
  }

  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

std::string of_bytes(const EVP_MD* kind, std::span<const std::byte> bytes) {
  Digest digest(kind);
  digest.add(bytes);
  return digest.finish();
}

std::string of_file(const EVP_MD* kind, const std::filesystem::path& path, const FileLimit& limit) {
  Digest digest(kind);
  read_pieces(path, limit, [&](std::span<const std::byte> piece) { digest.add(piece); });
  return digest.finish();
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  return of_bytes(EVP_sha256(), bytes);
}

std::string sha256_of_file(const std::filesystem::path& path, const FileLimit& limit) {
  return of_file(EVP_sha256(), path, limit);
}

std::string md5(std::span<const std::byte> bytes) {
  return of_bytes(EVP_md5(), bytes);
}

std::string md5_of_file(const std::filesystem::path& path, const FileLimit& limit) {
  return of_file(EVP_md5(), path, limit);
}

}  // namespace fovea
