// A network as a graph of stages, and how one stage sees those that it takes from.
//
// A stage is  convolution, linear, pooling, sum, concatenation, product or layer norm  ->  act1  ->  y  ->  batch norm  ->
// act2  ->  dropout  ->  z.
// Only y is stored. Whoever needs z computes it again from y while loading (z_span); whoever has a gradient of z
// turns it, while it is still in registers, into the gradient of batch norm's output, sums included (pull). The
// gradient of the convolution's own output is again computed while loading (dc_span). So each stage costs one
// write and a few reads of y and of du, whatever its number of layers.
//
// A first stage that is cheap to compute and large to keep (RECOMPUTE) is not stored at all: expand.hpp.
#pragma once
#include "context.hpp"
#include "curves.hpp"

namespace tiny {

enum Kind { INPUT, CONV, MAX_POOL, AVG_POOL, ADD, CONCAT, MULTIPLY, CHANNEL_NORM };

// A stage whose z another stage takes too: on the way back this one's gradient is added to what that one left. All
// between z and du is linear in the gradient, so du and batch norm's sums are simply sums over those who take z.
template <class P>
struct Again : P {
  static constexpr bool MORE = true;
};

struct Run {
  int threads = 1, max_blocks = 0;
  int count = 0, blocks = 0;  // images, and blocks of kLanes images, in the batch at hand
  bool train = true;
  const float* params = nullptr;
  float* running = nullptr;  // batch norm's running means and variances
  Buffer<Vec> y[kStages];
  Buffer<Vec> du[kGradients];  // of each stage from the first who delivers to it until it has handed on
  Buffer<Affine> affine[kStages];
  Buffer<Backward> backward[kStages];
  Buffer<Sums> forward_sums[kStages], backward_sums[kStages];  // [block][channel]
  Buffer<VecBits> keys[kStages];  // dropout: one random key per image
  uint32_t drop_below[kStages] = {};
  float keep_scale[kStages] = {};

  int images_in(int block) const { return count - block * kLanes < kLanes ? count - block * kLanes : kLanes; }
  Vec lane_mask(int block) const {
    Vec mask = {};
    for (int i = 0; i < images_in(block); i++) mask[i] = 1.0f;
    return mask;
  }
};

// The blocks of a thread in either direction, for a range-based for loop.
struct Blocks {
  struct Place {
    int block, step;
    int operator*() const { return block; }
    void operator++() { block += step; }
    bool operator!=(const Place& other) const { return block != other.block; }
  };
  int first, last, step;
  Place begin() const { return {first, step}; }
  Place end() const { return {last, step}; }
};

// What one thread needs while it works on one stage.
struct Scratch {
  int thread = 0, first_block = 0, end_block = 0;
  bool ascending = false;

  // Every pass goes through the blocks against the direction of the one before, so that it meets first what that one
  // left in the cache last. Each step begins with the same direction: the order of the sums is part of the bits.
  Blocks turn() {
    ascending = !ascending;
    return ascending ? Blocks{first_block, end_block, 1} : Blocks{end_block - 1, first_block - 1, -1};
  }

  Buffer<Vec> z, dc, sums, input, y_row, du_row, products, sum1, sum2, origin, weight_gradient, bias_gradient;
  Buffer<Vec> zeros;  // a row beyond a picture's edge
  Buffer<double> mean[kStages], inverse_std[kStages];  // of the batch; every thread computes the same ones
  Buffer<float> mean32[kStages];
  Buffer<uint8_t> frames;  // the channels of kLanes images, each within an edge
  Buffer<float> filters[kStages];  // winograd.hpp: the six combinations of each stage's weights
  Buffer<float> gradient;  // [parameters], this thread's share of the images
};

template <class L>
struct Traits {
  static constexpr int plane = L::OH * L::OW;
  static constexpr int size = L::OC * plane;
  static constexpr bool affine = L::BN || L::CHANNEL_DROP;
  static constexpr bool plain = !affine && !L::ACT2 && !L::ELEMENT_DROP;
};

template <class L>
INLINE Vec* y_of(const Run& run, int block) {
  return run.y[L::ID].get() + size_t(block) * Traits<L>::size;
}

template <class L>
INLINE Vec* du_of(const Run& run, int block) {
  return run.du[L::DU].get() + size_t(block) * kLargestStage;
}

template <class L>
INLINE const Affine& affine_of(const Run& run, int block, int channel) {
  return run.affine[L::ID][size_t(block) * L::OC + channel];
}

template <class L>
INLINE Vec drop_element(const Run& run, int block, int position, Vec v) {
  const VecBits h = mix32(run.keys[L::ID][block], position);
  return h >= run.drop_below[L::ID] ? v * run.keep_scale[L::ID] : Vec{};
}

template <class L>
INLINE Vec activate(Vec v) {
  if constexpr (L::CURVE == NO_CURVE) return rectify(v, L::SLOPE2);
  else return curve<L::CURVE>(v, L::ALPHA);
}

template <class L>
INLINE Vec activate_gradient(Vec before, Vec gradient) {
  if constexpr (L::CURVE == NO_CURVE) return rectify_gradient(before, gradient, L::SLOPE2);
  else return gradient * slope<L::CURVE>(before, L::ALPHA);
}

// z at one place, from y there. `position` counts through all channels.
template <class L>
INLINE Vec z_value(const Run& run, int block, Vec a, Vec b, Vec m, int position, Vec v) {
  if constexpr (Traits<L>::affine) v = a * v + b;
  if constexpr (L::ACT2) v = activate<L>(v);
  if constexpr (L::ACT2 && L::CHANNEL_DROP) v *= m;
  if constexpr (L::ELEMENT_DROP) v = drop_element<L>(run, block, position, v);
  return v;
}

// z of `count` neighbours in one channel, from `offset` in the plane.
template <class L>
INLINE void z_span(const Run& run, int block, int channel, int offset, int count, Vec* out) {
  const int position = channel * Traits<L>::plane + offset;
  const Vec* y = y_of<L>(run, block) + position;
  const Affine& k = affine_of<L>(run, block, channel);
  const Vec a = k.a, b = k.b, m = k.m;
  for (int i = 0; i < count; i++) out[i] = z_value<L>(run, block, a, b, m, position + i, y[i]);
}

// Takes gradients of z at COUNT places of one channel (offset, offset + step, ...) back to batch norm's output (or,
// without batch norm, to the output of the convolution); with SUMS adds them to the two sums that batch norm needs.
template <class L, bool SUMS, int COUNT>
INLINE void pull(const Run& run, Scratch& s, int block, int channel, int offset, int step, const Vec (&y)[COUNT], Vec (&g)[COUNT]) {
  const Affine& k = affine_of<L>(run, block, channel);
  if constexpr (L::ELEMENT_DROP)
    UNROLL for (int i = 0; i < COUNT; i++)
        g[i] = drop_element<L>(run, block, channel * Traits<L>::plane + offset + i * step, g[i]);
  if constexpr (L::CHANNEL_DROP) {
    const Vec mask = k.m;
    UNROLL for (int i = 0; i < COUNT; i++) g[i] *= mask;
  }
  if constexpr (L::ACT2) {
    const Vec a = k.a, b = k.b;
    UNROLL for (int i = 0; i < COUNT; i++) {
      const Vec before = Traits<L>::affine ? a * y[i] + b : y[i];
      g[i] = activate_gradient<L>(before, g[i]);
    }
  }
  if constexpr (L::BN && SUMS) {
    const float mean = s.mean32[L::ID][channel];
    Vec sum1 = g[0], sum2 = g[0] * (y[0] - mean);
    UNROLL for (int i = 1; i < COUNT; i++) {
      sum1 += g[i];
      sum2 += g[i] * (y[i] - mean);
    }
    s.sum1[channel] += sum1;
    s.sum2[channel] += sum2;
  }
  if constexpr (!L::BN && L::ACT1)
    UNROLL for (int i = 0; i < COUNT; i++) g[i] = rectify_gradient(y[i], g[i], L::SLOPE1);
}

// The same where y and du are stored.
template <class L, int COUNT>
INLINE void pull_stored(const Run& run, Scratch& s, int block, int channel, int offset, int step, const Vec (&gradient)[COUNT]) {
  const Vec* const stored = y_of<L>(run, block) + channel * Traits<L>::plane + offset;
  Vec* const du = du_of<L>(run, block) + channel * Traits<L>::plane + offset;
  Vec y[COUNT], g[COUNT];
  UNROLL for (int i = 0; i < COUNT; i++) y[i] = stored[i * step], g[i] = gradient[i];
  pull<L, true, COUNT>(run, s, block, channel, offset, step, y, g);
  UNROLL for (int i = 0; i < COUNT; i++) du[i * step] = L::MORE ? du[i * step] + g[i] : g[i];
}

// The gradient of the convolution's (or pooling's) own output, before act1, from du and y at one place.
template <class L>
INLINE Vec dc_value(Vec a, Vec b, Vec c, Vec du, Vec y) {
  if constexpr (!L::BN) return du;
  const Vec g = a * du + (b * y + c);
  return L::ACT1 ? rectify_gradient(y, g, L::SLOPE1) : g;
}

template <class L>
INLINE const Backward& backward_of(const Run& run, int block, int channel) {
  return run.backward[L::ID][size_t(block) * L::OC + channel];
}

template <class L>
INLINE void dc_span(const Run& run, int block, int channel, int offset, int count, Vec* out) {
  const Vec* du = du_of<L>(run, block) + channel * Traits<L>::plane + offset;
  const Vec* y = y_of<L>(run, block) + channel * Traits<L>::plane + offset;
  const Backward& k = backward_of<L>(run, block, channel);
  const Vec a = k.a, b = k.b, c = k.c;
  for (int i = 0; i < count; i++) out[i] = dc_value<L>(a, b, c, du[i], y[i]);
}

// Stores COUNT neighbours of y in one channel, with the sums that batch norm needs. The sums are of the distance from an
// origin, each image's own first value: squares of values far from zero would leave no digits for their variance.
template <class L, int COUNT>
INLINE void put(Vec* y, Scratch& s, int channel, int offset, const Vec (&values)[COUNT]) {
  Vec* const out = y + channel * Traits<L>::plane + offset;
  Vec sum1 = {}, sum2 = {}, origin = {};
  if constexpr (L::BN) {
    if (offset == 0) s.origin[channel] = L::ACT1 ? rectify(values[0], L::SLOPE1) : values[0];
    origin = s.origin[channel];
  }
  UNROLL for (int i = 0; i < COUNT; i++) {
    Vec v = values[i];
    if constexpr (L::ACT1) v = rectify(v, L::SLOPE1);
    if constexpr (L::BN) {
      const Vec d = v - origin;
      sum1 += d;
      sum2 += d * d;
    }
    if constexpr (!L::RECOMPUTE) out[i] = v;
  }
  if constexpr (L::BN) {
    s.sum1[channel] += sum1;
    s.sum2[channel] += sum2;
  }
}

template <class L>
INLINE void clear_sums(Scratch& s) {
  if constexpr (L::BN)
    for (int c = 0; c < L::OC; c++) s.sum1[c] = s.sum2[c] = Vec{};
}

// The block's sums of y and y*y in double, from those that `put` made; lanes without an image left out.
template <class L>
INLINE void keep_moments(const Run& run, const Scratch& s, int block) {
  if constexpr (L::BN)
    for (int c = 0; c < L::OC; c++) {
      double sum = 0, squares = 0;
      for (int i = 0; i < run.images_in(block); i++) {
        const double from = s.origin[c][i], sum1 = s.sum1[c][i];
        sum += sum1 + Traits<L>::plane * from;
        squares += s.sum2[c][i] + from * (2 * sum1 + Traits<L>::plane * from);
      }
      run.forward_sums[L::ID][size_t(block) * L::OC + c] = {sum, squares};
    }
}

// The block's sums of the backward pass, lanes without an image left out.
template <class L>
INLINE void keep_sums(const Run& run, Scratch& s, int block, const Buffer<Sums>& out) {
  if constexpr (L::BN) {
    const Vec mask = run.lane_mask(block);
    for (int c = 0; c < L::OC; c++) {
      Sums& sums = out[size_t(block) * L::OC + c];
      if (!L::MORE) sums = {0, 0};
      sums.first += lane_sum(s.sum1[c] * mask), sums.second += lane_sum(s.sum2[c] * mask);
    }
  }
}

}  // namespace tiny
