//===- CacheTest.cpp - Compiled programs on disk --------------------------===//
//
// An entry comes back as it was stored while its files are as they were, and
// nothing that is damaged, stale or somebody else's comes back at all.
//
//===----------------------------------------------------------------------===//

#include "compiler/Cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/time.h>

using namespace updraft;
namespace fs = std::filesystem;

namespace {

class CacheFolder : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-cache-XXXXXX";
    base = mkdtemp(pattern);
    folder = base + "/deep/cache";
    rule = base + "/rule.upd";
    write(rule, "rule r {}");
    age(rule);
  }
  void TearDown() override { fs::remove_all(base); }

  void write(const std::string &path, const std::string &text) {
    std::ofstream(path) << text;
  }
  /// Makes a file an hour old.
  void age(const std::string &path) {
    fs::last_write_time(path,
                        fs::last_write_time(path) - std::chrono::hours(1));
  }
  int64_t now() {
    timeval time;
    gettimeofday(&time, nullptr);
    return int64_t(time.tv_sec) * 1000000000 + time.tv_usec * 1000;
  }
  void store() {
    Cache(folder).store(key, {{rule}, {base + "/other.upd", false}}, now(),
                        "the image");
  }
  std::string entry() {
    for (const auto &file : fs::directory_iterator(folder))
      return file.path();
    return {};
  }

  std::string base, folder, rule;
  Hash key = hashOf("key");
};

TEST_F(CacheFolder, GivesBackWhatWasStored) {
  EXPECT_FALSE(Cache(folder).find(key));
  store();
  EXPECT_EQ(Cache(folder).find(key), "the image");
  EXPECT_FALSE(Cache(folder).find(hashOf("another key")));
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
}

TEST_F(CacheFolder, MissesWhenAFileChanges) {
  store();
  write(rule, "rule r { }");
  EXPECT_FALSE(Cache(folder).find(key));
  write(rule, "rule r {}");
  EXPECT_TRUE(Cache(folder).find(key)) << "the content counts, not the time";
  fs::remove(rule);
  EXPECT_FALSE(Cache(folder).find(key));
}

TEST_F(CacheFolder, MissesWhenAFileAppearsThatWouldHaveBeenReadFirst) {
  store();
  write(base + "/other.upd", "");
  EXPECT_FALSE(Cache(folder).find(key));
}

TEST_F(CacheFolder, StoresNothingWhenAFileChangedMeanwhile) {
  int64_t before = now() - 1000000000;
  write(rule, "rule r {}");
  Cache(folder).store(key, {{rule}}, before, "the image");
  EXPECT_FALSE(Cache(folder).find(key));
}

TEST_F(CacheFolder, MissesWhenTheEntryIsDamaged) {
  store();
  std::string path = entry();
  auto size = fs::file_size(path);
  for (uintmax_t length : {uintmax_t(0), uintmax_t(10), size - 1}) {
    fs::resize_file(path, length);
    EXPECT_FALSE(Cache(folder).find(key)) << length << " bytes";
    fs::remove(path);
    store();
  }
  // A byte of the list of files, which begins after 40 bytes of head.
  std::fstream(path, std::ios::in | std::ios::out).seekp(45) << 'x';
  EXPECT_FALSE(Cache(folder).find(key));
}

TEST_F(CacheFolder, TrustsNoFolderThatOthersCanWrite) {
  store();
  chmod(folder.c_str(), 0777);
  EXPECT_FALSE(Cache(folder).find(key));
  chmod(folder.c_str(), 0700);
  EXPECT_TRUE(Cache(folder).find(key));
  fs::create_directory_symlink(folder, base + "/link");
  EXPECT_FALSE(Cache(base + "/link").find(key));
}

TEST_F(CacheFolder, DoesNothingWhereItCannotWrite) {
  write(base + "/file", "");
  Cache(base + "/file/cache").store(key, {}, now(), "the image");
  EXPECT_FALSE(Cache(base + "/file/cache").find(key));
  Cache("").store(key, {}, now(), "the image");
  EXPECT_FALSE(Cache("").find(key));
}

TEST_F(CacheFolder, LeavesNoTemporaryFile) {
  store();
  store();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

} // namespace
