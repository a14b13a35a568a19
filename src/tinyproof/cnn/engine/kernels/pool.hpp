// Max and average pooling, one channel at a time; average pooling of 1x1 passes its input on unchanged.
#pragma once
#include "stage.hpp"

namespace tiny {

// Where in the input plane the largest value of a window lies: the first of equals, and NaN before all, as in PyTorch.
template <class L>
INLINE void largest(const Vec* z, int row, int x, Vec& value, VecInt& at) {
  bool first = true;
  for (int ky = 0; ky < L::KH; ky++)
    for (int kx = 0; kx < L::KW; kx++) {
      const int r = row * L::SH - L::PH + ky, q = x * L::SW - L::PW + kx;
      if (r < 0 || r >= L::IH || q < 0 || q >= L::IW) continue;
      const Vec v = z[r * L::IW + q];
      const VecInt here = VecInt{} + (r * L::IW + q);
      if (first) {
        value = v, at = here, first = false;
        continue;
      }
      const VecInt better = (v > value) | (v != v);
      value = better ? v : value;
      at = better ? here : at;
    }
}

template <class L>
INLINE Vec average(const Vec* z, int row, int x) {
  Vec sum = {};
  for (int ky = 0; ky < L::KH; ky++)
    for (int kx = 0; kx < L::KW; kx++) sum += z[(row * L::SH + ky) * L::IW + x * L::SW + kx];
  return sum * (1.0f / (L::KH * L::KW));
}

template <class L, class P>
void forward_pool(const Run& run, Scratch& s) {
  for (int block = s.first_block; block < s.end_block; block++) {
    clear_sums<L>(s);
    Vec* const z = s.z.get();
    for (int c = 0; c < L::OC; c++) {
      z_span<P>(run, block, c, 0, Traits<P>::plane, z);
      for (int row = 0; row < L::OH; row++)
        for (int x = 0; x < L::OW; x++) {
          Vec v[1];
          VecInt at;
          if constexpr (L::KIND == MAX_POOL) largest<L>(z, row, x, v[0], at);
          else v[0] = average<L>(z, row, x);
          put<L, 1>(y_of<L>(run, block), s, c, row * L::OW + x, v);
        }
    }
    keep_sums<L>(run, s, block, run.forward_sums[L::ID]);
  }
}

template <class L, class P>
void backward_pool(const Run& run, Scratch& s) {
  if constexpr (P::KIND == INPUT) return;
  constexpr int in_plane = Traits<P>::plane, out_plane = Traits<L>::plane;
  Vec* const z = s.z.get();
  Vec* const dz = z + in_plane;
  Vec* const dc = dz + in_plane;
  for (int block = s.first_block; block < s.end_block; block++) {
    clear_sums<P>(s);
    for (int c = 0; c < L::OC; c++) {
      if constexpr (L::KIND == MAX_POOL) z_span<P>(run, block, c, 0, in_plane, z);
      dc_span<L>(run, block, c, 0, out_plane, dc);
      std::memset(static_cast<void*>(dz), 0, sizeof(Vec) * in_plane);
      for (int row = 0; row < L::OH; row++)
        for (int x = 0; x < L::OW; x++) {
          Vec g = dc[row * L::OW + x];
          if constexpr (L::KIND == MAX_POOL) {
            Vec value;
            VecInt at;
            largest<L>(z, row, x, value, at);
            for (int ky = 0; ky < L::KH; ky++)
              for (int kx = 0; kx < L::KW; kx++) {
                const int r = row * L::SH - L::PH + ky, q = x * L::SW - L::PW + kx;
                if (r < 0 || r >= L::IH || q < 0 || q >= L::IW) continue;
                dz[r * L::IW + q] += at == VecInt{} + (r * L::IW + q) ? g : Vec{};
              }
          } else {
            g *= 1.0f / (L::KH * L::KW);
            for (int ky = 0; ky < L::KH; ky++)
              for (int kx = 0; kx < L::KW; kx++) dz[(row * L::SH + ky) * L::IW + x * L::SW + kx] += g;
          }
        }
      for (int row = 0; row < P::OH; row++) {
        constexpr int step = 4, whole = P::OW / step * step;
        for (int x = 0; x < whole; x += step) {
          const Vec* g = dz + row * P::OW + x;
          pull_stored<P, step>(run, s, block, c, row * P::OW + x, 1, {g[0], g[1], g[2], g[3]});
        }
        for (int x = whole; x < P::OW; x++) pull_stored<P, 1>(run, s, block, c, row * P::OW + x, 1, {dz[row * P::OW + x]});
      }
    }
    keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
}

}  // namespace tiny
