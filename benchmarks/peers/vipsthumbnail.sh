#!/usr/bin/env bash
# The shell script that many galleries are made with: one vipsthumbnail process for every output,
# two side by side. It makes the 1600 px picture too, but puts no watermark on it.
#
#     vipsthumbnail.sh PHOTOS OUT
set -euo pipefail
photos=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$photos"
find . -name '*.jpg' -printf '%P\n' | sort | while read -r path; do
  mkdir -p "$out/$(dirname "$path")"
  for size in 256 640 1280 1600; do
    printf '%s\0%s\0%s\0' "$path" "$size" "$out/${path%.jpg}-$size.jpg"
  done
done | VIPS_CONCURRENCY=1 xargs -0 -n 3 -P 2 \
  sh -c 'vipsthumbnail "$0" --size "${1}x>" --rotate --eprofile srgb -o "$2[Q=82,strip]" 2>/dev/null ||
         vipsthumbnail "$0" --size "${1}x>" --eprofile srgb -o "$2[Q=82,strip]"'
