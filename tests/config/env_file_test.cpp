#include "config/env_file.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

namespace musetalk::config {

namespace {

std::string value_of(const std::string& line) {
  auto found = parse_env(line, ".env");
  return found.size() == 1 ? found.front().value : "(" + std::to_string(found.size()) + " found)";
}

std::string refusal_of(const std::string& text) {
  try {
    parse_env(text, ".env");
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::settings_invalid);
    return e.detail();
  }
  return "(accepted)";
}

} // namespace

TEST(EnvFile, ReadsKeysValuesAndLines) {
  auto found =
      parse_env("# heading\n\nENABLE_AVATAR=false\n  AVATARS_DIR = /srv/avatars\n", ".env");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key, "ENABLE_AVATAR");
  EXPECT_EQ(found[0].value, "false");
  EXPECT_EQ(found[0].where, ".env:3");
  EXPECT_EQ(found[1].key, "AVATARS_DIR");
  EXPECT_EQ(found[1].value, "/srv/avatars");
  EXPECT_EQ(found[1].where, ".env:4");
}

TEST(EnvFile, EndsABareValueBeforeAComment) {
  EXPECT_EQ(value_of("A=one # two"), "one");
  EXPECT_EQ(value_of("A=one#two"), "one#two");
  EXPECT_EQ(value_of("A=one two  "), "one two");
  EXPECT_EQ(value_of("A= # nothing"), "");
  EXPECT_EQ(value_of("A="), "");
}

TEST(EnvFile, TakesSingleQuotesLiterally) {
  EXPECT_EQ(value_of(R"(A='a # b \n $c' # comment)"), R"(a # b \n $c)");
}

TEST(EnvFile, UnderstandsEscapesInDoubleQuotes) {
  EXPECT_EQ(value_of(R"(A="say \"hi\"\n\t\\ \$5 # not a comment")"),
            "say \"hi\"\n\t\\ $5 # not a comment");
}

TEST(EnvFile, SkipsExportByteOrderMarkAndCarriageReturns) {
  auto found = parse_env("\xEF\xBB\xBF"
                         "export A=1\r\nB='2'\r\nexport\t C=3",
                         ".env");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "A");
  EXPECT_EQ(found[0].value, "1");
  EXPECT_EQ(found[1].value, "2");
  EXPECT_EQ(found[2].key, "C");
}

TEST(EnvFile, NamesTheLineItCannotRead) {
  EXPECT_EQ(refusal_of("A=1\nnonsense\n"), ".env:2: expected KEY=VALUE.");
  EXPECT_EQ(refusal_of("\n\n9A=1"), ".env:3: expected a key of letters, digits and _.");
  EXPECT_EQ(refusal_of("=1"), ".env:1: expected a key of letters, digits and _.");
  EXPECT_EQ(refusal_of("A='open"), ".env:1: the quote is not closed.");
  EXPECT_EQ(refusal_of("A=\"open\\"), ".env:1: the quote is not closed.");
  EXPECT_EQ(refusal_of("A='one' two"), ".env:1: text after the closing quote.");
  EXPECT_EQ(refusal_of(R"(A="\x")"), R"(.env:1: unknown escape; \" \\ \$ \n \t are known.)");
}

TEST(EnvFile, BoundsWhatItReads) {
  EXPECT_NE(refusal_of(std::string(70'000, '\n')).find("at most 65536"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(1001, '\n')).find(".env:1001"), std::string::npos);
  EXPECT_NE(refusal_of("A=" + std::string(5000, 'x')).find(".env:1: more than 4096"),
            std::string::npos);
  EXPECT_NE(refusal_of(std::string("A=\0b", 4)).find("zero byte"), std::string::npos);
}

TEST(EnvFile, RefusesAFileThatIsNone) {
  EXPECT_THROW(read_env_file("/nowhere/at/all"), error);
  EXPECT_THROW(read_env_file("/tmp"), error);
}

} // namespace musetalk::config
