#include "tests/actors/registry_fixture.hpp"

using namespace musetalk;
using namespace musetalk::actors;

// The fake store has no files: whatever the catalog claims is missing.

namespace {

using pipeline::store_report;

struct StoreCheck : tests::Registry {
  void claim(const std::string& avatar) {
    auto& x = catalog->avatars[avatar];
    x.avatar_id = avatar;
    x.current_version = "v000001";
    x.versions.emplace_back().version = "v000001";
  }

  static std::vector<std::string> codes(const store_report& x) {
    auto result = std::vector<std::string>{};
    for (const auto& finding : x.findings)
      result.push_back(finding.code + " " + finding.object);
    return result;
  }
};

} // namespace

TEST_F(StoreCheck, TellsWhatTwoLooksSee) {
  claim("anna");
  spawn();
  auto report = ask<store_report>(aut, atom::verify_v, false).value.value();
  EXPECT_EQ(codes(report),
            (std::vector<std::string>{"link.missing anna", "version.gone anna/v000001"}));
  EXPECT_EQ(catalog->claims_asked, 2);
}

TEST_F(StoreCheck, ForgetsWhatWasOnlyHalfWay) {
  claim("anna");
  spawn();
  // The catalog hears of the removal between the two looks.
  catalog->after_claims = [this] {
    catalog->avatars.clear();
  };
  EXPECT_TRUE(ask<store_report>(aut, atom::verify_v, true).value.value().findings.empty());
}

TEST_F(StoreCheck, LooksOnceWhenAllIsWell) {
  spawn();
  EXPECT_TRUE(ask<store_report>(aut, atom::verify_v, false).value.value().findings.empty());
  EXPECT_EQ(catalog->claims_asked, 1);
}

TEST_F(StoreCheck, TellsWhenTheCatalogCannotBeRead) {
  spawn();
  catalog->after_claims = [] {
    throw error(errc::catalog_failed, "Out of order.");
  };
  EXPECT_EQ(ask<store_report>(aut, atom::verify_v, false).code, errc::catalog_failed);
}

TEST_F(StoreCheck, ChecksOnlyOnceAtATime) {
  for (auto i = 0; i < 20; ++i)
    claim("a" + std::to_string(i));
  spawn();
  auto storage = workers->get().storage;
  auto claims = std::make_shared<const pipeline::store_claims>(catalog->claims(0));
  auto first = self->request(storage, std::chrono::minutes{1}, atom::verify_v, claims, false);
  auto second = self->request(storage, std::chrono::minutes{1}, atom::verify_v, claims, false);
  EXPECT_EQ(read<store_report>(second).code, errc::queue_full);
  EXPECT_EQ(read<store_report>(first).value.value().findings.size(), 40u);
}
