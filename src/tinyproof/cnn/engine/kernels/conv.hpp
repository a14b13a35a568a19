// Convolution and linear layers (a linear layer is a 1x1 convolution of a 1x1 picture).
//
// Three kernels, each a tile of sums in registers: forward (output channels x pixels of a row), the gradient of
// the input (input channels x pixels) and the gradient of the weights (output channels x input channels x taps of
// a row, over the pixels). Rows of z and of the output's gradient live in small rings in the first-level cache, with
// zero columns at both ends, so that no kernel knows about padding.
#pragma once
#include "stage.hpp"

namespace tiny {

template <class L>
struct Conv {
  static constexpr int taps = L::KH * L::KW;
  static constexpr int z_width = L::IW + 2 * L::PW;
  static constexpr int z_row = L::IC * z_width;
  static constexpr int z_rows = (L::STRIP - 1) * L::SH + L::KH;
  static constexpr int margin = L::KW - 1;
  static constexpr int dc_width = L::OW + 2 * margin;
  static constexpr int dc_row = L::OC * dc_width;
  static constexpr int dc_rows = L::STRIP + (L::KH - 1) / L::SH + 1;
  static_assert(L::PW < L::KW && L::PH < L::KH, "padding must be smaller than the kernel");
};

// ---- rows ----

template <class L, class P>
INLINE void load_z_row(const Run& run, int block, int row, Vec* out) {
  if constexpr (L::FLAT) {
    for (int c = 0; c < P::OC; c++) z_span<P>(run, block, c, 0, Traits<P>::plane, out + c * Traits<P>::plane);
  } else {
    for (int c = 0; c < L::IC; c++)
      z_span<P>(run, block, c, row * L::IW, L::IW, out + c * Conv<L>::z_width + L::PW);
  }
}

template <class L>
INLINE Vec row_sum(const Vec* dc_row, int channel) {
  const Vec* dc = dc_row + channel * Conv<L>::dc_width + Conv<L>::margin;
  Vec sum = {};
  for (int x = 0; x < L::OW; x++) sum += dc[x];
  return sum;
}

template <class L>
INLINE void load_dc_row(const Run& run, Scratch& s, int block, int row, Vec* out) {
  for (int c = 0; c < L::OC; c++) {
    dc_span<L>(run, block, c, row * L::OW, L::OW, out + c * Conv<L>::dc_width + Conv<L>::margin);
    if constexpr (L::BIAS) s.bias_gradient[c] += row_sum<L>(out, c);
  }
}

// The rings are shared between stages, so each stage clears the ends of its rows, which then stay zero.
template <class L>
INLINE void clear_ends(Vec* rows, int count, int width, int margin) {
  for (int i = 0; i < count; i++)
    for (int x = 0; x < margin; x++) rows[i * width + x] = rows[(i + 1) * width - 1 - x] = Vec{};
}

template <class L>
INLINE void clear_z_ring(Scratch& s) {
  clear_ends<L>(s.z.get(), L::IC * Conv<L>::z_rows, Conv<L>::z_width, L::PW);
}

template <class L>
INLINE void clear_dc_ring(Scratch& s) {
  clear_ends<L>(s.dc.get(), L::OC * Conv<L>::dc_rows, Conv<L>::dc_width, Conv<L>::margin);
}

template <class L>
INLINE Vec* z_slot(const Scratch& s, int row) { return s.z.get() + (row % Conv<L>::z_rows) * Conv<L>::z_row; }
template <class L>
INLINE Vec* dc_slot(const Scratch& s, int row) { return s.dc.get() + (row % Conv<L>::dc_rows) * Conv<L>::dc_row; }

// Where a kernel finds row `row`: in a ring, or in a plane that holds all rows.
template <class L>
struct ZRing {
  const Scratch& s;
  INLINE const Vec* operator()(int row) const { return z_slot<L>(s, row); }
};
template <class L>
struct ZPlane {
  const Vec* base;
  INLINE const Vec* operator()(int row) const { return base + row * Conv<L>::z_row; }
};
template <class L>
struct DcRing {
  const Scratch& s;
  INLINE const Vec* operator()(int row) const { return dc_slot<L>(s, row); }
};
template <class L>
struct DcRow {
  const Vec* base;
  INLINE const Vec* operator()(int) const { return base; }
};

// ---- forward ----

// O channels x X pixels; sink(channel, column, values) takes X sums of one channel.
template <class L, int O, int X, class Rows, class Sink>
INLINE void forward_tile(const float* params, const Rows& rows, const Sink& sink, int row, int o, int x) {
  Vec sum[O][X];
  UNROLL for (int i = 0; i < O; i++) UNROLL for (int p = 0; p < X; p++)
      sum[i][p] = L::BIAS ? broadcast(params[L::BIAS_AT + o + i]) : Vec{};
  const int top = row * L::SH - L::PH;
  const int ky0 = top < 0 ? -top : 0;
  const int ky1 = top + L::KH > L::IH ? L::IH - top : L::KH;
  const float* const w0 = params + L::WEIGHT + size_t(o) * L::IC * Conv<L>::taps;
  for (int ky = ky0; ky < ky1; ky++) {
    const Vec* in = rows(top + ky) + x * L::SW;
    const float* w = w0 + ky * L::KW;
    for (int c = 0; c < L::IC; c++, in += Conv<L>::z_width, w += Conv<L>::taps)
      UNROLL for (int kx = 0; kx < L::KW; kx++) {
        Vec v[X];
        UNROLL for (int p = 0; p < X; p++) v[p] = in[p * L::SW + kx];
        UNROLL for (int i = 0; i < O; i++) {
          const float f = w[size_t(i) * L::IC * Conv<L>::taps + kx];
          UNROLL for (int p = 0; p < X; p++) sum[i][p] += f * v[p];
        }
      }
  }
  UNROLL for (int i = 0; i < O; i++) sink(o + i, x, sum[i]);
}

template <class L, int X, class Rows, class Sink>
INLINE void forward_column(const float* params, const Rows& rows, const Sink& sink, int row, int x) {
  int o = 0;
  for (; o + L::FO <= L::OC; o += L::FO) forward_tile<L, L::FO, X>(params, rows, sink, row, o, x);
  if constexpr (L::OC % L::FO != 0) forward_tile<L, L::OC % L::FO, X>(params, rows, sink, row, o, x);
}

// WIDTH pixels of a row, from column x on.
template <class L, int WIDTH, class Rows, class Sink>
INLINE void forward_span(const float* params, const Rows& rows, const Sink& sink, int row, int x) {
  const int end = x + WIDTH;
  for (; x + L::FX <= end; x += L::FX) forward_column<L, L::FX>(params, rows, sink, row, x);
  if constexpr (WIDTH % L::FX != 0) forward_column<L, WIDTH % L::FX>(params, rows, sink, row, x);
}

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
      const int bottom = row * L::SH - L::PH + L::KH;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++) load_z_row<L, P>(run, block, loaded, z_slot<L>(s, loaded));
      forward_span<L, L::OW>(run.params, ZRing<L>{s}, Put<L>{y, s, row * L::OW}, row, 0);
    }
    keep_moments<L>(run, s, block);
  }
}

// ---- the gradient of the weights ----

// Adds dc * z over rows row0 to row1 and columns x0 to x1 to `out`, laid out as the weights are.
struct Area {
  int row0, row1, x0, x1;
};

template <class L, int O, int C, class ZRows, class Rows>
INLINE void weight_tile(const ZRows& z_rows, const Rows& rows, const Area& area, int ky, int o, int c, Vec* out) {
  constexpr int stride = L::IC * Conv<L>::taps;
  out += size_t(o) * stride + c * Conv<L>::taps + ky * L::KW;
  Vec sum[O][C][L::KW];
  UNROLL for (int i = 0; i < O; i++) UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++)
      sum[i][j][k] = out[i * stride + j * Conv<L>::taps + k];
  for (int row = area.row0; row < area.row1; row++) {
    const int in_row = row * L::SH - L::PH + ky;
    if (in_row < 0 || in_row >= L::IH) continue;
    const Vec* z = z_rows(in_row) + c * Conv<L>::z_width + area.x0 * L::SW;
    const Vec* g = rows(row) + o * Conv<L>::dc_width + Conv<L>::margin + area.x0;
    for (int x = area.x0; x < area.x1; x++, z += L::SW, g++) {
      Vec v[C][L::KW];
      UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++) v[j][k] = z[j * Conv<L>::z_width + k];
      UNROLL for (int i = 0; i < O; i++) {
        Vec d = g[i * Conv<L>::dc_width];
        hold(d);
        UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++) sum[i][j][k] += d * v[j][k];
      }
    }
  }
  UNROLL for (int i = 0; i < O; i++) UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++)
      out[i * stride + j * Conv<L>::taps + k] = sum[i][j][k];
}

template <class L, int O, class ZRows, class Rows>
INLINE void weight_tiles(const ZRows& z_rows, const Rows& rows, const Area& area, int o, Vec* out) {
  for (int ky = 0; ky < L::KH; ky++) {
    int c = 0;
    for (; c + L::GI <= L::IC; c += L::GI) weight_tile<L, O, L::GI>(z_rows, rows, area, ky, o, c, out);
    if constexpr (L::IC % L::GI != 0) weight_tile<L, O, L::IC % L::GI>(z_rows, rows, area, ky, o, c, out);
  }
}

template <class L, class ZRows, class Rows>
INLINE void weight_area(const ZRows& z_rows, const Rows& rows, const Area& area, Vec* out) {
  int o = 0;
  for (; o + L::GO <= L::OC; o += L::GO) weight_tiles<L, L::GO>(z_rows, rows, area, o, out);
  if constexpr (L::OC % L::GO != 0) weight_tiles<L, L::OC % L::GO>(z_rows, rows, area, o, out);
}

// ---- the gradient of the input ----

// Pixels PHASE, PHASE + stride, ... of one input row, from the j-th of them on. With a stride, each phase meets
// its own share of the taps, so no product with an inserted zero is ever formed. sink(channel, column, values): the
// columns are `column`, `column` + stride, ... EDGE is j where it is known beforehand (at both ends of a row), else -1:
// the products with the zeros beyond the row's ends then vanish when the loops are unrolled, which is a third of
// them in a picture of 6x6.
template <class L, int PHASE, int C, int X, int EDGE, class Rows, class Sink>
INLINE void input_tile(const float* params, const Rows& rows, const Sink& sink, int row, int c, int j) {
  Vec sum[C][X] = {};
  for (int ky = 0; ky < L::KH; ky++) {
    const int at = row + L::PH - ky;
    if (at % L::SH != 0 || at < 0 || at / L::SH >= L::OH) continue;
    const Vec* g = rows(at / L::SH) + Conv<L>::margin + j;
    const float* w = params + L::WEIGHT + size_t(c) * Conv<L>::taps + ky * L::KW;
    for (int o = 0; o < L::OC; o++, g += Conv<L>::dc_width, w += L::IC * Conv<L>::taps)
      UNROLL for (int kx = 0; kx < L::KW; kx++)
        if ((PHASE + L::PW - kx) % L::SW == 0) {
          const int shift = (PHASE + L::PW - kx) / L::SW;
          Vec v[X];
          UNROLL for (int p = 0; p < X; p++) v[p] = g[p + shift];
          UNROLL for (int i = 0; i < C; i++) {
            const float f = w[i * Conv<L>::taps + kx];
            UNROLL for (int p = 0; p < X; p++)
                if (EDGE < 0 || (EDGE + p + shift >= 0 && EDGE + p + shift < L::OW)) sum[i][p] += f * v[p];
          }
        }
  }
  UNROLL for (int i = 0; i < C; i++) sink(c + i, PHASE + j * L::SW, sum[i]);
}

template <class L, int PHASE, int X, int EDGE, class Rows, class Sink>
INLINE void input_column(const float* params, const Rows& rows, const Sink& sink, int row, int j) {
  int c = 0;
  for (; c + L::DI <= L::IC; c += L::DI) input_tile<L, PHASE, L::DI, X, EDGE>(params, rows, sink, row, c, j);
  if constexpr (L::IC % L::DI != 0) input_tile<L, PHASE, L::IC % L::DI, X, EDGE>(params, rows, sink, row, c, j);
}

template <class L, int PHASE, class Rows, class Sink>
INLINE void input_row(const float* params, const Rows& rows, const Sink& sink, int row) {
  if constexpr (PHASE < L::SW && PHASE < L::IW) {
    constexpr int width = (L::IW - PHASE + L::SW - 1) / L::SW;
    constexpr int X = L::DX < width ? L::DX : width;
    constexpr int rest = width % X, last = rest != 0 ? width - rest : width - X;
    input_column<L, PHASE, X, 0>(params, rows, sink, row, 0);
    for (int j = X; j < last; j += X) input_column<L, PHASE, X, -1>(params, rows, sink, row, j);
    if constexpr (last > 0) input_column<L, PHASE, rest != 0 ? rest : X, last>(params, rows, sink, row, last);
    input_row<L, PHASE + 1>(params, rows, sink, row);
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

// ---- backward ----

template <class L>
INLINE void clear_weight_gradient(Scratch& s) {
  std::memset(static_cast<void*>(s.weight_gradient.get()), 0, sizeof(Vec) * L::OC * L::IC * Conv<L>::taps);
  std::memset(static_cast<void*>(s.bias_gradient.get()), 0, sizeof(Vec) * L::OC);
}

template <class L>
INLINE void collect_weight_gradient(const Run& run, Scratch& s) {
  float* const out = s.gradient.get() + L::WEIGHT;
  for (int i = 0; i < L::OC * L::IC * Conv<L>::taps; i++) out[i] = lane_sum(s.weight_gradient[i]);
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
      const int bottom = (row_end - 1) * L::SH - L::PH + L::KH;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++)
        load_z_row<L, P>(run, block, loaded, z_slot<L>(s, loaded));
      for (int r = row; r < row_end; r++) load_dc_row<L>(run, s, block, r, dc_slot<L>(s, r));
      weight_area<L>(ZRing<L>{s}, DcRing<L>{s}, {row, row_end, 0, L::OW}, s.weight_gradient.get());
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
