#include "pipeline/face_landmarks.hpp"

#include <array>

namespace musetalk::pipeline {

namespace {

// Mesh point of each iBUG point; 29 lies between two of them.
constexpr std::array<uint16_t, 68> ibug_from_mesh{
    127, 234, 177, 215, 138, 136, 149, 176, 152, 400, 378, 365, 367, 435, 401, 454, 356, // jaw
    70,  63,  105, 66,  107, 336, 296, 334, 293, 300,                                    // brows
    168, 197, 5,   4,   240, 99,  2,   328, 460,                                         // nose
    33,  160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,                          // eyes
    61,  39,  37,  0,   267, 269, 291, 405, 314, 17,  84,  181, // outer lips
    78,  82,  13,  312, 308, 317, 14,  87};                     // inner lips
constexpr size_t nose_bridge = 29;
constexpr size_t nose_bridge_above = 195;

// MediaPipe's FACEMESH_FACE_OVAL, put in order.
constexpr std::array<uint16_t, 36> oval{10,  338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288,
                                        397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
                                        172, 58,  132, 93,  234, 127, 162, 21,  54,  103, 67,  109};

point middle(point a, point b) {
  return {(a.x + b.x) / 2, (a.y + b.y) / 2};
}

} // namespace

face face_from_mesh(const mesh& found) {
  auto result = face{};
  for (auto i = size_t{0}; i < ibug_from_mesh.size(); ++i)
    result.landmarks[i] = found.points[ibug_from_mesh[i]];
  result.landmarks[nose_bridge] =
      middle(result.landmarks[nose_bridge], found.points[nose_bridge_above]);
  for (auto i : oval)
    result.outline.push_back(found.points[i]);
  result.score = found.presence;
  return result;
}

} // namespace musetalk::pipeline
