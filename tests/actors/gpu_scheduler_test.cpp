#include "actors/gpu_scheduler.hpp"

#include "tests/actors/deterministic_system.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <deque>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

using images = std::vector<pipeline::image>;
using latents = std::vector<pipeline::latent>;
using points = std::vector<pipeline::face_points>;
using seen = std::vector<pipeline::seen_faces>;

/// What the fake device has seen and how it shall behave.
struct device {
  std::vector<std::vector<int32_t>> executions; ///< The marks of the pictures, per execution.
  std::vector<std::string> kinds;               ///< Of the executions.
  std::vector<size_t> warm_ups;
  size_t memory_frames = 1000;  ///< More in one execution run out of memory.
  int32_t poison = -1;          ///< A picture of this mark fails the execution.
  bool gone = false;            ///< It fails whatever it is asked.
  int32_t end = -1;             ///< A picture of this mark is the last thing that it is asked.
  size_t most_begun = 0;        ///< Not 0: executions overlap.
  int32_t refused = -1;         ///< An execution with a picture of this mark does not even begin.
  std::vector<std::string> log; ///< `begin` and `finish` of executions that overlap.
  std::deque<images> begun;     ///< Under way.
  std::atomic<int> inside = 0;

  size_t count(const std::string& kind) const {
    return static_cast<size_t>(std::count(kinds.begin(), kinds.end(), kind));
  }
};

/// A crop that can be told from others: its width is its mark.
pipeline::image crop(int32_t mark) {
  return {mark, 1, 3, nullptr};
}

std::vector<pipeline::image> crops(int32_t first, int32_t count) {
  auto result = std::vector<pipeline::image>{};
  for (auto i = 0; i < count; ++i)
    result.push_back(crop(first + i));
  return result;
}

class fake_networks : public pipeline::device_networks {
public:
  explicit fake_networks(device& x) : device_(x) {}

  latents encode(std::span<const pipeline::image> xs) override {
    return latents_of(execute("encode", xs));
  }

  size_t most_begun() const override { return device_.most_begun; }

  void begin_encode(std::span<const pipeline::image> xs) override {
    EXPECT_LE(xs.size(), device_.most_begun);
    EXPECT_LT(device_.begun.size(), pipeline::max_executions);
    device_.log.push_back("begin " + std::to_string(xs.front().width));
    if (std::any_of(xs.begin(), xs.end(), [&](auto& x) { return x.width == device_.refused; }))
      throw error(errc::device_out_of_memory, "The device cannot begin so much.");
    device_.begun.emplace_back(xs.begin(), xs.end());
  }

  // As on a real device: what began first is computed first, one after the other.
  latents finish_encode() override {
    EXPECT_FALSE(device_.begun.empty());
    auto oldest = device_.begun.front();
    device_.begun.pop_front();
    device_.log.push_back("finish " + std::to_string(oldest.front().width));
    return latents_of(compute("encode", oldest));
  }

  seen find_faces(std::span<const pipeline::image> xs) override {
    auto result = seen{};
    for (auto mark : execute("find", xs))
      result.push_back({{{mark, 0, mark + 1, 1}, 1.f}});
    return result;
  }

  points locate_points(std::span<const pipeline::image> xs) override {
    auto result = points{};
    for (auto mark : execute("locate", xs))
      result.emplace_back().fill({static_cast<float>(mark), 0.f});
    return result;
  }

  std::vector<pipeline::heard_sound> listen(std::span<const pipeline::sound_segment> x) override {
    return std::vector<pipeline::heard_sound>(x.size());
  }

  std::vector<pipeline::image> generate(std::span<const pipeline::lip_request> x) override {
    return std::vector<pipeline::image>(x.size());
  }

  images parse_faces(std::span<const pipeline::image> xs) override {
    auto result = images{};
    for (auto mark : execute("parse", xs))
      result.push_back({mark, 1, 1, nullptr});
    return result;
  }

  void warm_up(size_t most) override {
    device_.warm_ups.push_back(most);
    try_out();
  }

  void try_out() override {
    EXPECT_THAT(device_.begun, IsEmpty());
    if (device_.gone)
      throw error(errc::device_failed, "The device does not answer.");
  }

  pipeline::device_report report() const override {
    return {"cpu", "fake", "synthetic", "fp32", 0, ""};
  }

private:
  static latents latents_of(const std::vector<int32_t>& marks) {
    auto result = latents{};
    for (auto mark : marks)
      result.push_back(
          {std::make_shared<const std::vector<uint16_t>>(1, static_cast<uint16_t>(mark))});
    return result;
  }

  std::vector<int32_t> execute(const std::string& kind, std::span<const pipeline::image> xs) {
    EXPECT_THAT(device_.begun, IsEmpty()) << kind << " beside what is under way";
    return compute(kind, xs);
  }

  std::vector<int32_t> compute(const std::string& kind, std::span<const pipeline::image> xs) {
    // The work itself asserts that it is alone on the device.
    EXPECT_EQ(device_.inside.fetch_add(1), 0);
    auto marks = std::vector<int32_t>{};
    for (const auto& x : xs)
      marks.push_back(x.width);
    device_.executions.push_back(marks);
    device_.kinds.push_back(kind);
    device_.inside.fetch_sub(1);
    if (device_.gone)
      throw error(errc::device_failed, "The device does not answer.");
    if (std::count(marks.begin(), marks.end(), device_.end) > 0)
      throw error(errc::device_lost, "The device is gone.");
    if (xs.size() > device_.memory_frames)
      throw error(errc::device_out_of_memory, "The device ran out of memory.");
    if (std::count(marks.begin(), marks.end(), device_.poison) > 0)
      throw error(errc::device_failed, "The device rejected the work.");
    return marks;
  }

  device& device_;
};

std::vector<int> marks_of(const latents& xs) {
  auto result = std::vector<int>{};
  for (const auto& x : xs)
    result.push_back(x.half_bits->at(0));
  return result;
}

struct GpuScheduler : tests::DeterministicSystem {
  device fake;
  std::vector<device_status> reports;
  std::vector<std::string> fatals;

  ~GpuScheduler() override { end_all(); }

  gpu_scheduler_actor spawn(gpu_scheduler_config limits = {}) {
    auto parts = gpu_scheduler_parts{[this] { return std::make_unique<fake_networks>(fake); },
                                     [this](const device_status& x) { reports.push_back(x); },
                                     [this](const std::string& x) {
                                       fatals.push_back(x);
                                     }};
    auto result = own(sys.spawn(gpu_scheduler, limits, parts));
    sched.run();
    return result;
  }

  template <class Atom>
  auto ask_for(Atom what, const gpu_scheduler_actor& to, const std::string& job,
               work_class priority, images xs) {
    return self->request(to, 1s, what, job_id{job}, priority, std::move(xs));
  }

  auto encode(const gpu_scheduler_actor& to, const std::string& job, work_class priority,
              std::vector<pipeline::image> xs) {
    return ask_for(atom::encode_v, to, job, priority, std::move(xs));
  }
};

} // namespace

TEST_F(GpuScheduler, AnswersEveryLatentInTheOrderOfItsCrops) {
  auto gpu = spawn();
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 3));
  ASSERT_TRUE(answer.value);
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3));
}

TEST_F(GpuScheduler, AnswersNothingForNothingWithoutTheDevice) {
  auto gpu = spawn();
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 0));
  ASSERT_TRUE(answer.value);
  EXPECT_THAT(*answer.value, IsEmpty());
  EXPECT_THAT(fake.executions, IsEmpty());
}

TEST_F(GpuScheduler, SharesOneExecutionBetweenJobs) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = encode(gpu, "a", work_class::create, crops(1, 4));
  auto b = encode(gpu, "b", work_class::create, crops(11, 4));
  auto c = encode(gpu, "c", work_class::create, crops(21, 4));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(marks_of(*read<latents>(b).value), ElementsAre(11, 12, 13, 14));
  EXPECT_THAT(marks_of(*read<latents>(c).value), ElementsAre(21, 22, 23, 24));
  EXPECT_THAT(fake.executions,
              ElementsAre(ElementsAre(1, 2, 3, 4, 11, 12, 13, 14), ElementsAre(21, 22, 23, 24)));
}

TEST_F(GpuScheduler, CutsARequestThatIsLargerThanABatch) {
  auto gpu = spawn({.max_batch_frames = 2});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 5));
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4), ElementsAre(5)));
}

TEST_F(GpuScheduler, LetsSpeakPassCreate) {
  auto gpu = spawn({.max_batch_frames = 2});
  auto a = encode(gpu, "a", work_class::create, crops(1, 2));
  auto b = encode(gpu, "b", work_class::create, crops(11, 2));
  auto c = encode(gpu, "c", work_class::speak, crops(21, 1));
  auto d = encode(gpu, "d", work_class::speak, crops(31, 1));
  for (auto* x : {&a, &b, &c, &d})
    EXPECT_TRUE(read<latents>(*x).value);
  EXPECT_THAT(fake.executions,
              ElementsAre(ElementsAre(21, 31), ElementsAre(1, 2), ElementsAre(11, 12)));
}

TEST_F(GpuScheduler, LetsSpeakPassBetweenTheCutsOfALargeRequest) {
  auto gpu = spawn({.max_batch_frames = 2});
  auto large = encode(gpu, "a", work_class::create, crops(1, 4));
  sched.run_once(); // takes the request
  sched.run_once(); // runs its first cut
  auto urgent = encode(gpu, "b", work_class::speak, crops(21, 1));
  EXPECT_THAT(marks_of(*read<latents>(urgent).value), ElementsAre(21));
  EXPECT_THAT(marks_of(*read<latents>(large).value), ElementsAre(1, 2, 3, 4));
}

TEST_F(GpuScheduler, NeverMixesClassesInOneExecution) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = encode(gpu, "a", work_class::create, crops(1, 1));
  auto b = encode(gpu, "b", work_class::speak, crops(11, 1));
  read<latents>(a);
  read<latents>(b);
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(11), ElementsAre(1)));
}

// -- kinds of work ------------------------------------------------------------------

TEST_F(GpuScheduler, AnswersEachKindWithItsOwn) {
  auto gpu = spawn();
  auto found = ask<seen>(gpu, atom::find_v, job_id{"a"}, work_class::create, crops(1, 2));
  ASSERT_TRUE(found.value);
  EXPECT_EQ(found.value->at(1).at(0).where, (pipeline::box{2, 0, 3, 1}));
  auto located = ask<points>(gpu, atom::locate_v, job_id{"a"}, work_class::create, crops(3, 2));
  ASSERT_TRUE(located.value);
  EXPECT_EQ(located.value->at(1)[67], (pipeline::point{4.f, 0.f}));
  auto parsed = ask<images>(gpu, atom::parse_v, job_id{"a"}, work_class::create, crops(5, 2));
  ASSERT_TRUE(parsed.value);
  EXPECT_EQ(parsed.value->at(1).width, 6);
  EXPECT_THAT(fake.kinds, ElementsAre("find", "locate", "parse"));
}

TEST_F(GpuScheduler, NeverMixesKindsInOneExecution) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = ask_for(atom::encode_v, gpu, "a", work_class::create, crops(1, 1));
  auto b = ask_for(atom::find_v, gpu, "b", work_class::create, crops(2, 1));
  auto c = ask_for(atom::locate_v, gpu, "c", work_class::create, crops(3, 1));
  auto d = ask_for(atom::parse_v, gpu, "d", work_class::create, crops(4, 1));
  EXPECT_TRUE(read<latents>(a).value);
  EXPECT_TRUE(read<seen>(b).value);
  EXPECT_TRUE(read<points>(c).value);
  EXPECT_TRUE(read<images>(d).value);
  EXPECT_THAT(fake.kinds, ElementsAre("encode", "find", "locate", "parse"));
}

TEST_F(GpuScheduler, LetsTheSameKindRideAlongPastOthersThatKeepTheirTurn) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = ask_for(atom::encode_v, gpu, "a", work_class::create, crops(1, 2));
  auto b = ask_for(atom::find_v, gpu, "b", work_class::create, crops(11, 2));
  auto c = ask_for(atom::encode_v, gpu, "c", work_class::create, crops(21, 2));
  auto d = ask_for(atom::find_v, gpu, "d", work_class::create, crops(31, 2));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2));
  EXPECT_EQ(read<seen>(b).value->at(1).at(0).where.left, 12);
  EXPECT_THAT(marks_of(*read<latents>(c).value), ElementsAre(21, 22));
  EXPECT_EQ(read<seen>(d).value->at(1).at(0).where.left, 32);
  EXPECT_THAT(fake.kinds, ElementsAre("encode", "find"));
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1, 2, 21, 22), ElementsAre(11, 12, 31, 32)));
}

TEST_F(GpuScheduler, LetsSpeakPassWorkOfAnyKind) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = ask_for(atom::find_v, gpu, "a", work_class::create, crops(1, 1));
  auto b = ask_for(atom::encode_v, gpu, "b", work_class::speak, crops(2, 1));
  EXPECT_TRUE(read<seen>(a).value);
  EXPECT_TRUE(read<latents>(b).value);
  EXPECT_THAT(fake.kinds, ElementsAre("encode", "find"));
}

TEST_F(GpuScheduler, LooksForFacesInFewLargeFramesAtOnce) {
  auto gpu = spawn({.max_batch_frames = 8, .max_find_pixels = 2'000});
  auto frames = images(3, {1'000, 1, 3, nullptr});
  auto found = ask<seen>(gpu, atom::find_v, job_id{"a"}, work_class::create, frames);
  EXPECT_EQ(found.value->size(), 3u);
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1'000, 1'000), ElementsAre(1'000)));
  // A frame that is larger than the limit goes by itself; other kinds do not know it.
  fake.executions.clear();
  frames = images(2, {5'000, 1, 3, nullptr});
  EXPECT_TRUE(ask<seen>(gpu, atom::find_v, job_id{"a"}, work_class::create, frames).value);
  EXPECT_TRUE(ask<points>(gpu, atom::locate_v, job_id{"a"}, work_class::create, frames).value);
  EXPECT_THAT(fake.executions,
              ElementsAre(ElementsAre(5'000), ElementsAre(5'000), ElementsAre(5'000, 5'000)));
}

TEST_F(GpuScheduler, HalvesOnlyTheBatchOfTheKindThatRanOutOfMemory) {
  fake.memory_frames = 2;
  auto gpu = spawn({.max_batch_frames = 4});
  EXPECT_TRUE(ask<seen>(gpu, atom::find_v, job_id{"a"}, work_class::create, crops(1, 4)).value);
  fake.memory_frames = 1000;
  EXPECT_TRUE(ask<images>(gpu, atom::parse_v, job_id{"a"}, work_class::create, crops(1, 4)).value);
  EXPECT_THAT(fake.kinds, ElementsAre("find", "find", "find", "parse"));
}

TEST_F(GpuScheduler, WithdrawsWorkOfEveryKind) {
  auto gpu = spawn();
  auto kept = ask_for(atom::find_v, gpu, "a", work_class::create, crops(1, 1));
  auto b = ask_for(atom::find_v, gpu, "b", work_class::create, crops(2, 1));
  auto c = ask_for(atom::locate_v, gpu, "b", work_class::create, crops(3, 1));
  auto d = ask_for(atom::parse_v, gpu, "b", work_class::create, crops(4, 1));
  self->send(gpu, atom::cancel_v, job_id{"b"});
  EXPECT_TRUE(read<seen>(kept).value);
  EXPECT_EQ(read<seen>(b).code, errc::cancelled);
  EXPECT_EQ(read<points>(c).code, errc::cancelled);
  EXPECT_EQ(read<images>(d).code, errc::cancelled);
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1)));
}

TEST_F(GpuScheduler, SaysBusyBeyondItsLimit) {
  auto gpu = spawn({.max_waiting_requests = 2});
  auto a = encode(gpu, "a", work_class::create, crops(1, 1));
  auto b = encode(gpu, "b", work_class::create, crops(2, 1));
  auto c = encode(gpu, "c", work_class::create, crops(3, 1));
  EXPECT_TRUE(read<latents>(a).value);
  EXPECT_TRUE(read<latents>(b).value);
  auto refused = read<latents>(c);
  EXPECT_EQ(refused.code, errc::device_busy);
  EXPECT_THAT(refused.detail, ::testing::HasSubstr("limit is 2"));
}

TEST_F(GpuScheduler, HalvesTheBatchWhenMemoryRunsOut) {
  fake.memory_frames = 3;
  auto gpu = spawn({.max_batch_frames = 8});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 8));
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  auto sizes = std::vector<size_t>{};
  for (const auto& x : fake.executions)
    sizes.push_back(x.size());
  EXPECT_THAT(sizes, ElementsAre(8, 4, 2, 2, 2, 2));
}

TEST_F(GpuScheduler, SaysSoWhenNotEvenOneFrameFits) {
  fake.memory_frames = 0;
  auto gpu = spawn({.max_batch_frames = 4});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 4));
  EXPECT_EQ(answer.code, errc::device_out_of_memory);
}

TEST_F(GpuScheduler, FailsOnlyTheJobWhoseWorkTheDeviceRejects) {
  fake.poison = 12;
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = encode(gpu, "a", work_class::create, crops(1, 2));
  auto b = encode(gpu, "b", work_class::create, crops(11, 2));
  auto c = encode(gpu, "c", work_class::create, crops(21, 2));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2));
  EXPECT_EQ(read<latents>(b).code, errc::device_failed);
  EXPECT_THAT(marks_of(*read<latents>(c).value), ElementsAre(21, 22));
}

TEST_F(GpuScheduler, FailsTheQueuedWorkOfACancelledJobOnly) {
  auto gpu = spawn();
  auto kept = encode(gpu, "a", work_class::create, crops(1, 1));
  auto dropped = encode(gpu, "b", work_class::create, crops(2, 1));
  self->send(gpu, atom::cancel_v, job_id{"b"});
  EXPECT_TRUE(read<latents>(kept).value);
  EXPECT_EQ(read<latents>(dropped).code, errc::cancelled);
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1)));
}

TEST_F(GpuScheduler, AnswersEveryoneBeforeItStops) {
  auto gpu = spawn({.max_batch_frames = 1});
  auto a = encode(gpu, "a", work_class::create, crops(1, 1));
  auto b = encode(gpu, "b", work_class::create, crops(2, 1));
  auto c = encode(gpu, "c", work_class::create, crops(3, 1));
  sched.run(1);
  self->send_exit(gpu, caf::exit_reason::user_shutdown);
  auto answered = 0;
  for (auto* x : {&a, &b, &c}) {
    auto answer = read<latents>(*x);
    answered += answer.value || answer.code == errc::cancelled;
  }
  EXPECT_EQ(answered, 3);
}

TEST_F(GpuScheduler, ReportsReadinessAndTheEndOfItsWork) {
  auto gpu = spawn();
  ASSERT_EQ(reports.size(), 1);
  EXPECT_TRUE(reports.back().ready);
  EXPECT_EQ(reports.back().device.name, "fake");
  ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 3));
  EXPECT_EQ(reports.back().executions, 1u);
  EXPECT_EQ(reports.back().frames, 3u);
  EXPECT_EQ(reports.back().waiting, 0u);
  EXPECT_EQ(reports.back().running_frames, 0u);
}

TEST_F(GpuScheduler, ReportsABusyDeviceNoMoreOftenThanItsInterval) {
  auto gpu = spawn({.max_batch_frames = 1, .report_interval = 200ms});
  auto work = encode(gpu, "a", work_class::create, crops(1, 100));
  read<latents>(work);
  // Ready, and idle again: the test's clock stands still in between.
  EXPECT_EQ(reports.size(), 2u);
}

// -- executions that overlap ----------------------------------------------------------

TEST_F(GpuScheduler, BeginsTheNextExecutionBeforeItCollectsTheLast) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_batch_frames = 2});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 7));
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(fake.log, ElementsAre("begin 1", "begin 3", "finish 1", "begin 5", "finish 3",
                                    "begin 7", "finish 5", "finish 7"));
  EXPECT_EQ(reports.back().executions, 4u);
  EXPECT_EQ(reports.back().frames, 7u);
  EXPECT_EQ(reports.back().running_frames, 0u);
}

TEST_F(GpuScheduler, OverlapsTheRequestsOfSeveralJobs) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_batch_frames = 2});
  auto a = encode(gpu, "a", work_class::create, crops(1, 2));
  auto b = encode(gpu, "b", work_class::create, crops(11, 2));
  auto c = encode(gpu, "c", work_class::create, crops(21, 2));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2));
  EXPECT_THAT(marks_of(*read<latents>(b).value), ElementsAre(11, 12));
  EXPECT_THAT(marks_of(*read<latents>(c).value), ElementsAre(21, 22));
  EXPECT_THAT(fake.log,
              ElementsAre("begin 1", "begin 11", "finish 1", "begin 21", "finish 11", "finish 21"));
}

TEST_F(GpuScheduler, BeginsNoMoreThanTheDeviceTakesAtOnce) {
  fake.most_begun = 3;
  auto gpu = spawn({.max_batch_frames = 8});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 7));
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(fake.executions,
              ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4, 5, 6), ElementsAre(7)));
}

TEST_F(GpuScheduler, RunsKindsThatDoNotOverlapByThemselves) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_batch_frames = 2});
  auto a = ask_for(atom::encode_v, gpu, "a", work_class::create, crops(1, 4));
  auto b = ask_for(atom::parse_v, gpu, "b", work_class::create, crops(11, 1));
  auto c = ask_for(atom::encode_v, gpu, "c", work_class::create, crops(21, 2));
  EXPECT_TRUE(read<latents>(a).value);
  EXPECT_TRUE(read<images>(b).value);
  EXPECT_TRUE(read<latents>(c).value);
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4), ElementsAre(11),
                                           ElementsAre(21, 22)));
}

TEST_F(GpuScheduler, LetsSpeakPassWhatHasNotBegun) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_batch_frames = 2});
  auto large = encode(gpu, "a", work_class::create, crops(1, 8));
  sched.run_once(); // takes the request
  sched.run_once(); // begins its first cut
  auto urgent = encode(gpu, "b", work_class::speak, crops(21, 1));
  EXPECT_THAT(marks_of(*read<latents>(urgent).value), ElementsAre(21));
  EXPECT_THAT(marks_of(*read<latents>(large).value), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  fake.log.resize(4);
  EXPECT_THAT(fake.log, ElementsAre("begin 1", "begin 3", "finish 1", "begin 21"));
}

TEST_F(GpuScheduler, DropsTheOutputsOfWorkThatIsWithdrawnUnderWay) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_batch_frames = 4});
  auto kept = encode(gpu, "a", work_class::create, crops(1, 2));
  auto dropped = encode(gpu, "b", work_class::create, crops(11, 2));
  auto after = encode(gpu, "c", work_class::create, crops(21, 2));
  for (auto i = 0; i < 4; ++i)
    sched.run_once(); // takes all three, begins the first two
  EXPECT_EQ(fake.begun.size(), 1u);
  self->send(gpu, atom::cancel_v, job_id{"b"});
  EXPECT_THAT(marks_of(*read<latents>(kept).value), ElementsAre(1, 2));
  EXPECT_EQ(read<latents>(dropped).code, errc::cancelled);
  EXPECT_THAT(marks_of(*read<latents>(after).value), ElementsAre(21, 22));
  EXPECT_THAT(fake.begun, IsEmpty());
}

TEST_F(GpuScheduler, DoesAgainWhatWasUnderWayBesideAFailure) {
  fake.most_begun = 16;
  fake.poison = 11;
  auto gpu = spawn({.max_batch_frames = 2});
  auto a = encode(gpu, "a", work_class::create, crops(1, 2));
  auto b = encode(gpu, "b", work_class::create, crops(11, 2));
  auto c = encode(gpu, "c", work_class::create, crops(21, 4));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2));
  EXPECT_EQ(read<latents>(b).code, errc::device_failed);
  EXPECT_THAT(marks_of(*read<latents>(c).value), ElementsAre(21, 22, 23, 24));
  EXPECT_THAT(fatals, IsEmpty());
}

TEST_F(GpuScheduler, HalvesTheBatchWhenAnExecutionUnderWayRunsOutOfMemory) {
  fake.most_begun = 16;
  fake.memory_frames = 2;
  auto gpu = spawn({.max_batch_frames = 4});
  auto answer = ask<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 8));
  EXPECT_THAT(marks_of(*answer.value), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(fake.executions.back().size(), 2u);
}

TEST_F(GpuScheduler, GoesOnWhenAnExecutionCannotEvenBegin) {
  fake.most_begun = 16;
  fake.refused = 12;
  auto gpu = spawn({.max_batch_frames = 4});
  auto a = encode(gpu, "a", work_class::create, crops(1, 4));
  auto b = encode(gpu, "b", work_class::create, crops(11, 4));
  EXPECT_THAT(marks_of(*read<latents>(a).value), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(read<latents>(b).code, errc::device_out_of_memory);
  EXPECT_THAT(fake.begun, IsEmpty());
}

TEST_F(GpuScheduler, FailsNobodyWhenTheDeviceIsLostUnderWay) {
  fake.most_begun = 16;
  fake.end = 1;
  auto gpu = spawn({.max_batch_frames = 2});
  auto a = ask_later<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 6));
  EXPECT_THAT(fatals, ElementsAre(::testing::HasSubstr("The device is gone.")));
  EXPECT_FALSE(a->told());
  self->send_exit(gpu, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_EQ(a->code, errc::cancelled);
}

TEST_F(GpuScheduler, CountsWhatIsUnderWayAsRunningAndNotAsWaiting) {
  fake.most_begun = 16;
  auto gpu = spawn({.max_waiting_requests = 1, .max_batch_frames = 2, .report_interval = 0ms});
  auto a = encode(gpu, "a", work_class::create, crops(1, 2));
  sched.run_once(); // takes it
  auto b = encode(gpu, "b", work_class::create, crops(11, 2));
  sched.run_once(); // begins the first, before it takes the second
  EXPECT_TRUE(read<latents>(a).value);
  EXPECT_TRUE(read<latents>(b).value) << "the place of what is under way is free";
  auto most = uint32_t{0};
  for (const auto& x : reports)
    most = std::max(most, x.running_frames);
  EXPECT_EQ(most, 4u);
}

// -- the device itself ----------------------------------------------------------------

TEST_F(GpuScheduler, RunsItsNetworksBeforeItIsReady) {
  spawn({.max_batch_frames = 12});
  EXPECT_THAT(fake.warm_ups, ElementsAre(12u));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports.back().ready);
}

TEST_F(GpuScheduler, IsNotReadyWhenItsNetworksDoNotRun) {
  fake.gone = true;
  spawn();
  EXPECT_THAT(reports, IsEmpty());
  EXPECT_THAT(fatals, ElementsAre(::testing::HasSubstr("does not answer")));
}

TEST_F(GpuScheduler, EndsTheProgramWhenTheDeviceIsLostAndFailsNobody) {
  auto gpu = spawn({.max_batch_frames = 8});
  auto a = ask_later<latents>(gpu, atom::encode_v, job_id{"a"}, work_class::create, crops(1, 1));
  EXPECT_TRUE(a->value);
  fake.gone = true;
  auto b = ask_later<latents>(gpu, atom::encode_v, job_id{"b"}, work_class::create, crops(2, 1));
  auto c = ask_later<seen>(gpu, atom::find_v, job_id{"c"}, work_class::create, crops(3, 1));
  EXPECT_THAT(fatals, ElementsAre(::testing::HasSubstr("the device cpu is lost")));
  EXPECT_FALSE(reports.back().ready);
  // Their jobs are the next start's: until the end nobody hears anything, and nothing runs.
  EXPECT_FALSE(b->told());
  EXPECT_FALSE(c->told());
  EXPECT_THAT(fake.executions, ElementsAre(ElementsAre(1), ElementsAre(2)));
  self->send_exit(gpu, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_EQ(b->code, errc::cancelled);
  EXPECT_EQ(c->code, errc::cancelled);
}

TEST_F(GpuScheduler, TakesTheNetworksWordThatTheDeviceIsLost) {
  auto gpu = spawn();
  fake.end = 2;
  auto a = ask_later<images>(gpu, atom::parse_v, job_id{"a"}, work_class::create, crops(2, 1));
  EXPECT_THAT(fatals, ElementsAre(::testing::HasSubstr("The device is gone.")));
  EXPECT_FALSE(a->told());
}

TEST_F(GpuScheduler, EndsTheProgramWhenItsNetworksCannotBeLoaded) {
  auto parts =
      gpu_scheduler_parts{[]() -> std::unique_ptr<pipeline::device_networks> {
                            throw error(errc::models_invalid, "vae.bin has 3 wrong shapes.");
                          },
                          [](const device_status&) { FAIL(); },
                          [this](const std::string& x) {
                            fatals.push_back(x);
                          }};
  auto gpu = sys.spawn(gpu_scheduler, gpu_scheduler_config{}, parts);
  sched.run();
  EXPECT_THAT(fatals, ElementsAre(::testing::HasSubstr("vae.bin has 3 wrong shapes.")));
  auto late = encode(gpu, "a", work_class::create, crops(1, 1));
  EXPECT_EQ(read<latents>(late).code, errc::worker_died);
}
