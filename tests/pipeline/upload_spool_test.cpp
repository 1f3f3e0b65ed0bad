#include "pipeline/upload_spool.hpp"

#include "pipeline/file_ops.hpp"
#include "pipeline/sha256.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <random>

using namespace musetalk;
using namespace musetalk::pipeline;
namespace fs = std::filesystem;

namespace {

std::string some_bytes(size_t count) {
  auto engine = std::mt19937{7};
  auto text = std::string(count, '\0');
  for (auto& c : text)
    c = static_cast<char>(engine());
  return text;
}

class UploadSpool : public ::testing::Test {
protected:
  fs::path upload() const { return root_.path() / "up1"; }

  test::temporary_folder root_;
};

} // namespace

TEST_F(UploadSpool, KeepsTheBytesAndTheirSum) {
  auto text = some_bytes(3'000'017);
  auto result = spooled_file{};
  {
    auto spool = upload_spool{upload(), "up1", text.size()};
    // pieces smaller and larger than any buffer
    auto rest = std::string_view{text};
    for (auto size = size_t{1}; !rest.empty(); size = size * 3 + 1) {
      auto count = std::min(size, rest.size());
      spool.write(bytes_of(rest.substr(0, count)));
      rest.remove_prefix(count);
    }
    result = spool.finish();
    spool.keep();
  }
  EXPECT_EQ(result.upload_id, "up1");
  EXPECT_EQ(result.path, upload() / "source");
  EXPECT_EQ(result.bytes, text.size());
  EXPECT_EQ(result.sha256, sha256_of(bytes_of(text)));
  EXPECT_EQ(read_file(result.path, text.size()), text);
}

TEST_F(UploadSpool, RemovesItsFolderUnlessKept) {
  {
    auto spool = upload_spool{upload(), "up1", 100};
    spool.write(bytes_of("abc"));
    spool.finish();
    EXPECT_TRUE(fs::exists(upload() / "source"));
  }
  EXPECT_FALSE(fs::exists(upload()));
}

TEST_F(UploadSpool, TakesExactlyItsLimit) {
  auto spool = upload_spool{upload(), "up1", 10};
  spool.write(bytes_of("0123456789"));
  auto detail = test::detail_of(errc::request_too_large, [&] { spool.write(bytes_of("x")); });
  EXPECT_NE(detail.find("10 bytes"), std::string::npos) << detail;
  EXPECT_EQ(spool.finish().bytes, 10u);
}

TEST_F(UploadSpool, RefusesAnEmptyVideo) {
  auto spool = upload_spool{upload(), "up1", 10};
  spool.write({});
  auto detail = test::detail_of(errc::video_empty, [&] { spool.finish(); });
  EXPECT_NE(detail.find("0 bytes"), std::string::npos) << detail;
}

TEST_F(UploadSpool, NeverWritesIntoAnotherUpload) {
  auto first = upload_spool{upload(), "up1", 10};
  first.write(bytes_of("abc"));
  test::detail_of(errc::storage_failed, [&] { upload_spool{upload(), "up1", 10}; });
  EXPECT_TRUE(fs::exists(upload() / "source"));
}

TEST_F(UploadSpool, TellsThatTheUploadsFolderIsGone) {
  test::detail_of(errc::storage_failed, [&] {
    upload_spool{root_.path() / "none" / "up1", "up1", 10};
  });
}
