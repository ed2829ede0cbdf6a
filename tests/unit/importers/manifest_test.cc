#include "engine/importers/manifest.h"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

Manifest full() {
  Manifest manifest;
  manifest.name = "mobilenet \"ü\"";
  manifest.description = "small";
  manifest.preprocess = PreprocessSpec{.height = 224,
                                       .width = 192,
                                       .interpolation = Interpolation::kBicubic,
                                       .fit = Fit::kCentreCrop,
                                       .shorter_side = 256,
                                       .color = ColorMode::kGrayscale,
                                       .mode = Normalization::kCaffe};
  manifest.labels = "labels/mine.json";
  manifest.logits = true;
  manifest.random_head = 0.1;
  manifest.weights = {{.name = "imagenet",
                       .format = "keras-h5",
                       .file = "w.h5",
                       .bytes = 5'000'000'000,
                       .md5 = "0a",
                       .sha256 = "0b",
                       .urls = {"https://a.example/w.h5", "https://b.example/w.h5"}}};
  manifest.source = ImportSource{.file = "m.onnx", .sha256 = std::string(64, 'a'), .importer = 3};
  manifest.input = "input:0";
  manifest.input_layout = InputLayout::kNchw;
  manifest.outputs = {{"p", OutputKind::kProbabilities}, {"l", OutputKind::kLogits}, {"x"}};
  manifest.files = {{"graph.json", "00ff"}};
  return manifest;
}

Manifest parse(const std::string& text) {
  return parse_manifest(text, "manifest.json");
}

std::string with(const std::string& members) {
  return R"({"format":1,"name":"m")" + (members.empty() ? "" : "," + members) + "}";
}

TEST(Manifest, RoundTripsEveryMember) {
  EXPECT_EQ(parse(to_json(full())), full());
}

TEST(Manifest, RoundTripsANameAlone) {
  Manifest manifest;
  manifest.name = "m";

  EXPECT_EQ(parse(to_json(manifest)), manifest);
}

TEST(Manifest, IgnoresKeysThatItDoesNotKnow) {
  const Manifest manifest = parse(with(R"("later":[1,{"a":2}],"more":{"b":[]},"source":{"x":1})"));

  EXPECT_EQ(manifest.name, "m");
  EXPECT_EQ(manifest.source, ImportSource{});
}

TEST(Manifest, TellsLabelFilesFromLabelSets) {
  EXPECT_TRUE(has_label_file(parse(with(R"("labels":"labels/mine.json")"))));
  EXPECT_FALSE(has_label_file(parse(with(R"("labels":"imagenet")"))));
  EXPECT_FALSE(has_label_file(parse(with(R"("labels":"mnist")"))));
  EXPECT_FALSE(has_label_file(parse(with(""))));
}

struct BadManifest {
  std::string text;
  std::string message;
  ErrorCode code = ErrorCode::kModelCorrupt;
};

TEST(Manifest, RefusesWrongTypesAndNamesTheKey) {
  const std::vector<BadManifest> bad{
      {"", "manifest.json: it is not JSON"},
      {"[]", "not an object"},
      {"{}", "format 0", ErrorCode::kModelUnsupportedFormat},
      {R"({"format":"1","name":"m"})", "'format'"},
      {R"({"format":2,"name":"m"})",
       "format 2; this version reads format 1",
       ErrorCode::kModelUnsupportedFormat},
      {R"({"format":4294967297,"name":"m"})", "'format'"},
      {R"({"format":1,"name":5})", "'name'"},
      {R"({"format":1,"name":"a\u0000"})", "'name'"},
      {R"({"format":1,"name":"a","name":"b"})", "'name' occurs twice"},
      {with(R"("logits":0)"), "'logits'"},
      {with(R"("random_head":"1")"), "'random_head'"},
      {with(R"("random_head":0)"), "'random_head' is not above zero"},
      {with(R"("preprocess":1)"), "'preprocess' is not an object"},
      {with(R"("preprocess":{"height":4294967296})"), "'preprocess.height'"},
      {with(R"("preprocess":{"height":-1,"width":-1})"), "size outside 0 to 16384"},
      {with(R"("preprocess":{"height":8})"), "only one of height and width"},
      {with(R"("preprocess":{"mode":"torch2"})"), "'preprocess.mode'"},
      {with(R"("weights":{})"), "'weights' is not a list"},
      {with(R"("weights":[{"bytes":-1}])"), "'weights.bytes'"},
      {with(R"("weights":[{"urls":"x"}])"), "'weights.urls' is not a list"},
      {with(R"("weights":[{"urls":[1]}])"), "'weights.urls'"},
      {with(R"("source":"x")"), "'source' is not an object"},
      {with(R"("source":{"file":1})"), "'source.file'"},
      {with(R"("source":{"importer":"1"})"), "'source.importer'"},
      {with(R"("input":["x"])"), "'input'"},
      {with(R"("input_layout":"chwn")"), "'input_layout' is 'chwn'"},
      {with(R"("outputs":"x")"), "'outputs' is not a list"},
      {with(R"("outputs":["x"])"), "'outputs' is not an object"},
      {with(R"("outputs":[{"name":1}])"), "'outputs.name'"},
      {with(R"("outputs":[{"name":"x","kind":"scores"}])"), "'outputs.kind' is 'scores'"},
      {with(R"("labels":1)"), "'labels'"},
      {with(R"("labels":"../x")"), "'labels' leaves"},
      {with(R"("labels":"a/../../x")"), "'labels' leaves"},
      {with(R"("labels":"/etc/passwd")"), "'labels' leaves"},
      {with(R"("files":[1])"), "'files' is not an object"},
      {with(R"("files":{"graph.json":1})"), "'files.graph.json'"},
  };

  for (const BadManifest& one : bad) {
    SCOPED_TRACE(one.text);
    expect_error(one.code, one.message, [&] { (void)parse(one.text); });
  }
}

TEST(Manifest, SurvivesRandomDamage) {
  const std::string text = to_json(full());
  std::mt19937 random(3);
  std::size_t refused = 0;
  constexpr std::size_t kRounds = 5'000;

  for (std::size_t round = 0; round < kRounds; ++round) {
    std::string damaged = text;
    damaged[random() % text.size()] = static_cast<char>(random() % 256);
    if (random() % 4 == 0) damaged.resize(random() % text.size());
    try {
      (void)parse(damaged);
    } catch (const Error& error) {
      ASSERT_NE(error.code(), ErrorCode::kInternal) << error.what();
      ++refused;
    }
  }

  EXPECT_GT(refused, kRounds / 4);
  EXPECT_LT(refused, kRounds);
}

}  // namespace
}  // namespace fovea
