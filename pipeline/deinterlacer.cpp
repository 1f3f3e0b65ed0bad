#include "pipeline/deinterlacer.hpp"

#include <iterator>

namespace musetalk::pipeline {

std::vector<av::frame_ptr> deinterlacer::push(av::frame_ptr picture) {
  auto result = std::vector<av::frame_ptr>{};
  length_ = picture->pkt_duration;
  // A new size or format in mid-clip ends the old chain.
  if (graph_ && !graph_->fits(*picture)) {
    result = finish();
    graph_.reset();
  }
  if (!graph_ && !picture->interlaced_frame) {
    result.push_back(std::move(picture));
    return result;
  }
  if (!graph_)
    graph_.emplace(*picture, base_, "bwdif=mode=send_frame:deint=interlaced");
  graph_->push(*picture);
  auto ready = taken();
  std::move(ready.begin(), ready.end(), std::back_inserter(result));
  return result;
}

std::vector<av::frame_ptr> deinterlacer::finish() {
  if (!graph_)
    return {};
  graph_->end();
  return taken();
}

std::vector<av::frame_ptr> deinterlacer::taken() {
  auto result = graph_->drain();
  for (auto& x : result)
    x->pkt_duration = length_;
  return result;
}

} // namespace musetalk::pipeline
