// The three kernels of a convolution, each a tile of sums in registers: forward (output channels x pixels of a row),
// the gradient of the weights (output channels x input channels x taps of a row, over the pixels) and the gradient of
// the input (input channels x pixels). Where the rows lie and where the sums go, the caller says.
#pragma once
#include "rows.hpp"

namespace tiny {

// ---- forward ----

// O channels x X pixels; sink(channel, column, values) takes X sums of one channel.
template <class L, int O, int X, class Rows, class Sink>
INLINE void forward_tile(const float* params, const Rows& rows, const Sink& sink, int row, int o, int x) {
  Vec sum[O][X];
  UNROLL for (int i = 0; i < O; i++) UNROLL for (int p = 0; p < X; p++)
      sum[i][p] = L::BIAS ? broadcast(params[L::BIAS_AT + o + i]) : Vec{};
  const int top = row * L::SH - L::PH;
  const int ky0 = top < 0 ? (-top + L::DH - 1) / L::DH : 0;
  const int ky1 = top + Conv<L>::tall > L::IH ? (L::IH - top + L::DH - 1) / L::DH : L::KH;
  const float* const w0 = params + L::WEIGHT + size_t(o) * L::IC * Conv<L>::taps;
  for (int ky = ky0; ky < ky1; ky++) {
    const Vec* in = rows(top + ky * L::DH) + x * L::SW;
    const float* w = w0 + ky * L::KW;
    for (int c = 0; c < L::IC; c++, in += Conv<L>::z_width, w += Conv<L>::taps)
      UNROLL for (int kx = 0; kx < L::KW; kx++) {
        Vec v[X];
        UNROLL for (int p = 0; p < X; p++) v[p] = in[p * L::SW + kx * L::DW];
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

// ---- the gradient of the weights ----

// Adds dc * z over the rows of a strip to `out`, laid out as the weights are.
struct Strip {
  int begin, end;
};

template <class L, int O, int C, class ZRows, class Rows>
INLINE void weight_tile(const ZRows& z_rows, const Rows& rows, const Strip& strip, int ky, int o, int c, Vec* out) {
  constexpr int stride = L::IC * Conv<L>::taps;
  out += size_t(o) * stride + c * Conv<L>::taps + ky * L::KW;
  Vec sum[O][C][L::KW];
  UNROLL for (int i = 0; i < O; i++) UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++)
      sum[i][j][k] = out[i * stride + j * Conv<L>::taps + k];
  for (int row = strip.begin; row < strip.end; row++) {
    const int in_row = row * L::SH - L::PH + ky * L::DH;
    if (in_row < 0 || in_row >= L::IH) continue;
    const Vec* z = z_rows(in_row) + c * Conv<L>::z_width;
    const Vec* g = rows(row) + o * Conv<L>::dc_width + Conv<L>::margin;
    for (int x = 0; x < L::OW; x++, z += L::SW, g++) {
      Vec v[C][L::KW];
      UNROLL for (int j = 0; j < C; j++) UNROLL for (int k = 0; k < L::KW; k++) v[j][k] = z[j * Conv<L>::z_width + k * L::DW];
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
INLINE void weight_tiles(const ZRows& z_rows, const Rows& rows, const Strip& strip, int o, Vec* out) {
  for (int ky = 0; ky < L::KH; ky++) {
    int c = 0;
    for (; c + L::GI <= L::IC; c += L::GI) weight_tile<L, O, L::GI>(z_rows, rows, strip, ky, o, c, out);
    if constexpr (L::IC % L::GI != 0) weight_tile<L, O, L::IC % L::GI>(z_rows, rows, strip, ky, o, c, out);
  }
}

template <class L, class ZRows, class Rows>
INLINE void weight_strip(const ZRows& z_rows, const Rows& rows, const Strip& strip, Vec* out) {
  int o = 0;
  for (; o + L::GO <= L::OC; o += L::GO) weight_tiles<L, L::GO>(z_rows, rows, strip, o, out);
  if constexpr (L::OC % L::GO != 0) weight_tiles<L, L::OC % L::GO>(z_rows, rows, strip, o, out);
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
    const int at = row + L::PH - ky * L::DH;
    if (at % L::SH != 0 || at < 0 || at / L::SH >= L::OH) continue;
    const Vec* g = rows(at / L::SH) + Conv<L>::margin + j;
    const float* w = params + L::WEIGHT + size_t(c) * Conv<L>::taps + ky * L::KW;
    for (int o = 0; o < L::OC; o++, g += Conv<L>::dc_width, w += L::IC * Conv<L>::taps)
      UNROLL for (int kx = 0; kx < L::KW; kx++)
        if ((PHASE + L::PW - kx * L::DW) % L::SW == 0) {
          const int shift = (PHASE + L::PW - kx * L::DW) / L::SW;
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

}  // namespace tiny
