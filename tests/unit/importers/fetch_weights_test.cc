// Downloads from a server that does everything wrong that servers do.
#include "engine/importers/fetch_weights.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/core/digest.h"
#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/importers/weights_cache.h"
#include "tests/support/errors.h"
#include "tests/support/http_server.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using test::expect_error;
using test::HttpAnswer;
using test::HttpServer;

std::string random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(count, '\0');
  for (char& byte : text) byte = static_cast<char>(random() & 0xFF);
  return text;
}

class FetchWeights : public testing::Test {
 protected:
  FetchWeights() {
    for (const env::Variable& variable : env::kTable) ::unsetenv(variable.name);
    ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1);
    ::setenv("no_proxy", "127.0.0.1", 1);
    ::unsetenv("http_proxy");
  }

  static std::string md5_of(const std::string& text) { return md5(std::as_bytes(std::span(text))); }

  /// The file as a manifest names it.
  [[nodiscard]] WeightFile published() const {
    WeightFile file;
    file.file = "net.h5";
    file.bytes = content_.size();
    file.md5 = md5_of(content_);
    file.urls = {server_.url("/net.h5")};
    return file;
  }

  fs::path fetch(const WeightFile& file) const { return fetch_weights(file, "net", options_); }

  void expect_whole(const WeightFile& file) const {
    EXPECT_EQ(read_text_file(weights_path(file)), content_);
    EXPECT_FALSE(fs::exists(part_of(file)));
  }

  /// Neither the file nor a part of it is there.
  static void expect_nothing(const WeightFile& file) {
    EXPECT_FALSE(fs::exists(weights_path(file)));
    EXPECT_FALSE(fs::exists(part_of(file)));
  }

  static fs::path part_of(const WeightFile& file) { return weights_path(file).native() + ".part"; }

  static void leave_part(const WeightFile& file, const std::string& bytes) {
    fs::create_directories(weights_path(file).parent_path());
    write_file_atomic(part_of(file), bytes);
  }

  void always(const HttpAnswer& how) {
    server_.answer([how](std::size_t) { return how; });
  }

  /// The first request is answered so, the others well.
  void at_first(const HttpAnswer& how) {
    server_.answer([how](std::size_t number) { return number == 0 ? how : HttpAnswer{}; });
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  std::string content_ = random_bytes(1'000'000, 1);
  HttpServer server_{content_};
  FetchOptions options_{
      .limits = {.connect = milliseconds(2'000), .stall = std::chrono::seconds(1)},
      .backoff = milliseconds(5)};
};

TEST_F(FetchWeights, TakesTheFileOnceAndThenHasIt) {
  const WeightFile file = published();

  const fs::path path = fetch(file);
  const fs::path again = fetch(file);

  EXPECT_EQ(path, folder_.path() / "home" / "weights" / (file.md5 + "-net.h5"));
  EXPECT_EQ(again, path);
  expect_whole(file);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(FetchWeights, PrefersTheBetterHash) {
  WeightFile file = published();
  file.sha256 = sha256(std::as_bytes(std::span(content_)));
  file.md5 = "of something else";

  EXPECT_EQ(fetch(file).filename(), file.sha256 + "-net.h5");
}

TEST_F(FetchWeights, GoesOnWithAPartOfItsFile) {
  const WeightFile file = published();
  leave_part(file, content_.substr(0, 123'456));

  (void)fetch(file);

  expect_whole(file);
  ASSERT_EQ(server_.requests().size(), 1U);
  EXPECT_EQ(server_.requests()[0].first, 123'456U);
}

TEST_F(FetchWeights, AsksForNothingWhereThePartIsTheWhole) {
  const WeightFile file = published();
  leave_part(file, content_);

  (void)fetch(file);

  expect_whole(file);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(FetchWeights, BeginsAgainWhereTheServerKnowsNoRanges) {
  const WeightFile file = published();
  leave_part(file, content_.substr(0, 123'456));
  always({.ranges = false});

  (void)fetch(file);

  expect_whole(file);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(FetchWeights, BeginsAgainWhereARangeIsNotWhatWasAskedFor) {
  const WeightFile file = published();
  leave_part(file, content_.substr(0, 123'456));
  at_first({.says_range = false});

  (void)fetch(file);

  expect_whole(file);
  ASSERT_EQ(server_.requests().size(), 2U);
  EXPECT_FALSE(server_.requests()[1].has_range);
}

TEST_F(FetchWeights, DropsAPartOfSomethingElse) {
  const WeightFile file = published();
  for (const std::size_t bytes : {std::size_t{500'000}, content_.size(), content_.size() + 1}) {
    SCOPED_TRACE(bytes);
    fs::remove(weights_path(file));
    leave_part(file, random_bytes(bytes, 2));

    (void)fetch(file);

    expect_whole(file);
  }
}

TEST_F(FetchWeights, ContinuesACutDownload) {
  const WeightFile file = published();
  always({.cut_after = 100'000});

  (void)fetch(file);

  expect_whole(file);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 10U);  // more than the retries, as each brings something new
  for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(requests[i].first, i * 100'000);
}

TEST_F(FetchWeights, NoticesThatABodyOfUnknownLengthWasCut) {
  const WeightFile file = published();
  at_first({.says_length = false, .cut_after = 400'000});

  (void)fetch(file);

  expect_whole(file);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(FetchWeights, GivesUpWhereRetriesBringNothing) {
  const WeightFile file = published();
  always({.ranges = false, .cut_after = 500'000});

  expect_error(ErrorCode::kWeightsDownload, server_.url("/net.h5"), [&] { (void)fetch(file); });

  EXPECT_EQ(server_.requests().size(), 4U);
  EXPECT_FALSE(fs::exists(weights_path(file)));
}

TEST_F(FetchWeights, GoesOnAfterAStall) {
  const WeightFile file = published();
  at_first({.stall_after = 200'000});

  (void)fetch(file);

  expect_whole(file);
  ASSERT_EQ(server_.requests().size(), 2U);
  EXPECT_EQ(server_.requests()[1].first, 200'000U);
}

TEST_F(FetchWeights, TriesAServerInTroubleAgain) {
  const WeightFile file = published();
  at_first({.status = 503});

  (void)fetch(file);

  expect_whole(file);
}

TEST_F(FetchWeights, NamesUrlAndStatus) {
  const WeightFile file = published();
  always({.status = 404});

  expect_error(ErrorCode::kWeightsDownload, server_.url("/net.h5") + ": HTTP status 404", [&] {
    (void)fetch(file);
  });

  EXPECT_EQ(server_.requests().size(), 1U);
  expect_nothing(file);
}

TEST_F(FetchWeights, TakesTheNextUrlWhereOneFails) {
  WeightFile file = published();
  file.urls = {"http://127.0.0.1:1/net.h5", server_.url("/a"), server_.url("/b")};
  at_first({.status = 404});

  (void)fetch(file);

  expect_whole(file);
  EXPECT_EQ(server_.requests().back().target, "/b");
}

TEST_F(FetchWeights, FollowsRedirectsToHttpOnly) {
  const WeightFile file = published();
  at_first({.status = 302, .location = server_.url("/elsewhere")});

  (void)fetch(file);

  expect_whole(file);
  EXPECT_EQ(server_.requests().back().target, "/elsewhere");

  fs::remove(weights_path(file));
  const fs::path local = folder_.path() / "net.h5";
  write_file_atomic(local, content_);
  always({.status = 302, .location = "file://" + local.native()});
  expect_error(ErrorCode::kWeightsDownload, "rotocol", [&] { (void)fetch(file); });
}

TEST_F(FetchWeights, RefusesOtherBytesAndKeepsNothing) {
  const WeightFile file = published();
  const std::string other = random_bytes(content_.size(), 3);
  server_.serve(other);

  expect_error(ErrorCode::kWeightsHashMismatch, "md5:" + md5_of(other), [&] { (void)fetch(file); });
  expect_error(ErrorCode::kWeightsHashMismatch, "md5:" + file.md5, [&] { (void)fetch(file); });

  expect_nothing(file);
}

TEST_F(FetchWeights, RefusesAFileOfAnotherSizeAtOnce) {
  const WeightFile file = published();
  for (const std::size_t bytes : {content_.size() - 1, content_.size() + 1}) {
    server_.serve(random_bytes(bytes, 4));

    expect_error(
        ErrorCode::kWeightsDownload, std::to_string(bytes) + " bytes", [&] { (void)fetch(file); });
  }
  expect_nothing(file);

  server_.serve(content_ + "!");
  always({.says_length = false});
  expect_error(ErrorCode::kWeightsDownload, "more than 1000000 bytes", [&] { (void)fetch(file); });
  expect_nothing(file);
}

TEST_F(FetchWeights, ReplacesAFileOfAnotherSize) {
  const WeightFile file = published();
  fs::create_directories(weights_path(file).parent_path());
  write_file_atomic(weights_path(file), "half a file");

  (void)fetch(file);

  expect_whole(file);
}

TEST_F(FetchWeights, RefusesAFileOfTheRightSizeThatSomebodyPutThere) {
  const WeightFile file = published();
  fs::create_directories(weights_path(file).parent_path());
  write_file_atomic(weights_path(file), random_bytes(content_.size(), 2));

  expect_error(ErrorCode::kWeightsHashMismatch, "models pull net", [&] { (void)fetch(file); });
  expect_error(ErrorCode::kWeightsHashMismatch, file.md5, [&] { (void)fetch(file); });
  EXPECT_TRUE(server_.requests().empty());

  write_file_atomic(weights_path(file), content_);
  EXPECT_EQ(fetch(file), weights_path(file));
}

TEST_F(FetchWeights, WorksWithoutAKnownSize) {
  WeightFile file = published();
  file.bytes = 0;
  leave_part(file, content_.substr(0, 1'000));

  (void)fetch(file);
  expect_whole(file);
  EXPECT_EQ(server_.requests().size(), 1U);

  fs::rename(weights_path(file), part_of(file));
  (void)fetch(file);
  expect_whole(file);
  EXPECT_EQ(server_.requests().back().sent, 0U) << "there was nothing left to send";
}

TEST_F(FetchWeights, SaysOfflineThatTheFileIsNotWhole) {
  const WeightFile file = published();
  ::setenv("FOVEA_OFFLINE", "1", 1);
  fs::create_directories(weights_path(file).parent_path());
  write_file_atomic(weights_path(file), "half a file");

  expect_error(ErrorCode::kWeightsOffline, "there has 11 bytes", [&] { (void)fetch(file); });
}

TEST_F(FetchWeights, ObeysOffline) {
  const WeightFile file = published();
  ::setenv("FOVEA_OFFLINE", "1", 1);
  expect_error(ErrorCode::kWeightsOffline, weights_path(file), [&] { (void)fetch(file); });
  EXPECT_TRUE(server_.requests().empty());
  EXPECT_FALSE(fs::exists(folder_.path() / "home"));

  ::setenv("FOVEA_OFFLINE", "0", 1);
  (void)fetch(file);
  ::setenv("FOVEA_OFFLINE", "1", 1);
  EXPECT_EQ(fetch(file), weights_path(file)) << "what is here needs no network";
}

TEST_F(FetchWeights, AsksTheMirrorAloneAndHidesItsPassword) {
  WeightFile file = published();
  file.urls = {server_.url("/first")};
  const std::string address = server_.url("").substr(std::string("http://").size());
  ::setenv("FOVEA_WEIGHTS_URL", ("http://me:secret@" + address + "/base/").c_str(), 1);
  always({.status = 403});

  const std::string error = test::error_of([&] { (void)fetch(file); });

  ASSERT_EQ(server_.requests().size(), 1U);
  EXPECT_EQ(server_.requests()[0].target, "/base/net.h5");
  EXPECT_NE(error.find(server_.url("/base/net.h5") + ": HTTP status 403"), std::string::npos)
      << error;
  EXPECT_EQ(error.find("secret"), std::string::npos) << error;
}

TEST_F(FetchWeights, GoesThroughTheProxyOfTheEnvironment) {
  WeightFile file = published();
  file.urls = {"http://weights.example/net.h5"};
  ::setenv("http_proxy", server_.url("").c_str(), 1);

  (void)fetch(file);

  expect_whole(file);
  EXPECT_EQ(server_.requests()[0].target, "http://weights.example/net.h5");
}

TEST_F(FetchWeights, TellsProgressAndStopsAsTold) {
  const WeightFile file = published();
  std::uint64_t done = 0;
  options_.progress = [&](const DownloadProgress& progress) {
    EXPECT_EQ(progress.total_bytes, content_.size());
    EXPECT_GE(progress.done_bytes, done);
    EXPECT_EQ(progress.url, server_.url("/net.h5"));
    done = progress.done_bytes;
    if (done >= 300'000) throw std::string("stop");
  };

  EXPECT_THROW((void)fetch(file), std::string);

  EXPECT_EQ(fs::file_size(part_of(file)), done);
  EXPECT_FALSE(fs::exists(weights_path(file)));
}

TEST_F(FetchWeights, OneOfSeveralThreadsDownloads) {
  const WeightFile file = published();
  always({.bytes_a_second = 5'000'000});
  std::atomic<int> waited = 0;
  std::atomic<int> done = 0;
  FetchOptions options = options_;
  options.progress = [&](const DownloadProgress& progress) {
    if (progress.phase == DownloadPhase::kWaiting) ++waited;
    if (progress.phase == DownloadPhase::kDone) ++done;
  };

  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { (void)fetch_weights(file, "net", options); });
    }
  }

  expect_whole(file);
  EXPECT_EQ(server_.requests().size(), 1U);
  EXPECT_GT(waited, 0);
  EXPECT_EQ(done, 4);
}

TEST_F(FetchWeights, SaysWhatIsMissingOnTheDisk) {
  WeightFile file = published();
  file.bytes = std::uint64_t{1} << 60;
  expect_error(ErrorCode::kIoNoSpace, std::to_string(file.bytes), [&] { (void)fetch(file); });

  EXPECT_TRUE(server_.requests().empty());
  expect_nothing(file);
}

TEST_F(FetchWeights, SaysWhereItCannotWrite) {
  const WeightFile file = published();
  write_file_atomic(folder_.path() / "home", "a file");
  expect_error(ErrorCode::kIoWrite, "FOVEA_HOME", [&] { (void)fetch(file); });

  fs::remove(folder_.path() / "home");
  fs::create_directories(weights_path(file).parent_path());
  fs::create_directories(part_of(file));
  expect_error(ErrorCode::kIoWrite, part_of(file), [&] { (void)fetch(file); });
}

TEST_F(FetchWeights, SaysThatItMayNotWrite) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const WeightFile file = published();
  const fs::path cache = weights_path(file).parent_path();
  fs::create_directories(cache);
  fs::permissions(cache, fs::perms::owner_read | fs::perms::owner_exec);

  expect_error(ErrorCode::kIoWrite, part_of(file), [&] { (void)fetch(file); });

  fs::permissions(cache, fs::perms::owner_all);
}

TEST_F(FetchWeights, NeedsAPlaceToLookAt) {
  WeightFile file = published();
  file.urls.clear();
  expect_error(ErrorCode::kWeightsMissing, weights_path(file), [&] { (void)fetch(file); });
}

TEST(ShownUrl, HidesNamesPasswordsAndQueries) {
  EXPECT_EQ(shown_url("https://a.example/b@c"), "https://a.example/b@c");
  EXPECT_EQ(shown_url("https://me:p@ss@a.example/b?token=1"), "https://a.example/b");
  EXPECT_EQ(shown_url("https://me@a.example"), "https://a.example");
}

}  // namespace
}  // namespace fovea
