#pragma once

#include "pipeline/image.hpp"

#include <span>
#include <string>

namespace musetalk::pipeline {

/// A Python pickle (protocol 2, no globals, no memo) of a list of boxes as MuseTalk's
/// `coords.pkl` and `mask_coords.pkl` hold them: lists `[left, top, right, bottom]` of plain ints.
std::string pickle_boxes(std::span<const box> boxes);

} // namespace musetalk::pipeline
