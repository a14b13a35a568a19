// Grouped and depthwise convolutions: each group of output channels sees the input channels of its own group alone. A
// group is a convolution of its own, computed by the kernels of tiles.hpp; all rows of one group come before the next,
// so that its rows stay in the first-level cache. Bias and batch norm belong to the whole.
#pragma once
#include "conv.hpp"

namespace tiny {

template <class L>
struct Group : L {
  static constexpr int IC = L::IC / L::GROUPS, OC = L::OC / L::GROUPS;
  static constexpr int weights = OC * IC * L::KH * L::KW;
  static constexpr bool BIAS = false;
};

// Takes sums of a group that begins with output channel `first`.
template <class L>
struct PutGroup {
  const Run& run;
  Vec* y;
  Scratch& s;
  int first, offset;
  template <int X>
  INLINE void operator()(int channel, int x, const Vec (&sum)[X]) const {
    Vec values[X];
    const Vec bias = L::BIAS ? broadcast(run.params[L::BIAS_AT + first + channel]) : Vec{};
    UNROLL for (int p = 0; p < X; p++) values[p] = L::BIAS ? sum[p] + bias : sum[p];
    put<L, X>(y, s, first + channel, offset + x, values);
  }
};

template <class L, class P>
struct PullGroup {
  const Run& run;
  Scratch& s;
  int block, first, row;
  template <int X>
  INLINE void operator()(int channel, int column, const Vec (&sum)[X]) const {
    pull_stored<P, X>(run, s, block, first + channel, row * L::IW + column, L::SW, sum);
  }
};

template <class L, class P>
INLINE void load_z_group(const Run& run, const Scratch& s, int block, int group, int row) {
  using G = Group<L>;
  Vec* const out = z_slot<G>(s, row) + L::PW;
  for (int c = 0; c < G::IC; c++)
    z_span<P>(run, block, group * G::IC + c, row * L::IW, L::IW, out + c * Conv<G>::z_width);
}

template <class L>
INLINE void load_dc_group(const Run& run, Scratch& s, int block, int group, int row) {
  using G = Group<L>;
  Vec* const out = dc_slot<G>(s, row);
  for (int c = 0; c < G::OC; c++) {
    dc_span<L>(run, block, group * G::OC + c, row * L::OW, L::OW, out + c * Conv<G>::dc_width + Conv<G>::margin);
    if constexpr (L::BIAS) s.bias_gradient[group * G::OC + c] += row_sum<G>(out, c);
  }
}

// The gradient of TAPS rows of the weights between one input and one output channel, all columns of them at once: a row
// of a kernel alone has too few sums to keep the multipliers at work.
template <class G, int TAPS>
INLINE void tap_tile(const Scratch& s, const Strip& strip, int ky, int o, Vec* out) {
  Vec sum[TAPS][G::KW];
  UNROLL for (int t = 0; t < TAPS; t++) UNROLL for (int k = 0; k < G::KW; k++) sum[t][k] = out[t * G::KW + k];
  for (int row = strip.begin; row < strip.end; row++) {
    const Vec* z[TAPS];
    UNROLL for (int t = 0; t < TAPS; t++) {
      const int at = row * G::SH - G::PH + (ky + t) * G::DH;
      z[t] = at < 0 || at >= G::IH ? s.zeros.get() : z_slot<G>(s, at);
    }
    const Vec* const g = dc_slot<G>(s, row) + o * Conv<G>::dc_width + Conv<G>::margin;
    for (int x = 0; x < G::OW; x++) {
      Vec d = g[x];
      hold(d);
      UNROLL for (int t = 0; t < TAPS; t++) UNROLL for (int k = 0; k < G::KW; k++)
          sum[t][k] += d * z[t][x * G::SW + k * G::DW];
    }
  }
  UNROLL for (int t = 0; t < TAPS; t++) UNROLL for (int k = 0; k < G::KW; k++) out[t * G::KW + k] = sum[t][k];
}

template <class G>
INLINE void tap_strip(const Scratch& s, const Strip& strip, Vec* out) {
  for (int o = 0; o < G::OC; o++, out += Conv<G>::taps) {
    int ky = 0;
    for (; ky + G::TAPS <= G::KH; ky += G::TAPS) tap_tile<G, G::TAPS>(s, strip, ky, o, out + ky * G::KW);
    if constexpr (G::KH % G::TAPS != 0) tap_tile<G, G::KH % G::TAPS>(s, strip, ky, o, out + ky * G::KW);
  }
}

template <class L, class P>
void forward_grouped(const Run& run, Scratch& s) {
  using G = Group<L>;
  clear_z_ring<G>(s);
  for (const int block : s.turn()) {
    Vec* const y = y_of<L>(run, block);
    clear_sums<L>(s);
    for (int group = 0; group < L::GROUPS; group++) {
      const float* const weights = run.params + size_t(group) * G::weights;
      int loaded = 0;
      for (int row = 0; row < L::OH; row++) {
        const int bottom = row * L::SH - L::PH + Conv<L>::tall;
        for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++) load_z_group<L, P>(run, s, block, group, loaded);
        forward_span<G, L::OW>(weights, ZRing<G>{s}, PutGroup<L>{run, y, s, group * G::OC, row * L::OW}, row, 0);
      }
    }
    keep_moments<L>(run, s, block);
  }
}

template <class L, class P>
INLINE void backward_group(const Run& run, Scratch& s, int block, int group) {
  using G = Group<L>;
  const float* const weights = run.params + size_t(group) * G::weights;
  Vec* const gradient = s.weight_gradient.get() + size_t(group) * G::weights;
  int loaded = 0, done = 0;
  for (int row = 0; row < L::OH; row += L::STRIP) {
    const Strip strip = {row, row + L::STRIP < L::OH ? row + L::STRIP : L::OH};
    const int bottom = (strip.end - 1) * L::SH - L::PH + Conv<L>::tall;
    for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++) load_z_group<L, P>(run, s, block, group, loaded);
    for (int r = strip.begin; r < strip.end; r++) load_dc_group<L>(run, s, block, group, r);
    if constexpr (G::IC == 1) tap_strip<G>(s, strip, gradient);
    else weight_strip<G>(ZRing<G>{s}, DcRing<G>{s}, strip, gradient);
    if constexpr (P::KIND != INPUT) {
      const int reach = strip.end * L::SH - L::PH;
      const int end = strip.end == L::OH || reach > L::IH ? L::IH : reach;
      for (; done < end; done++)
        input_row<G, 0>(weights, DcRing<G>{s}, PullGroup<L, P>{run, s, block, group * G::IC, done}, done);
    }
  }
}

template <class L, class P>
void backward_grouped(const Run& run, Scratch& s) {
  using G = Group<L>;
  clear_z_ring<G>(s);
  clear_dc_ring<G>(s);
  clear_weight_gradient<L, L::GROUPS * G::weights>(s);
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    for (int group = 0; group < L::GROUPS; group++) backward_group<L, P>(run, s, block, group);
    if constexpr (P::KIND != INPUT) keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
  collect_weight_gradient<L, L::GROUPS * G::weights>(run, s);
}

}  // namespace tiny
