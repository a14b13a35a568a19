// Images into blocks of lanes: augmentation (affine, bilinear, the border's colour outside; erased boxes) and
// normalisation, channel by channel.
#pragma once
#include "stage.hpp"

namespace tiny {

struct Batch {
  const uint8_t* images;     // [images, channels, height, width]
  const int64_t* rows;       // [count] which images; null: 0, 1, 2, ...
  const int64_t* labels;     // [images]; null: none
  const float* matrices;     // [count, 2, 3] output pixel (x, y from the centre) to input pixel; null: none
  const int32_t* boxes;      // [count, 4] top, left, height, width; height 0: none; null: none
  const uint8_t* borders;    // [images, channels] what lies outside an image, and in its box; null: 0
  const float *scale, *shift;  // [channels] normalised = value * scale + shift
};

// One channel of an image within an edge of its border's colour.
template <class L>
struct Frame {
  static constexpr int width = L::OW + 3, size = (L::OH + 3) * width;
};

template <class L>
INLINE void put_frame(const uint8_t* image, uint8_t border, uint8_t* frame) {
  std::memset(frame, border, Frame<L>::size);
  for (int y = 0; y < L::OH; y++) std::memcpy(frame + (y + 1) * Frame<L>::width + 1, image + y * L::OW, L::OW);
}

// A grey level and its neighbours to the right, below and below right, as the four bytes of a number, for each lane:
// all that bilinear interpolation needs, in two loads.
template <class L>
INLINE VecBits look(const uint8_t* frames, VecInt index) {
  int32_t at[kLanes];
  uint32_t found[kLanes];
  std::memcpy(at, &index, sizeof index);
  UNROLL for (int i = 0; i < kLanes; i++) {
    const uint8_t* const here = frames + i * Frame<L>::size + at[i];
    const uint32_t above = here[0] | here[1] << 8, below = here[Frame<L>::width] | here[Frame<L>::width + 1] << 8;
    found[i] = above | below << 16;
  }
  VecBits places;
  std::memcpy(&places, found, sizeof places);
  return places;
}

// The four neighbours (0 here, 1 right, 2 below, 3 below right) as grey levels.
INLINE Vec neighbour(VecBits places, int which) {
  return __builtin_convertvector((VecInt)((places >> (8 * which)) & 255u), Vec);
}

INLINE Vec clamp(Vec v, float least, float most) {
  v = v > least ? v : broadcast(least);  // NaN becomes the least
  return v < most ? v : broadcast(most);
}

// kLanes images at once, each through its own matrix: for every output pixel the place in the input, and the value
// there between its four neighbours, in every channel. Places outside are clamped onto the edge.
template <class L>
INLINE void warp(const uint8_t* frames, const Vec (&m)[6], const float* scales, const float* shifts, Vec* __restrict__ out) {
  constexpr int H = L::OH, W = L::OW, C = L::OC;
  float scale[C], shift[C];
  for (int c = 0; c < C; c++) scale[c] = scales[c], shift[c] = shifts[c];
  const float cx = (W - 1) * 0.5f, cy = (H - 1) * 0.5f;
  for (int y = 0; y < H; y++) {
    const Vec x_at = m[1] * (y - cy) + m[2] + cx, y_at = m[4] * (y - cy) + m[5] + cy;
    for (int x = 0; x < W; x++) {
      const Vec u = clamp(m[0] * (x - cx) + x_at, -1.0f, W) + 1.0f, v = clamp(m[3] * (x - cx) + y_at, -1.0f, H) + 1.0f;
      const VecInt column = __builtin_convertvector(u, VecInt), row = __builtin_convertvector(v, VecInt);
      const Vec du = u - __builtin_convertvector(column, Vec), dv = v - __builtin_convertvector(row, Vec);
      const VecInt index = row * Frame<L>::width + column;
      UNROLL for (int c = 0; c < C; c++) {
        const VecBits places = look<L>(frames + c * kLanes * Frame<L>::size, index);
        const Vec a = neighbour(places, 0), b = neighbour(places, 2);
        const Vec top = a + du * (neighbour(places, 1) - a), bottom = b + du * (neighbour(places, 3) - b);
        out[(c * H + y) * W + x] = (top + dv * (bottom - top)) * scale[c] + shift[c];
      }
    }
  }
}

// Images without augmentation.
template <class L>
INLINE void transpose(const uint8_t* const (&image)[kLanes], const float* scales, const float* shifts, Vec* __restrict__ out) {
  for (int c = 0; c < L::OC; c++) {
    const float scale = scales[c], shift = shifts[c];
    for (int k = c * Traits<L>::plane; k < (c + 1) * Traits<L>::plane; k++) {
      int32_t value[kLanes];
      for (int i = 0; i < kLanes; i++) value[i] = image[i][k];
      VecInt v;
      std::memcpy(&v, value, sizeof v);
      out[k] = __builtin_convertvector(v, Vec) * scale + shift;
    }
  }
}

template <class L>
INLINE void erase(const int32_t* box, int lane, float value, Vec* out) {
  for (int y = box[0]; y < box[0] + box[2]; y++)
    for (int x = box[1]; x < box[1] + box[3]; x++)
      if (y >= 0 && y < L::OH && x >= 0 && x < L::OW) out[y * L::OW + x][lane] = value;
}

template <class L>
void load_images(const Run& run, Scratch& s, const Batch& batch) {
  constexpr int size = Traits<L>::size;
  const uint8_t none[L::OC] = {};  // static, all libraries in a process would share the first one's
  for (const int block : s.turn()) {
    Vec* const out = y_of<L>(run, block);
    const int first = block * kLanes, count = run.images_in(block);
    const uint8_t* image[kLanes];
    const uint8_t* border[kLanes];
    for (int i = 0; i < kLanes; i++) {  // lanes without an image get another one, and are cleared afterwards
      const int at = first + (i < count ? i : count - 1);
      const int64_t row = batch.rows ? batch.rows[at] : int64_t(at);
      image[i] = batch.images + row * size;
      border[i] = batch.borders ? batch.borders + row * L::OC : none;
    }
    if (batch.matrices) {
      Vec m[6] = {};
      for (int i = 0; i < count; i++) {
        for (int c = 0; c < L::OC; c++)
          put_frame<L>(image[i] + c * Traits<L>::plane, border[i][c], s.frames.get() + (c * kLanes + i) * Frame<L>::size);
        for (int k = 0; k < 6; k++) m[k][i] = batch.matrices[size_t(first + i) * 6 + k];
      }
      warp<L>(s.frames.get(), m, batch.scale, batch.shift, out);
    } else {
      transpose<L>(image, batch.scale, batch.shift, out);
    }
    if (batch.boxes)
      for (int i = 0; i < count; i++)
        for (int c = 0; c < L::OC; c++)
          erase<L>(batch.boxes + size_t(first + i) * 4, i, border[i][c] * batch.scale[c] + batch.shift[c], out + c * Traits<L>::plane);
    if (count < kLanes) {
      const Vec mask = run.lane_mask(block);
      for (int k = 0; k < size; k++) out[k] = mask != 0.0f ? out[k] : Vec{};
    }
  }
}

}  // namespace tiny
