#include "pipeline/threads.hpp"

#include <opencv2/core/utility.hpp>

namespace musetalk::pipeline {

void set_picture_threads(int32_t threads) {
  if (threads > 0)
    cv::setNumThreads(threads);
}

} // namespace musetalk::pipeline
