#include "models/networks/layers.hpp"

#include "models/networks/hash_fill.hpp"
#include "models/precision_choice.hpp"
#include "tests/models/parity.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

namespace {

/// A picture like a face crop whose lower half is black, far from zero: what cancels in E[x^2] -
/// E[x]^2.
at::Tensor half_black(at::IntArrayRef shape) {
  auto x = hashed_tensor("picture", shape, 7, 0.1f) + 30.0;
  x.narrow(2, shape[2] / 2, shape[2] - shape[2] / 2).fill_(-1.0);
  return x;
}

at::Tensor exact_norm(const at::Tensor& x, int64_t groups, const GroupNorm& layer, bool silu) {
  auto y = at::group_norm(x.to(at::kDouble).contiguous(), groups, layer->weight.to(at::kDouble),
                          layer->bias.to(at::kDouble), 1e-6);
  return silu ? at::silu(y) : y;
}

double worst(const at::Tensor& got, const at::Tensor& wanted) {
  return (got.to(at::kDouble) - wanted.to(at::kDouble)).abs().max().item<double>();
}

template <class Layer>
Layer filled(Layer layer) {
  c10::NoGradGuard no_grad;
  hash_fill(*layer, 3, 1.0);
  return layer;
}

} // namespace

TEST(GroupNorm, IsExactOnHalfBlackPictures) {
  // Few and many channels, groups of one and of odd width, blocks that end within a picture, both
  // layouts.
  struct shape {
    int64_t groups, channels, side;
  };
  for (auto s : {shape{4, 8, 9}, shape{32, 320, 17}, shape{32, 2560, 5}, shape{7, 7, 33},
                 shape{5, 15, 64}, shape{1, 3, 1}}) {
    SCOPED_TRACE(s.channels);
    auto layer = filled(GroupNorm{s.groups, s.channels, 1e-6});
    auto planes = half_black({3, s.channels, s.side, s.side});
    for (const auto& x : {planes, planes.contiguous(at::MemoryFormat::ChannelsLast)})
      for (auto next : {activation::none, activation::silu}) {
        auto y = layer(x, next);
        EXPECT_LT(worst(y, exact_norm(x, s.groups, layer, next == activation::silu)), 2e-5);
        EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
      }
  }
}

TEST(GroupNorm, LosesInBfloat16OnlyWhatItsNumbersLose) {
  auto layer = filled(GroupNorm{32, 64, 1e-6});
  auto x = hashed_tensor("x", {2, 64, 24, 24}, 1, 3.f).to(at::kBFloat16);
  auto wanted = exact_norm(x, 32, layer, true);
  // Half a unit in the last of eight bits.
  auto apart = (layer(x, activation::silu).to(at::kDouble) - wanted).abs();
  EXPECT_TRUE((apart <= wanted.abs() * (1.0 / 256) + 1e-6).all().item<bool>());
}

TEST(GroupNorm, KeepsWhatIsNoNumber) {
  auto layer = filled(GroupNorm{2, 4, 1e-6});
  auto x = at::ones({1, 4, 2, 2});
  x[0][0][0][0] = NAN;
  for (auto type : {at::kFloat, at::kBFloat16})
    EXPECT_TRUE(layer(x.to(type), activation::silu).isnan().any().item<bool>());
}

TEST(GroupNorm, AnswersTheSameForAnyNumberOfThreads) {
  auto layer = filled(GroupNorm{8, 40, 1e-6});
  auto x = half_black({2, 40, 50, 50});
  auto before = at::get_num_threads();
  at::set_num_threads(1);
  auto alone = layer(x);
  at::set_num_threads(3);
  EXPECT_TRUE(layer(x).equal(alone));
  at::set_num_threads(before);
}

TEST(Conv2d, EqualsThePlainOneInOneDnnsOrder) {
  for (auto o : {conv_options{}, conv_options{3, 2, 0}, conv_options{5, 1, 2, 16, false},
                 pointwise(), conv_options{7, 2, 3}}) {
    SCOPED_TRACE(o.kernel);
    c10::InferenceMode inference;
    auto plain = filled(Conv2d{16, 32, o}), packed = filled(Conv2d{16, 32, o});
    // The second picture has another size than the one that the weights were packed for.
    for (auto side : {18, 31}) {
      auto x = hashed_tensor("x", {2, 16, side, side}, 1, 1.f);
      auto wanted = [&] {
        auto guard = plain_layers{};
        return plain(x);
      }();
      EXPECT_LT(worst(packed(x), wanted), 1e-5);
      auto addend = hashed_tensor("addend", wanted.sizes(), 1, 1.f);
      EXPECT_LT(worst(packed->forward_plus(x, addend), wanted + addend), 1e-5);
    }
    EXPECT_EQ(packed->weight.numel(), 0) << "the weights are held twice";
    EXPECT_GT(plain->weight.numel(), 0);
  }
}

TEST(Conv2d, TakesPixelsAsRows) {
  c10::InferenceMode inference;
  auto as_picture = filled(Conv2d{16, 24, pointwise()});
  auto as_rows = filled(Conv2d{16, 24, pointwise()});
  auto x = hashed_tensor("x", {2, 16, 6, 5}, 1, 1.f);
  auto rows = as_rows->on_tokens(x.permute({0, 2, 3, 1}).flatten(1, 2));
  EXPECT_LT(worst(rows.unflatten(1, {6, 5}).permute({0, 3, 1, 2}), as_picture(x)), 1e-5);
}

TEST(Linear, EqualsThePlainOneInOneDnnsOrder) {
  for (auto bias : {true, false}) {
    c10::InferenceMode inference;
    auto plain = filled(Linear{48, 80, bias}), packed = filled(Linear{48, 80, bias});
    for (auto rows : {7, 50}) {
      auto x = hashed_tensor("x", {3, rows, 48}, 1, 1.f);
      auto guard = std::optional<plain_layers>{std::in_place};
      auto wanted = plain(x);
      guard.reset();
      EXPECT_LT(worst(packed(x), wanted), 1e-5);
    }
  }
}

// -- which number format -------------------------------------------------------

TEST(PrecisionChoice, TakesBfloat16WhereItIsQuickerAndCloseEnough) {
  if (!onednn::available(at::kBFloat16))
    GTEST_SKIP() << "this processor has no bf16";
  auto slow_in_fp32 = [](at::ScalarType type) -> std::function<at::Tensor()> {
    auto a = hashed_tensor("a", {256, 256}, 1, 1.f);
    return [=] {
      auto rounds = type == at::kFloat ? 200 : 1;
      auto y = at::matmul(a, a);
      for (auto i = 1; i < rounds; ++i)
        y = at::matmul(a, a);
      return y.to(type);
    };
  };
  auto choice = choose_precision(slow_in_fp32);
  EXPECT_EQ(choice.dtype, precision::bfloat16) << choice.reason;
  auto slow_and_wrong = [&](at::ScalarType type) -> std::function<at::Tensor()> {
    auto run = slow_in_fp32(type);
    return [=] {
      return type == at::kFloat ? run() : run() * 1.1;
    };
  };
  choice = choose_precision(slow_and_wrong);
  EXPECT_EQ(choice.dtype, precision::float32);
  EXPECT_NE(choice.reason.find("10."), std::string::npos) << choice.reason;
}

TEST(PrecisionChoice, LeavesWhatIsNoNumberInFp32) {
  auto broken = [](at::ScalarType type) -> std::function<at::Tensor()> {
    auto y = at::ones({4});
    return [=] {
      return type == at::kFloat ? y : y * NAN;
    };
  };
  EXPECT_EQ(choose_precision(broken).dtype, precision::float32);
}
