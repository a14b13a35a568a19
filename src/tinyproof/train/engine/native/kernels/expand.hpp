// A first convolution P whose output is large and cheap, before a 1x1 convolution L that makes it small again.
//
// Storing P's output would cost more than computing it: at 32 channels of 26x26 a block of images takes 1.4 MB, and the
// trips through memory take longer than the nine multiply-adds a value. So P's output exists only in pieces that
// fit the first-level cache: for its statistics, for L forward, for L's weights, and for P's own weights. P has neither an
// activation behind batch norm nor dropout of single elements, so its z is a * y + b with a and b of channel and image.
#pragma once
#include "conv.hpp"

namespace tiny {

// Images with their margin of zeros, as P's rows.
template <class P, class Input>
INLINE void load_plane(const Run& run, Scratch& s, int block) {
  for (int row = 0; row < P::IH; row++) load_z_row<P, Input>(run, block, row, s.input.get() + row * Conv<P>::z_row);
}

template <class P>
INLINE void clear_plane(Scratch& s) {
  std::memset(static_cast<void*>(s.input.get()), 0, sizeof(Vec) * Conv<P>::z_row * P::IH);
}

// Y: y as P gives it; else z, as L reads it. Laid out [channel][column].
template <class P, bool Y>
struct RowSink {
  const Run& run;
  int block;
  Vec* out;
  template <int X>
  INLINE void operator()(int channel, int x, const Vec (&sum)[X]) const {
    const Affine& k = affine_of<P>(run, block, channel);
    const Vec a = k.a, b = k.b;
    UNROLL for (int p = 0; p < X; p++) {
      const Vec v = P::ACT1 ? rectify(sum[p], P::SLOPE1) : sum[p];
      out[channel * P::OW + x + p] = Traits<P>::affine && !Y ? a * v + b : v;
    }
  }
};

// Calls body(x, integral constant WIDTH) for pieces of a row that keep all channels within the first-level cache.
template <class P, class Body>
INLINE void for_pieces(const Body& body) {
  constexpr int fit = 24 * 1024 / int(sizeof(Vec)) / P::OC / P::FX * P::FX;
  constexpr int piece = fit < P::FX ? P::FX : (fit < P::OW ? fit : P::OW);
  int x = 0;
  for (; x + piece <= P::OW; x += piece) body(x, std::integral_constant<int, piece>());
  if constexpr (P::OW % piece != 0) body(x, std::integral_constant<int, P::OW % piece>());
}

template <class L, class P, class Input>
void forward_contract(const Run& run, Scratch& s) {
  clear_plane<P>(s);
  Vec* const z = s.z.get();
  for (const int block : s.turn()) {
    Vec* const y = y_of<L>(run, block);
    clear_sums<L>(s);
    load_plane<P, Input>(run, s, block);
    for (int row = 0; row < L::OH; row++)
      for_pieces<P>([&](int x, auto width) {
        forward_span<P, width>(run.params, ZPlane<P>{s.input.get()}, RowSink<P, false>{run, block, z}, row, x);
        forward_span<L, width>(run.params, ZPlane<L>{z - row * Conv<L>::z_row}, Put<L>{y, s, row * L::OW}, row, x);
      });
    keep_moments<L>(run, s, block);
  }
}

// From G = sum over places of dc * y, by output o, input c and image, follow the weight gradient, since z = a * y + b,
// and both sums that P's batch norm needs, since dz is linear in dc: no gradient of P's output is formed here.
template <class L, class P>
INLINE void use_products(const Run& run, Scratch& s, int block, const Vec* G, const Vec* total) {
  for (int c = 0; c < L::IC; c++) {
    Affine k = {broadcast(1.0f), Vec{}, broadcast(1.0f)};
    if constexpr (Traits<P>::affine) k = affine_of<P>(run, block, c);
    Vec sum1 = {}, sum2 = {};
    const float mean = P::BN ? s.mean32[P::ID][c] : 0.0f;
    for (int o = 0; o < L::OC; o++) {
      const Vec g = G[o * L::IC + c];
      s.weight_gradient[o * L::IC + c] += k.a * g + k.b * total[o];
      const float w = run.params[L::WEIGHT + o * L::IC + c];
      sum1 += w * (k.m * total[o]);
      sum2 += w * (k.m * (g - mean * total[o]));
    }
    if constexpr (P::BN) s.sum1[c] = sum1, s.sum2[c] = sum2;
  }
}

// A row of y of P for a group of channels from `first` on, as rows that a tile of weights reads.
template <class P>
struct GroupY {
  Vec* base;
  int first;
  INLINE Vec* operator()(int) const { return base - first * P::OW; }
};

template <class P>
INLINE void group_y(const Run& run, Scratch& s, int block, int row, const GroupY<P>& y) {
  const ZPlane<P> input{s.input.get()};
  const RowSink<P, true> sink{run, block, y(row)};
  int x = 0;
  for (; x + P::FX <= P::OW; x += P::FX) forward_tile<P, P::GO, P::FX>(run.params, input, sink, row, y.first, x);
  if constexpr (P::OW % P::FX != 0) forward_tile<P, P::GO, P::OW % P::FX>(run.params, input, sink, row, y.first, x);
}

template <class L, class P, int O>
INLINE void group_products(const Scratch& s, int row, const GroupY<P>& y, int o, Vec* products) {
  const Strip strip = {row, row + 1};
  const DcRing<L> dc{s};
  int c = y.first;
  for (; c + L::GI <= y.first + P::GO; c += L::GI) weight_tile<L, O, L::GI>(y, dc, strip, 0, o, c, products);
  if constexpr (P::GO % L::GI != 0) weight_tile<L, O, P::GO % L::GI>(y, dc, strip, 0, o, c, products);
}

template <class L, class P, class Input>
void backward_contract(const Run& run, Scratch& s) {
  constexpr int weights = L::OC * L::IC;
  clear_plane<P>(s);
  clear_dc_ring<L>(s);
  clear_weight_gradient<L>(s);
  Vec* const products = s.products.get();
  Vec* const total = products + weights;
  for (const int block : s.turn()) {
    load_plane<P, Input>(run, s, block);
    std::memset(static_cast<void*>(products), 0, sizeof(Vec) * (weights + L::OC));
    for (int row = 0; row < L::OH; row++) {
      Vec* const dc = dc_slot<L>(s, row);
      load_dc_row<L>(run, s, block, row, dc);
      for (int o = 0; o < L::OC; o++) total[o] += row_sum<L>(dc, o);
      for (int first = 0; first < P::OC; first += P::GO) {
        const GroupY<P> y{s.y_row.get(), first};
        group_y<P>(run, s, block, row, y);
        int o = 0;
        for (; o + L::GO <= L::OC; o += L::GO) group_products<L, P, L::GO>(s, row, y, o, products);
        if constexpr (L::OC % L::GO != 0) group_products<L, P, L::OC % L::GO>(s, row, y, o, products);
      }
    }
    use_products<L, P>(run, s, block, products, total);
    keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
  collect_weight_gradient<L>(run, s);
}

// P's output gradient for GROUP channels from `first` on, a few rows of it.
template <class P>
struct GroupRows {
  static constexpr int group = P::GO;
  Vec* base;
  int row0, first;
  INLINE Vec* operator()(int row) const { return base + ((row - row0) * group - first) * Conv<P>::dc_width; }
};

// Turns the gradient of z into the gradient of P's own output.
template <class P>
struct DcSink {
  const Run& run;
  Scratch& s;
  int block, first;
  Vec* dc;
  template <int X>
  INLINE void operator()(int c, int column, const Vec (&sum)[X]) const {
    const Backward& k = backward_of<P>(run, block, c);
    const Vec ka = k.a, kb = k.b, kc = k.c;
    const Vec* const stored = s.y_row.get() + (c - first) * P::OW + column;
    Vec* const out = dc + c * Conv<P>::dc_width + Conv<P>::margin + column;
    Vec y[X], g[X];
    UNROLL for (int p = 0; p < X; p++) y[p] = stored[p], g[p] = sum[p];
    pull<P, false, X>(run, s, block, c, 0, 1, y, g);
    UNROLL for (int p = 0; p < X; p++) out[p] = dc_value<P>(ka, kb, kc, g[p], y[p]);
  }
};

// One group of channels of one row: y, then the gradient of z from L's, then the gradient of P's output.
template <class L, class P, int X>
INLINE void group_tile(const Run& run, Scratch& s, int block, int row, int first, int x, const Vec* dc_next, Vec* dc) {
  Vec* const y = s.y_row.get() - first * P::OW;
  forward_tile<P, P::GO, X>(run.params, ZPlane<P>{s.input.get()}, RowSink<P, true>{run, block, y}, row, first, x);
  input_tile<L, 0, P::GO, X, -1>(run.params, DcRow<L>{dc_next}, DcSink<P>{run, s, block, first, dc}, row, first, x);
}

template <class L, class P>
INLINE void group_row(const Run& run, Scratch& s, int block, int row, int first, const Vec* dc_next, Vec* dc) {
  int x = 0;
  for (; x + P::FX <= P::OW; x += P::FX) group_tile<L, P, P::FX>(run, s, block, row, first, x, dc_next, dc);
  if constexpr (P::OW % P::FX != 0) group_tile<L, P, P::OW % P::FX>(run, s, block, row, first, x, dc_next, dc);
  if constexpr (P::BIAS)
    for (int c = first; c < first + P::GO; c++) s.bias_gradient[c] += row_sum<P>(dc, c);
}

template <class L, class P, class Input>
void backward_expand(const Run& run, Scratch& s) {
  static_assert(P::OC % P::GO == 0, "groups must be whole");
  clear_plane<P>(s);
  clear_z_ring<P>(s);
  clear_weight_gradient<P>(s);
  for (const int block : s.turn()) {
    load_plane<P, Input>(run, s, block);
    int loaded = 0;
    for (int row = 0; row < P::OH; row += P::STRIP) {
      const int row_end = row + P::STRIP < P::OH ? row + P::STRIP : P::OH;
      const int bottom = (row_end - 1) * P::SH - P::PH + Conv<P>::tall;
      for (; loaded < (bottom < P::IH ? bottom : P::IH); loaded++)
        load_z_row<P, Input>(run, block, loaded, z_slot<P>(s, loaded));
      for (int r = row; r < row_end; r++)
        for (int c = 0; c < L::OC; c++)
          dc_span<L>(run, block, c, r * L::OW, L::OW,
                     s.du_row.get() + (r - row) * Conv<L>::dc_row + c * Conv<L>::dc_width + Conv<L>::margin);
      for (int first = 0; first < P::OC; first += P::GO) {
        const GroupRows<P> rows{s.dc.get(), row, first};
        for (int r = row; r < row_end; r++)
          group_row<L, P>(run, s, block, r, first, s.du_row.get() + (r - row) * Conv<L>::dc_row, rows(r));
        weight_tiles<P, P::GO>(ZRing<P>{s}, rows, {row, row_end}, first, s.weight_gradient.get());
      }
    }
  }
  collect_weight_gradient<P>(run, s);
}

}  // namespace tiny
