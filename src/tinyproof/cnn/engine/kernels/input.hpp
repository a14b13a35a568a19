// Images into blocks of lanes: augmentation (affine, bilinear, zeros outside; erased boxes) and normalisation.
#pragma once
#include "stage.hpp"

namespace tiny {

struct Batch {
  const uint8_t* images;     // [images, height, width]
  const int64_t* rows;       // [count] which images; null: 0, 1, 2, ...
  const int64_t* labels;     // [images]; null: none
  const float* matrices;     // [count, 2, 3] output pixel (x, y from the centre) to input pixel; null: none
  const int32_t* boxes;      // [count, 4] top, left, height, width; height 0: none; null: none
  float scale, shift;        // normalised = grey level * scale + shift
};

// One image into one lane. The source is copied into a frame whose edge is and stays zero, and places outside are
// clamped onto the frame, so that the inner loop has no branches.
template <class L>
INLINE void warp(const uint8_t* image, const float* m, float* __restrict__ frame, float* __restrict__ out) {
  constexpr int H = L::OH, W = L::OW, FW = W + 3;
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) frame[(y + 1) * FW + x + 1] = image[y * W + x];
  const float cx = (W - 1) * 0.5f, cy = (H - 1) * 0.5f;
  for (int y = 0; y < H; y++) {
    const float fy = y - cy;
    const float x_at = m[1] * fy + m[2] + cx, y_at = m[4] * fy + m[5] + cy;
    for (int x = 0; x < W; x++) {
      const float fx = x - cx;
      float u = m[0] * fx + x_at, v = m[3] * fx + y_at;
      u = u > -1.0f ? u : -1.0f;
      u = u < W ? u : float(W);
      v = v > -1.0f ? v : -1.0f;
      v = v < H ? v : float(H);
      const int iu = int(u + 1.0f), iv = int(v + 1.0f);  // the frame's own columns and rows, never negative
      const float du = u + 1.0f - iu, dv = v + 1.0f - iv;
      const float* p = frame + iv * FW + iu;
      const float top = p[0] + du * (p[1] - p[0]), bottom = p[FW] + du * (p[FW + 1] - p[FW]);
      out[y * W + x] = top + dv * (bottom - top);
    }
  }
}

template <class L>
void load_images(const Run& run, const Scratch& s, const Batch& batch) {
  constexpr int size = Traits<L>::size;
  float* const pixels = s.pixels.get();
  for (int block = s.first_block; block < s.end_block; block++) {
    float* __restrict__ const out = reinterpret_cast<float*>(y_of<L>(run, block));
    for (int lane = 0; lane < kLanes; lane++) {
      const int i = block * kLanes + lane;
      if (i >= run.count) {
        for (int k = 0; k < size; k++) out[k * kLanes + lane] = 0.0f;
        continue;
      }
      const uint8_t* image = batch.images + (batch.rows ? batch.rows[i] : int64_t(i)) * size;
      if (batch.matrices) warp<L>(image, batch.matrices + size_t(i) * 6, s.frame.get(), pixels);
      else
        for (int k = 0; k < size; k++) pixels[k] = image[k];
      if (batch.boxes) {
        const int32_t* b = batch.boxes + size_t(i) * 4;
        for (int y = b[0]; y < b[0] + b[2]; y++)
          for (int x = b[1]; x < b[1] + b[3]; x++)
            if (y >= 0 && y < L::OH && x >= 0 && x < L::OW) pixels[y * L::OW + x] = 0.0f;
      }
      for (int k = 0; k < size; k++) out[k * kLanes + lane] = pixels[k] * batch.scale + batch.shift;
    }
  }
}

}  // namespace tiny
