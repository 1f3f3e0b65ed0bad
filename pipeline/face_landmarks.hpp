#pragma once

#include "pipeline/face_mesh.hpp"
#include "pipeline/prepared.hpp"

namespace musetalk::pipeline {

/// The 68 iBUG points (jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67) of a mesh, and
/// its oval as the outline (36 points, clockwise on the screen from the forehead's middle).
///
/// The mapping was fitted so that the points which the box rule uses (28, 29, 30 and the outermost
/// ones) lie where 68-point detectors put them; the usual table found on the web puts 29 too low.
face face_from_mesh(const mesh& found);

} // namespace musetalk::pipeline
