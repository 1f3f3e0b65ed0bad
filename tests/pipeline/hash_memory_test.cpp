#include "pipeline/hash_memory.hpp"

#include "pipeline/file_ops.hpp"
#include "pipeline/sha256.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <sys/stat.h>

#include <fstream>
#include <vector>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

class HashMemory : public ::testing::Test {
protected:
  HashMemory() { put(file, "weights"); }

  static void put(const fs::path& path, const std::string& contents) {
    std::ofstream{path, std::ios::binary} << contents;
  }

  static std::string sum(const std::string& text) { return sha256_of(bytes_of(text)); }

  test::temporary_folder folder;
  fs::path file = folder.path() / "unet.pth";
  fs::path kept = folder.path() / "cache" / "musetalkd" / "hashes.json";
};

} // namespace

TEST_F(HashMemory, RemembersFromOneRunToTheNext) {
  EXPECT_FALSE(hash_memory{kept}.recall(file));
  EXPECT_EQ(hash_memory{kept}.sum_of(file), sum("weights"));
  EXPECT_EQ(hash_memory{kept}.recall(file), sum("weights"));
  auto reads = 0;
  hash_memory{kept}.sum_of(file, [&](uint64_t, uint64_t) { ++reads; });
  EXPECT_EQ(reads, 0);
}

TEST_F(HashMemory, KnowsAFileByItsLinkToo) {
  fs::create_symlink(file, folder.path() / "link");
  EXPECT_EQ(hash_memory{kept}.sum_of(folder.path() / "link"), sum("weights"));
  EXPECT_EQ(hash_memory{kept}.recall(file), sum("weights"));
}

TEST_F(HashMemory, ForgetsAFileThatHasChanged) {
  auto memory = hash_memory{kept};
  memory.sum_of(file);
  // Another file of the same size that looks of the same time.
  put(folder.path() / "other", "WEIGHTS");
  fs::last_write_time(folder.path() / "other", fs::last_write_time(file));
  fs::rename(folder.path() / "other", file);
  EXPECT_FALSE(memory.recall(file));
  EXPECT_EQ(memory.sum_of(file), sum("WEIGHTS"));
  fs::remove(file);
  EXPECT_FALSE(memory.recall(file));
}

TEST_F(HashMemory, TellsHowFarItIs) {
  fs::resize_file(file, 40 << 20);
  auto told = std::vector<uint64_t>{};
  hash_memory{kept}.sum_of(file, [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, 40u << 20);
    told.push_back(done >> 20);
  });
  EXPECT_EQ(told, (std::vector<uint64_t>{16, 32, 40}));
}

TEST_F(HashMemory, IgnoresWhatIsNotItsOwn) {
  hash_memory{kept}.sum_of(file);
  auto good = read_file(kept, 1 << 20);
  auto forged = good;
  forged.replace(forged.find(sum("weights")), 64, std::string(64, 'f'));
  // As it is, a sum of somebody's choice is believed: the file is this user's.
  put(kept, forged);
  EXPECT_EQ(hash_memory{kept}.recall(file), std::string(64, 'f'));
  // Not when others may write it, ...
  fs::permissions(kept, fs::perms::others_write, fs::perm_options::add);
  EXPECT_FALSE(hash_memory{kept}.recall(file));
  fs::permissions(kept, fs::perms::others_write, fs::perm_options::remove);
  // ... nor through a link, ...
  fs::rename(kept, folder.path() / "elsewhere");
  fs::create_symlink(folder.path() / "elsewhere", kept);
  EXPECT_FALSE(hash_memory{kept}.recall(file));
  fs::remove(kept);
  // ... nor anything else.
  auto deep = std::string(100'000, '[');
  auto upper = good;
  upper.replace(upper.find(sum("weights")), 64, std::string(64, 'F'));
  for (const auto& text :
       {std::string{}, std::string{"no json"}, std::string{"{}"}, deep, upper,
        std::string{R"({"format":"1","files":{}})"}, std::string{R"({"format":1,"files":[1]})"},
        good.substr(0, good.size() / 2), good + std::string(1 << 20, ' ')}) {
    put(kept, text);
    EXPECT_FALSE(hash_memory{kept}.recall(file)) << text.substr(0, 80);
  }
  // The next sum replaces it.
  EXPECT_EQ(hash_memory{kept}.sum_of(file), sum("weights"));
  EXPECT_EQ(read_file(kept, 1 << 20), good);
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(hash_memory{folder.path() / "pipe"}.recall(file));
}

TEST_F(HashMemory, StaysSmall) {
  auto memory = hash_memory{kept};
  for (auto i = 0; i < 80; ++i) {
    put(folder.path() / std::to_string(i), "x");
    memory.sum_of(folder.path() / std::to_string(i));
  }
  EXPECT_LT(fs::file_size(kept), 32'000u);
  EXPECT_TRUE(memory.recall(folder.path() / "79"));
  EXPECT_EQ(std::distance(fs::directory_iterator{kept.parent_path()}, {}), 1);
}

TEST_F(HashMemory, DoesWithoutAPlaceToRemember) {
  EXPECT_EQ(hash_memory{""}.sum_of(file), sum("weights"));
  EXPECT_EQ(hash_memory{"/proc/nowhere/hashes.json"}.sum_of(file), sum("weights"));
  test::detail_of(errc::storage_failed, [&] { hash_memory{kept}.sum_of(folder.path()); });
}
