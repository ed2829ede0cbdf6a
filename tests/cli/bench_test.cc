// fovea bench: what it prints, not how fast it is.
#include <csignal>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::Program;
using test::rows_of;
using test::run_program;

using Words = std::vector<std::string>;
using Keys = std::set<std::string>;

using CliBench = test::CliTest;

/// The shortest measurement that still has many requests.
Words quick(const Words& more) {
  Words words{"bench", "lenet5", "--json", "--duration", "0.2", "--warmup", "0.05"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

nlohmann::json measure(const Words& more) {
  const auto got = run_program(quick(more));
  EXPECT_EQ(got.code, 0) << got.err;
  const auto rows = rows_of(got.out);
  EXPECT_EQ(rows.size(), 1U) << got.out;
  return rows.empty() ? nlohmann::json::object() : rows[0];
}

Keys keys_of(const nlohmann::json& object) {
  Keys keys;
  for (const auto& entry : object.items()) keys.insert(entry.key());
  return keys;
}

/// What must hold of any measurement.
void expect_plausible(const nlohmann::json& row) {
  const double images = row["images"];
  EXPECT_GT(images, 0);
  EXPECT_GT(row["duration_s"], 0.0);
  EXPECT_NEAR(row["throughput_images_per_s"].get<double>(),
              images / row["duration_s"].get<double>(),
              1e-6 * images);
  double last = 0;
  for (const char* name : {"min", "median", "p90", "p95", "p99", "max"}) {
    const double value = row["latency_ms"][name];
    EXPECT_GE(value, last) << name;
    last = value;
  }
  EXPECT_GT(row["latency_ms"]["min"], 0.0);
  EXPECT_GE(row["latency_ms"]["mean"], row["latency_ms"]["min"]);
  EXPECT_LE(row["latency_ms"]["mean"], row["latency_ms"]["max"]);
  for (const auto& stage : row["stages_ms"]) EXPECT_GE(stage, 0.0);
  EXPECT_GT(row["stages_ms"]["compute"], 0.0);
  EXPECT_GT(row["build_s"], 0.0);
  EXPECT_GT(row["first_result_s"], row["build_s"]);
  EXPECT_GT(row["device_bytes"], 61'706 * 4) << "the weights alone";
  EXPECT_GT(row["peak_host_bytes"], row["device_bytes"]);
  EXPECT_EQ(row["limits"]["multiply_adds_per_image"], 416'520);
}

TEST_F(CliBench, PrintsTheKeysThatScriptsRelyOn) {
  const auto row = measure({});

  EXPECT_EQ(keys_of(row),
            (Keys{"model",           "backend",      "device",      "devices",
                  "precision",       "batch",        "concurrency", "from",
                  "threads",         "duration_s",   "images",      "throughput_images_per_s",
                  "latency_ms",      "stages_ms",    "build_s",     "first_result_s",
                  "peak_host_bytes", "device_bytes", "limits",      "versions"}));
  EXPECT_EQ(keys_of(row["latency_ms"]),
            (Keys{"min", "mean", "median", "p90", "p95", "p99", "max"}));
  EXPECT_EQ(keys_of(row["stages_ms"]),
            (Keys{"decode", "preprocess", "h2d", "compute", "d2h", "postprocess"}));
  for (const char* name : {"fovea", "commit", "onednn"}) {
    EXPECT_FALSE(row["versions"].value(name, "").empty()) << name;
  }
  expect_plausible(row);
}

TEST_F(CliBench, FromTensorNothingIsDecoded) {
  const auto row = measure({"--threads", "2", "--batch", "3", "--concurrency", "2"});

  EXPECT_EQ(row["model"], "lenet5");
  EXPECT_EQ(row["backend"], "cpu");
  EXPECT_EQ(row["precision"], "fp32");
  EXPECT_EQ(row["from"], "tensor");
  EXPECT_EQ(row["batch"], 3);
  EXPECT_EQ(row["concurrency"], 2);
  EXPECT_EQ(row["threads"], 2);
  EXPECT_EQ(row["images"].get<std::int64_t>() % 3, 0);
  EXPECT_EQ(row["stages_ms"]["decode"], 0.0);
  EXPECT_EQ(row["stages_ms"]["preprocess"], 0.0);
  EXPECT_EQ(row["stages_ms"]["postprocess"], 0.0);
  EXPECT_TRUE(row["limits"]["serial_images_per_s"].is_null());
  expect_plausible(row);
}

TEST_F(CliBench, FromJpegEveryStageHasATime) {
  (void)copy(test::kPictures / "gray.jpg", "in/a.jpg");
  (void)copy(test::kPictures / "yuv420.jpg", "in/deep/b.jpg");
  (void)copy(test::kPictures / "rgb8.png", "in/c.png");

  const auto got = run_program(quick({"--from", "jpeg", "--images", path("in"), "--batch", "2"}));

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("left out: 1"), std::string::npos) << got.err;
  const auto row = rows_of(got.out).at(0);
  EXPECT_EQ(row["from"], "jpeg");
  for (const auto& stage : row["stages_ms"].items()) EXPECT_GT(stage.value(), 0.0) << stage.key();
  const auto& limits = row["limits"];
  const double input = limits["input_images_per_s"];
  const double network = limits["network_images_per_s"];
  const double serial = limits["serial_images_per_s"];
  EXPECT_NEAR(serial, 1 / (1 / input + 1 / network), 1e-6 * serial);
  expect_plausible(row);
}

TEST_F(CliBench, FromPixelsNothingIsDecodedMeanwhile) {
  const auto row = measure({"--from", "pixels", "--images", test::kDigits.string()});

  EXPECT_EQ(row["from"], "pixels");
  EXPECT_EQ(row["stages_ms"]["decode"], 0.0);
  EXPECT_GT(row["stages_ms"]["preprocess"], 0.0);
  EXPECT_GT(row["stages_ms"]["postprocess"], 0.0);
  expect_plausible(row);
}

TEST_F(CliBench, MoreRequestsInFlightWaitLonger) {
  const auto one = measure({"--threads", "1", "--concurrency", "1"});
  const auto many = measure({"--threads", "1", "--concurrency", "16"});

  // One thread answers sixteen clients in turn.
  EXPECT_GT(many["latency_ms"]["median"], 4 * one["latency_ms"]["median"].get<double>());
}

TEST_F(CliBench, SpeaksTrtexecsWordsToPeople) {
  const auto got = run_program({"bench", "lenet5", "--duration", "0.2", "--warmup", "0"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_LE(test::widest_line(got.out), 100U) << got.out;
  const std::string text = test::unwrapped(got.out);
  for (const char* part : {"Throughput: ",
                           " qps",
                           "Latency: min = ",
                           ", max = ",
                           ", mean = ",
                           ", median = ",
                           ", percentile(90%) = ",
                           ", percentile(95%) = ",
                           ", percentile(99%) = ",
                           "Build: ",
                           "first result: ",
                           "Memory: ",
                           "Limit: "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << got.out;
  }
}

TEST_F(CliBench, SaysWhereTooLittleWasMeasured) {
  const auto got = run_program(
      {"bench", "lenet5", "--duration", "0.000001", "--warmup", "0", "--concurrency", "3"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.out.find("Measured: 3 requests, 3 images"), std::string::npos) << got.out;
  EXPECT_TRUE(got.err.starts_with("fovea: note: only 3 requests were measured")) << got.err;
}

TEST_F(CliBench, CtrlCPrintsWhatWasMeasured) {
  Program program(
      {"bench", "lenet5", "--json", "--duration", "600", "--warmup", "0", "--threads", "2"},
      {.input = std::nullopt});
  // It may still be compiling, and then ends at once, without a word.
  std::this_thread::sleep_for(std::chrono::seconds(3));

  program.send(SIGINT);
  const auto got = program.wait();

  EXPECT_EQ(got.code, 130) << got.err;
  const auto rows = rows_of(got.out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_LT(rows[0]["duration_s"], 60.0);
  expect_plausible(rows[0]);
}

TEST_F(CliBench, AReaderThatIsGoneEndsItQuietly) {
  Program program(quick({}), {.input = std::nullopt});

  program.close_output();
  const auto got = program.wait();

  EXPECT_EQ(got.signal, SIGPIPE) << "exit code " << got.code;
  EXPECT_EQ(got.err, "");
}

TEST_F(CliBench, AFullDiskBehindStandardOutputIsAnError) {
  const auto got = run_program(quick({}), {.output = "/dev/full"});

  EXPECT_EQ(got.code, 5);
  EXPECT_TRUE(got.err.starts_with("fovea: io/no-space: ")) << got.err;
}

TEST_F(CliBench, APictureThatCannotBeClassifiedIsNotMeasured) {
  (void)copy(test::kPictures / "gray.jpg", "in/a.jpg");
  (void)copy(test::kPictures / "bytes_before_end.jpg", "in/b.jpg");
  std::filesystem::resize_file(path("in/b.jpg"), 200);

  const auto got = run_program(quick({"--from", "jpeg", "--images", path("in")}));

  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "");
  EXPECT_TRUE(got.err.starts_with("fovea: image/")) << got.err;
  EXPECT_NE(got.err.find("b.jpg"), std::string::npos) << got.err;
}

struct WrongUse {
  Words arguments;
  int code;
  std::string part;  ///< what the message must name
};

TEST_F(CliBench, RefusesWhatItCannotMeasure) {
  std::filesystem::create_directory(path("empty"));
  (void)copy(test::kPictures / "rgb8.png", "png/c.png");
  for (const WrongUse& use : std::vector<WrongUse>{
           {{"--from", "jpeg"}, 2, "--images"},
           {{"--from", "pixels"}, 2, "--images"},
           {{"--from", "disk"}, 2, "jpeg"},
           {{"--images", path("png")}, 2, "--from"},
           {{"--from", "jpeg", "--images", path("png")}, 2, "JPEG"},
           {{"--from", "jpeg", "--images", path("empty")}, 5, "empty"},
           {{"--from", "jpeg", "--images", path("nowhere")}, 5, "nowhere"},
           {{"--duration", "0"}, 2, "--duration"},
           {{"--duration", "nan"}, 2, "--duration"},
           {{"--duration", "long"}, 2, "--duration"},
           {{"--warmup", "-1"}, 2, "--warmup"},
           {{"--batch", "0"}, 2, "--batch"},
           {{"--batch", "100000000"}, 2, "65536"},
           {{"--concurrency", "-1"}, 2, "--concurrency"},
           {{"--concurrency", "5000"}, 2, "--concurrency"},
           {{"--threads", "-1"}, 2, "1024"},
           {{"--precision", "int8"}, 2, "fp32"},
           {{"--backend", "cuda"}, 4, "--backend cpu"},
       }) {
    Words arguments{"bench", "lenet5"};
    arguments.insert(arguments.end(), use.arguments.begin(), use.arguments.end());

    const auto got = run_program(arguments);

    EXPECT_EQ(got.code, use.code) << use.arguments.back() << '\n' << got.err;
    EXPECT_EQ(got.out, "");
    EXPECT_TRUE(got.err.starts_with("fovea: ")) << got.err;
    EXPECT_NE(test::unwrapped(got.err).find(use.part), std::string::npos) << got.err;
  }
}

TEST_F(CliBench, HelpNamesNothingThatIsMissing) {
  const std::string help = run_program({"bench", "--help"}).out;

  for (const char* option : {"--rate", "--sweep", "--profile", "--trace", "--html"}) {
    EXPECT_EQ(help.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace fovea
