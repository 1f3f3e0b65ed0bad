#include "http/instance_lock.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <optional>

namespace musetalk::http {

TEST(InstanceLock, LetsOneIn) {
  auto name = std::string{"/tmp/instance_lock_test.XXXXXX"};
  auto folder = std::filesystem::path{::mkdtemp(name.data())};
  auto first = std::optional<instance_lock>{std::in_place, folder / "new" / "folder"};
  try {
    instance_lock second{folder / "new" / "folder"};
    FAIL() << "let two in";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::settings_invalid);
    EXPECT_NE(e.detail().find(std::to_string(::getpid())), std::string::npos);
  }
  first.reset();
  EXPECT_NO_THROW(instance_lock{folder / "new" / "folder"});
  std::filesystem::remove_all(folder);
}

TEST(InstanceLock, SaysWhenTheFolderCannotBeMade) {
  EXPECT_THROW(instance_lock{"/proc/nowhere"}, error);
}

} // namespace musetalk::http
