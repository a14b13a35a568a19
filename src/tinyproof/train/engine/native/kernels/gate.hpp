// Products of two stages' values: a picture with one of the same size, or with one number for each channel (as in
// squeeze-and-excite).
#pragma once
#include "joins.hpp"

namespace tiny {

// z of `count` places from `offset` on; where P has one place only, that one throughout.
template <class L, class P>
INLINE void factor_span(const Run& run, int block, int channel, int offset, int count, Vec* out) {
  if constexpr (Traits<P>::plane == Traits<L>::plane) {
    z_span<P>(run, block, channel, offset, count, out);
  } else {
    z_span<P>(run, block, channel, 0, 1, out);
    for (int i = 1; i < count; i++) out[i] = out[0];
  }
}

template <class L, class A, class B>
void forward_multiply(const Run& run, Scratch& s) {
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    for (int c = 0; c < L::OC; c++)
      for_places<L>([&](int offset, auto count) {
        Vec one[count], other[count];
        factor_span<L, A>(run, block, c, offset, count, one);
        factor_span<L, B>(run, block, c, offset, count, other);
        UNROLL for (int i = 0; i < count; i++) one[i] *= other[i];
        put<L, count>(y_of<L>(run, block), s, c, offset, one);
      });
    keep_moments<L>(run, s, block);
  }
}

// Hands P its share: the gradient times the other factor.
template <class L, class P, class Other>
void backward_multiply(const Run& run, Scratch& s) {
  if constexpr (P::KIND == INPUT) return;
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    for (int c = 0; c < L::OC; c++) {
      Vec sum[1] = {};
      for_places<L>([&](int offset, auto count) {
        Vec dc[count], other[count];
        dc_span<L>(run, block, c, offset, count, dc);
        factor_span<L, Other>(run, block, c, offset, count, other);
        UNROLL for (int i = 0; i < count; i++) dc[i] *= other[i];
        if constexpr (Traits<P>::plane == Traits<L>::plane) pull_stored<P, count>(run, s, block, c, offset, 1, dc);
        else
          UNROLL for (int i = 0; i < count; i++) sum[0] += dc[i];
      });
      if constexpr (Traits<P>::plane != Traits<L>::plane) pull_stored<P, 1>(run, s, block, c, 0, 1, sum);
    }
    keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
}

}  // namespace tiny
