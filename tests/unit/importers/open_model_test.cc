// The import process and its cache, with shell scripts in the place of fovea-import.
#include "engine/importers/open_model.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/digest.h"
#include "engine/core/file.h"
#include "engine/core/file_lock.h"
#include "engine/importers/importer_version.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class OpenModelTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(home());
    ::setenv("FOVEA_HOME", home().c_str(), 1);
    ::setenv("FOVEA_IMPORT_HELPER", helper().c_str(), 1);
    write_file_atomic(model(), std::string_view("the content of a foreign file"));
    make_package(prepared(), sha256_of_file(model()), kImporterVersion);
    set_helper("cp -r " + prepared().native() + " \"$4\"");
    options_.warn = [this](const std::string& message) { warnings_.push_back(message); };
  }

  /// What the helper is to make of the file.
  static void make_package(const fs::path& path, const std::string& sha256, std::int64_t importer) {
    Package package;
    const Value x = package.graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
    const Value w = package.graph.add(
        Constant{{DType::kFloat32, {2}}, Buffer::from(std::vector<std::byte>(8))}, {}, "w");
    package.graph.mark_output(package.graph.add(Add{}, {x, w}, "y"));
    package.manifest.name = "model";
    package.manifest.source = {.file = "model.onnx", .sha256 = sha256, .importer = importer};
    package.manifest.input = "x";
    package.manifest.outputs = {{"y", OutputKind::kOther}};
    fs::remove_all(path);
    save_package(path, package);
  }

  /// A helper that counts its runs, then does what `script` says.
  void set_helper(const std::string& script) const {
    std::ofstream(helper()) << "#!/bin/sh\necho run >> " << runs_file().native() << "\n"
                            << script << "\n";
    ::chmod(helper().c_str(), 0755);
  }

  [[nodiscard]] std::int64_t runs() const {
    std::ifstream file(runs_file());
    return std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
  }

  [[nodiscard]] Package open() const { return open_model_file(model(), options_); }

  /// Expects the import to end so, and to leave nothing in the cache.
  void expect_import_error(ErrorCode code, const std::string& part) const {
    expect_error(code, part, [&] { (void)open(); });
    expect_error(code, "model.onnx", [&] { (void)open(); });
    EXPECT_TRUE(fs::is_empty(home() / "packages"));
  }

  [[nodiscard]] fs::path entry() const {
    return home() / "packages" / (sha256_of_file(model()) + "-" + std::to_string(kImporterVersion));
  }

  [[nodiscard]] fs::path home() const { return folder_.path() / "home"; }

  [[nodiscard]] fs::path helper() const { return folder_.path() / "helper.sh"; }

  [[nodiscard]] fs::path model() const { return folder_.path() / "model.onnx"; }

  [[nodiscard]] fs::path prepared() const { return folder_.path() / "prepared"; }

  [[nodiscard]] fs::path runs_file() const { return folder_.path() / "runs"; }

  TemporaryFolder folder_{fs::temp_directory_path()};
  ImportOptions options_;
  std::vector<std::string> warnings_;
};

TEST_F(OpenModelTest, ImportsOnceAndThenReadsTheCache) {
  const Package first = open();
  const Package second = open();

  EXPECT_EQ(first.graph.size(), 3);
  EXPECT_EQ(second.graph.size(), 3);
  EXPECT_EQ(runs(), 1);
  EXPECT_TRUE(warnings_.empty());
  const auto entries = std::distance(fs::directory_iterator(home() / "packages"), {});
  EXPECT_EQ(entries, 1) << "a temporary folder or a lock was left behind";
}

TEST_F(OpenModelTest, KnowsAFileByItsContentAndCallsItByItsName) {
  const Package first = open();
  fs::rename(model(), folder_.path() / "renamed.net");

  const Package renamed = open_model_file(folder_.path() / "renamed.net", options_);

  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(first.manifest.name, "model");
  EXPECT_EQ(first.manifest.source->file, "model.onnx");
  EXPECT_EQ(renamed.manifest.name, "renamed");
  EXPECT_EQ(renamed.manifest.source->file, "renamed.net");
}

TEST_F(OpenModelTest, CallsAFileByItsNameWhateverTheHelperSays) {
  fs::rename(model(), folder_.path() / "other.net");

  const Package package = open_model_file(folder_.path() / "other.net", options_);

  EXPECT_EQ(package.manifest.name, "other");
  EXPECT_EQ(package.manifest.source->file, "other.net");
}

TEST_F(OpenModelTest, NoticesEveryKindOfDamageAndImportsAgain) {
  for (const char* name : {"manifest.json", "graph.json", "weights.safetensors", "manifest.xxh3"}) {
    (void)open();
    warnings_.clear();
    const auto runs_before = runs();
    std::string content = read_text_file(entry() / name);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
    std::ofstream(entry() / name, std::ios::binary) << content;

    EXPECT_EQ(open().graph.size(), 3) << name;

    EXPECT_EQ(runs(), runs_before + 1) << name;
    ASSERT_EQ(warnings_.size(), 1U) << name;
    EXPECT_NE(warnings_[0].find("damaged"), std::string::npos) << warnings_[0];
    (void)open();
    EXPECT_EQ(runs(), runs_before + 1) << "the repaired entry of " << name << " is not used";
  }
}

TEST_F(OpenModelTest, NoticesAFileThatIsGoneFromTheCache) {
  for (const char* name : {"manifest.json", "graph.json", "weights.safetensors", "manifest.xxh3"}) {
    (void)open();
    warnings_.clear();
    fs::remove(entry() / name);

    EXPECT_EQ(open().graph.size(), 3) << name;
    EXPECT_EQ(warnings_.size(), 1U) << name;
  }
}

TEST_F(OpenModelTest, WorksWithoutACache) {
  // A file where the folder should be: not even root can write there.
  write_file_atomic(folder_.path() / "file", std::string_view("x"));
  ::setenv("FOVEA_HOME", (folder_.path() / "file").c_str(), 1);

  EXPECT_EQ(open().graph.size(), 3);
  const Package package = open();

  EXPECT_EQ(runs(), 2);
  const auto* w = package.graph.node(package.graph.find("w")).as<Constant>();
  EXPECT_EQ(w->data->read().data()[7], std::byte{0}) << "the weights outlive the temporary folder";
}

TEST_F(OpenModelTest, WorksWithAFullCache) {
  set_helper("case \"$4\" in " + home().native() +
             "*) echo '{\"code\":\"io/no-space\",\"message\":\"full\"}'; exit 1;; esac\ncp -r " +
             prepared().native() + " \"$4\"");

  EXPECT_EQ(open().graph.size(), 3);
  EXPECT_EQ(runs(), 2);
}

TEST_F(OpenModelTest, RemovesWhatKilledProcessesLeftLongAgo) {
  const fs::path old = home() / "packages" / ".new-old";
  const fs::path young = home() / "packages" / ".new-young";
  const fs::path old_lock = home() / "packages" / ".lock-old";
  const fs::path young_lock = home() / "packages" / ".lock-young";
  const fs::path held_lock = home() / "packages" / ".lock-held";
  for (const fs::path& folder : {old, young}) fs::create_directories(folder / "package");
  for (const fs::path& file : {old_lock, young_lock}) std::ofstream{file};
  const FileLock held(held_lock, std::chrono::seconds(1));
  for (const fs::path& path : {old, old_lock, held_lock}) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }

  (void)open();

  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(old_lock));
  EXPECT_TRUE(fs::exists(young)) << "another process may be working in it";
  EXPECT_TRUE(fs::exists(young_lock)) << "another process may be about to lock it";
  EXPECT_TRUE(fs::exists(held_lock));
}

TEST_F(OpenModelTest, WarnsOnceOfAnEntryThatItCannotRead) {
  (void)open();
  const bool is_root = ::geteuid() == 0;
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(home() / "packages", fs::perms::all);
  fs::permissions(entry(), is_root ? fs::perms::owner_all : fs::perms::none);
  if (is_root) fs::permissions(runs_file(), fs::perms::all);
  constexpr uid_t kNobody = 65'534;
  if (is_root && ::setresuid(kNobody, kNobody, 0) != 0) GTEST_SKIP() << "root reads everything";

  const std::string error = test::error_of([&] { EXPECT_EQ(open().graph.size(), 3); });

  if (is_root && ::setresuid(0, 0, 0) != 0) std::abort();
  fs::permissions(entry(), fs::perms::owner_all);
  EXPECT_EQ(error, "");
  EXPECT_EQ(runs(), 2);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("model.onnx cannot be read"), std::string::npos) << warnings_[0];
}

TEST_F(OpenModelTest, SaysThatThereIsNoFolderForTemporaryFiles) {
  write_file_atomic(folder_.path() / "file", std::string_view("x"));
  ::setenv("FOVEA_HOME", (folder_.path() / "file").c_str(), 1);
  const char* const old = ::getenv("TMPDIR");
  const std::string old_folder = old == nullptr ? "" : old;
  ::setenv("TMPDIR", "/nonexistent", 1);

  expect_error(ErrorCode::kIoWrite, "TMPDIR", [&] { (void)open(); });
  expect_error(ErrorCode::kIoWrite, "model.onnx", [&] { (void)open(); });

  old == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", old_folder.c_str(), 1);
}

TEST_F(OpenModelTest, NamesACrash) {
  set_helper("kill -SEGV $$");
  expect_import_error(ErrorCode::kModelImporterCrashed, "signal SEGV");

  set_helper("yes 0123456789 | head -c 3000 >&2; echo last words >&2; kill -ABRT $$");
  expect_import_error(ErrorCode::kModelImporterCrashed, "last words");

  set_helper("exit 9");
  expect_import_error(ErrorCode::kModelImporterCrashed, "status 9");

  set_helper("echo 'not a report'; exit 1");
  expect_import_error(ErrorCode::kModelImporterCrashed, "status 1");

  set_helper("exit 0");
  expect_import_error(ErrorCode::kModelImporterCrashed, "made no package");
}

TEST_F(OpenModelTest, NamesALimit) {
  set_helper("kill -XCPU $$");
  expect_import_error(ErrorCode::kModelLimit, "processor time");

  set_helper("sleep 60");
  options_.time_limit = std::chrono::milliseconds(200);
  expect_import_error(ErrorCode::kModelLimit, "stopped after 200 ms");
}

TEST_F(OpenModelTest, PassesTheHelpersOwnErrorsOn) {
  set_helper(
      R"(echo '{"code":"model/unsupported-op","message":"model.onnx: no \u001b[31mLoop"}'; exit 1)");
  expect_import_error(ErrorCode::kModelUnsupportedOp, "model.onnx: no ?[31mLoop");

  set_helper(
      R"(echo '{"code":"model/limit","message":"model.onnx needs too much memory"}'; exit 1)");
  expect_import_error(ErrorCode::kModelLimit, "too much memory");

  // Codes that are not the helper's to give.
  for (const char* code : {"device/failed", "internal", "argument/invalid"}) {
    set_helper(std::string(R"(echo '{"code":")") + code +
               R"(","message":"a \u001b[31mmessage"}'; echo 'and' >&2; echo more >&2; exit 1)");
    expect_import_error(ErrorCode::kModelImporterCrashed, "status 1");
    expect_import_error(ErrorCode::kModelImporterCrashed, "reported: a ?[31mmessage");
    expect_import_error(ErrorCode::kModelImporterCrashed, "error ends in: and?more");
  }
}

TEST_F(OpenModelTest, TrustsNothingThatTheHelperMakes) {
  set_helper("cp -r " + prepared().native() + " \"$4\"; echo x >> \"$4/graph.json\"");
  expect_import_error(ErrorCode::kModelCorrupt, "made of it cannot be used: graph.json is damaged");

  make_package(prepared(), std::string(64, '0'), kImporterVersion);
  set_helper("cp -r " + prepared().native() + " \"$4\"");
  expect_import_error(ErrorCode::kIoRead, "changed while it was being imported");

  make_package(prepared(), sha256_of_file(model()), kImporterVersion + 1);
  expect_error(ErrorCode::kModelImporterCrashed, "same release", [&] { (void)open(); });
}

TEST_F(OpenModelTest, SaysThatTheHelperIsNotThere) {
  ::setenv("FOVEA_IMPORT_HELPER", "/nonexistent/fovea-import", 1);

  expect_error(ErrorCode::kIoRead, "cannot start /nonexistent/fovea-import", [&] { (void)open(); });
  expect_error(ErrorCode::kIoRead, "; FOVEA_IMPORT_HELPER names it", [&] { (void)open(); });
}

TEST_F(OpenModelTest, OpensPackages) {
  EXPECT_EQ(open_model_file(prepared(), options_).graph.size(), 3);
  EXPECT_EQ(open_model_file(prepared() / "manifest.json", options_).graph.size(), 3);
  EXPECT_EQ(runs(), 0);
}

TEST_F(OpenModelTest, RecognisesFormatsByTheirContent) {
  const auto refuse = [&](std::string_view content, const std::string& part) {
    write_file_atomic(model(), content);
    expect_error(ErrorCode::kModelUnsupportedFormat, part, [&] { (void)open(); });
    expect_error(ErrorCode::kModelUnsupportedFormat, "imports ONNX", [&] { (void)open(); });
  };

  refuse("PK\x03\x04 and more", "zip archive (Keras .keras");
  refuse(std::string_view("\x1c\0\0\0TFL3", 8), "TensorFlow Lite");
  refuse(std::string_view("\x40\0\0\0\0\0\0\0{\"a\":", 13), "safetensors");

  EXPECT_EQ(runs(), 0);
}

TEST_F(OpenModelTest, SaysThatAFileIsNotThere) {
  expect_error(ErrorCode::kModelNotFound, "absent.onnx", [&] {
    (void)open_model_file(folder_.path() / "absent.onnx", options_);
  });
  expect_error(
      ErrorCode::kModelNotFound, "manifest.json", [&] { (void)open_model_file(home(), options_); });
}

TEST_F(OpenModelTest, RefusesAFileThatIsTooLong) {
  std::ofstream(model()) << "x";
  fs::resize_file(model(), (std::uintmax_t{2} << 30) + 1);

  expect_error(ErrorCode::kModelLimit, "too long", [&] { (void)open(); });
}

TEST_F(OpenModelTest, SixteenProcessesShareOneImport) {
  set_helper("sleep 0.3; cp -r " + prepared().native() + " \"$4\"");

  std::vector<pid_t> children;
  for (int i = 0; i < 16; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        ::_exit(open().graph.size() == 3 ? 0 : 1);
      } catch (...) {
        ::_exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }

  EXPECT_EQ(runs(), 1);
}

TEST_F(OpenModelTest, ProcessesThatDamageAndRepairNeverDisturbEachOther) {
  (void)open();
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      options_.warn = [](const std::string&) {};
      int status = 0;
      for (int round = 0; round < 10 && status == 0; ++round) {
        std::error_code ignored;
        fs::remove(entry() / "graph.json", ignored);
        try {
          if (open().graph.size() != 3) status = 1;
        } catch (...) {
          status = 2;
        }
      }
      ::_exit(status);
    }
    children.push_back(child);
  }

  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace fovea
