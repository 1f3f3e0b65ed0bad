#include "pipeline/latents_writer.hpp"

#include "models/checkpoint/avatar_lists.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <set>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

class LatentsFile : public ::testing::Test {
protected:
  file_sum write(int64_t frames) {
    auto writer = latents_writer{path()};
    for (auto i = int64_t{0}; i < frames; ++i)
      writer.append(test::make_latent(i));
    return writer.finish();
  }

  std::filesystem::path path() const { return folder_.path() / "latents.pt"; }

  test::temporary_folder folder_;
};

} // namespace

TEST_F(LatentsFile, IsAPalindromeOfWhatWasWritten) {
  write(5);
  auto read = models::read_latent_list(path());
  EXPECT_EQ(read.location, "cuda:0");
  ASSERT_EQ(read.items.size(), 10u);
  for (auto i = size_t{0}; i < 10; ++i)
    EXPECT_EQ(read.items[i].half_bits,
              *test::make_latent(static_cast<int64_t>(i < 5 ? i : 9 - i)).half_bits)
        << i;
}

TEST_F(LatentsFile, StoresTheMirroredHalfOnce) {
  auto sum = write(300);
  EXPECT_LT(sum.bytes, 300u * (16384 + 300));
  auto read = models::checkpoint::open(path());
  auto storages = std::set<size_t>{};
  for (const auto& x : read.tensors())
    storages.insert(x.storage);
  EXPECT_EQ(read.tensors().size(), 600u);
  EXPECT_EQ(storages.size(), 300u);
}

TEST_F(LatentsFile, PutsValuesAtMultiplesOf64Bytes) {
  write(12);
  auto text = read_file(path(), 1 << 20);
  for (auto i = 0; i < 12; ++i) {
    auto values = *test::make_latent(i).half_bits;
    auto at = text.find(std::string_view{reinterpret_cast<const char*>(values.data()), 64});
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(at % 64, 0u) << i;
  }
}

TEST_F(LatentsFile, IsSummedOnTheWay) {
  auto sum = write(3);
  EXPECT_EQ(sum.bytes, std::filesystem::file_size(path()));
  EXPECT_EQ(sum.sha256, sha256_of_file(path()));
}

TEST_F(LatentsFile, RefusesALatentOfAnotherSize) {
  auto writer = latents_writer{path()};
  test::detail_of(errc::internal, [&] { writer.append({}); });
  auto half = std::make_shared<const std::vector<uint16_t>>(4 * 32 * 32);
  test::detail_of(errc::internal, [&] { writer.append({half}); });
}
