// Convolution and linear layers, forward and backward, row by row. A linear layer is a 1x1 convolution of 1x1 pictures.
#pragma once
#include "tiles.hpp"

namespace tiny {

template <class L>
struct Put {
  Vec* y;
  Scratch& s;
  int offset;
  template <int X>
  INLINE void operator()(int channel, int x, const Vec (&sum)[X]) const { put<L, X>(y, s, channel, offset + x, sum); }
};

template <class L, class P>
void forward_conv(const Run& run, Scratch& s) {
  clear_z_ring<L>(s);
  for (const int block : s.turn()) {
    Vec* const y = y_of<L>(run, block);
    clear_sums<L>(s);
    int loaded = 0;
    for (int row = 0; row < L::OH; row++) {
      const int bottom = row * L::SH - L::PH + Conv<L>::tall;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++)
        load_z_row<L, P>(run, block, loaded, z_slot<L>(s, loaded));
      forward_span<L, L::OW>(run.params, ZRing<L>{s}, Put<L>{y, s, row * L::OW}, row, 0);
    }
    keep_moments<L>(run, s, block);
  }
}

// Takes the gradient of z on to du of the stage before.
template <class L, class P>
struct Pull {
  const Run& run;
  Scratch& s;
  int block, row;
  template <int X>
  INLINE void operator()(int c, int column, const Vec (&sum)[X]) const {
    constexpr int plane = L::FLAT ? Traits<P>::plane : 1;  // flattened: an input channel is one place of a plane
    pull_stored<P, X>(run, s, block, c / plane, L::FLAT ? c % plane : row * L::IW + column, L::SW, sum);
  }
};

template <class L, int WEIGHTS = L::OC * L::IC * Conv<L>::taps>
INLINE void clear_weight_gradient(Scratch& s) {
  std::memset(static_cast<void*>(s.weight_gradient.get()), 0, sizeof(Vec) * WEIGHTS);
  std::memset(static_cast<void*>(s.bias_gradient.get()), 0, sizeof(Vec) * L::OC);
}

template <class L, int WEIGHTS = L::OC * L::IC * Conv<L>::taps>
INLINE void collect_weight_gradient(const Run& run, Scratch& s) {
  float* const out = s.gradient.get() + L::WEIGHT;
  for (int i = 0; i < WEIGHTS; i++) out[i] = lane_sum(s.weight_gradient[i]);
  if constexpr (L::BIAS)
    for (int o = 0; o < L::OC; o++) s.gradient[L::BIAS_AT + o] = lane_sum(s.bias_gradient[o]);
}

template <class L, class P>
void backward_conv(const Run& run, Scratch& s) {
  clear_z_ring<L>(s);
  clear_dc_ring<L>(s);
  clear_weight_gradient<L>(s);
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    int loaded = 0, done = 0;
    for (int row = 0; row < L::OH; row += L::STRIP) {
      const int row_end = row + L::STRIP < L::OH ? row + L::STRIP : L::OH;
      const int bottom = (row_end - 1) * L::SH - L::PH + Conv<L>::tall;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++)
        load_z_row<L, P>(run, block, loaded, z_slot<L>(s, loaded));
      for (int r = row; r < row_end; r++) load_dc_row<L>(run, s, block, r, dc_slot<L>(s, r));
      weight_strip<L>(ZRing<L>{s}, DcRing<L>{s}, {row, row_end}, s.weight_gradient.get());
      if constexpr (P::KIND != INPUT) {
        const int reach = row_end * L::SH - L::PH;
        const int end = row_end == L::OH || reach > L::IH ? L::IH : reach;
        for (; done < end; done++) input_row<L, 0>(run.params, DcRing<L>{s}, Pull<L, P>{run, s, block, done}, done);
      }
    }
    if constexpr (P::KIND != INPUT) keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
  collect_weight_gradient<L>(run, s);
}

}  // namespace tiny
