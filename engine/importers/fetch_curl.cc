#include "engine/importers/fetch_curl.h"

#include <string_view>

#include <dlfcn.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";

[[noreturn]] void cannot_load(std::string_view why) {
  throw Error(ErrorCode::kWeightsDownload,
              cat("downloads need ",
                  kLibrary,
                  ", which cannot be loaded: ",
                  why,
                  "; install it (on Debian and Ubuntu: apt-get install libcurl4)"));
}

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) cannot_load(cat("it has no ", name));
}

CurlLibrary load() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    cannot_load(why == nullptr ? "unknown reason" : why);
  }
  CurlLibrary curl;
  find(library, "curl_global_init", curl.global_init);
  find(library, "curl_easy_init", curl.easy_init);
  find(library, "curl_easy_setopt", curl.easy_setopt);
  find(library, "curl_easy_perform", curl.easy_perform);
  find(library, "curl_easy_getinfo", curl.easy_getinfo);
  find(library, "curl_easy_strerror", curl.easy_strerror);
  find(library, "curl_easy_cleanup", curl.easy_cleanup);
  if (const CURLcode status = curl.global_init(CURL_GLOBAL_DEFAULT); status != CURLE_OK) {
    cannot_load(curl.easy_strerror(status));
  }
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary kCurl = load();  // tried again after an exception
  return kCurl;
}

}  // namespace fovea
