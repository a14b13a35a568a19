// Layer norm over the channels: at each place of each image on its own. What is normalised is computed again on the way
// back; for a few places at a time all channels stand side by side in the first-level cache.
#pragma once
#include "joins.hpp"

namespace tiny {

// Values of a piece of `count` places, [channel][place], and what normalises them.
template <int COUNT>
struct Piece {
  Vec mean[COUNT], inverse_std[COUNT];
};

template <class L, class P, int COUNT>
INLINE Piece<COUNT> load_piece(const Run& run, int block, int offset, Vec* z) {
  Piece<COUNT> piece = {};
  for (int c = 0; c < L::OC; c++) {
    z_span<P>(run, block, c, offset, COUNT, z + c * COUNT);
    UNROLL for (int i = 0; i < COUNT; i++) piece.mean[i] += z[c * COUNT + i];
  }
  UNROLL for (int i = 0; i < COUNT; i++) piece.mean[i] *= 1.0f / L::OC;
  Vec squares[COUNT] = {};
  for (int c = 0; c < L::OC; c++)
    UNROLL for (int i = 0; i < COUNT; i++) {
      Vec& v = z[c * COUNT + i];
      v -= piece.mean[i];
      squares[i] += v * v;
    }
  UNROLL for (int i = 0; i < COUNT; i++) {
    const Vec variance = squares[i] * (1.0f / L::OC) + float(L::LAYER_EPS);
    for (int lane = 0; lane < kLanes; lane++) piece.inverse_std[i][lane] = 1.0f / std::sqrt(variance[lane]);
  }
  for (int c = 0; c < L::OC; c++) UNROLL for (int i = 0; i < COUNT; i++) z[c * COUNT + i] *= piece.inverse_std[i];
  return piece;
}

template <class L>
INLINE float weight_of(const Run& run, int c) { return L::WEIGHT < 0 ? 1.0f : run.params[L::WEIGHT + c]; }

template <class L, class P>
void forward_channel_norm(const Run& run, Scratch& s) {
  Vec* const z = s.z.get();
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    for_places<L>([&](int offset, auto count) {
      load_piece<L, P, count>(run, block, offset, z);
      for (int c = 0; c < L::OC; c++) {
        const float weight = weight_of<L>(run, c), bias = L::BIAS ? run.params[L::BIAS_AT + c] : 0.0f;
        Vec y[count];
        UNROLL for (int i = 0; i < count; i++) y[i] = z[c * count + i] * weight + bias;
        put<L, count>(y_of<L>(run, block), s, c, offset, y);
      }
    });
    keep_moments<L>(run, s, block);
  }
}

// With x for what is normalised and g for the gradient times the weight: dz = (g - mean g - x * mean(g * x)) / std.
template <class L, class P>
void backward_channel_norm(const Run& run, Scratch& s) {
  Vec* const x = s.z.get();
  std::memset(static_cast<void*>(s.weight_gradient.get()), 0, sizeof(Vec) * L::OC);
  std::memset(static_cast<void*>(s.bias_gradient.get()), 0, sizeof(Vec) * L::OC);
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    for_places<L>([&](int offset, auto count) {
      Vec* const g = x + L::OC * count;
      const Piece<count> piece = load_piece<L, P, count>(run, block, offset, x);
      Vec sum[count] = {}, product[count] = {};
      for (int c = 0; c < L::OC; c++) {
        dc_span<L>(run, block, c, offset, count, g + c * count);
        const float weight = weight_of<L>(run, c) * (1.0f / L::OC);
        UNROLL for (int i = 0; i < count; i++) {
          const Vec dc = g[c * count + i], along = dc * x[c * count + i];
          s.bias_gradient[c] += dc, s.weight_gradient[c] += along;
          sum[i] += weight * dc, product[i] += weight * along;
        }
      }
      if constexpr (P::KIND != INPUT)
        for (int c = 0; c < L::OC; c++) {
          const float weight = weight_of<L>(run, c);
          Vec dz[count];
          UNROLL for (int i = 0; i < count; i++)
              dz[i] = (weight * g[c * count + i] - sum[i] - x[c * count + i] * product[i]) * piece.inverse_std[i];
          pull_stored<P, count>(run, s, block, c, offset, 1, dz);
        }
    });
    if constexpr (P::KIND != INPUT) keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
  if constexpr (L::BIAS)
    for (int c = 0; c < L::OC; c++) {
      s.gradient[L::WEIGHT + c] = lane_sum(s.weight_gradient[c]);
      s.gradient[L::BIAS_AT + c] = lane_sum(s.bias_gradient[c]);
    }
}

}  // namespace tiny
