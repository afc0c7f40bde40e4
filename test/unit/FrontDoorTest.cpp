//===- FrontDoorTest.cpp - Compiling at run time --------------------------===//
//
// The C interface: what comes out, what is counted, what a hit of the cache
// loads, and what is said about bad input.
//
//===----------------------------------------------------------------------===//

#include "compiler/updraftc.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

const char kRule[] = "rule plain {\n"
                     "  rate lr = 0.1 in [0, inf)\n"
                     "  p' = p - lr*g\n"
                     "}\n";

class FrontDoor : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-door-XXXXXX";
    base = mkdtemp(pattern);
    cache = base + "/cache";
    options.struct_bytes = sizeof(options);
    options.param = UPDRAFT_F32;
    options.cache_folder = cache.c_str();
  }
  void TearDown() override { fs::remove_all(base); }

  updraft_status compile(const char *source) {
    updraft_loaded_program *program = nullptr;
    updraft_status status =
        updraft_compile_source(source, "plain.upd", &options, &program);
    if (status == UPDRAFT_OK)
      updraft_program_release(program);
    return status;
  }

  std::string base, cache;
  updraft_compile_options options = {};
};

bool hasLoaded(const char *library) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line))
    if (line.find(library) != std::string::npos)
      return true;
  return false;
}

// A child fills the cache; then this process, which has compiled nothing yet,
// takes the program from it. (The first test of the file, for that reason.)
TEST_F(FrontDoor, HitLoadsNeitherCompilerNorLlvm) {
  if (hasLoaded("libLLVM"))
    GTEST_SKIP() << "another test of this process has compiled";
  pid_t child = fork();
  if (child == 0)
    _exit(compile(kRule));
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  auto before = updraft_get_compile_counts();
  ASSERT_EQ(compile(kRule), UPDRAFT_OK) << updraft_last_error();
  auto after = updraft_get_compile_counts();
  EXPECT_EQ(after.cached, before.cached + 1);
  EXPECT_EQ(after.compiled, before.compiled);
  EXPECT_FALSE(hasLoaded("libupdraft_compiler"));
  EXPECT_FALSE(hasLoaded("libLLVM"));
}

TEST_F(FrontDoor, DescribesWhatItCompiled) {
  updraft_loaded_program *loaded = nullptr;
  ASSERT_EQ(updraft_compile_source(kRule, "plain.upd", &options, &loaded),
            UPDRAFT_OK)
      << updraft_last_error();
  const updraft_program *program = updraft_program_descriptor(loaded);
  auto at = [&](updraft_rel rel) {
    return reinterpret_cast<const char *>(program) + rel;
  };
  EXPECT_STREQ(at(program->name), "plain");
  ASSERT_EQ(program->hypers.count, 1u);
  auto *hyper = reinterpret_cast<const updraft_hyper *>(at(program->hypers.at));
  EXPECT_STREQ(at(hyper->name), "lr");
  EXPECT_EQ(hyper->initial, 0.1);
  EXPECT_EQ(hyper->low, 0);
  EXPECT_TRUE(hyper->flags & UPDRAFT_HYPER_RATE);
  updraft_program_release(loaded);
}

TEST_F(FrontDoor, DamagedEntryIsCompiledAgain) {
  ASSERT_EQ(compile(kRule), UPDRAFT_OK) << updraft_last_error();
  for (const auto &entry : fs::directory_iterator(cache)) {
    // The last byte of the image.
    std::fstream file(entry.path(), std::ios::in | std::ios::out);
    file.seekp(-1, std::ios::end) << 'x';
  }
  auto before = updraft_get_compile_counts();
  ASSERT_EQ(compile(kRule), UPDRAFT_OK) << updraft_last_error();
  auto after = updraft_get_compile_counts();
  EXPECT_EQ(after.compiled, before.compiled + 1);
  ASSERT_EQ(compile(kRule), UPDRAFT_OK);
  EXPECT_EQ(updraft_get_compile_counts().cached, after.cached + 1);
}

TEST_F(FrontDoor, EveryOptionIsPartOfTheKey) {
  ASSERT_EQ(compile(kRule), UPDRAFT_OK) << updraft_last_error();
  auto before = updraft_get_compile_counts();
  options.param = UPDRAFT_F64;
  ASSERT_EQ(compile(kRule), UPDRAFT_OK) << updraft_last_error();
  EXPECT_EQ(updraft_get_compile_counts().compiled, before.compiled + 1);
}

TEST_F(FrontDoor, EditedFileIsPickedUp) {
  std::string path = base + "/my.upd";
  auto compileFile = [&] {
    updraft_loaded_program *program = nullptr;
    updraft_status status =
        updraft_compile_file(path.c_str(), &options, &program);
    if (status == UPDRAFT_OK)
      updraft_program_release(program);
    return status;
  };
  auto write = [&](std::string text) {
    std::ofstream(path) << text;
    fs::last_write_time(path,
                        fs::last_write_time(path) - std::chrono::seconds(9));
  };
  EXPECT_EQ(compileFile(), UPDRAFT_COMPILE_ERROR);
  write(kRule);
  ASSERT_EQ(compileFile(), UPDRAFT_OK) << updraft_last_error();
  auto first = updraft_get_compile_counts();
  ASSERT_EQ(compileFile(), UPDRAFT_OK);
  EXPECT_EQ(updraft_get_compile_counts().cached, first.cached + 1);
  write(std::string("# edited\n") + kRule);
  ASSERT_EQ(compileFile(), UPDRAFT_OK);
  EXPECT_EQ(updraft_get_compile_counts().compiled, first.compiled + 1);
}

TEST_F(FrontDoor, SaysWhatIsWrong) {
  EXPECT_EQ(compile("rule r { p' = q }"), UPDRAFT_COMPILE_ERROR);
  EXPECT_NE(std::string(updraft_last_error()).find("'q'"), std::string::npos);
  options.target = "sparc";
  EXPECT_EQ(compile(kRule), UPDRAFT_UNSUPPORTED);
  EXPECT_NE(std::string(updraft_last_error()).find("'sparc'"),
            std::string::npos);
  options.target = nullptr;
  EXPECT_EQ(updraft_compile(nullptr, &options, nullptr),
            UPDRAFT_INVALID_ARGUMENT);
  updraft_loaded_program *program = nullptr;
  EXPECT_EQ(updraft_compile(nullptr, &options, &program),
            UPDRAFT_INVALID_ARGUMENT);
  EXPECT_STREQ(updraft_last_error(), "pipe is null");
  options.param = 77;
  EXPECT_EQ(compile(kRule), UPDRAFT_INVALID_ARGUMENT);
  options.param = UPDRAFT_F32;
  options.struct_bytes = 1;
  EXPECT_EQ(compile(kRule), UPDRAFT_INVALID_ARGUMENT);
}

// An older version's options are shorter, a newer one's longer.
TEST_F(FrontDoor, VersionsOfOptions) {
  struct {
    updraft_compile_options known;
    uint64_t unknown;
  } newer = {options, 0};
  newer.known.struct_bytes = sizeof(newer);
  auto compileNewer = [&] {
    updraft_loaded_program *program = nullptr;
    updraft_status status =
        updraft_compile_source(kRule, nullptr, &newer.known, &program);
    if (status == UPDRAFT_OK)
      updraft_program_release(program);
    return status;
  };
  EXPECT_EQ(compileNewer(), UPDRAFT_OK);
  newer.unknown = 1;
  EXPECT_EQ(compileNewer(), UPDRAFT_INVALID_ARGUMENT);
  EXPECT_NE(std::string(updraft_last_error()).find("for a newer version"),
            std::string::npos);
  // What a shorter one lacks is not read: here a target that there is not.
  newer.known.target = "sparc";
  newer.known.struct_bytes = offsetof(updraft_compile_options, cache_folder);
  EXPECT_EQ(compileNewer(), UPDRAFT_UNSUPPORTED);
  setenv("XDG_CACHE_HOME", base.c_str(), 1);
  newer.known.struct_bytes = offsetof(updraft_compile_options, target);
  EXPECT_EQ(compileNewer(), UPDRAFT_OK);
  unsetenv("XDG_CACHE_HOME");
}

// Of a program that the cache gave, in its dtype.
TEST_F(FrontDoor, ExplainsAProgram) {
  updraft_loaded_program *program = nullptr;
  options.param = UPDRAFT_BF16;
  ASSERT_EQ(updraft_compile_source(kRule, "plain.upd", &options, &program),
            UPDRAFT_OK);
  std::string text;
  auto take = [](void *context, const char *said) {
    *static_cast<std::string *>(context) = said;
  };
  EXPECT_EQ(updraft_explain(program, take, &text), UPDRAFT_OK);
  EXPECT_EQ(text.find("plain (bf16): 1 pass, 6 bytes per parameter"), 0u);
  EXPECT_EQ(updraft_explain(nullptr, take, &text), UPDRAFT_INVALID_ARGUMENT);
  EXPECT_EQ(updraft_explain(program, nullptr, nullptr),
            UPDRAFT_INVALID_ARGUMENT);
  updraft_program_release(program);
}

} // namespace
