#include "http/api/async_document.hpp"
#include "http/api/document.hpp"
#include "http/api/page.hpp"
#include "http/routes/routes.hpp"
#include "tests/http/fake_exchange.hpp"
#include "tests/http/json_schema.hpp"
#include "tests/http/yaml.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

namespace musetalk::http::api {

namespace {

using ::testing::IsEmpty;

std::string contents_of(const std::string& file) {
  auto in = std::ifstream{file, std::ios::binary};
  auto text = std::ostringstream{};
  text << in.rdbuf();
  return text.str();
}

/// Each `$ref` of a document that points nowhere.
std::vector<std::string> dangling(const nlohmann::json& x, const nlohmann::json& root) {
  auto result = std::vector<std::string>{};
  for (const auto& [name, value] : x.items()) {
    if (name == "$ref" &&
        !root.contains(nlohmann::json::json_pointer{value.get<std::string>().substr(1)}))
      result.push_back(value);
    if (value.is_structured())
      for (auto& more : dangling(value, root))
        result.push_back(std::move(more));
  }
  return result;
}

/// Calls a route with one key in the query. @returns the code it answers at once, if any.
std::string answer_to_query(const router& routes, const call& x, const std::string& key) {
  auto in = request{};
  in.method = x.method;
  in.query.emplace(key, "1");
  auto path = std::string{x.path};
  for (const auto& name : names_in(x.path)) {
    in.params[name] = "x";
    path.replace(path.find("/:" + name), name.size() + 2, "/x");
  }
  in.path = path;
  auto to = tests::make_exchange(in);
  auto found = routes.find(x.method, path).found;
  try {
    if (found->open_sink)
      found->open_sink(to);
    else
      found->handle(to);
  } catch (const error& what) {
    return std::string{to_string(what.code())};
  }
  return to->answered() ? to->code() : "(asks)";
}

} // namespace

class Api : public ::testing::Test {
protected:
  router routes = make_router({});
  nlohmann::json document = openapi_document("1.2.3");
};

TEST_F(Api, DescribesEveryRouteAndNoOther) {
  auto described = std::set<std::pair<std::string, std::string>>{};
  for (const auto& x : all_calls())
    EXPECT_TRUE(described.emplace(x.method, x.path).second) << x.path << " twice";
  auto known = std::set<std::pair<std::string, std::string>>{};
  for (const auto& x : routes.list())
    known.insert(x);
  EXPECT_EQ(described, known);
}

TEST_F(Api, NamesEachCallOnce) {
  auto ids = std::set<std::string_view>{};
  for (const auto& x : all_calls()) {
    EXPECT_TRUE(ids.insert(x.id).second) << x.id;
    EXPECT_FALSE(x.answers.empty()) << x.id;
    EXPECT_FALSE(x.summary.empty() || x.summary.ends_with('.')) << x.id;
  }
}

TEST_F(Api, DescribesEveryKeyOfAQueryAndNoOther) {
  for (const auto& x : all_calls()) {
    // The form is looked at first.
    if (!x.body.empty() && x.body.front().type == "multipart/form-data")
      continue;
    // Who looks at a file or at the health may add a key against caches.
    auto lenient = x.tag == "health" || x.id == "getAvatarVideo" ||
                   x.answers.front().body.type == "image/jpeg";
    EXPECT_EQ(answer_to_query(routes, x, "nobody-knows") == "request.field_unknown", !lenient)
        << x.id;
    for (const auto& one : x.parameters) {
      if (one.where != parameter::place::query)
        continue;
      EXPECT_NE(answer_to_query(routes, x, std::string{one.name}), "request.field_unknown")
          << x.id << " " << one.name;
    }
  }
}

TEST_F(Api, IsADocumentWithoutLooseEnds) {
  EXPECT_EQ(document["openapi"], "3.1.0");
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  EXPECT_THAT(dangling(document, document), IsEmpty());
  auto text = document.dump();
  for (const auto& [name, ignored] : document["components"]["schemas"].items())
    EXPECT_NE(text.find("#/components/schemas/" + name + "\""), std::string::npos)
        << name << " is used nowhere";
  auto async = nlohmann::json(async_document("1.2.3"));
  EXPECT_THAT(dangling(async, async), IsEmpty());
}

TEST_F(Api, TellsTheCodesOfEachStatus) {
  auto& answers = document["paths"]["/mgmt/v1/avatars/{id}"]["delete"]["responses"];
  auto codes = [&](const char* status) {
    return answers[status]["content"]["application/problem+json"]["schema"]["allOf"][1]
                  ["properties"]["code"]["enum"];
  };
  EXPECT_EQ(codes("404"), nlohmann::json{"avatar.not_found"});
  EXPECT_EQ(codes("409"), nlohmann::json{"avatar.busy"});
  EXPECT_TRUE(answers["409"]["headers"].contains("Retry-After"));
}

TEST_F(Api, IsInTheDocumentationAsItIs) {
  auto file = std::string{MUSETALK_SOURCE_DIR "/docs/asyncapi.yaml"};
  auto text = "# Made of http/api/async_document.cpp; a test keeps it so.\n" +
              tests::yaml_of(async_document("1"));
  if (contents_of(file) != text)
    std::ofstream{MUSETALK_BINARY_DIR "/asyncapi.yaml"} << text;
  EXPECT_EQ(contents_of(file), text) << "bring it up to date: cp build/asyncapi.yaml docs/";
}

TEST_F(Api, HasAPageThatNeedsNobodyElse) {
  for (auto part : {page_html(), page_script(), page_style()}) {
    EXPECT_FALSE(part.empty());
    EXPECT_EQ(part.find("http://"), part.npos);
    EXPECT_EQ(part.find("https://"), part.npos);
    EXPECT_EQ(part.find("innerHTML"), part.npos);
  }
  EXPECT_EQ(page_html().find("<style"), std::string_view::npos) << "the policy forbids it";
  EXPECT_EQ(page_html().find("onclick"), std::string_view::npos);
  auto to = tests::make_exchange();
  routes.find("GET", "/docs").found->handle(to);
  EXPECT_EQ(to->header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(to->header("Content-Security-Policy").find("default-src 'none'"), 0u);
  EXPECT_EQ(to->header("Content-Security-Policy").find("unsafe"), std::string::npos);
}

TEST(JsonSchema, FindsWhatDoesNotFit) {
  auto schema =
      nlohmann::json(object({{"a", or_null(whole())}, maybe("b", list(words({"x", "y"})))}));
  auto count = [&](const char* text) {
    return tests::violations(nlohmann::json::parse(text), schema, schema).size();
  };
  EXPECT_EQ(count(R"({"a":1})"), 0u);
  EXPECT_EQ(count(R"({"a":null,"b":["x","y"]})"), 0u);
  EXPECT_EQ(count(R"({"b":[]})"), 1u) << "missing";
  EXPECT_EQ(count(R"({"a":1,"c":1})"), 1u) << "not documented";
  EXPECT_EQ(count(R"({"a":1.5})"), 1u);
  EXPECT_EQ(count(R"({"a":1,"b":["z"]})"), 1u);
  EXPECT_GE(count(R"([])"), 1u);
  EXPECT_EQ(tests::violations(1, {{"oneOf", {}}}, {}).size(), 1u) << "a word it lacks";
}

} // namespace musetalk::http::api
