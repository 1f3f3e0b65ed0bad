#include "pipeline/face_mesh.hpp"

#include "errors/error.hpp"
#include "pipeline/face_network.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr int32_t network_side = 192;
constexpr size_t right_eye_corner = 33; // of the person: left in the picture
constexpr size_t left_eye_corner = 263;
constexpr double rect_growth = 1.5;

face_rect square(double left, double top, double right, double bottom, point right_eye,
                 point left_eye) {
  auto angle = std::atan2(double{left_eye.y} - right_eye.y, double{left_eye.x} - right_eye.x);
  return {(left + right) / 2, (top + bottom) / 2,
          rect_growth * std::max(right - left, bottom - top), angle};
}

} // namespace

face_rect rect_from_detection(const detection& found) {
  return square(found.left, found.top, found.right, found.bottom, found.keypoints[0],
                found.keypoints[1]);
}

face_rect rect_from_mesh(std::span<const point, mesh_size> points) {
  auto [left, right] = std::ranges::minmax(points, {}, &point::x);
  auto [top, bottom] = std::ranges::minmax(points, {}, &point::y);
  return square(left.x, top.y, right.x, bottom.y, points[right_eye_corner],
                points[left_eye_corner]);
}

struct face_mesh::impl {
  explicit impl(const std::filesystem::path& models_dir)
      : network(models_dir, "face_landmark", network_side, network_side, 0.f, {"o0", "o1"}) {
    auto& outputs = network.run({1, 1, 3, share({0, 0, 0})}, {0., 0., 1., 1., 0.}, outside::black);
    if (outputs[0].total() != 3 * mesh_size || outputs[1].total() != 1)
      throw error{errc::models_invalid, "The face network face_landmark.onnx has other outputs."};
  }

  face_network network;
};

face_mesh::face_mesh(const std::filesystem::path& models_dir)
    : impl_(std::make_unique<impl>(models_dir)) {
  // nop
}

face_mesh::face_mesh(face_mesh&&) noexcept = default;
face_mesh& face_mesh::operator=(face_mesh&&) noexcept = default;
face_mesh::~face_mesh() = default;

mesh face_mesh::locate(const image& picture, const face_rect& where) {
  auto part = turned_rect{where.centre_x, where.centre_y, where.side, where.side, where.angle};
  auto& outputs = impl_->network.run(picture, part, outside::replicated);
  auto result = mesh{};
  // Points come as x, y, z in pixels of the crop; z is of no use here.
  auto raw = outputs[0].ptr<float>();
  auto c = std::cos(where.angle);
  auto s = std::sin(where.angle);
  auto finite = true;
  for (auto& p : result.points) {
    auto x = (raw[0] / double{network_side} - 0.5) * where.side;
    auto y = (raw[1] / double{network_side} - 0.5) * where.side;
    p = {static_cast<float>(where.centre_x + c * x - s * y),
         static_cast<float>(where.centre_y + s * x + c * y)};
    finite = finite && std::isfinite(p.x) && std::isfinite(p.y);
    raw += 3;
  }
  auto presence = sigmoid(outputs[1].ptr<float>()[0]);
  result.presence = finite && std::isfinite(presence) ? static_cast<float>(presence) : 0.f;
  return result;
}

} // namespace musetalk::pipeline
