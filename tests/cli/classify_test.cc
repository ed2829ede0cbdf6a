// fovea classify: what a row is, and which rows there are in which order.
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <regex>

#include <nlohmann/json.hpp>

#include <fovea/classifier.h>

#include "engine/core/safetensors.h"
#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::digit;
using test::lines_of;
using test::rows_of;
using test::run_program;

using Paths = std::vector<std::string>;

class CliClassify : public test::CliTest {
 protected:
  /// LeNet-5's weights, every value replaced.
  [[nodiscard]] std::string weights_of(float value) const {
    NamedTensors tensors = read_safetensors(std::filesystem::path(FOVEA_SOURCE_DIR) / "models" /
                                            "lenet5" / "weights.safetensors");
    for (auto& [name, tensor] : tensors) {
      const std::vector<float> values(tensor.second->size() / sizeof value, value);
      const auto bytes = std::as_bytes(std::span(values));
      tensor.second = Buffer::from({bytes.begin(), bytes.end()});
    }
    write_safetensors(path("weights.safetensors"), tensors);
    return path("weights.safetensors");
  }
};

std::string shortest(float value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

TEST_F(CliClassify, AJsonLineHasTheDocumentedForm) {
  ClassifierOptions options;
  options.threads = 1;
  std::vector<Prediction> want;
  bool asked = false;
  Classifier::open("lenet5", options)
      .classify_files(
          [&]() -> std::optional<std::string> {
            return std::exchange(asked, true) ? std::nullopt : std::optional(digit(4));
          },
          [&](std::size_t, const Result& result) { want = result.predictions; });
  std::string line = R"({"image":)" + nlohmann::json(digit(4)).dump() + R"(,"predictions":[)";
  for (const Prediction& p : want) {
    line += (line.back() == '[' ? "" : ",") + std::string(R"({"index":)") +
            std::to_string(p.index) + R"(,"id":")" + p.id + R"(","label":")" + p.label +
            R"(","probability":)" + shortest(p.probability) + "}";
  }

  const auto got = run_program({"classify", "lenet5", digit(4), "--json", "--threads", "1"});

  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(want.size(), 5U);
  EXPECT_EQ(want.at(0).index, 4);
  EXPECT_EQ(got.out, line + "]}\n");
  EXPECT_EQ(got.err, "");
}

TEST_F(CliClassify, AnErrorLineHasTheDocumentedForm) {
  const std::string absent = path("absent.png");

  const auto got = run_program({"classify", "lenet5", absent, digit(1), "--json", "--top", "1"});

  EXPECT_EQ(got.code, 1);
  const auto lines = lines_of(got.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(std::regex_match(
      lines[0],
      std::regex(R"(\{"image":"[^"]*absent\.png","error":\{"code":"image/not-found",)"
                 R"("message":"[^"]*absent\.png[^"]*"\}\})")))
      << lines[0];
  EXPECT_EQ(rows_of(got.out)[1]["predictions"][0]["index"], 1);
}

TEST_F(CliClassify, EqualProbabilitiesComeWithTheLowerIndexFirst) {
  const auto got = run_program(
      {"classify", "lenet5", digit(4), "--json", "--top", "10", "--weights", weights_of(0)});

  const auto rows = rows_of(got.out);
  ASSERT_EQ(rows.size(), 1U) << got.err;
  const auto& predictions = rows[0]["predictions"];
  ASSERT_EQ(predictions.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(predictions[i]["index"], i);
    EXPECT_EQ(predictions[i]["probability"], 0.1);
  }
  EXPECT_FALSE(rows[0].contains("nonfinite"));
}

TEST_F(CliClassify, SaysThatTheNetworkAnsweredWithNaN) {
  const auto got = run_program({"classify",
                                "lenet5",
                                digit(4),
                                "--json",
                                "--weights",
                                weights_of(std::numeric_limits<float>::quiet_NaN())});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_TRUE(got.out.ends_with(R"(],"nonfinite":true})"
                                "\n"))
      << got.out;
  EXPECT_EQ(rows_of(got.out).size(), 1U);
}

TEST_F(CliClassify, TopIsOneToTheNumberOfClasses) {
  for (const auto& [top, code] : {std::pair("1", 0), {"10", 0}, {"0", 2}, {"11", 2}, {"-1", 2}}) {
    const auto got = run_program({"classify", "lenet5", digit(4), "--json", "--top", top});

    EXPECT_EQ(got.code, code) << top << got.err;
    const auto rows = rows_of(got.out);
    ASSERT_EQ(rows.size(), code == 0 ? 1U : 0U);
    for (const auto& row : rows) EXPECT_EQ(row["predictions"].size(), std::stoul(top));
  }
}

TEST_F(CliClassify, TheTextFormNamesThePictureThenItsLabels) {
  const auto got = run_program({"classify", "lenet5", "3.png", "no.png", "--top", "2"},
                               {.folder = test::kDigits});

  EXPECT_EQ(got.code, 1);
  const auto lines = lines_of(got.out);
  ASSERT_EQ(lines.size(), 5U) << got.out;
  EXPECT_EQ(lines[0], "3.png");
  EXPECT_TRUE(std::regex_match(lines[1], std::regex(" *99\\.[0-9]{2} %  3"))) << lines[1];
  EXPECT_TRUE(std::regex_match(lines[2], std::regex(" *0\\.[0-9]{2} %  [0-9]"))) << lines[2];
  EXPECT_EQ(lines[3], "no.png");
  EXPECT_EQ(lines[4], "  error image/not-found: there is no file no.png");
}

TEST_F(CliClassify, WalksFoldersRecursivelyAndSorted) {
  const std::vector<std::string> pictures{"in/a.PNG", "in/b/z.jpeg", "in/b/c/y.png", "in/x.webp"};
  for (const std::string& name : pictures) (void)copy(digit(1), name);
  (void)copy(digit(1), "in/notes.txt");
  (void)copy(digit(1), "in/.hidden/w.png");
  std::filesystem::create_directory(path("in/folder.jpg"));
  std::filesystem::create_directory_symlink(path("in"), path("in/circle"));
  std::filesystem::create_symlink(digit(2), path("in/link.png"));
  std::filesystem::create_symlink("nowhere", path("in/gone.png"));

  const auto got =
      run_program({"classify", "lenet5", "x.png", "in", "--json"}, {.folder = folder_.path()});

  EXPECT_EQ(got.code, 1) << "x.png is not there, and in/gone.png leads nowhere";
  EXPECT_EQ(test::members(rows_of(got.out), "image"),
            (Paths{"x.png",
                   "in/.hidden/w.png",
                   "in/a.PNG",
                   "in/b/c/y.png",
                   "in/b/z.jpeg",
                   "in/gone.png",
                   "in/link.png",
                   "in/x.webp"}));
}

TEST_F(CliClassify, AFolderWithoutPicturesIsAnErrorRow) {
  std::filesystem::create_directory(path("empty"));

  const auto got = run_program({"classify", "lenet5", path("empty"), digit(2), "--json"});

  EXPECT_EQ(got.code, 1);
  const auto rows = rows_of(got.out);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["error"]["code"], "image/unreadable");
  EXPECT_EQ(rows[0]["error"]["message"],
            "there is no picture in '" + path("empty") + "', or the folder cannot be read");
  EXPECT_TRUE(rows[1].contains("predictions"));
}

TEST_F(CliClassify, AFolderOnStandardInputIsOneOnTheCommandLine) {
  (void)copy(digit(2), "in/b.png");
  (void)copy(digit(1), "in/a.png");
  std::filesystem::create_directory(path("empty"));

  const auto got = run_program({"classify", "lenet5", "-", "in/b.png", "--json"},
                               {.input = "in\nempty\n-\nin/a.png\n", .folder = folder_.path()});

  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(test::members(rows_of(got.out), "image"),
            (Paths{"in/a.png", "in/b.png", "empty", "-", "in/a.png", "in/b.png"}));
}

TEST_F(CliClassify, ReadsPathsFromStandardInputWhereTheDashStands) {
  const auto got = run_program({"classify", "lenet5", "0.png", "-", "9.png", "--json"},
                               {.input = "3.png\r\n\n1.png\n./2.png", .folder = test::kDigits});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(test::members(rows_of(got.out), "image"),
            (Paths{"0.png", "3.png", "1.png", "./2.png", "9.png"}));
}

TEST_F(CliClassify, NoPathsOnStandardInputAreNoRows) {
  const auto got = run_program({"classify", "lenet5", "-", "--json"}, {.input = "\n\n"});

  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(got.err, "fovea: note: no path was given on standard input\n");
}

TEST_F(CliClassify, RefusesAPictureOnStandardInput) {
  const std::string png = read_text_file(digit(3));
  for (const std::string& input : {png, std::string(70'000, 'x')}) {
    const auto got = run_program({"classify", "lenet5", "-", "--json"}, {.input = input});

    EXPECT_EQ(got.code, 2);
    EXPECT_NE(test::unwrapped(got.err).find("one path a line"), std::string::npos) << got.err;
  }
}

TEST_F(CliClassify, TakesAnyFileName) {
  const std::string utf8 =
      "gr\xC3\xB6\xC3\x9F"
      "e \xE6\xA8\xAA.png";
  const Paths names{"two words.png",
                    "a\nb.png",
                    "tab\t\"quote\".png",
                    "$HOME;`x`.png",
                    utf8,
                    "-dash.png",
                    "no utf-8 \xFF\xC3.png",
                    "\x1B[31mred.png"};
  std::vector<std::string> arguments{"classify", "lenet5", "--json", "--top", "1", "--"};
  for (const std::string& name : names) {
    (void)copy(digit(3), name);
    arguments.push_back(name);
  }

  const auto got = run_program(arguments, {.folder = folder_.path()});

  EXPECT_EQ(got.code, 0) << got.err;
  Paths want = names;
  want[6] = "no utf-8 \xEF\xBF\xBD\xEF\xBF\xBD.png";
  EXPECT_EQ(test::members(rows_of(got.out), "image"), want);

  arguments[2] = "--threads=1";
  const auto text = run_program(arguments, {.folder = folder_.path()});
  EXPECT_EQ(lines_of(text.out).size(), 2 * names.size()) << "a name broke a line";
  EXPECT_EQ(text.out.find('\x1B'), std::string::npos) << "a name steers the terminal";
  EXPECT_NE(text.out.find(utf8), std::string::npos);
}

TEST_F(CliClassify, GivesTheSameRowsForAnyThreadsAndBatch) {
  const std::string folder = test::kDigits.string();
  const auto want = run_program({"classify", "lenet5", folder, "--json", "--threads", "1"});
  for (const char* threads : {"1", "2", "3"}) {
    for (const char* batch : {"1", "4", "32"}) {
      const auto got = run_program(
          {"classify", "lenet5", folder, "--json", "--threads", threads, "--batch", batch});

      EXPECT_EQ(got.out, want.out) << threads << " threads, batch " << batch;
    }
  }
  EXPECT_EQ(rows_of(want.out).size(), 10U);
}

}  // namespace
}  // namespace fovea
