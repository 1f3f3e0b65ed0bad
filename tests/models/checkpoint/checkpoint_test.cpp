#include "models/checkpoint/checkpoint.hpp"

#include "errors/error.hpp"
#include "tests/models/golden.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <unistd.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;
namespace fs = std::filesystem;

namespace {

struct container {
  std::string file;
  const json_value* entry;
};

std::vector<container> containers(const json_value& manifest, std::string_view kind,
                                  std::string_view expect) {
  auto found = std::vector<container>{};
  for (const auto& x : manifest.at("entries").items())
    if (x.at("kind").text() == kind && x.at("expect").text() == expect)
      found.push_back({x.at("file").text(), &x});
  return found;
}

/// Opens a file and reads every value of it.
void read_all(const fs::path& file) {
  auto source = checkpoint::open(file);
  for (const auto& x : source.tensors())
    source.read(x);
}

} // namespace

TEST(Checkpoint, ReadsTheValuesOfEveryGoodContainer) {
  auto folder = goldens() / "containers";
  auto table = manifest(folder);
  auto expected = checkpoint::open(folder / "expected.safetensors");
  auto good = containers(table, "checkpoint", "load");
  ASSERT_GE(good.size(), 13u);
  for (const auto& [file, entry] : good) {
    SCOPED_TRACE(file);
    auto source = checkpoint::open(folder / file);
    EXPECT_EQ(source.tensors().size(), entry->at("tensors").members().size());
    for (const auto& [key, facts] : entry->at("tensors").members()) {
      SCOPED_TRACE(key);
      const auto* x = source.find(key);
      const auto* reference = expected.find(file + ":" + key);
      ASSERT_TRUE(x && reference);
      EXPECT_EQ(to_string(x->type), facts.at("dtype").text());
      EXPECT_EQ(x->shape, reference->shape);
      EXPECT_EQ(source.read(*x), expected.read(*reference));
    }
  }
}

TEST(Checkpoint, RefusesEveryBadContainerQuicklyAndSaysWhy) {
  auto folder = goldens() / "containers";
  auto table = manifest(folder);
  auto bad = containers(table, "checkpoint", "refuse");
  ASSERT_GE(bad.size(), 32u);
  for (const auto& [file, entry] : bad) {
    SCOPED_TRACE(file + ": " + entry->at("note").text());
    try {
      read_all(folder / file);
      ADD_FAILURE() << "accepted";
    } catch (const error& e) {
      EXPECT_EQ(e.code(), errc::models_invalid);
      EXPECT_TRUE(e.detail().starts_with(file + ": ")) << e.detail();
      EXPECT_EQ(e.detail().find(folder.string()), std::string::npos) << e.detail();
    }
  }
}

TEST(Checkpoint, TellsWhatAWrongDownloadIs) {
  auto detail_of = [](const std::string& file) {
    try {
      checkpoint::open(goldens() / "containers" / file);
    } catch (const error& e) {
      return e.detail();
    }
    return std::string{"accepted"};
  };
  EXPECT_NE(detail_of("bad_lfs_pointer.pth").find("Git LFS pointer"), std::string::npos);
  EXPECT_NE(detail_of("bad_html.pth").find("web page"), std::string::npos);
  EXPECT_NE(detail_of("bad_empty.pth").find("empty"), std::string::npos);
  EXPECT_NE(detail_of("bad_truncated_half.pth").find("truncated"), std::string::npos);
  EXPECT_NE(detail_of("bad_deflated.pth").find("compressed"), std::string::npos);
}

TEST(Checkpoint, SaysThatAFileIsMissing) {
  try {
    checkpoint::open("/nonexistent/unet.pth");
    FAIL() << "opened";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_missing);
    EXPECT_EQ(e.detail(), "unet.pth: the weight file is not there or may not be read");
  }
}

TEST(Checkpoint, RefusesAFolderInTheFilesPlace) {
  EXPECT_THROW(checkpoint::open(fs::temp_directory_path()), error);
}

TEST(Checkpoint, SurvivesEveryTruncationOfEveryFormat) {
  // Whatever is cut off, the answer is an error or the same values: never a crash, never other
  // values.
  auto folder = goldens() / "containers";
  auto cut = fs::temp_directory_path() / ("musetalk_cut_" + std::to_string(::getpid()));
  for (const auto* file :
       {"zip_hand_written.pth", "legacy_state_dict.pth", "zip64_state_dict.pth"}) {
    auto bytes = text_of(folder / file);
    for (size_t n = 0; n < bytes.size(); n += 7) {
      std::ofstream{cut, std::ios::binary} << bytes.substr(0, n);
      EXPECT_THROW(read_all(cut), error) << file << " cut to " << n;
    }
  }
  fs::remove(cut);
}
