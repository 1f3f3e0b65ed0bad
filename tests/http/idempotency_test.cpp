#include "http/idempotency.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <set>

namespace musetalk::http {

namespace {

request with_key(std::string value) {
  auto in = request{};
  in.method = "POST";
  in.path = "/mgmt/v1/avatars/create";
  in.headers.add("Idempotency-Key", std::move(value));
  return in;
}

} // namespace

TEST(IdempotencyKey, IsAStringInQuotesOrBare) {
  EXPECT_EQ(idempotency_key_of({}).key, "");
  EXPECT_EQ(idempotency_key_of(with_key("\"8e03978e-40d5\"")).key, "8e03978e-40d5");
  EXPECT_EQ(idempotency_key_of(with_key("8e03978e-40d5")).key, "8e03978e-40d5");
  EXPECT_EQ(idempotency_key_of(with_key(std::string(255, 'k'))).key.size(), 255u);
}

TEST(IdempotencyKey, RefusesWhatIsNone) {
  for (const auto& bad :
       {std::string{}, std::string{"\"\""}, std::string{"a b"}, std::string{"\"a"},
        std::string{"a\"b"}, std::string{"\xC3\xA4"}, std::string(256, 'k')})
    EXPECT_THROW(idempotency_key_of(with_key(bad)), error) << bad;
  auto twice = with_key("a");
  twice.headers.add("idempotency-key", "a");
  EXPECT_THROW(idempotency_key_of(twice), error);
}

TEST(IdempotencyKey, HasAFingerprintOfAllThatMatters) {
  auto in = with_key("k");
  auto key = idempotency_key_of(in);
  auto seen = std::set<std::string>{};
  auto other = in;
  other.path = "/mgmt/v1/avatars/upload";
  auto print = [&](const request& x, std::initializer_list<std::string_view> body) {
    return sealed(key, x, body).fingerprint;
  };
  EXPECT_EQ(print(in, {"anna", "1"}), print(in, {"anna", "1"}));
  seen = {print(in, {"anna", "1"}),
          print(in, {"anna", "0"}),
          print(in, {"anna1"}),
          print(in, {"anna1", ""}),
          print(in, {}),
          print(other, {"anna", "1"})};
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(sealed({}, in, {"anna"}).fingerprint, "") << "without a key there is nothing to do";
}

} // namespace musetalk::http
