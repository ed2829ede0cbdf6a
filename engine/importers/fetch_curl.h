// libcurl, loaded at the first download.
//
// Linked, it and its 31 libraries would be loaded at every start of every program, and most starts
// download nothing. Loaded by name rather than through a module of ours as OpenCV is: the few
// functions below have been stable in libcurl.so.4 since 2006, so there is no interface of our own,
// no second file to install or to find, and its types are checked by the compiler all the same.
#pragma once

#include <curl/curl.h>

namespace fovea {

/// The functions that downloads use, as of curl/curl.h.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
};

/// Loaded by the first call and never unloaded, since it starts threads. Throws Error
/// (weights/download) where it cannot be loaded, saying what to install. Thread-safe.
[[nodiscard]] const CurlLibrary& curl_library();

}  // namespace fovea
