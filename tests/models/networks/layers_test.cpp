#include "models/networks/layers.hpp"

#include "models/networks/attention.hpp"
#include "models/networks/hash_fill.hpp"
#include "models/networks/recorder.hpp"
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

TEST(Conv2d, FoldsTheNormalisationThatFollows) {
  c10::InferenceMode inference;
  for (auto o :
       {conv_options{3, 1, 1, 1, false}, conv_options{}, conv_options{5, 2, 2, 16, false}}) {
    SCOPED_TRACE(o.kernel);
    auto plain = filled(Conv2d{16, 32, o}), packed = filled(Conv2d{16, 32, o});
    auto norm = filled(BatchNorm2d{32});
    norm->running_var.abs_().add_(0.1);
    auto x = hashed_tensor("x", {2, 16, 18, 13}, 1, 1.f);
    auto normed = [&] {
      auto guard = plain_layers{};
      return norm(plain(x));
    }();
    auto addend = hashed_tensor("addend", normed.sizes(), 1, 1.f);
    EXPECT_LT(worst(packed->forward_normed(x, *norm, "none"), normed), 1e-5);
    EXPECT_LT(worst(packed->forward_normed(x, *norm, "relu"), normed.relu()), 1e-5);
    EXPECT_LT(worst(packed->forward_normed(x, *norm, "swish"), at::silu(normed)), 1e-5);
    EXPECT_LT(worst(packed->forward_normed(x, *norm, "relu", addend), (normed + addend).relu()),
              1e-5);
    auto guard = plain_layers{};
    EXPECT_LT(worst(plain->forward_normed(x, *norm, "relu", addend), (normed + addend).relu()),
              1e-5);
  }
}

TEST(Conv2d, ShowsItsOwnResultToARecorderBeforeTheNormalisation) {
  c10::InferenceMode inference;
  auto layer = filled(Conv2d{16, 32}), same = filled(Conv2d{16, 32});
  auto norm = filled(BatchNorm2d{32});
  norm->running_var.abs_().add_(0.1);
  auto whole = numbered({layer.ptr(), norm.ptr()});
  auto x = hashed_tensor("x", {1, 16, 9, 9}, 1, 1.f);
  auto shown = [&] {
    auto record = recorder{*whole};
    layer->forward_normed(x, *norm, "relu");
    return record.values();
  }();
  EXPECT_LT(worst(shown.at("0"), same(x)), 1e-5);
  EXPECT_LT(worst(shown.at("1"), norm(same(x))), 1e-5);
  // The weights were packed as they are: later calls go on with them.
  EXPECT_LT(worst(layer->forward_normed(x, *norm, "relu"), norm(same(x)).relu()), 1e-5);
}

TEST(Conv2d, EqualsThePlainOneOnDoubledPictures) {
  c10::InferenceMode inference;
  // Small pictures go the plain way; a layer keeps to the way of its first.
  for (auto [h, w] : {std::pair{32, 40}, std::pair{5, 7}}) {
    SCOPED_TRACE(h);
    auto plain = filled(Conv2d{16, 24}), doubled = filled(Conv2d{16, 24});
    for (auto n : {1, 3}) {
      auto x = hashed_tensor("x", {n, 16, h, w}, 1, 1.f);
      auto guard = std::optional<plain_layers>{std::in_place};
      auto wanted = plain->forward_doubled(x);
      guard.reset();
      EXPECT_EQ(wanted.sizes(), (at::IntArrayRef{n, 24, 2 * h, 2 * w}));
      EXPECT_LT(worst(doubled->forward_doubled(x), wanted), 1e-5);
    }
    EXPECT_EQ(doubled->weight.numel(), 0) << "the weights are held twice";
  }
}

TEST(Attention, EqualsTheExactOneInEachFormatAndLayout) {
  c10::InferenceMode inference;
  auto given = [](const char* name, int64_t steps) { // as projections leave it: heads inside
    return hashed_tensor(name, {2, steps, 3, 32}, 1, 2.f).transpose(1, 2);
  };
  for (auto steps : {1500, 20}) {
    auto q = given("q", steps), k = given("k", steps + 7), v = given("v", steps + 7);
    for (auto type : {at::kFloat, at::kBFloat16}) {
      auto exact = [](const at::Tensor& x, at::ScalarType through) {
        return x.to(through).to(at::kDouble);
      };
      auto wanted =
          at::scaled_dot_product_attention(exact(q, type), exact(k, type), exact(v, type));
      auto got = attention(q.to(type), k.to(type), v.to(type));
      EXPECT_EQ(got.scalar_type(), type);
      EXPECT_LT(worst(got, wanted), type == at::kFloat ? 1e-5 : 0.02);
    }
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
