#include "models/checkpoint/avatar_lists.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "tests/models/golden.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;

TEST(AvatarLists, ReadsTheBoxesOfEveryGoodPickle) {
  auto folder = goldens() / "containers";
  auto table = manifest(folder);
  auto count = 0;
  for (const auto& x : table.at("entries").items()) {
    if (x.at("kind").text() != "pickle" || x.at("expect").text() != "load")
      continue;
    SCOPED_TRACE(x.at("file").text());
    ++count;
    auto boxes = read_box_list(folder / x.at("file").text());
    const auto& expected = x.at("boxes").items();
    ASSERT_EQ(boxes.size(), expected.size());
    for (size_t i = 0; i < boxes.size(); ++i)
      for (size_t edge = 0; edge < 4; ++edge)
        EXPECT_EQ(static_cast<double>(boxes[i].edges[edge]), expected[i].items()[edge].number());
  }
  EXPECT_GE(count, 12);
}

TEST(AvatarLists, MarksAFrameWithoutAFace) {
  auto boxes = read_box_list(goldens() / "containers/coords_placeholder.pkl");
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_FALSE(boxes[0].placeholder);
  EXPECT_TRUE(boxes[1].placeholder);
}

TEST(AvatarLists, ReadsTheLatentsOfEveryGoodFile) {
  auto folder = goldens() / "containers";
  auto table = manifest(folder);
  auto expected = checkpoint::open(folder / "expected.safetensors");
  auto count = 0;
  for (const auto& x : table.at("entries").items()) {
    if (x.at("kind").text() != "latents" || x.at("expect").text() != "load")
      continue;
    const auto& file = x.at("file").text();
    SCOPED_TRACE(file);
    ++count;
    auto latents = read_latent_list(folder / file);
    EXPECT_EQ(latents.location, x.at("location").text());
    ASSERT_EQ(latents.items.size(), x.at("tensors").members().size());
    for (size_t i = 0; i < latents.items.size(); ++i) {
      auto reference = expected.read(*expected.find(file + ":" + std::to_string(i)));
      const auto& bits = latents.items[i].half_bits;
      ASSERT_EQ(reference.size(), bits.size() * 2);
      EXPECT_EQ(std::memcmp(bits.data(), reference.data(), reference.size()), 0);
    }
  }
  EXPECT_GE(count, 3);
}

TEST(AvatarLists, RefusesEveryBadFile) {
  auto folder = goldens() / "containers";
  auto table = manifest(folder);
  auto count = 0;
  for (const auto& x : table.at("entries").items()) {
    if (x.at("kind").text() == "checkpoint" || x.at("expect").text() != "refuse")
      continue;
    const auto& file = x.at("file").text();
    SCOPED_TRACE(file + ": " + x.at("note").text());
    ++count;
    try {
      if (x.at("kind").text() == "pickle")
        read_box_list(folder / file);
      else
        read_latent_list(folder / file);
      ADD_FAILURE() << "accepted";
    } catch (const error& e) {
      EXPECT_EQ(e.code(), errc::avatar_damaged);
      EXPECT_TRUE(e.detail().starts_with(file + ": ")) << e.detail();
    }
  }
  EXPECT_GE(count, 12);
}
