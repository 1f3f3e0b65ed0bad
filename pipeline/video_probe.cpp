#include "pipeline/clip_preparer.hpp"
#include "pipeline/media_file.hpp"
#include "pipeline/media_limits.hpp"
#include "pipeline/sentence.hpp"

#include <algorithm>
#include <limits>

namespace musetalk::pipeline {

namespace {

/// What the packets of a clip say, without decoding one.
struct scan_result {
  int64_t packets = 0;
  double end_s = 0.;     ///< End of the latest picture, from the earliest one.
  double any_end_s = 0.; ///< End of the latest packet of any track, in container time.
  bool whole = false;    ///< The file's end was reached in time.
};

int64_t time_of(const AVPacket& x) {
  return x.pts != AV_NOPTS_VALUE ? x.pts : x.dts;
}

// Reads packets to the end, or as far as the time for probing reaches: a longer file is no reason
// to refuse it, its limits are then watched while it is decoded.
scan_result scan(media_file& file, const media_limits& limits) {
  auto result = scan_result{};
  auto first = std::numeric_limits<double>::max();
  auto end = std::numeric_limits<double>::lowest();
  const auto packet = av::make_packet();
  while (!file.expired() && file.read(*packet)) {
    const auto is_video = packet->stream_index == file.video().index;
    const auto base = av_q2d(is_video ? file.video().time_base : file.audio()->time_base);
    if (const auto time = time_of(*packet); time != AV_NOPTS_VALUE) {
      const auto begin_s = static_cast<double>(time) * base;
      const auto end_s = begin_s + static_cast<double>(packet->duration) * base;
      result.any_end_s = std::max(result.any_end_s, end_s);
      if (is_video && (packet->flags & AV_PKT_FLAG_DISCARD) == 0) {
        first = std::min(first, begin_s);
        end = std::max(end, end_s);
        require_duration(end - first, limits);
      }
    }
    result.packets += is_video ? 1 : 0;
    require_source_frames(result.packets, limits);
    av_packet_unref(packet.get());
  }
  result.whole = !file.expired();
  if (end > first) {
    result.end_s = end - first;
  }
  return result;
}

constexpr double rounding_packets = 2.;
constexpr double rounding_seconds = .5;

void require_whole(const media_file& file, const scan_result& seen) {
  const auto promised = file.promised_packets();
  const auto missing = promised - seen.packets;
  if (promised > 0 &&
      torn(static_cast<double>(missing), static_cast<double>(promised), rounding_packets))
    throw error(errc::video_truncated,
                sentence("The video is cut off: its header promises %lld frames, the file holds "
                         "%lld.",
                         static_cast<long long>(promised), static_cast<long long>(seen.packets)));
  const auto promised_s = file.info().duration_s;
  const auto missing_s = promised_s - std::max(seen.end_s, seen.any_end_s);
  if (torn(missing_s, promised_s, rounding_seconds))
    throw error(errc::video_truncated,
                sentence("The video is cut off: its header promises %.2f s, the file holds %.2f s.",
                         promised_s, seen.end_s));
}

} // namespace

media_info probe_video(const std::filesystem::path& source, const media_limits& limits) {
  const auto log = av::log_scope{};
  auto file = media_file{source, limits};
  const auto seen = scan(file, limits);
  auto result = file.info();
  if (!seen.whole)
    return result;
  require_whole(file, seen);
  if (seen.packets == 0)
    throw error(errc::video_too_short, "The video has not a single frame.", av::heard());
  // What was counted is better than what the header says.
  if (seen.end_s > 0.) {
    result.duration_s = seen.end_s;
    result.predicted_frames = std::max<int64_t>(1, frames_in(seen.end_s));
  }
  return result;
}

} // namespace musetalk::pipeline
