#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

/// Exit code of `python verify_folder.py folder`.
int verify(const char* python, const std::filesystem::path& folder) {
  auto script = std::string{MUSETALK_SOURCE_DIR} + "/tests/golden/verify_folder.py";
  auto target = folder.string();
  char* arguments[] = {const_cast<char*>(python), script.data(), target.data(), nullptr};
  auto child = pid_t{};
  if (::posix_spawnp(&child, python, nullptr, nullptr, arguments, environ) != 0)
    return -1;
  auto status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST(AvatarFolderInPython, OpensWithTheReadersOfMuseTalkAndLiveTalking) {
  auto python = std::getenv("TORCH_PYTHON");
  if (python == nullptr)
    GTEST_SKIP() << "TORCH_PYTHON names no Python with torch";
  auto folder = test::temporary_folder{};
  auto store = open_avatar_store(folder.path());
  test::publish_version(*store, "anna", "job1", 300);
  EXPECT_EQ(verify(python, store->layout().link("anna")), 0);
  // and the script can tell: a cut file
  std::filesystem::resize_file(store->layout().link("anna") / "latents.pt", 100'000);
  EXPECT_EQ(verify(python, store->layout().link("anna")), 1);
}
