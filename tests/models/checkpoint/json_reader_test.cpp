#include "models/checkpoint/json_reader.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

using musetalk::errc;
using musetalk::error;
using musetalk::models::json_value;

TEST(JsonReader, ReadsWhatAConfigHolds) {
  auto x = json_value::parse(R"({"channels": [128, 256], "eps": 1e-06, "act": "silu", "up": true,
                                 "mean": null, "neg": -0.5})");
  EXPECT_EQ(x.at("channels").items()[1].integer(), 256);
  EXPECT_DOUBLE_EQ(x.at("eps").number(), 1e-6);
  EXPECT_EQ(x.at("act").text(), "silu");
  EXPECT_TRUE(x.at("up").boolean());
  EXPECT_TRUE(x.at("mean").is_null());
  EXPECT_DOUBLE_EQ(x.at("neg").number(), -0.5);
  EXPECT_EQ(x.find("absent"), nullptr);
}

TEST(JsonReader, DecodesEscapesToUtf8) {
  EXPECT_EQ(json_value::parse(R"("a\n\"\u00e9\ud83d\ude00")").text(),
            "a\n\"\xC3\xA9\xF0\x9F\x98\x80");
}

TEST(JsonReader, RefusesEverythingElse) {
  for (const auto* text :
       {"", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", "-", "nul", "\"\\x\"",
        "\"\\ud800\"", "\"open", "1 2", "'a'", "99999999999999999999", "\"\n\"", "[1 2]"}) {
    SCOPED_TRACE(text);
    EXPECT_THROW(json_value::parse(text), error);
  }
}

TEST(JsonReader, RefusesDeepNestingInsteadOfRecursing) {
  EXPECT_THROW(json_value::parse(std::string(100'000, '[')), error);
}

TEST(JsonReader, SaysWhichKeyIsMissing) {
  try {
    json_value::parse("{}").at("norm_num_groups");
    FAIL() << "a missing key was found";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_invalid);
    EXPECT_NE(e.detail().find("norm_num_groups"), std::string::npos);
  }
}
