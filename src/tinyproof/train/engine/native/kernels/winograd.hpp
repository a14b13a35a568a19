// Convolutions three columns wide, with half the multiplications: Winograd's minimal filtering F(4, 3) along the rows
// (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional
// Neural Networks, 2016).
//
// Four neighbours of an output row need six values of an input row and three weights: twelve products, as written. Seen
// as the product of two polynomials, which six values determine, they need six:
//
//   y = A' ((G w) * (B' z)),    six products of a combination of z with a combination of w.
//
// Sums over input channels and rows of the kernel are taken before A', so the combinations cost little. Each of the
// six products is then a convolution of KH rows and one column over a quarter of the places, and the kernels of
// tiles.hpp compute it. The gradients are the transposes: dw = G' ((A dy) * (B' z)) and dz = B ((G w) * (A dy)).
// The points are 0, 1, -1, 2, -2 and infinity.
#pragma once
#include "tiles.hpp"

namespace tiny {

constexpr int kPiece = 4, kProducts = 6;

template <class L>
struct Filter {
  static constexpr int pieces = (L::OW + kPiece - 1) / kPiece;
  static constexpr int width = kPiece * pieces + 2;  // a row of z, with zeros at both ends
  static constexpr int last = L::OW - kPiece * (pieces - 1);  // outputs of the last piece
  static constexpr int weights = L::OC * L::IC * L::KH;
  static constexpr int z_slice = L::IC * pieces, dc_slice = L::OC * pieces;
  static constexpr int z_rows = Conv<L>::z_rows, dc_rows = Conv<L>::dc_rows;
};

// One of the six, as a stage of its own.
template <class L>
struct Product {
  static constexpr int IC = L::IC, IH = L::IH, IW = Filter<L>::pieces, OC = L::OC, OH = L::OH, OW = IW;
  static constexpr int KH = L::KH, KW = 1, SH = 1, SW = 1, DH = 1, DW = 1, PH = L::PH, PW = 0, STRIP = L::STRIP;
  static constexpr int FO = L::PFO, FX = L::PFX, DI = L::PDI, DX = L::PDX, GO = L::PGO, GI = L::PGI;
  static constexpr int WEIGHT = 0, BIAS_AT = 0;
  static constexpr bool FLAT = false, BIAS = false;
};

// Rows of one product in a ring of ROWS rows; a row holds the six products one after the other.
template <int ROWS, int SLICE>
struct Slices {
  Vec* base;
  INLINE Vec* operator()(int row) const { return base + row % ROWS * (kProducts * SLICE); }
};

// Takes the sums of one product.
template <int PIECES>
struct Keep {
  Vec* out;
  template <int X>
  INLINE void operator()(int channel, int x, const Vec (&sum)[X]) const {
    UNROLL for (int p = 0; p < X; p++) out[channel * PIECES + x + p] = sum[p];
  }
};

// ---- the combinations; a value of product t lies at out[t * stride] ----

INLINE void combine_z(const Vec* z, Vec* out, int stride) {
  const Vec even = z[4] - 4.0f * z[2], odd = z[3] - 4.0f * z[1], far = z[4] - z[2], near = 2.0f * (z[3] - z[1]);
  out[0] = 4.0f * z[0] - 5.0f * z[2] + z[4];
  out[stride] = even + odd;
  out[2 * stride] = even - odd;
  out[3 * stride] = far + near;
  out[4 * stride] = far - near;
  out[5 * stride] = 4.0f * z[1] - 5.0f * z[3] + z[5];
}

INLINE void combine_dc(const Vec* g, Vec* out, int stride) {
  const Vec even = g[0] + g[2], odd = g[1] + g[3], far = g[0] + 4.0f * g[2], near = 2.0f * g[1] + 8.0f * g[3];
  out[0] = g[0];
  out[stride] = even + odd;
  out[2 * stride] = even - odd;
  out[3 * stride] = far + near;
  out[4 * stride] = far - near;
  out[5 * stride] = g[3];
}

INLINE void combine_y(const Vec* m, int stride, Vec* y) {
  const Vec sum = m[stride] + m[2 * stride], difference = m[stride] - m[2 * stride];
  const Vec far = m[3 * stride] + m[4 * stride], apart = m[3 * stride] - m[4 * stride];
  y[0] = m[0] + sum + far;
  y[1] = difference + 2.0f * apart;
  y[2] = sum + 4.0f * far;
  y[3] = difference + 8.0f * apart + m[5 * stride];
}

// Pieces overlap by two columns: dz[0] and dz[1] already hold what the piece before gave.
INLINE void combine_dz(const Vec* m, int stride, Vec* dz) {
  const Vec sum = m[stride] + m[2 * stride], difference = m[2 * stride] - m[stride];
  const Vec far = m[3 * stride] + m[4 * stride], apart = m[4 * stride] - m[3 * stride];
  dz[0] += 4.0f * m[0];
  dz[1] += 4.0f * (difference + m[5 * stride]) + 2.0f * apart;
  dz[2] = -5.0f * m[0] - 4.0f * sum - far;
  dz[3] = -5.0f * m[5 * stride] - difference - 2.0f * apart;
  dz[4] = m[0] + sum + far;
  dz[5] = m[5 * stride];
}

template <class L>
INLINE void combine_weights(const float* w, float* out) {
  constexpr int count = Filter<L>::weights;
  for (int i = 0; i < count; i++, w += 3) {
    const float even = w[0] + w[2], far = w[0] + 4.0f * w[2];
    out[i] = 0.25f * w[0];
    out[count + i] = (-1.0f / 6) * (even + w[1]);
    out[2 * count + i] = (-1.0f / 6) * (even - w[1]);
    out[3 * count + i] = (1.0f / 24) * (far + 2.0f * w[1]);
    out[4 * count + i] = (1.0f / 24) * (far - 2.0f * w[1]);
    out[5 * count + i] = w[2];
  }
}

template <class L>
INLINE void collect_products(Scratch& s) {
  constexpr int count = Filter<L>::weights;
  float* const out = s.gradient.get() + L::WEIGHT;
  for (int i = 0; i < count; i++) {
    Vec d[kProducts];
    UNROLL for (int t = 0; t < kProducts; t++) d[t] = s.weight_gradient[t * count + i];
    const Vec sum = (1.0f / 6) * (d[1] + d[2]), far = (1.0f / 24) * (d[3] + d[4]);
    out[3 * i] = lane_sum(0.25f * d[0] - sum + far);
    out[3 * i + 1] = lane_sum((1.0f / 6) * (d[2] - d[1]) + (1.0f / 12) * (d[3] - d[4]));
    out[3 * i + 2] = lane_sum(4.0f * far - sum + d[5]);
  }
  if constexpr (L::BIAS)
    for (int o = 0; o < L::OC; o++) s.gradient[L::BIAS_AT + o] = lane_sum(s.bias_gradient[o]);
}

// ---- rows ----

template <class L, class P>
INLINE void load_z_slices(const Run& run, int block, int row, Vec* out) {
  Vec z[Filter<L>::width] = {};
  for (int c = 0; c < L::IC; c++) {
    z_span<P>(run, block, c, row * L::IW, L::IW, z + L::PW);
    for (int j = 0; j < Filter<L>::pieces; j++)
      combine_z(z + kPiece * j, out + c * Filter<L>::pieces + j, Filter<L>::z_slice);
  }
}

template <class L>
INLINE void load_dc_slices(const Run& run, Scratch& s, int block, int row, Vec* out) {
  Vec dc[kPiece * Filter<L>::pieces] = {};
  for (int c = 0; c < L::OC; c++) {
    dc_span<L>(run, block, c, row * L::OW, L::OW, dc);
    if constexpr (L::BIAS)
      for (int x = 0; x < L::OW; x++) s.bias_gradient[c] += dc[x];
    for (int j = 0; j < Filter<L>::pieces; j++)
      combine_dc(dc + kPiece * j, out + c * Filter<L>::pieces + j, Filter<L>::dc_slice);
  }
}

template <class L>
using ZSlices = Slices<Filter<L>::z_rows, Filter<L>::z_slice>;
template <class L>
using DcSlices = Slices<Filter<L>::dc_rows, Filter<L>::dc_slice>;

template <class L, int COUNT>
INLINE void put_piece(const Run& run, Scratch& s, Vec* y, int row, int o, int j) {
  Vec all[kPiece], values[COUNT];
  combine_y(s.sums.get() + o * Filter<L>::pieces + j, Filter<L>::dc_slice, all);
  const Vec bias = L::BIAS ? broadcast(run.params[L::BIAS_AT + o]) : Vec{};
  UNROLL for (int i = 0; i < COUNT; i++) values[i] = L::BIAS ? all[i] + bias : all[i];
  put<L, COUNT>(y, s, o, row * L::OW + kPiece * j, values);
}

template <class L, class P, int COUNT>
INLINE void pull_piece(const Run& run, Scratch& s, int block, int c, int row, int x, const Vec* dz) {
  Vec g[COUNT];
  UNROLL for (int i = 0; i < COUNT; i++) g[i] = dz[x + L::PW + i];
  pull_stored<P, COUNT>(run, s, block, c, row * L::IW + x, 1, g);
}

// One row of dz, from the six products' gradients.
template <class L, class P>
INLINE void pull_row(const Run& run, Scratch& s, int block, int row) {
  for (int c = 0; c < L::IC; c++) {
    Vec dz[Filter<L>::width];
    dz[0] = dz[1] = Vec{};
    for (int j = 0; j < Filter<L>::pieces; j++)
      combine_dz(s.sums.get() + c * Filter<L>::pieces + j, Filter<L>::z_slice, dz + kPiece * j);
    int x = 0;
    for (; x + kPiece <= L::IW; x += kPiece) pull_piece<L, P, kPiece>(run, s, block, c, row, x, dz);
    if constexpr (L::IW % kPiece != 0) pull_piece<L, P, L::IW % kPiece>(run, s, block, c, row, x, dz);
  }
}

// ---- forward and backward ----

template <class L, class P>
void forward_winograd(const Run& run, Scratch& s) {
  constexpr int pieces = Filter<L>::pieces, slice = Filter<L>::z_slice;
  float* const filters = s.filters[L::ID].get();
  combine_weights<L>(run.params + L::WEIGHT, filters);
  for (const int block : s.turn()) {
    Vec* const y = y_of<L>(run, block);
    clear_sums<L>(s);
    int loaded = 0;
    for (int row = 0; row < L::OH; row++) {
      const int bottom = row - L::PH + L::KH;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++)
        load_z_slices<L, P>(run, block, loaded, ZSlices<L>{s.z.get()}(loaded));
      for (int t = 0; t < kProducts; t++)
        forward_span<Product<L>, pieces>(filters + t * Filter<L>::weights, ZSlices<L>{s.z.get() + t * slice},
                                         Keep<pieces>{s.sums.get() + t * Filter<L>::dc_slice}, row, 0);
      for (int o = 0; o < L::OC; o++) {
        for (int j = 0; j < pieces - 1; j++) put_piece<L, kPiece>(run, s, y, row, o, j);
        put_piece<L, Filter<L>::last>(run, s, y, row, o, pieces - 1);
      }
    }
    keep_moments<L>(run, s, block);
  }
}

template <class L, class P>
void backward_winograd(const Run& run, Scratch& s) {
  constexpr int pieces = Filter<L>::pieces, count = Filter<L>::weights;
  const float* const filters = s.filters[L::ID].get();  // from the forward pass
  std::memset(static_cast<void*>(s.weight_gradient.get()), 0, sizeof(Vec) * kProducts * count);
  std::memset(static_cast<void*>(s.bias_gradient.get()), 0, sizeof(Vec) * L::OC);
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    int loaded = 0, done = 0;
    for (int row = 0; row < L::OH; row += L::STRIP) {
      const int row_end = row + L::STRIP < L::OH ? row + L::STRIP : L::OH;
      const int bottom = row_end - 1 - L::PH + L::KH;
      for (; loaded < (bottom < L::IH ? bottom : L::IH); loaded++)
        load_z_slices<L, P>(run, block, loaded, ZSlices<L>{s.z.get()}(loaded));
      for (int r = row; r < row_end; r++) load_dc_slices<L>(run, s, block, r, DcSlices<L>{s.dc.get()}(r));
      for (int t = 0; t < kProducts; t++)
        weight_strip<Product<L>>(ZSlices<L>{s.z.get() + t * Filter<L>::z_slice},
                                 DcSlices<L>{s.dc.get() + t * Filter<L>::dc_slice}, {row, row_end},
                                 s.weight_gradient.get() + t * count);
      if constexpr (P::KIND != INPUT)
        for (const int end = row_end == L::OH ? L::IH : row_end - L::PH; done < end; done++) {
          for (int t = 0; t < kProducts; t++)
            input_row<Product<L>, 0>(filters + t * count, DcSlices<L>{s.dc.get() + t * Filter<L>::dc_slice},
                                     Keep<pieces>{s.sums.get() + t * Filter<L>::z_slice}, done);
          pull_row<L, P>(run, s, block, done);
        }
    }
    if constexpr (P::KIND != INPUT) keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
  collect_products<L>(s);
}

}  // namespace tiny
