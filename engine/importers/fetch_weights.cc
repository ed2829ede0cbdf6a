#include "engine/importers/fetch_weights.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core/env.h"
#include "engine/core/require.h"
#include "engine/importers/fetch_part.h"
#include "engine/importers/known_digests.h"
#include "engine/importers/weights_cache.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// A retry is in vain unless it brings as much: a server could feed us single bytes for ever.
constexpr std::uint64_t kWorthwhileBytes = 64 << 10;

/// Why a URL did not give the file.
struct Failure {
  ErrorCode code = ErrorCode::kWeightsDownload;
  std::string reason;
};

/// One file on its way into the cache.
class Fetch {
 public:
  Fetch(const WeightFile& file,
        std::string_view model,
        fs::path target,
        const FetchOptions& options)
      : file_(file),
        model_(model),
        target_(std::move(target)),
        options_(options),
        total_(file.bytes) {}

  void run(const std::vector<std::string>& urls) {
    auto part = PartFile::open(
        target_,
        [&] { return has_weights(target_, file_); },
        [&] {
          waited_ = true;
          tell(DownloadPhase::kWaiting, {}, 0);
        });
    if (!part) {
      if (waited_) tell(DownloadPhase::kDone, {}, total_);
      return;
    }
    check_space(*part);
    std::vector<std::pair<std::string, Failure>> failures;
    for (const std::string& url : urls) {
      auto failure = fetch_from(url, *part);
      if (!failure) return;
      failures.emplace_back(shown_url(url), *std::move(failure));
    }
    fail(failures);
  }

 private:
  void tell(DownloadPhase phase, std::string_view url, std::uint64_t done) const {
    if (!options_.progress) return;
    const std::string name = fs::path(file_.file).filename().native();
    options_.progress({.phase = phase,
                       .model = model_,
                       .file = name,
                       .url = url,
                       .done_bytes = done,
                       .total_bytes = total_});
  }

  void check_space(const PartFile& part) const {
    std::error_code error;
    const fs::space_info space = fs::space(target_.parent_path(), error);
    const std::uint64_t missing = file_.bytes > part.size() ? file_.bytes - part.size() : 0;
    if (error || space.available >= missing) return;
    throw Error(ErrorCode::kIoNoSpace,
                cat("the weights of ",
                    model_,
                    " need ",
                    missing,
                    " bytes in ",
                    target_.parent_path().native(),
                    ", where ",
                    space.available,
                    " are free; make room, or set ",
                    env::kHome.name,
                    " to another folder"));
  }

  /// Nothing where the file is in its place now.
  std::optional<Failure> fetch_from(const std::string& url, PartFile& part) {
    bool began_elsewhere = part.size() != 0;
    while (true) {
      if (auto failure = complete(url, part)) return failure;
      const std::string hash = hash_of_weights(part.path(), file_);
      if (hash == published_hash(file_)) {
        part.commit();
        tell(DownloadPhase::kDone, shown_url(url), part.size());
        return std::nullopt;
      }
      part.clear();
      if (!std::exchange(began_elsewhere, false)) {
        return Failure{ErrorCode::kWeightsHashMismatch, cat("it has ", hash)};
      }
    }
  }

  /// Asks until the part seems to be the whole; then returns nothing.
  std::optional<Failure> complete(const std::string& url, PartFile& part) {
    std::uint64_t most = part.size();
    int in_vain = 0;
    while (part.size() < file_.bytes || file_.bytes == 0) {
      const HttpResult result = request(url, part);
      if (result.end == HttpEnd::kFailed) return Failure{.reason = result.reason};
      if (seems_whole(result, part)) break;
      if (result.end == HttpEnd::kRangeRefused) part.clear();
      in_vain = part.size() >= most + kWorthwhileBytes ? 1 : in_vain + 1;
      most = std::max(most, part.size());
      if (in_vain > options_.retries) return Failure{.reason = reason_of(result, part)};
      pause(in_vain, url, part.size());
    }
    return std::nullopt;
  }

  /// Of unknown length, a part that there is nothing behind may be the whole.
  [[nodiscard]] bool seems_whole(const HttpResult& result, const PartFile& part) const {
    if (file_.bytes != 0) return part.size() >= file_.bytes;
    return result.end == HttpEnd::kDone ||
           (result.end == HttpEnd::kRangeRefused && part.size() != 0);
  }

  HttpResult request(const std::string& url, PartFile& part) {
    const std::string shown = shown_url(url);
    tell(DownloadPhase::kTransfer, shown, part.size());
    const HttpSink sink{
        .begin = [&](std::uint64_t first, std::uint64_t total) -> std::optional<std::string> {
          if (total != 0 && file_.bytes != 0 && total != file_.bytes) {
            return cat("it has ", total, " bytes instead of ", file_.bytes);
          }
          if (total != 0) total_ = total;
          if (first != part.size()) part.clear();
          return std::nullopt;
        },
        .take = [&](std::span<const std::byte> bytes) -> std::optional<std::string> {
          if (file_.bytes != 0 && part.size() + bytes.size() > file_.bytes) {
            part.clear();
            return cat("it has more than ", file_.bytes, " bytes");
          }
          part.append(bytes);
          tell(DownloadPhase::kTransfer, shown, part.size());
          return std::nullopt;
        },
        .tick = [&] { tell(DownloadPhase::kTransfer, shown, part.size()); },
    };
    return http_get(url, part.size(), options_.limits, sink);
  }

  [[nodiscard]] std::string reason_of(const HttpResult& result, const PartFile& part) const {
    if (result.end != HttpEnd::kDone) return result.reason;
    return cat("it ends after ", part.size(), " of ", file_.bytes, " bytes");
  }

  void pause(int retry, const std::string& url, std::uint64_t done) const {
    constexpr std::chrono::milliseconds kSlice{50};
    const std::string shown = shown_url(url);
    const auto end = std::chrono::steady_clock::now() + options_.backoff * (1 << (retry - 1));
    while (std::chrono::steady_clock::now() < end) {
      tell(DownloadPhase::kTransfer, shown, done);
      std::this_thread::sleep_for(std::min(options_.backoff, kSlice));
    }
  }

  [[noreturn]] void fail(const std::vector<std::pair<std::string, Failure>>& failures) const {
    ErrorCode code = ErrorCode::kWeightsDownload;
    std::string text = cat("cannot download the weights of ", model_, ": ");
    for (const auto& [url, failure] : failures) {
      if (failure.code == ErrorCode::kWeightsHashMismatch) code = failure.code;
      text += cat(url, ": ", failure.reason, "; ");
    }
    if (code == ErrorCode::kWeightsHashMismatch) {
      text += cat("the published file has ",
                  published_hash(file_),
                  ", so what came was removed; try again, or set ");
    } else {
      text += "try again (what has arrived is kept), or set ";
    }
    text += cat(env::kWeightsUrl.name,
                " to a mirror, or put the file at ",
                target_.native(),
                ", or give weights with --weights");
    throw Error(code, text);
  }

  const WeightFile& file_;
  std::string_view model_;
  fs::path target_;
  const FetchOptions& options_;
  bool waited_ = false;
  std::uint64_t total_;  ///< bytes of the whole file, as far as known
};

/// A file may have been put into its place by hand. Its hash is looked up where nobody touched it
/// since it was last taken.
void check_content(const fs::path& target, const WeightFile& file, std::string_view model) {
  const std::string_view algorithm = file.sha256.empty() ? "md5" : "sha256";
  const std::string digest = known_digest(target, algorithm, [&] {
    return hash_of_weights(target, file).substr(algorithm.size() + 1);
  });
  check_hash(cat(algorithm, ':', digest), file, model, target.native());
}

/// What is wrong with a file that is in its place and is not the right one; empty where there is
/// none.
std::string wrong_size(const fs::path& target, const WeightFile& file) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(target, error);
  if (error) return {};
  return cat(" (the file there has ", bytes, " bytes, the published one ", file.bytes, ')');
}

bool is_offline() {
  const auto value = env::get(env::kOffline);
  return value && *value != "0";
}

/// Where the file may come from, in order.
std::vector<std::string> urls_of(const WeightFile& file) {
  auto mirror = env::get(env::kWeightsUrl);
  if (!mirror) return file.urls;
  while (mirror->ends_with('/')) mirror->pop_back();
  return {cat(*mirror, '/', fs::path(file.file).filename().native())};
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error(ErrorCode::kIoWrite,
              cat("cannot create the folder for downloads, ",
                  folder.native(),
                  ": ",
                  error.message(),
                  "; set ",
                  env::kHome.name,
                  " to a folder that can be written"));
}

}  // namespace

fs::path fetch_weights(const WeightFile& file,
                       std::string_view model,
                       const FetchOptions& options) {
  const fs::path target = weights_path(file);
  if (has_weights(target, file)) {
    check_content(target, file, model);
    return target;
  }
  if (is_offline()) {
    throw Error(ErrorCode::kWeightsOffline,
                cat("the weights of ",
                    model,
                    " are not here, and ",
                    env::kOffline.name,
                    " forbids to download ",
                    fs::path(file.file).filename().native(),
                    "; put it at ",
                    target.native(),
                    wrong_size(target, file),
                    ", give weights with --weights, or unset ",
                    env::kOffline.name));
  }
  const std::vector<std::string> urls = urls_of(file);
  if (urls.empty()) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("no place is known to download the weights of ",
                    model,
                    " from; put ",
                    fs::path(file.file).filename().native(),
                    " at ",
                    target.native()));
  }
  make_folder(target.parent_path());
  Fetch(file, model, target, options).run(urls);
  return target;
}

}  // namespace fovea
