#include "http/exporter.hpp"

#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/http/fake_exchange.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::http;
using namespace std::chrono_literals;

namespace {

/// An EXPORTER over a stand-in for the REGISTRY and archives of `a`s.
struct Exporter : tests::DeterministicSystem {
  tests::registry_notes notes;
  exporter_config limits;
  exporter_actor aut;
  std::string opened;       ///< Folder of the last archive.
  size_t archive = 100'000; ///< Bytes.
  bool broken = false;      ///< Reading throws.

  ~Exporter() override { end_all(); }

  void spawn() {
    notes.touched.avatar_id = "anna";
    notes.touched.current_version = "v000002";
    for (const auto* version : {"v000001", "v000002"})
      notes.touched.versions.emplace_back().version = version;
    limits.registry = own(sys.spawn(tests::fake_registry, &notes));
    limits.store = {"/avatars"};
    limits.open = [this](const std::filesystem::path& folder, const std::string&) {
      opened = folder;
      auto left = std::make_shared<size_t>(archive);
      return export_source{archive, [=, this](std::span<std::byte> buffer) {
                             if (broken)
                               throw error(errc::avatar_damaged, "It became shorter.");
                             auto count = std::min(*left, buffer.size());
                             std::fill_n(buffer.begin(), count, std::byte{'a'});
                             *left -= count;
                             return count;
                           }};
    };
    aut = own(sys.spawn(exporter, limits));
  }

  std::shared_ptr<tests::fake_exchange> ask_for(const std::string& version = "") {
    auto to = tests::make_exchange();
    self->send(aut, export_avatar{to, {"anna"}, version});
    sched.run();
    return to;
  }
};

} // namespace

TEST_F(Exporter, SendsTheCurrentVersionToItsEnd) {
  spawn();
  auto x = ask_for();
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->header("Content-Type"), "application/x-tar");
  EXPECT_EQ(x->header("Archive-Bytes"), "100000");
  EXPECT_EQ(x->opened()->take(), std::string(100'000, 'a'));
  EXPECT_FALSE(x->opened()->open());
  // No such folder: the avatar is a plain one.
  EXPECT_EQ(opened, "/avatars/anna");
}

TEST_F(Exporter, SendsAnotherVersion) {
  spawn();
  EXPECT_EQ(ask_for("v000001")->status(), 200);
  EXPECT_EQ(opened, "/avatars/.store/anna/v000001");
  EXPECT_EQ(ask_for("v000007")->code(), "version.not_found");
  EXPECT_EQ(ask_for("../../etc")->code(), "version.not_found");
}

TEST_F(Exporter, WaitsForAClientThatReadsSlowly) {
  archive = 1'000'000;
  spawn();
  auto to = tests::make_exchange();
  self->send(aut, export_avatar{to, {"anna"}, ""});
  while (!to->opened() && sched.try_run_once()) {
    // nop
  }
  ASSERT_TRUE(to->opened());
  to->opened()->set_backlog(200'000);
  sched.run();
  EXPECT_LT(to->opened()->take().size(), 200'000u);
  EXPECT_TRUE(to->opened()->open());
  to->opened()->set_backlog(0);
  sched.advance_time(limits.pause);
  sched.run();
  EXPECT_FALSE(to->opened()->open()) << "all is sent";
}

TEST_F(Exporter, EndsEarlyWhenTheFilesCannotBeRead) {
  broken = true;
  spawn();
  auto x = ask_for();
  EXPECT_FALSE(x->opened()->open());
  EXPECT_EQ(x->opened()->take(), "");
  broken = false;
  EXPECT_EQ(ask_for()->opened()->take().size(), archive) << "others are none the worse for it";
}

TEST_F(Exporter, RefusesMoreThanItsLimit) {
  limits.max_exports = 0;
  spawn();
  EXPECT_EQ(ask_for()->code(), "queue.full");
}

TEST_F(Exporter, AnswersWhyThereIsNoSuchAvatar) {
  spawn();
  notes.touched.avatar_id.clear();
  EXPECT_EQ(ask_for()->status(), 404);
}
