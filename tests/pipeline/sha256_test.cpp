#include "pipeline/sha256.hpp"

#include "pipeline/file_ops.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

using namespace musetalk::pipeline;

TEST(Sha256, GivesTheStandardsAnswers) {
  EXPECT_EQ(sha256_of(bytes_of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of(bytes_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, DoesNotCareHowTheBytesCome) {
  auto text = std::string(100'000, 'a');
  auto sum = sha256{};
  for (auto from = size_t{0}; from < text.size(); from += 777)
    sum.update(bytes_of(std::string_view{text}.substr(from, 777)));
  EXPECT_EQ(sum.finish(), sha256_of(bytes_of(text)));
}

TEST(Sha256, ReadsAFile) {
  auto folder = musetalk::test::temporary_folder{};
  auto text = std::string(1'000'000, 'a');
  write_file(folder.path() / "f", bytes_of(text));
  EXPECT_EQ(sha256_of_file(folder.path() / "f"),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
