// fovea models, and the download that comes with the first use of a network: real processes against
// a server on the loopback interface.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/core/digest.h"
#include "tests/cli/cli_test.h"
#include "tests/support/http_server.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::digit;
using test::HttpAnswer;
using test::HttpServer;
using test::Program;
using test::ProgramOptions;
using test::ProgramResult;

using Words = std::vector<std::string>;

/// LeNet-5 for which the program has a manifest that sends it to our server, with the hash of what
/// the real file holds.
class CliModels : public test::CliTest {
 protected:
  CliModels() {
    const fs::path real = test::kDigits.parent_path() / "manifest.json";
    nlohmann::json manifest = nlohmann::json::parse(read_text_file(real));
    nlohmann::json& weights = manifest["weights"][0];
    weights["file"] = "digits.safetensors";
    weights["urls"] = {server_.url("/digits.safetensors")};
    hash_ = weights["sha256"];
    fs::create_directories(folder_.path() / "manifests" / "lenet5");
    write_file_atomic(path("manifests/lenet5/manifest.json"), manifest.dump());
  }

  /// `environment`: besides or instead of what every test has.
  [[nodiscard]] ProgramOptions options(Words environment = {}) const {
    // Of two values of a variable, the first counts.
    environment.insert(environment.end(),
                       {"FOVEA_HOME=" + path("home"),
                        "FOVEA_TEST_MANIFESTS=" + path("manifests"),
                        "no_proxy=127.0.0.1"});
    return {.program = FOVEA_ZOO_PROGRAM, .environment = std::move(environment)};
  }

  [[nodiscard]] ProgramResult run(const Words& arguments, const Words& environment = {}) const {
    return test::run_program(arguments, options(environment));
  }

  [[nodiscard]] fs::path weights() const {
    return folder_.path() / "home" / "weights" / (hash_ + "-digits.safetensors");
  }

  [[nodiscard]] fs::path part() const { return weights().native() + ".part"; }

  [[nodiscard]] std::uint64_t part_bytes() const {
    std::error_code error;
    const auto bytes = fs::file_size(part(), error);
    return error ? 0 : bytes;
  }

  void always(const HttpAnswer& how) {
    server_.answer([how](std::size_t) { return how; });
  }

  static void expect_error(const ProgramResult& got,
                           int code,
                           const std::string& error,
                           const std::string& part) {
    EXPECT_EQ(got.code, code);
    EXPECT_EQ(got.out, "");
    const std::string text = test::unwrapped(got.err);
    EXPECT_NE(text.find("fovea: " + error + ": "), std::string::npos) << text;
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  /// Pulls again and again; each process but the last is sent the signal at a random moment.
  void interrupt_at_random(int signal, int interruptions);

  std::string content_ = read_text_file(test::kDigits.parent_path() / "weights.safetensors");
  std::string hash_;
  HttpServer server_{content_};
};

TEST_F(CliModels, PullsTellsWhereAndVerifies) {
  const auto absent = test::rows_of(run({"models", "list", "--json"}).out);
  const auto pulled = run({"models", "pull", "lenet5"});
  const auto again = run({"models", "pull", "lenet5", "--json"});
  const auto where = run({"models", "path", "lenet5"});
  const auto verified = run({"models", "verify", "lenet5"});
  const auto here = test::rows_of(run({"models", "list", "--json"}).out);

  EXPECT_EQ(pulled.code, 0) << pulled.err;
  EXPECT_EQ(pulled.out, "lenet5: " + weights().native() + "\n");
  EXPECT_EQ(test::unwrapped(pulled.err),
            "fovea: downloading the weights of lenet5, 0.2 MB, from " +
                server_.url("/digits.safetensors") + "\n");
  EXPECT_EQ(read_text_file(weights()), content_);
  EXPECT_EQ(again.err, "");
  EXPECT_EQ(test::rows_of(again.out).at(0)["weights"], "cached");
  EXPECT_EQ(where.out, weights().native() + "\n");
  EXPECT_EQ(verified.out, "lenet5: ok, sha256:" + hash_ + "\n");
  EXPECT_EQ(server_.requests().size(), 1U);
  ASSERT_EQ(absent.size(), here.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    const bool changed = here[i]["name"] == "lenet5";
    EXPECT_EQ(absent[i]["weights"], "absent");
    EXPECT_EQ(here[i]["weights"], changed ? "cached" : "absent");
    EXPECT_GT(here[i]["parameters"].get<int>(), 60'000);
  }
}

TEST_F(CliModels, VerifyFindsDamageAndPullRepairsIt) {
  ASSERT_EQ(run({"models", "pull", "lenet5"}).code, 0);
  std::string damaged = content_;
  damaged[content_.size() / 2] ^= 1;
  write_file_atomic(weights(), damaged);
  const std::string found = sha256(std::as_bytes(std::span(damaged)));

  const auto verified = run({"models", "verify", "lenet5"});
  expect_error(verified, 3, "weights/hash-mismatch", found);
  expect_error(verified, 3, "weights/hash-mismatch", hash_);

  EXPECT_EQ(run({"models", "pull", "lenet5"}).code, 0);
  EXPECT_EQ(read_text_file(weights()), content_);
}

TEST_F(CliModels, OneFailureDoesNotKeepTheOthersFromTheirTurn) {
  ASSERT_EQ(run({"models", "pull", "lenet5"}).code, 0);

  const auto text = run({"models", "verify", "resnet50", "lenet5"});
  const auto rows = run({"models", "verify", "resnet50", "lenet5", "--json"});

  EXPECT_EQ(text.code, 3);
  EXPECT_NE(test::unwrapped(text.err).find("weights of resnet50 are not here"), std::string::npos);
  EXPECT_TRUE(text.out.starts_with("resnet50: weights/missing\nlenet5: ok, ")) << text.out;
  EXPECT_EQ(rows.code, 3);
  EXPECT_EQ(std::ranges::count(rows.out, '\n'), 2);
  EXPECT_NE(rows.out.find("\"error\":{\"code\":\"weights/missing\""), std::string::npos);
  EXPECT_NE(rows.out.find("\"ok\":true"), std::string::npos);
}

TEST_F(CliModels, AbsentWeightsHaveNoPath) {
  expect_error(run({"models", "path", "lenet5"}), 3, "weights/missing", "models pull lenet5");
  expect_error(run({"models", "verify", "lenet5"}), 3, "weights/missing", "models pull lenet5");
}

TEST_F(CliModels, ClassifyDownloadsAtFirstUse) {
  const auto bundled = test::run_program({"classify", "lenet5", digit(7), "--json"});

  const auto first = run({"classify", "lenet5", digit(7), "--json"});
  const auto second = run({"classify", "lenet5", digit(7), "--json"});

  EXPECT_EQ(first.code, 0);
  EXPECT_EQ(first.out, bundled.out);
  EXPECT_NE(first.err.find("downloading the weights of lenet5"), std::string::npos) << first.err;
  EXPECT_EQ(second.out, bundled.out);
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(CliModels, OfflineNamesFileAndPlace) {
  for (const Words& command :
       {Words{"models", "pull", "lenet5"}, {"classify", "lenet5", digit(7)}}) {
    const auto got = run(command, {"FOVEA_OFFLINE=1"});

    expect_error(got, 5, "weights/offline", weights());
    expect_error(got, 5, "weights/offline", "unset FOVEA_OFFLINE");
  }
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CliModels, OtherBytesLeaveNothing) {
  std::string other = content_;
  other.back() ^= 1;
  server_.serve(other);

  const auto got = run({"models", "pull", "lenet5"});

  expect_error(got, 3, "weights/hash-mismatch", sha256(std::as_bytes(std::span(other))));
  expect_error(got, 3, "weights/hash-mismatch", hash_);
  EXPECT_TRUE(fs::is_empty(weights().parent_path()));
}

/// The program as it is delivered, whose manifest has the published size and hash.
TEST_F(CliModels, TheRealProgramRefusesWhatIsNotPublished) {
  const auto got = test::run_program({"models", "pull", "resnet50"},
                                     {.environment = {"FOVEA_HOME=" + path("home"),
                                                      "FOVEA_WEIGHTS_URL=" + server_.url("/mirror"),
                                                      "no_proxy=127.0.0.1"}});

  expect_error(got, 5, "weights/download", "instead of 102967424");
  EXPECT_EQ(server_.requests().at(0).target,
            "/mirror/resnet50_weights_tf_dim_ordering_tf_kernels.h5");
  EXPECT_TRUE(fs::is_empty(folder_.path() / "home" / "weights"));
}

void CliModels::interrupt_at_random(int signal, int interruptions) {
  constexpr unsigned kSeed = 20;
  std::mt19937 random(kSeed);
  always({.bytes_a_second = 10 * content_.size()});
  std::map<std::string, std::uint64_t> on_disk;  // before the run, by the URL that it asks
  const auto start = [&](const std::string& mirror) {
    on_disk[mirror + "/digits.safetensors"] = part_bytes();
    return Program({"models", "pull", "lenet5"},
                   options({"FOVEA_WEIGHTS_URL=" + server_.url(mirror)}));
  };
  // How long a whole run takes depends on the machine and on the build.
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(start("/whole").wait().code, 0);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
  fs::remove(weights());
  std::uniform_real_distribution<double> share(0, 1);
  int arrived = 0;
  for (int i = 0; i < interruptions; ++i) {
    SCOPED_TRACE("interruption " + std::to_string(i));
    Program program = start("/run" + std::to_string(i));
    std::this_thread::sleep_for(whole * share(random));
    program.send(signal);
    const ProgramResult got = program.wait();

    // It ends by the signal, or as Ctrl-C is answered, or was done before.
    const bool ended = got.signal == signal || (signal == SIGINT && got.code == 130);
    EXPECT_TRUE(ended || got.code == 0) << got.code << got.err;
    if (fs::exists(weights())) {
      EXPECT_EQ(read_text_file(weights()), content_);
      EXPECT_FALSE(fs::exists(part()));
      fs::remove(weights());
      ++arrived;
    }
    if (fs::exists(part())) {
      EXPECT_EQ(read_text_file(part()), content_.substr(0, part_bytes()));
    }
  }
  EXPECT_EQ(run({"models", "pull", "lenet5"}).code, 0);
  EXPECT_EQ(read_text_file(weights()), content_);
  EXPECT_FALSE(fs::exists(part()));

  // What was on the disk when a run began, it did not ask for. Of what the server sent, the bytes
  // that no run had written when it was killed are sent again, and no others.
  const auto requests = server_.requests();
  EXPECT_GT(requests.size(), 10U) << "hardly any run came as far as the server";
  for (std::size_t i = 0; i + 1 < requests.size(); ++i) {
    const auto run = on_disk.extract(requests[i].target);
    ASSERT_FALSE(run.empty()) << requests[i].target << " asked twice";
    EXPECT_EQ(requests[i].first, run.mapped()) << requests[i].target;
  }
  std::printf(
      "%zu of %d runs asked, %d files arrived\n", requests.size() - 1, interruptions, arrived);
}

TEST_F(CliModels, KilledAtAnyMomentItGoesOn) {
  interrupt_at_random(SIGKILL, 50);
}

TEST_F(CliModels, InterruptedAtAnyMomentItGoesOn) {
  interrupt_at_random(SIGINT, 50);
}

TEST_F(CliModels, CtrlCEndsTheDownloadAndKeepsThePart) {
  always({.stall_after = 100'000});
  for (const Words& command :
       {Words{"models", "pull", "lenet5"}, {"classify", "lenet5", digit(7)}}) {
    Program program(command, options());
    while (part_bytes() < 100'000) std::this_thread::yield();

    program.send(SIGINT);
    const ProgramResult got = program.wait();

    EXPECT_EQ(got.code, 130);
    EXPECT_EQ(got.out, "");
    EXPECT_EQ(part_bytes(), 100'000U);
    fs::remove(part());
  }
}

TEST_F(CliModels, OfTwoProcessesOneDownloads) {
  always({.bytes_a_second = content_.size()});
  Program first({"models", "pull", "lenet5"}, options());
  while (part_bytes() == 0) std::this_thread::yield();
  Program second({"models", "pull", "lenet5"}, options());

  const ProgramResult one = first.wait();
  const ProgramResult other = second.wait();

  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_NE(other.err.find("waiting for another process"), std::string::npos) << other.err;
  EXPECT_EQ(server_.requests().size(), 1U);
  EXPECT_EQ(read_text_file(weights()), content_);
}

TEST_F(CliModels, AWaitingProcessTakesOverFromOneThatWasKilled) {
  always({.bytes_a_second = content_.size()});
  Program first({"models", "pull", "lenet5"}, options());
  while (part_bytes() == 0) std::this_thread::yield();
  Program second({"models", "pull", "lenet5"}, options());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));

  first.send(SIGKILL);
  (void)first.wait();
  const std::uint64_t kept = part_bytes();
  const ProgramResult other = second.wait();

  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_GT(kept, 0U);
  ASSERT_EQ(server_.requests().size(), 2U);
  EXPECT_EQ(server_.requests()[1].first, kept);
  EXPECT_EQ(read_text_file(weights()), content_);
}

TEST_F(CliModels, ADiskThatIsFullAtHalfKeepsThePart) {
  ProgramOptions limited = options();
  limited.shell = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";  // blocks of 512 bytes

  const auto got = test::run_program({"models", "pull", "lenet5"}, limited);

  expect_error(got, 5, "io/write", part());
  EXPECT_EQ(part_bytes(), 102'400U);
  EXPECT_EQ(run({"models", "pull", "lenet5"}).code, 0);
  EXPECT_EQ(server_.requests().back().first, 102'400U);
  EXPECT_EQ(read_text_file(weights()), content_);
}

TEST_F(CliModels, AFolderThatCannotBeWrittenIsAnError) {
  write_file_atomic(path("file"), "not a folder");

  expect_error(run({"models", "pull", "lenet5"}, {"FOVEA_HOME=" + path("file")}),
               5,
               "io/write",
               "set FOVEA_HOME");
}

TEST_F(CliModels, ClosedOutputsDoNotHarmTheDownload) {
  ProgramOptions closed = options();
  closed.shell = "exec \"$@\" >&- 2>&-";

  (void)test::run_program({"models", "pull", "lenet5"}, closed);

  EXPECT_EQ(read_text_file(weights()), content_);
}

TEST_F(CliModels, AWrongNameIsNoticedBeforeAnyDownload) {
  expect_error(run({"models", "pull", "lenet5", "lenet6"}), 3, "model/not-found", "lenet6");
  EXPECT_TRUE(server_.requests().empty());
}

}  // namespace
}  // namespace fovea
