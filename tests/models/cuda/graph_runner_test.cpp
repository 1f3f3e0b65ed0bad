#include "models/cuda/batch_runner.hpp"

#include "errors/error.hpp"
#include "models/assembled.hpp"
#include "models/avatar_networks.hpp"
#include "tests/models/cuda/deferred_device.hpp"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;

namespace {

using sizes = std::vector<size_t>;

/// Squares triples, and keeps account of the batches it was asked for.
class GraphRunner : public ::testing::Test {
protected:
  std::unique_ptr<batch_runner> runner(unsigned seed = 0, size_t fitting = 16) {
    device = std::make_shared<deferred_device>(seed);
    auto run = [this, fitting](const std::vector<at::Tensor>& in) {
      auto n = static_cast<size_t>(in[0].size(0));
      TORCH_CHECK_WITH(OutOfMemoryError, n <= fitting, "out of memory");
      batches.push_back(n);
      return std::vector<at::Tensor>{in[0] * in[0]};
    };
    return make_graph_runner(device, {{{{3}, at::kFloat}}, {{{3}, at::kFloat}}, run});
  }

  static void submit(batch_runner& x, const std::vector<float>& values) {
    x.submit(values.size(), [&](const std::vector<at::Tensor>& rows) {
      ASSERT_EQ(rows[0].sizes(), (at::IntArrayRef{static_cast<int64_t>(values.size()), 3}));
      for (size_t i = 0; i < values.size(); ++i)
        rows[0][static_cast<int64_t>(i)].fill_(values[i]);
    });
  }

  static std::vector<float> collect(batch_runner& x) {
    auto values = std::vector<float>{};
    x.collect([&](const std::vector<at::Tensor>& rows) {
      for (int64_t i = 0; i < rows[0].size(0); ++i) {
        values.push_back(rows[0][i][0].item<float>());
        EXPECT_EQ(rows[0][i][2].item<float>(), values.back());
      }
    });
    return values;
  }

  std::shared_ptr<deferred_device> device;
  sizes batches;
};

errc code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const error& e) {
    return e.code();
  }
  return errc::settings_invalid;
}

} // namespace

TEST_F(GraphRunner, HasAGraphForEachBatchSize) {
  auto x = runner();
  EXPECT_EQ(x->warm_up(10), 16u);
  EXPECT_EQ(x->graph_batches(), (sizes{1, 2, 4, 8, 16}));
  EXPECT_EQ(batches.front(), 16u) << "the largest first";
  EXPECT_EQ(x->note(), "");
  EXPECT_EQ(x->warm_up(16), 16u);
  EXPECT_EQ(device->graphs, 5) << "nothing is recorded twice";
}

TEST_F(GraphRunner, PadsABatchToTheNextGraph) {
  auto x = runner();
  x->warm_up(8);
  batches.clear();
  submit(*x, {1, 2, 3});
  EXPECT_EQ(collect(*x), (std::vector<float>{1, 4, 9}));
  EXPECT_EQ(batches, sizes{4});
}

TEST_F(GraphRunner, WarmsUpByItselfWhenNobodyDid) {
  auto x = runner();
  submit(*x, {5});
  EXPECT_EQ(collect(*x), std::vector<float>{25});
  EXPECT_EQ(x->limit(), 16u);
}

TEST_F(GraphRunner, KeepsTwoExecutionsApartInEveryOrder) {
  for (auto seed = 0u; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    auto x = runner(seed);
    x->warm_up(4);
    submit(*x, {1, 2, 3, 4});
    submit(*x, {5, 6});
    EXPECT_EQ(collect(*x), (std::vector<float>{1, 4, 9, 16}));
    submit(*x, {7, 8, 9});
    EXPECT_EQ(collect(*x), (std::vector<float>{25, 36}));
    submit(*x, {10});
    EXPECT_EQ(collect(*x), (std::vector<float>{49, 64, 81}));
    EXPECT_EQ(collect(*x), std::vector<float>{100});
    EXPECT_EQ(x->under_way(), 0u);
  }
}

TEST_F(GraphRunner, ComputesNothingBeforeTheHostHasToWait) {
  auto x = runner();
  x->warm_up(2);
  batches.clear();
  submit(*x, {1});
  submit(*x, {2});
  EXPECT_TRUE(batches.empty()) << "submitting must not wait for the device";
  collect(*x);
  EXPECT_FALSE(batches.empty());
}

TEST_F(GraphRunner, RefusesWhatItCannotHold) {
  auto x = runner();
  x->warm_up(2);
  EXPECT_EQ(code_of([&] { submit(*x, {1, 2, 3}); }), errc::internal);
  EXPECT_EQ(code_of([&] { submit(*x, {}); }), errc::internal);
  EXPECT_EQ(code_of([&] { collect(*x); }), errc::internal);
  submit(*x, {1});
  submit(*x, {2});
  EXPECT_EQ(code_of([&] { submit(*x, {3}); }), errc::internal);
  EXPECT_EQ(code_of([&] { x->warm_up(16); }), errc::internal);
  EXPECT_EQ(collect(*x), std::vector<float>{1});
}

TEST_F(GraphRunner, LeavesOutBatchesThatDoNotFitTheMemory) {
  auto x = runner(0, 5);
  EXPECT_EQ(x->warm_up(16), 4u);
  EXPECT_EQ(x->graph_batches(), (sizes{1, 2, 4}));
  EXPECT_EQ(x->note(),
            "batch 8 does not fit the device's memory; batch 16 does not fit the device's memory");
  submit(*x, {1, 2, 3});
  EXPECT_EQ(collect(*x), (std::vector<float>{1, 4, 9}));
}

TEST_F(GraphRunner, SaysWhenNotEvenOneItemFits) {
  auto x = runner(0, 0);
  auto opened = opened_device{};
  opened.gpu = device;
  EXPECT_EQ(code_of([&] { on_device(opened, [&] { x->warm_up(16); }); }),
            errc::device_out_of_memory);
}

TEST_F(GraphRunner, RunsStepByStepWhatCannotBeRecorded) {
  auto x = runner();
  device->capture_failure = "an operation asks for a value";
  EXPECT_EQ(x->warm_up(2), 2u);
  EXPECT_TRUE(x->graph_batches().empty());
  EXPECT_NE(x->note().find("batch 2 has no graph: an operation asks for a value"),
            std::string::npos);
  submit(*x, {3, 4});
  EXPECT_EQ(collect(*x), (std::vector<float>{9, 16}));
}

TEST_F(GraphRunner, GoesOnAfterInputsThatWereRefused) {
  auto x = runner();
  x->warm_up(2);
  submit(*x, {2});
  EXPECT_THROW(x->submit(1, [](const auto&) { throw error{errc::internal, "too long"}; }), error);
  submit(*x, {3});
  EXPECT_EQ(collect(*x), std::vector<float>{4});
  EXPECT_EQ(collect(*x), std::vector<float>{9});
}

TEST_F(GraphRunner, GoesOnAfterResultsThatWereRefused) {
  auto x = runner();
  submit(*x, {2});
  submit(*x, {3});
  EXPECT_THROW(x->collect([](const auto&) {
    throw error{errc::device_failed, "not finite"};
  }),
               error);
  EXPECT_EQ(collect(*x), std::vector<float>{9});
}

TEST_F(GraphRunner, GrowsWhenAskedToLater) {
  auto x = runner();
  EXPECT_EQ(x->warm_up(2), 2u);
  EXPECT_EQ(x->warm_up(8), 8u);
  EXPECT_EQ(x->graph_batches(), (sizes{1, 2, 4, 8}));
  submit(*x, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(collect(*x), (std::vector<float>{1, 4, 9, 16, 25, 36}));
}

TEST_F(GraphRunner, CutsALongRunIntoExecutions) {
  auto x = runner(3);
  x->warm_up(16);
  batches.clear();
  auto results = std::vector<float>{};
  auto most = size_t{0};
  run_in_parts(
      *x, 37,
      [&](batch_part part) {
        auto values = std::vector<float>(part.count);
        std::iota(values.begin(), values.end(), static_cast<float>(part.first));
        submit(*x, values);
        most = std::max(most, x->under_way());
      },
      [&] {
        auto made = collect(*x);
        results.insert(results.end(), made.begin(), made.end());
      });
  EXPECT_EQ(batches, (sizes{16, 16, 8}));
  EXPECT_EQ(most, 2u) << "the device has the next part before the host takes this one";
  ASSERT_EQ(results.size(), 37u);
  EXPECT_EQ(results[36], 36.f * 36.f);
}

TEST_F(GraphRunner, LeavesNothingUnderWayWhenAPartFails) {
  auto x = runner();
  x->warm_up(1);
  EXPECT_THROW(run_in_parts(
                   *x, 5, [&](batch_part) { submit(*x, {1}); },
                   [] {
                     throw error{errc::device_failed, "not finite"};
                   }),
               error);
  EXPECT_EQ(x->under_way(), 0u);
  submit(*x, {6});
  EXPECT_EQ(collect(*x), std::vector<float>{36});
}

TEST_F(GraphRunner, TellsADeviceThatIsLostFromOneThatRefuses) {
  runner();
  auto opened = opened_device{};
  opened.gpu = device;
  auto refuse = [&] {
    return code_of([&] { on_device(opened, [] { TORCH_CHECK(false, "an illegal address"); }); });
  };
  EXPECT_EQ(refuse(), errc::device_failed);
  device->is_lost = true;
  EXPECT_EQ(refuse(), errc::device_lost);
}

// -- the networks --------------------------------------------------------------

namespace {

/// A CPU, or a device on it that has graphs and double buffers.
opened_device opened(bool deferred) {
  auto device = opened_device{};
  if (deferred)
    device.gpu = std::make_shared<deferred_device>();
  return device;
}

load_options synthetic() {
  auto options = load_options{};
  options.synthetic = true;
  return options;
}

std::unique_ptr<latent_encoder> small_encoder(const opened_device& device) {
  return make_latent_encoder(device, load_vae(synthetic(), device.where).network, "synthetic");
}

std::unique_ptr<face_generator> small_generator(const opened_device& device) {
  return make_face_generator(device, load_unet(synthetic(), device.where).network,
                             load_vae(synthetic(), device.where).network, "synthetic");
}

} // namespace

TEST(LatentEncoder, MakesTheSameOfACropThroughGraphs) {
  auto plain = small_encoder(opened(false)), encoder = small_encoder(opened(true));
  EXPECT_EQ(encoder->warm_up(2), 2u);
  auto pixels = std::vector<std::vector<uint8_t>>{};
  for (uint64_t k = 0; k < 5; ++k) {
    pixels.emplace_back(face_bytes);
    for (size_t i = 0; i < face_bytes; ++i)
      pixels.back()[i] = static_cast<uint8_t>(hash_at(k, i) >> 56);
  }
  auto crops = std::vector<bgr_crop>(pixels.begin(), pixels.end());
  auto expected = plain->encode(crops), got = encoder->encode(crops);
  ASSERT_EQ(got.size(), 5u);
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_EQ(got[i].half_bits, expected[i].half_bits) << i;
  // The same by hand, with two under way.
  encoder->submit(std::span{crops}.subspan(0, 2));
  encoder->submit(std::span{crops}.subspan(2, 1));
  EXPECT_EQ(encoder->collect()[1].half_bits, expected[1].half_bits);
  EXPECT_EQ(encoder->collect()[0].half_bits, expected[2].half_bits);
  auto report = encoder->report();
  EXPECT_EQ(report.graph_batches, (sizes{1, 2}));
  EXPECT_EQ(report.memory_total_bytes, 80'000u);
  EXPECT_EQ(report.memory_used_bytes, 30'000u);
  EXPECT_TRUE(plain->report().graph_batches.empty());
  EXPECT_EQ(plain->report().memory_total_bytes, 0u);
}

TEST(FaceGenerator, MakesTheSameFacesThroughGraphs) {
  auto plain = small_generator(opened(false)), generator = small_generator(opened(true));
  EXPECT_EQ(plain->warm_up(4), 4u) << "a CPU takes what it is asked to";
  EXPECT_EQ(generator->warm_up(1), 1u);
  for (auto tokens : {50u, 10u}) {
    SCOPED_TRACE(tokens);
    auto audio = hashed_input("audio", 2 * tokens * 32, 1, 1.f);
    auto latents = std::vector<uint16_t>(2 * latent_values);
    for (size_t i = 0; i < latents.size(); ++i)
      latents[i] = static_cast<uint16_t>(0x3000 + (hash_at(2, i) >> 54)); // Between 1/8 and 1/4.
    auto requests = std::vector<lip_request>{};
    for (size_t i = 0; i < 2; ++i)
      requests.push_back({std::span{latents}.subspan(i * latent_values, latent_values),
                          std::span{audio}.subspan(i * tokens * 32, tokens * 32)});
    // One by one, as the graphs do: another batch rounds otherwise.
    auto expected = std::vector<spoken_face>{};
    for (const auto& x : requests) {
      plain->submit({&x, 1});
      expected.push_back(plain->collect().front());
    }
    EXPECT_TRUE(generator->generate(requests) == expected);
    EXPECT_TRUE(expected[0] != expected[1]);
  }
}

TEST(FaceGenerator, RefusesOtherTokensWhileSomeAreUnderWay) {
  auto generator = small_generator(opened(false));
  auto latent = std::vector<uint16_t>(latent_values);
  auto audio = std::vector<float>(50 * 32);
  auto longer = lip_request{latent, audio},
       shorter = lip_request{latent, std::span{audio}.first(32)};
  generator->submit({&longer, 1});
  EXPECT_EQ(code_of([&] { generator->submit({&shorter, 1}); }), errc::internal);
  EXPECT_EQ(code_of([&] { generator->generate({&longer, 1}); }), errc::internal);
  EXPECT_EQ(generator->collect().size(), 1u);
}
