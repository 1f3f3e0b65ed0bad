#include "pipeline/tar_reader.hpp"

#include "pipeline/tar_writer.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::HasSubstr;

namespace {

class TarReader : public ::testing::Test {
protected:
  std::map<std::string, tar_entry> read(const std::string& bytes, const tar_limits& limits = {}) {
    auto path = folder_.path() / ("archive" + std::to_string(++count_));
    write_file(path, bytes_of(bytes));
    auto open = open_for_reading(path);
    return read_tar_table(open, limits);
  }

  /// Why an archive is refused.
  std::string refusal(const std::string& bytes, const tar_limits& limits = {}) {
    return test::detail_of(errc::request_malformed, [&] { read(bytes, limits); });
  }

  static std::string padded(std::string text) {
    text.resize(text.size() + tar_padding(text.size()), '\0');
    return text;
  }

  static std::string plain(const std::string& path, const std::string& text) {
    return tar_file_header(path, text.size(), 0) + padded(text);
  }

  /// A header with some bytes changed, and a sum that fits again.
  static std::string changed(std::string head, size_t at, const std::string& bytes) {
    head.replace(at, bytes.size(), bytes);
    head.replace(148, 8, 8, ' ');
    auto sum = 0u;
    for (auto c : head.substr(0, 512))
      sum += static_cast<unsigned char>(c);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    head.replace(148, 7, text, 7);
    return head;
  }

  /// An entry of another type.
  static std::string typed(char type, const std::string& path, const std::string& text = "") {
    return changed(tar_file_header(path, text.size(), 0), 156, std::string(1, type)) + padded(text);
  }

  static std::string pax(const std::string& key, const std::string& value) {
    auto size = key.size() + value.size() + 3;
    auto digits = std::to_string(size + std::to_string(size).size()).size();
    return std::to_string(size + digits) + " " + key + "=" + value + "\n";
  }

  test::temporary_folder folder_;
  int count_ = 0;
};

} // namespace

TEST_F(TarReader, FindsFilesWithTheirPlaces) {
  auto files = read(plain("a/one", "12345") + plain("./two", "") + tar_end());
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("a/one").offset, 512u);
  EXPECT_EQ(files.at("a/one").bytes, 5u);
  EXPECT_EQ(files.at("two").bytes, 0u);
}

TEST_F(TarReader, SkipsFolders) {
  EXPECT_EQ(read(typed('5', "./") + typed('5', "a/") + plain("a/x", "1") + tar_end()).size(), 1u);
}

TEST_F(TarReader, TakesAHardLinkForASecondNameOfTheSameBytes) {
  auto files = read(plain("a", "123") + tar_link_header("b", "a", 0) + tar_end());
  EXPECT_EQ(files.at("b").offset, files.at("a").offset);
  EXPECT_EQ(files.at("b").bytes, 3u);
}

TEST_F(TarReader, RefusesAHardLinkToAnythingElse) {
  for (const auto* target : {"b", "missing", "../../etc/passwd", "/etc/passwd"})
    refusal(plain("a", "1") + tar_link_header("b", target, 0) + tar_end());
}

TEST_F(TarReader, ReadsTheNamesAndSizesOfOtherPrograms) {
  auto longer = std::string(90, 'x') + "/" + std::string(90, 'y');
  auto by_pax = typed('x', "p", pax("mtime", "1.5") + pax("path", longer)) + plain("cut", "12");
  EXPECT_EQ(read(by_pax + tar_end()).at(longer).bytes, 2u);
  auto by_gnu = typed('L', "././@LongLink", longer + '\0') + plain("cut", "123");
  EXPECT_EQ(read(by_gnu + tar_end()).at(longer).bytes, 3u);
  auto by_prefix = changed(tar_file_header("y", 1, 0), 345, "x/z") + padded("1");
  EXPECT_EQ(read(by_prefix + tar_end()).count("x/z/y"), 1u);
  // What holds for all entries says nothing of one of them.
  EXPECT_EQ(read(typed('g', "g", pax("path", "other")) + plain("a", "1") + tar_end()).count("a"),
            1u);
}

TEST_F(TarReader, RefusesPathsThatLeaveTheFolder) {
  for (const auto* path :
       {"../x", "a/../../x", "/etc/passwd", "a//x", "a/./x", "a/..", "..", "a\\..\\x", "a\nb"})
    EXPECT_THAT(refusal(plain(path, "1") + tar_end()), HasSubstr("path")) << path;
  refusal(typed('x', "p", pax("path", "../x")) + plain("a", "1") + tar_end());
  refusal(typed('L', "l", "/etc/passwd") + plain("a", "1") + tar_end());
  refusal(typed('5', "../a/") + tar_end());
}

TEST_F(TarReader, RefusesWhatIsNoPlainFile) {
  for (auto type : {'2', '3', '4', '6', '7', 'S', 'V', 'M', 'K', 'Z'})
    EXPECT_THAT(refusal(typed(type, "a") + tar_end()), HasSubstr("no plain file")) << type;
  EXPECT_THAT(refusal(typed('x', "p", pax("GNU.sparse.major", "1")) + plain("a", "1") + tar_end()),
              HasSubstr("sparse"));
  refusal(typed('x', "p", pax("linkpath", "/etc/passwd")) + plain("a", "1") + tar_end());
}

TEST_F(TarReader, RefusesTwoFilesOfOnePath) {
  EXPECT_THAT(refusal(plain("a", "1") + plain("./a", "2") + tar_end()), HasSubstr("same path"));
}

TEST_F(TarReader, RefusesMoreThanTheLimits) {
  auto many = std::string{};
  for (auto i = 0; i < 5; ++i)
    many += plain("f" + std::to_string(i), "1234");
  EXPECT_EQ(read(many + tar_end(), {5, 20}).size(), 5u);
  EXPECT_THAT(refusal(many + tar_end(), {4, 20}), HasSubstr("more than 4 entries"));
  EXPECT_THAT(refusal(many + tar_end(), {5, 19}), HasSubstr("more than 19 bytes"));
  auto folders = std::string{};
  for (auto i = 0; i < 9; ++i)
    folders += typed('5', "d/");
  refusal(folders + tar_end(), {8, 20});
}

TEST_F(TarReader, RefusesSizesBeyondTheEnd) {
  refusal(tar_file_header("a", 5, 0) + tar_end().substr(0, 512));
  refusal(tar_file_header("a", (uint64_t{8} << 30) - 1, 0) + tar_end());
  // GNU's numbers of 12 bytes, up to the largest.
  auto huge = std::string{"\x80\0\0\0", 4} + std::string(8, '\xff');
  refusal(changed(tar_file_header("a", 0, 0), 124, huge) + tar_end());
  refusal(changed(tar_file_header("a", 0, 0), 124, "\x80" + std::string(11, '\xff')) + tar_end());
  refusal(typed('x', "p", pax("size", "18446744073709551615")) + plain("a", "1") + tar_end());
  refusal(typed('x', "p", pax("size", "99999999999999999999")) + plain("a", "1") + tar_end());
  refusal(tar_file_header("p", 1 << 20, 0).replace(156, 1, "x") + tar_end());
}

TEST_F(TarReader, RefusesDamagedHeaders) {
  auto head = tar_file_header("a", 0, 0);
  head[0] = 'b';
  EXPECT_THAT(refusal(head + tar_end()), HasSubstr("sum does not fit"));
  refusal(changed(tar_file_header("a", 0, 0), 124, "12x45") + tar_end());
  for (const auto* text : {"", "7", "8 path=a\n", "999 path=a\n", "10 path=ab", "11 pathabcd\n",
                           "-5 path=a\n", "0 a=b\n"})
    if (*text)
      refusal(typed('x', "p", text) + plain("a", "1") + tar_end());
}

TEST_F(TarReader, RefusesWhatHasNoEndOrIsNoTar) {
  auto whole = plain("a", "1") + tar_end();
  for (auto bytes : {0, 1, 511, 512, 600, 1024, 1535, 1536, 2047})
    refusal(whole.substr(0, static_cast<size_t>(bytes)));
  refusal(tar_end());
  refusal(std::string(4096, 'x'));
  refusal(plain("a", "1") + tar_end().substr(0, 512) + plain("b", "1") + tar_end());
}

// Every byte of a small archive, changed in turn: refused or read, never more than is there.
TEST_F(TarReader, ReadsNothingBeyondTheArchiveWhateverAByteSays) {
  auto whole = typed('x', "p", pax("size", "3")) + plain("a", "123") +
               tar_link_header("b", "a", 0) + tar_end();
  for (auto at = size_t{0}; at < whole.size(); at += at < 1536 ? 1 : 37)
    for (auto flip : {'\x01', '\x80', '\xff'}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      try {
        for (const auto& [path, entry] : read(bytes)) {
          EXPECT_LE(entry.offset + entry.bytes, whole.size()) << path;
          EXPECT_NE(path.front(), '/');
        }
      } catch (const error& problem) {
        EXPECT_EQ(problem.code(), errc::request_malformed);
      }
    }
}
