#include "models/networks/s3fd.hpp"

#include "errors/error.hpp"
#include "models/networks/config_reader.hpp"
#include "models/networks/recorder.hpp"

#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

namespace musetalk::models {

namespace {

constexpr std::array<int, 5> stage_depths = {2, 2, 3, 3, 3};
constexpr std::array<const char*, s3fd_levels> level_names = {
    "conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2"};
constexpr double length_floor = 1e-10;
constexpr float candidate_threshold = 0.05f;
constexpr double face_threshold = 0.5;
constexpr double overlap_limit = 0.3;
constexpr double prior_cells = 4.0; ///< Side of a prior box in cells.
constexpr double shift_variance = 0.1;
constexpr double size_variance = 0.2;

std::string conv_name(size_t stage, int index) {
  return "conv" + std::to_string(stage + 1) + "_" + std::to_string(index);
}

double area(const s3fd_face& f) {
  return (f.right - f.left + 1) * (f.bottom - f.top + 1);
}

double overlap(const s3fd_face& a, const s3fd_face& b) {
  auto w = std::max(0.0, std::min(a.right, b.right) - std::max(a.left, b.left) + 1);
  auto h = std::max(0.0, std::min(a.bottom, b.bottom) - std::max(a.top, b.top) + 1);
  return w * h / (area(a) + area(b) - w * h);
}

} // namespace

s3fd_config s3fd_config::from_weights(const checkpoint& source) {
  auto outputs = [&](const std::string& name) {
    const auto* x = source.find(name + ".weight");
    if (!x)
      x = source.find("module." + name + ".weight");
    if (!x || x->shape.empty() || x->shape[0] < 1 || x->shape[0] > config_reader::max_size)
      throw error{errc::models_invalid,
                  source.name() + " holds no S3FD: " + name + ".weight is missing or has no size"};
    return x->shape[0];
  };
  auto c = s3fd_config{};
  for (size_t i = 0; i < c.vgg.size(); ++i)
    c.vgg[i] = outputs(conv_name(i, 1));
  c.fc = outputs("fc6");
  c.conv6 = {outputs("conv6_1"), outputs("conv6_2")};
  c.conv7 = {outputs("conv7_1"), outputs("conv7_2")};
  return c;
}

L2NormImpl::L2NormImpl(int64_t channels) {
  weight_ = register_parameter("weight", at::empty({channels}, at::kFloat), false);
}

at::Tensor L2NormImpl::forward(const at::Tensor& x) {
  auto length = x.square().sum(at::IntArrayRef{1}, true).sqrt() + length_floor; // [n, 1, h, w]
  return recorded(*this, x / length * weight_.view({1, -1, 1, 1}));
}

S3FDImpl::S3FDImpl(const s3fd_config& config) {
  auto add = [this](const std::string& name, int64_t in, int64_t out, const conv_options& options) {
    convs_.emplace(name, register_module(name, Conv2d{in, out, options}));
  };
  auto in = int64_t{3};
  for (size_t stage = 0; stage < config.vgg.size(); ++stage)
    for (auto i = 1; i <= stage_depths[stage]; ++i) {
      add(conv_name(stage, i), in, config.vgg[stage], {});
      in = config.vgg[stage];
    }
  add("fc6", in, config.fc, {3, 1, 3});
  add("fc7", config.fc, config.fc, pointwise());
  add("conv6_1", config.fc, config.conv6[0], pointwise());
  add("conv6_2", config.conv6[0], config.conv6[1], {3, 2, 1});
  add("conv7_1", config.conv6[1], config.conv7[0], pointwise());
  add("conv7_2", config.conv7[0], config.conv7[1], {3, 2, 1});
  auto widths = std::array<int64_t, s3fd_levels>{config.vgg[2], config.vgg[3],   config.vgg[4],
                                                 config.fc,     config.conv6[1], config.conv7[1]};
  for (size_t i = 0; i < s3fd_levels; ++i) {
    auto name = std::string{level_names[i]};
    if (name.ends_with("_norm"))
      norms_.emplace(name, register_module(name, L2Norm{widths[i]}));
    add(name + "_mbox_conf", widths[i], i == 0 ? 4 : 2, {});
    add(name + "_mbox_loc", widths[i], 4, {});
  }
}

at::Tensor S3FDImpl::activated(const std::string& name, const at::Tensor& x) {
  return convs_.at(name)->forward_relu(x);
}

std::array<s3fd_level, s3fd_levels> S3FDImpl::forward(const at::Tensor& x) {
  auto features = std::vector<at::Tensor>{};
  auto h = x;
  for (size_t stage = 0; stage < stage_depths.size(); ++stage) {
    for (auto i = 1; i <= stage_depths[stage]; ++i)
      h = activated(conv_name(stage, i), h);
    if (stage >= 2)
      features.push_back(norms_.at(conv_name(stage, 3) + "_norm")(h));
    h = at::max_pool2d(h, 2, 2);
  }
  h = activated("fc7", activated("fc6", h));
  features.push_back(h);
  h = activated("conv6_2", activated("conv6_1", h));
  features.push_back(h);
  features.push_back(activated("conv7_2", activated("conv7_1", h)));
  auto levels = std::array<s3fd_level, s3fd_levels>{};
  for (size_t i = 0; i < s3fd_levels; ++i) {
    auto name = std::string{level_names[i]};
    auto conf = convs_.at(name + "_mbox_conf")(features[i]);
    // The finest level knows three kinds of background; the likeliest speaks.
    if (i == 0)
      conf = at::cat({conf.narrow(1, 0, 3).amax({1}, true), conf.narrow(1, 3, 1)}, 1);
    levels[i] = {conf, convs_.at(name + "_mbox_loc")(features[i])};
  }
  return levels;
}

weight_names s3fd_names() {
  return {{},
          "face detector (S3FD)",
          "https://www.adrianbulat.com/downloads/python-fan/s3fd-619a316812.pth"};
}

at::Tensor s3fd_input(const at::Tensor& bgr) {
  auto options = at::TensorOptions{}.dtype(at::kFloat).device(bgr.device());
  return (bgr.flip({3}).to(at::kFloat) - at::tensor({104.0, 117.0, 123.0}, options))
      .permute({0, 3, 1, 2});
}

std::vector<s3fd_face> s3fd_candidates(const std::array<s3fd_level, s3fd_levels>& levels,
                                       int64_t index) {
  auto faces = std::vector<s3fd_face>{};
  for (size_t i = 0; i < s3fd_levels; ++i) {
    auto probability =
        at::softmax(levels[i].conf[index].to(at::kFloat), 0)[1].to(at::kCPU).contiguous();
    auto loc = levels[i].loc[index].to(at::kCPU, at::kFloat).contiguous(); // [4, h, w]
    auto p = probability.accessor<float, 2>();
    auto l = loc.accessor<float, 3>();
    auto stride = static_cast<double>(4 << i);
    auto side = prior_cells * stride;
    for (int64_t y = 0; y < p.size(0); ++y)
      for (int64_t x = 0; x < p.size(1); ++x) {
        if (!(p[y][x] > candidate_threshold))
          continue;
        auto centre_x =
            stride / 2 + static_cast<double>(x) * stride + l[0][y][x] * shift_variance * side;
        auto centre_y =
            stride / 2 + static_cast<double>(y) * stride + l[1][y][x] * shift_variance * side;
        auto w = side * std::exp(l[2][y][x] * size_variance);
        auto h = side * std::exp(l[3][y][x] * size_variance);
        faces.push_back(
            {centre_x - w / 2, centre_y - h / 2, centre_x + w / 2, centre_y + h / 2, p[y][x]});
      }
  }
  return faces;
}

std::vector<s3fd_face> s3fd_faces(std::vector<s3fd_face> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  auto kept = std::vector<s3fd_face>{};
  for (const auto& x : candidates) {
    // Best first: whatever follows scores no better.
    if (x.score <= face_threshold)
      break;
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const auto& better) { return overlap(better, x) > overlap_limit; }))
      kept.push_back(x);
  }
  return kept;
}

} // namespace musetalk::models
