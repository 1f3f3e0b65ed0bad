#!/usr/bin/env bash
# Makes the videos that the media tests read, good and bad ones, with ffmpeg.
#   make_media.sh FOLDER SAMPLE
# FOLDER is filled anew when this script has changed; SAMPLE is the clip of a man talking.
set -euo pipefail
folder=$1 sample=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
stamp=$(cat "$0" "$sample" | sha256sum)
[ "$(cat "$folder/.made" 2>/dev/null)" = "$stamp" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

ff() { ffmpeg -nostdin -v error -y -threads 1 "$@"; }
bars() { printf 'testsrc2=size=%s:rate=%s:duration=%s' "$1" "$2" "$3"; }
tone() { printf 'sine=frequency=440:sample_rate=%s:duration=%s' "$1" "$2"; }
x264=(-c:v libx264 -preset ultrafast -crf 20 -pix_fmt yuv420p)

# -- plain: 25 frames per second, square pixels ---------------------------------
ff -f lavfi -i "$(bars 320x240 25 4)" "${x264[@]}" -preset medium -bf 3 plain.mp4
ff -f lavfi -i "$(bars 320x240 25 4)" -f lavfi -i "$(tone 44100 4)" "${x264[@]}" -c:a aac sound.mp4
ff -f lavfi -i "$(bars 1920x1080 25 0.2)" "${x264[@]}" coded1088.mp4
ff -f lavfi -i "$(bars 320x240 25 0.04)" "${x264[@]}" one_frame.mp4

# -- other rates ----------------------------------------------------------------
ff -f lavfi -i "$(bars 320x240 60 2)" "${x264[@]}" fps60.mkv
ff -f lavfi -i "$(bars 320x240 12 3)" -f lavfi -i "$(tone 44100 3)" -c:v mpeg4 -q:v 4 -c:a libmp3lame fps12.avi
ff -f lavfi -i "$(bars 320x240 24000/1001 3)" "${x264[@]}" film.mp4
# Two of three pictures gone in the first two seconds, all there afterwards.
ff -f lavfi -i "$(bars 320x240 25 4)" -vf "select='not(mod(n\,3))+gt(n\,50)',setpts=PTS" -fps_mode vfr "${x264[@]}" vfr.mp4
ff -f lavfi -i "$(bars 320x240 25 2)" -vf "setpts=PTS+0.52/TB" -copyts -start_at_zero "${x264[@]}" late_start.mkv

# -- other containers and codecs ------------------------------------------------
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 48000 2)" -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus vp9.webm
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 48000 2)" "${x264[@]}" -c:a aac stream.ts
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 48000 2)" -c:v mpeg2video -q:v 4 -c:a mp2 program.mpg
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 44100 2)" -c:v flv1 -q:v 4 -c:a libmp3lame flash.flv
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 48000 2)" -c:v prores_ks -profile:v 0 -c:a pcm_s16le edit.mov
ff -f lavfi -i "$(bars 320x240 25 2)" -f lavfi -i "$(tone 44100 2)" -c:v libtheora -q:v 7 -c:a libvorbis old.ogv
# A recording that begins between two key pictures: the second half of the first group is there.
ff -f lavfi -i "$(bars 320x240 25 4)" "${x264[@]}" -g 50 group.tmp.ts
tail -c +"$(($(stat -c %s group.tmp.ts) / 4 / 188 * 188 + 1))" group.tmp.ts >mid_group.ts
ff -i plain.mp4 -c copy -movflags frag_keyframe+empty_moov fragments.mp4
ff -f lavfi -i "$(bars 320x240 25 2)" -c:v libx265 -preset ultrafast -x265-params log-level=error -tag:v hvc1 hevc.mp4

# -- shapes ---------------------------------------------------------------------
# This ffmpeg counts the turns that it writes counterclockwise.
for turn in 90 180 270; do
  ff -i plain.mp4 -c copy -metadata:s:v:0 rotate="$((360 - turn))" "turned$turn.mp4"
done
ff -f lavfi -i "$(bars 320x240 25 1)" -vf setsar=4/3 "${x264[@]}" wide_pixels.mp4
ff -f lavfi -i "$(bars 320x240 25 1)" -vf setsar=8/9 "${x264[@]}" tall_pixels.mp4
ff -f lavfi -i "$(bars 320x240 25 1)" -vf setsar=4/3 "${x264[@]}" -f mp4 wide.tmp
ff -i wide.tmp -c copy -metadata:s:v:0 rotate=270 wide_turned.mp4
ff -f lavfi -i "$(bars 320x240 25 1)" -vf scale=321:241 -c:v libx264 -preset ultrafast -pix_fmt yuv444p odd444.mkv
ff -f lavfi -i "$(bars 320x240 25 1)" -vf scale=321:241 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M odd420.webm
ff -f lavfi -i "$(bars 320x240 25 1)" -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc tenbit.mp4
ff -f lavfi -i "$(bars 320x240 25 1)" -c:v mjpeg -q:v 3 -pix_fmt yuvj422p full_range.mov
ff -f lavfi -i "$(bars 320x240 25 1)" "${x264[@]}" -color_primaries bt709 -color_trc bt709 -colorspace bt709 tagged.mp4
ff -f lavfi -i "$(bars 320x240 50 2)" -vf "tinterlace=interleave_top,setfield=tff" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -flags +ilme+ildct -x264opts tff=1 interlaced.mp4
# Another size in mid-stream: two streams one after the other.
ff -f lavfi -i "$(bars 320x240 25 1)" "${x264[@]}" first.tmp.ts
ff -f lavfi -i "$(bars 480x360 25 1)" "${x264[@]}" -output_ts_offset 1 second.tmp.ts
cat first.tmp.ts second.tmp.ts >two_sizes.ts
# The second picture of this one is beyond any limit, though the header names a small one.
cat first.tmp.ts "$here/picture_16000x16000.ts" >size_bomb.ts

# -- beyond the limits ----------------------------------------------------------
ff -f lavfi -i "$(bars 64x64 5 600)" "${x264[@]}" ten_minutes.mp4
head -c 25 /dev/zero | ffmpeg -v error -y -f rawvideo -pix_fmt gray -s 1x1 -r 25 -i - -c:v ffv1 one_pixel.mkv
# Two pictures, twenty hours apart: 2 KB that become 1.8 million frames.
ff -f lavfi -i "$(bars 64x64 25 0.08)" -vf "setpts=if(eq(N\,0)\,0\,72000/TB)" -fps_mode passthrough "${x264[@]}" time_bomb.mp4
ff -f lavfi -i "$(bars 64x64 25 0.08)" -vf "setpts=if(eq(N\,0)\,0\,72000/TB)" -fps_mode passthrough "${x264[@]}" time_bomb.mkv
# Twenty thousand pictures in one second.
ff -f lavfi -i "color=black:size=64x64:rate=2000:duration=10" -c:v libx264 -preset ultrafast -crf 51 -g 20000 -pix_fmt yuv420p -vf setpts=PTS/10 -video_track_timescale 100000 -fps_mode passthrough rate_bomb.mp4
ff -f lavfi -i "color=black:size=8000x64:rate=25:duration=0.2" -vf setsar=64/1 "${x264[@]}" aspect_bomb.mp4

# -- no video -------------------------------------------------------------------
: >empty.mp4
printf 'This is no video at all.\n' >text.mp4
ff -f lavfi -i "$(tone 44100 2)" -c:a aac sound_only.m4a
ff -f lavfi -i "$(bars 64x64 25 0.04)" -frames:v 1 still.png
ff -f lavfi -i "$(bars 64x64 25 0.04)" -frames:v 1 still.jpg
ff -f lavfi -i "$(bars 64x64 5 1)" moving.gif
ff -i sound_only.m4a -i still.png -map 0 -map 1 -c copy -disposition:v:0 attached_pic cover.m4a
ff -f lavfi -i "$(bars 320x240 25 1)" "${x264[@]}" -f h264 bare.h264
printf '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\n%s/stream.ts\n#EXT-X-ENDLIST\n' "$folder" >playlist.mp4
printf 'ffconcat version 1.0\nfile plain.mp4\n' >concat.mp4
printf '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet><Representation id="1"><BaseURL>plain.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>\n' >dash.mp4

# -- speech ---------------------------------------------------------------------
# A tone of half a second after one second of silence, in the left channel only.
beep="aevalsrc=if(between(t\\,1\\,1.5)\\,0.5*sin(2*PI*1000*t)\\,0)|0:s=48000:d=3"
ff -f lavfi -i "$beep" -c:a pcm_s16le beep.wav
for form in flac:flac:flac m4a:aac:ipod mp3:libmp3lame:mp3 ogg:libvorbis:ogg opus:libopus:opus adts:aac:adts mka:pcm_f32le:matroska; do
  IFS=: read -r name codec container <<<"$form"
  ff -i beep.wav -c:a "$codec" -b:a 128k -f "$container" "beep.$name"
done
ff -i beep.wav -f lavfi -i "$(bars 64x64 25 3)" "${x264[@]}" -c:a aac beep.mp4
ff -i beep.wav -ar 44100 -ac 1 -c:a pcm_u8 beep_8bit.wav
ff -f lavfi -i "anullsrc=r=8000:cl=mono" -t 2 -c:a pcm_mulaw silence.wav
ff -f lavfi -i "anullsrc=r=8000:cl=mono" -t 10800 -c:a flac three_hours.flac
ff -i beep.wav -map_metadata -1 -fflags +bitexact -flags +bitexact -c:a pcm_s16le bare.tmp.wav
head -c 44 bare.tmp.wav >no_samples.wav
# Ten frames of it, for those who wait for networks.
ff -ss 0.9 -i beep.wav -t 0.4 -c:a pcm_s16le word.wav
ff -f lavfi -i "$(bars 64x64 25 0.4)" -ss 0.9 -i beep.wav -t 0.4 "${x264[@]}" -c:a aac word.mp4
ff -f lavfi -i "sine=frequency=300:sample_rate=16000:duration=300" -c:a flac long_speech.flac

# -- torn -----------------------------------------------------------------------
cut() { head -c "$(($(stat -c %s "$1") * $2 / 100))" "$1" >"$3"; }
ff -f lavfi -i "$(bars 320x240 25 6)" "${x264[@]}" -movflags +faststart front.tmp.mp4
cut front.tmp.mp4 60 torn_front.mp4
cut plain.mp4 60 torn_back.mp4
ff -i front.tmp.mp4 -c copy front.tmp.mkv
cut front.tmp.mkv 60 torn.mkv
ff -i front.tmp.mp4 -c copy front.tmp.avi
cut front.tmp.avi 60 torn.avi
cut beep.mp3 60 torn.mp3
ff -i front.tmp.mp4 -c copy whole.ts

# -- the man --------------------------------------------------------------------
cp "$sample" carphone.mp4
ff -i "$sample" -vf "scale=1280:720:flags=bicubic,setsar=1" "${x264[@]}" carphone720.mp4

man=(ffmpeg -nostdin -v error -y -threads 1 -i "$sample")
# At 25 frames per second; his face is covered in some frames.
"${man[@]}" -vf "fps=25,setsar=1,drawbox=t=fill:c=black:enable='between(n,40,47)'" "${x264[@]}" covered_8.mp4
"${man[@]}" -vf "fps=25,setsar=1,drawbox=t=fill:c=black:enable='between(n,40,69)'" "${x264[@]}" covered_30.mp4
"${man[@]}" -vf "fps=25,setsar=1,scale=2*iw:2*ih,split[a][b];[a][b]hstack" "${x264[@]}" twins.mp4
"${man[@]}" -vf "fps=25,setsar=1,crop=106:144:70:0" -t 2.4 "${x264[@]}" cut_face.mp4
"${man[@]}" -vf "fps=25,setsar=1,scale=80:64" "${x264[@]}" small_face.mp4

# -- what ffmpeg itself makes of them at 25 frames per second: one MD5 per BGR picture ------------
reference() { ff -i "$1" -map 0:v -vf "$2" -pix_fmt bgr24 -f framemd5 "$1.md5"; }
for clip in plain.mp4 coded1088.mp4 hevc.mp4 vp9.webm stream.ts program.mpg flash.flv edit.mov old.ogv odd444.mkv odd420.webm \
  full_range.mov turned90.mp4 turned180.mp4 turned270.mp4 fps60.mkv fps12.avi film.mp4 vfr.mp4 late_start.mkv carphone720.mp4; do
  reference "$clip" fps=25
done
# cv::VideoCapture has no regard for colour tags.
for clip in tenbit.mp4 tagged.mp4; do
  reference "$clip" setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown
done
reference interlaced.mp4 bwdif=mode=send_frame:deint=interlaced,fps=25

rm -f ./*.tmp ./*.tmp.*
printf '%s' "$stamp" >.made
