#pragma once

#include "actors/speech_workers.hpp"
#include "tests/actors/fake_pipeline.hpp"

#include <memory>
#include <vector>

namespace musetalk::tests {

/// Frames whose sound is their number; every third has no face.
class fake_source : public pipeline::speech_source {
public:
  fake_source(fake_world& world, pipeline::sound_analysis_ptr ears)
      : world_(world), ears_(std::move(ears)) {
    plan_.frames = world.frames;
    plan_.width = 65;
    plan_.height = 48;
    world_.open_clips.insert("speech");
  }

  ~fake_source() override { world_.open_clips.erase("speech"); }

  const pipeline::speech_plan& plan() const override { return plan_; }

  pipeline::speech_batch next(int32_t max_frames) override {
    world_.step("pull");
    ++world_.pulled;
    auto result = pipeline::speech_batch{};
    for (auto i = 0; i < max_frames && done_ < plan_.frames; ++i, ++done_) {
      auto x = pipeline::speech_frame{};
      x.index = done_;
      x.face = done_ % 3 != 2;
      if (x.face)
        x.lips.heard = std::make_shared<const std::vector<float>>(1, static_cast<float>(done_));
      result.frames.push_back(std::move(x));
    }
    result.last = done_ == plan_.frames;
    return result;
  }

private:
  fake_world& world_;
  pipeline::sound_analysis_ptr ears_;
  pipeline::speech_plan plan_;
  int64_t done_ = 0;
};

/// Takes frames in order, each with its own face: the fake networks mark faces with their sound.
class fake_film : public pipeline::film {
public:
  fake_film(fake_world& world, pipeline::film_plan plan) : world_(world), plan_(std::move(plan)) {
    world_.open_clips.insert("film");
  }

  ~fake_film() override { world_.open_clips.erase("film"); }

  void write(const pipeline::speech_batch& batch, std::span<const pipeline::image> faces) override {
    world_.step("film");
    auto face = faces.begin();
    for (const auto& x : batch.frames) {
      if (x.face) {
        ASSERT_NE(face, faces.end());
        EXPECT_EQ(face++->width, x.index);
      }
      world_.written["film"].push_back(x.index);
    }
    EXPECT_EQ(face, faces.end());
  }

  void finish() override { world_.step("finish"); }

private:
  fake_world& world_;
  pipeline::film_plan plan_;
};

/// Speech parts over the fakes. @param films Told of every film that is begun.
inline actors::speech_parts fake_speech(fake_world& world,
                                        std::vector<pipeline::film_plan>* films = nullptr) {
  auto result = actors::speech_parts{};
  result.open_speech = [&world](const pipeline::speech_request&,
                                const pipeline::sound_analysis_ptr& ears) {
    world.step("open speech");
    return std::make_unique<fake_source>(world, ears);
  };
  result.open_film = [&world, films](const pipeline::film_plan& plan) {
    world.step("open film");
    if (films)
      films->push_back(plan);
    return std::make_unique<fake_film>(world, plan);
  };
  return result;
}

} // namespace musetalk::tests
