#include "pipeline/av.hpp"

extern "C" {
#include <libavutil/cpu.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

#include <algorithm>
#include <array>
#include <mutex>
#include <new>

namespace musetalk::pipeline::av {

namespace {

constexpr size_t max_log_bytes = 4096;

// Far above any plane of a picture that the limits let through, far below what a header can ask
// for: a file cannot make libav allocate more in one piece.
constexpr size_t max_allocation_bytes = size_t{192} << 20;

thread_local log_scope* innermost = nullptr;

} // namespace

packet_ptr make_packet() {
  auto result = packet_ptr{av_packet_alloc()};
  if (!result)
    throw std::bad_alloc{};
  return result;
}

frame_ptr make_frame() {
  auto result = frame_ptr{av_frame_alloc()};
  if (!result)
    throw std::bad_alloc{};
  return result;
}

frame_ptr share_frame(const AVFrame& x) {
  auto result = make_frame();
  check(av_frame_ref(result.get(), &x), errc::internal, "A picture could not be kept.",
        "av_frame_ref");
  return result;
}

int codec_threads(int32_t wanted) {
  return std::clamp(wanted > 0 ? wanted : av_cpu_count(), 1, 8);
}

std::string describe(int averror) {
  auto text = std::array<char, AV_ERROR_MAX_STRING_SIZE>{};
  av_strerror(averror, text.data(), text.size());
  return text.data();
}

log_scope::log_scope() : outer_(innermost) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    av_log_set_callback(&log_scope::listen);
    av_max_alloc(max_allocation_bytes);
  });
  innermost = this;
}

log_scope::~log_scope() {
  innermost = outer_;
}

void log_scope::listen(void* context, int level, const char* format, va_list arguments) {
  if (innermost == nullptr || level > AV_LOG_WARNING)
    return;
  auto& text = innermost->text_;
  if (text.size() >= max_log_bytes)
    return;
  auto line = std::array<char, 512>{};
  auto print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line.data(), line.size(), &print_prefix);
  text.append(line.data());
}

std::string heard() {
  return innermost != nullptr ? innermost->text() : std::string{};
}

int check(int result, errc code, const char* detail, const char* call) {
  if (result >= 0)
    return result;
  auto cause = std::string{call} + ": " + describe(result);
  if (const auto said = heard(); !said.empty())
    cause += "; " + said;
  throw error(code, detail, std::move(cause));
}

} // namespace musetalk::pipeline::av
