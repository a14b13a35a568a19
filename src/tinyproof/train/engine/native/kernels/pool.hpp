// Max and average pooling, one channel at a time; average pooling of 1x1 passes its input on unchanged.
//
// Windows side by side (the usual case) are taken straight from y and back to du; windows that overlap or reach over
// the edge go through planes of one channel.
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

// ---- windows side by side ----

template <class L>
struct Windows {
  static constexpr bool tiled = L::KH == L::SH && L::KW == L::SW && L::PH == 0 && L::PW == 0;
  static constexpr int chunk = L::KW <= 2 ? 4 : (L::KW == 3 ? 2 : 1);  // so many side by side at once
};

// The value of COUNT windows, and for max pooling which place of the window gave it.
template <class L, class P, int COUNT>
INLINE void pool_windows(const Run& run, int block, int channel, int row, int x, Vec (&value)[COUNT], VecInt (&place)[COUNT]) {
  const Affine& k = affine_of<P>(run, block, channel);
  const Vec a = k.a, b = k.b, m = k.m;
  const Vec* const y = y_of<P>(run, block);
  for (int ky = 0; ky < L::KH; ky++)
    for (int kx = 0; kx < L::KW; kx++)
      UNROLL for (int i = 0; i < COUNT; i++) {
        const int at = channel * Traits<P>::plane + (row * L::KH + ky) * L::IW + (x + i) * L::KW + kx;
        const Vec z = z_value<P>(run, block, a, b, m, at, y[at]);
        if (ky == 0 && kx == 0) {
          value[i] = z;
          place[i] = VecInt{};
        } else if constexpr (L::KIND == MAX_POOL) {
          const VecInt better = (z > value[i]) | (z != z);
          value[i] = better ? z : value[i];
          place[i] = better ? VecInt{} + (ky * L::KW + kx) : place[i];
        } else {
          value[i] += z;
        }
      }
  if constexpr (L::KIND == AVG_POOL)
    UNROLL for (int i = 0; i < COUNT; i++) value[i] *= 1.0f / (L::KH * L::KW);
}

template <class L, class P, int COUNT>
INLINE void forward_windows(const Run& run, Scratch& s, int block, int channel, int row, int x) {
  Vec value[COUNT];
  VecInt place[COUNT];
  pool_windows<L, P, COUNT>(run, block, channel, row, x, value, place);
  put<L, COUNT>(y_of<L>(run, block), s, channel, row * L::OW + x, value);
}

template <class L, class P, int COUNT>
INLINE void backward_windows(const Run& run, Scratch& s, int block, int channel, int row, int x) {
  Vec value[COUNT], dc[COUNT];
  VecInt place[COUNT];
  if constexpr (L::KIND == MAX_POOL) pool_windows<L, P, COUNT>(run, block, channel, row, x, value, place);
  dc_span<L>(run, block, channel, row * L::OW + x, COUNT, dc);
  for (int ky = 0; ky < L::KH; ky++) {
    Vec g[COUNT * L::KW];
    UNROLL for (int i = 0; i < COUNT; i++) UNROLL for (int kx = 0; kx < L::KW; kx++)
        g[i * L::KW + kx] = L::KIND == AVG_POOL ? dc[i] * (1.0f / (L::KH * L::KW))
                                                : (place[i] == VecInt{} + (ky * L::KW + kx) ? dc[i] : Vec{});
    pull_stored<P, COUNT * L::KW>(run, s, block, channel, (row * L::KH + ky) * L::IW + x * L::KW, 1, g);
  }
}

// Places that no window covers have no gradient, but for what another stage that takes them left there.
template <class L, class P>
INLINE void clear_rest(const Run& run, int block, int channel) {
  Vec* const du = du_of<P>(run, block) + channel * Traits<P>::plane;
  for (int row = 0; row < L::IH; row++)
    for (int x = row < L::OH * L::KH ? L::OW * L::KW : 0; x < L::IW; x++) du[row * L::IW + x] = Vec{};
}

template <class L, class P, bool FORWARD>
INLINE void each_window(const Run& run, Scratch& s, int block) {
  constexpr int step = Windows<L>::chunk < L::OW ? Windows<L>::chunk : L::OW, rest = L::OW % step;
  for (int c = 0; c < L::OC; c++)
    for (int row = 0; row < L::OH; row++) {
      for (int x = 0; x + step <= L::OW; x += step) {
        if constexpr (FORWARD) forward_windows<L, P, step>(run, s, block, c, row, x);
        else backward_windows<L, P, step>(run, s, block, c, row, x);
      }
      if constexpr (rest != 0) {
        if constexpr (FORWARD) forward_windows<L, P, rest>(run, s, block, c, row, L::OW - rest);
        else backward_windows<L, P, rest>(run, s, block, c, row, L::OW - rest);
      }
    }
}

// ---- windows that overlap, leave gaps or reach over the edge ----

// Adds the gradient of one window to the places that it came from.
template <class L>
INLINE void scatter(const Vec* z, Vec* dz, int row, int x, Vec g) {
  Vec value;
  VecInt at;
  if constexpr (L::KIND == MAX_POOL) largest<L>(z, row, x, value, at);
  else g *= 1.0f / (L::KH * L::KW);
  for (int ky = 0; ky < L::KH; ky++)
    for (int kx = 0; kx < L::KW; kx++) {
      const int r = row * L::SH - L::PH + ky, q = x * L::SW - L::PW + kx;
      if (r < 0 || r >= L::IH || q < 0 || q >= L::IW) continue;
      Vec& to = dz[r * L::IW + q];
      if constexpr (L::KIND == MAX_POOL) to += at == VecInt{} + (r * L::IW + q) ? g : Vec{};
      else to += g;
    }
}

template <class L, class P>
INLINE void forward_planes(const Run& run, Scratch& s, int block) {
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
}

template <class L, class P>
INLINE void backward_planes(const Run& run, Scratch& s, int block) {
  constexpr int in_plane = Traits<P>::plane, out_plane = Traits<L>::plane;
  Vec* const z = s.z.get();
  Vec* const dz = z + in_plane;
  Vec* const dc = dz + in_plane;
  for (int c = 0; c < L::OC; c++) {
    if constexpr (L::KIND == MAX_POOL) z_span<P>(run, block, c, 0, in_plane, z);
    dc_span<L>(run, block, c, 0, out_plane, dc);
    std::memset(static_cast<void*>(dz), 0, sizeof(Vec) * in_plane);
    for (int row = 0; row < L::OH; row++)
      for (int x = 0; x < L::OW; x++) scatter<L>(z, dz, row, x, dc[row * L::OW + x]);
    for (int i = 0; i < in_plane; i++) pull_stored<P, 1>(run, s, block, c, i, 1, {dz[i]});
  }
}

template <class L, class P>
void forward_pool(const Run& run, Scratch& s) {
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    if constexpr (Windows<L>::tiled) each_window<L, P, true>(run, s, block);
    else forward_planes<L, P>(run, s, block);
    keep_moments<L>(run, s, block);
  }
}

template <class L, class P>
void backward_pool(const Run& run, Scratch& s) {
  if constexpr (P::KIND == INPUT) return;
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    if constexpr (Windows<L>::tiled) {
      each_window<L, P, false>(run, s, block);
      if constexpr (!P::MORE && (L::OH * L::KH < L::IH || L::OW * L::KW < L::IW))
        for (int c = 0; c < L::OC; c++) clear_rest<L, P>(run, block, c);
    } else {
      backward_planes<L, P>(run, s, block);
    }
    keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
}

}  // namespace tiny
