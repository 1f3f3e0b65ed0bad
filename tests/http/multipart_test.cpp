#include <random>

#include <gtest/gtest.h>

#include "errors/error.hpp"
#include "http/multipart.hpp"

namespace musetalk::http {
namespace {

/// One part, with its data in one piece.
struct part {
  std::string name;
  std::string filename; ///< `-` when absent.
  std::string content_type;
  std::string data;
  friend bool operator==(const part&, const part&) = default;
  friend void PrintTo(const part& x, std::ostream* out) {
    *out << x.name << "|" << x.filename << "|" << x.content_type << "|" << x.data;
  }
};

/// A parser that remembers what it was told.
class reader {
public:
  explicit reader(std::string boundary = "XX", multipart_limits limits = {})
      : parser_(std::move(boundary), limits,
                {[this](const part_head& head) {
                   EXPECT_FALSE(open_);
                   open_ = true;
                   parts.push_back({head.name, head.filename.value_or("-"), head.content_type, {}});
                 },
                 [this](std::span<const std::byte> data) {
                   EXPECT_TRUE(open_);
                   EXPECT_FALSE(data.empty());
                   parts.back().data.append(reinterpret_cast<const char*>(data.data()),
                                            data.size());
                 },
                 [this] {
                   EXPECT_TRUE(open_);
                   open_ = false;
                 }}) {}

  reader& push(std::string_view text) {
    parser_.push(std::as_bytes(std::span{text}));
    return *this;
  }
  reader& finish() {
    parser_.finish();
    EXPECT_FALSE(open_);
    return *this;
  }

  std::vector<part> parts;

private:
  bool open_ = false;
  multipart_parser parser_;
};

errc failure_of(std::string_view body, multipart_limits limits = {}) {
  try {
    reader{"XX", limits}.push(body).finish();
  } catch (const error& what) {
    return what.code();
  }
  return errc{};
}

const std::string form =
    "--XX\r\n"
    "Content-Disposition: form-data; name=\"avatar_id\"\r\n\r\n"
    "anna\r\n"
    "--XX\r\n"
    "Content-Disposition: form-data; name=\"video_file\"; filename=\"a b.mp4\"\r\n"
    "Content-Type: video/mp4\r\n\r\n"
    "line\r\n--X\r\r\n--X\n\r\n\r\n-\r\n--XY\r\n--XX-a\r\n--XX \ta"
    "\r\n--XX--\r\nepilogue --XX";

const std::vector<part> form_parts{
    {"avatar_id", "-", "", "anna"},
    {"video_file", "a b.mp4", "video/mp4",
     "line\r\n--X\r\r\n--X\n\r\n\r\n-\r\n--XY\r\n--XX-a\r\n--XX \ta"}};

std::string field(std::string_view data) {
  return "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n" + std::string{data} +
         "\r\n--XX--";
}

TEST(Multipart, ReadsAForm) {
  EXPECT_EQ(reader{}.push(form).finish().parts, form_parts);
}

TEST(Multipart, ReadsAFormCutAnywhere) {
  for (size_t first = 0; first <= form.size(); ++first) {
    auto text = std::string_view{form};
    EXPECT_EQ(reader{}.push(text.substr(0, first)).push(text.substr(first)).finish().parts,
              form_parts)
        << "cut at " << first;
  }
}

TEST(Multipart, ReadsAFormCutTwiceAnywhere) {
  for (size_t first = 0; first <= form.size(); ++first)
    for (size_t second = first; second <= form.size(); ++second) {
      auto text = std::string_view{form};
      reader r;
      r.push(text.substr(0, first))
          .push(text.substr(first, second - first))
          .push(text.substr(second));
      ASSERT_EQ(r.finish().parts, form_parts) << "cut at " << first << " and " << second;
    }
}

TEST(Multipart, ReadsAFormByteByByte) {
  reader r;
  for (auto c : form)
    r.push({&c, 1});
  EXPECT_EQ(r.finish().parts, form_parts);
}

TEST(Multipart, ReadsNoPartsAtAll) {
  EXPECT_TRUE(reader{}.push("--XX--\r\n").finish().parts.empty());
}

TEST(Multipart, SkipsAPreamble) {
  auto parts = reader{}.push("preamble\r\n--XY\r\n--X\r\n" + field("x")).finish().parts;
  EXPECT_EQ(parts, (std::vector<part>{{"a", "-", "", "x"}}));
}

TEST(Multipart, TakesSpaceAfterABoundary) {
  auto parts = reader{}
                   .push("--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XX--")
                   .finish()
                   .parts;
  EXPECT_EQ(parts, (std::vector<part>{{"a", "-", "", "x"}}));
}

TEST(Multipart, ReadsEmptyParts) {
  EXPECT_EQ(reader{}.push(field("")).finish().parts, (std::vector<part>{{"a", "-", "", ""}}));
  // Without the empty line: the delimiter's CRLF ends the head.
  auto bare = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--";
  EXPECT_EQ(reader{}.push(bare).finish().parts, (std::vector<part>{{"a", "-", "", ""}}));
}

TEST(Multipart, ReadsDataThatBeginsLikeABoundary) {
  EXPECT_EQ(reader{}.push(field("--X")).finish().parts, (std::vector<part>{{"a", "-", "", "--X"}}));
  EXPECT_EQ(reader{}.push(field("--XXa")).finish().parts,
            (std::vector<part>{{"a", "-", "", "--XXa"}}));
}

TEST(Multipart, ReadsQuotedNames) {
  auto body =
      "--XX\r\nContent-Disposition: form-data; name=\"a;\\\"b\\\\c\\d\"; filename=\"\"\r\n\r\n"
      "x\r\n--XX--";
  auto parts = reader{}.push(body).finish().parts;
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].name, "a;\"b\\c\\d");
  EXPECT_EQ(parts[0].filename, "");
}

TEST(Multipart, ReadsFieldNamesWithoutCase) {
  auto body = "--XX\r\ncontent-disposition:FORM-DATA;Name=a\r\nX-Other: 1\r\n\r\nx\r\n--XX--";
  EXPECT_EQ(reader{}.push(body).finish().parts, (std::vector<part>{{"a", "-", "", "x"}}));
}

TEST(Multipart, RefusesABodyWithoutItsEnd) {
  for (auto body : {"", "no boundary", "--XX", "--XX\r\n", "--XX-"})
    EXPECT_EQ(failure_of(body), errc::request_malformed) << body;
  auto whole = field("data");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(failure_of(whole.substr(0, size)), errc::request_malformed) << size;
  EXPECT_EQ(failure_of(whole), errc{});
}

TEST(Multipart, RefusesMalformedPartHeads) {
  for (auto head : {
           "",
           "Content-Type: text/plain\r\n",
           "Content-Disposition: form-data\r\n",
           "Content-Disposition: form-data; name=\"\"\r\n",
           "Content-Disposition: form-data; name=\"a\r\n",
           "Content-Disposition: form-data; name\r\n",
           "Content-Disposition: form-data; =a\r\n",
           "Content-Disposition: form-data; name=\"a\" filename=b\r\n",
           "Content-Disposition: form-data; name=a; name=b\r\n",
           "Content-Disposition: form-data; name=a; filename=b; filename=c\r\n",
           "Content-Disposition: attachment; name=a\r\n",
           "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
           "Content-Disposition: form-data; name=a\x01\r\n",
           "no colon\r\n",
           ": no name\r\n",
           "Content-Disposition: form-data; name=a\n",
       })
    EXPECT_EQ(failure_of("--XX\r\n" + std::string{head} + "\r\nx\r\n--XX--"),
              errc::request_malformed)
        << head;
}

TEST(Multipart, RefusesHugePartHeads) {
  auto huge = "--XX\r\nX: " + std::string(5000, 'x');
  EXPECT_EQ(failure_of(huge), errc::request_too_large);
  EXPECT_EQ(failure_of("--XX\r\n" + std::string(5000, 'x')), errc::request_too_large);
}

TEST(Multipart, RefusesTooManyParts) {
  std::string body;
  for (auto i = 0; i < 4; ++i)
    body += "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
  body += "--XX--";
  EXPECT_EQ(failure_of(body, {.max_parts = 4}), errc{});
  EXPECT_EQ(failure_of(body, {.max_parts = 3}), errc::request_too_large);
}

TEST(Multipart, RefusesForbiddenBoundaries) {
  for (auto boundary : {std::string{}, std::string(71, 'x'), std::string{"a\r\nb"},
                        std::string{"a "}, std::string{"a\"b"}, std::string{"a\0b", 3}})
    EXPECT_THROW(reader{boundary}, error) << boundary;
  EXPECT_NO_THROW(reader{std::string(70, 'x')});
}

TEST(Multipart, PassesOnWhatAHandlerThrows) {
  multipart_parser parser{"XX",
                          {},
                          {[](const part_head&) { throw std::runtime_error("mine"); },
                           [](std::span<const std::byte>) {},
                           [] {
                           }}};
  auto body = field("x");
  EXPECT_THROW(parser.push(std::as_bytes(std::span{body})), std::runtime_error);
}

TEST(MultipartBoundary, IsReadFromTheMediaType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"a b:c\""), "a b:c");
}

TEST(MultipartBoundary, RefusesOtherMediaTypes) {
  for (auto type :
       {"", "application/json", "multipart/mixed; boundary=a", "multipart/form-dataX; boundary=a"})
    try {
      multipart_boundary(type);
      FAIL() << type;
    } catch (const error& what) {
      EXPECT_EQ(what.code(), errc::request_media_type) << type;
    }
}

TEST(MultipartBoundary, RefusesNoneTwoAndForbiddenOnes) {
  for (auto type : {"multipart/form-data",
                    "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
                    "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=a\"b"})
    try {
      multipart_boundary(type);
      FAIL() << type;
    } catch (const error& what) {
      EXPECT_EQ(what.code(), errc::request_malformed) << type;
    }
}

/// Bodies of random parts whose data is made of what the parser looks for, in random cuts.
TEST(Multipart, ReadsRandomFormsInRandomCuts) {
  std::mt19937 random{20240607};
  auto upto = [&](size_t n) {
    return static_cast<size_t>(random() % (n + 1));
  };
  const std::array<std::string_view, 10> crumbs{
      "\r", "\n", "\r\n", "-", "--", "X", "\r\n--X", "a", "\r\n--XXb", "\r\n--XX-\r"};
  for (auto round = 0; round < 3000; ++round) {
    std::vector<part> expected;
    std::string body;
    for (auto count = upto(4); count > 0; --count) {
      part one{"n" + std::to_string(count), "-", "", ""};
      for (auto size = upto(12); size > 0; --size)
        one.data += crumbs[random() % crumbs.size()];
      // Crumbs can add up to a real delimiter; that part would be two.
      auto lines = "\r\n" + one.data + "\r\n";
      if (lines.find("\r\n--XX\r\n") != lines.npos || lines.find("\r\n--XX--") != lines.npos)
        continue;
      body += "--XX\r\nContent-Disposition: form-data; name=" + one.name + "\r\n\r\n" + one.data +
              "\r\n";
      expected.push_back(std::move(one));
    }
    body += "--XX--\r\n";
    reader r;
    for (auto rest = std::string_view{body}; !rest.empty();) {
      auto size = std::min(rest.size(), 1 + upto(7));
      r.push(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(r.finish().parts, expected) << testing::PrintToString(body);
  }
}

/// Whatever comes, the parser throws `error` or accepts; cuts do not change which.
TEST(Multipart, TreatsNoiseAlikeHoweverItIsCut) {
  std::mt19937 random{7};
  for (auto round = 0; round < 3000; ++round) {
    auto body = form;
    for (auto hits = 1 + random() % 4; hits > 0; --hits)
      body[random() % body.size()] = "\r\n-X;:=\" a\x01"[random() % 11];
    auto whole = failure_of(body);
    auto cut = errc{};
    try {
      reader r;
      for (auto c : body)
        r.push({&c, 1});
      r.finish();
    } catch (const error& what) {
      cut = what.code();
    }
    ASSERT_EQ(whole, cut) << testing::PrintToString(body);
  }
}

} // namespace
} // namespace musetalk::http
