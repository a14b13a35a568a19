// Rows of z and of the output's gradient, as the tiles read them: computed again from what is stored, in small rings in
// the first-level cache, with zero columns at both ends, so that no tile knows about padding.
#pragma once
#include "stage.hpp"

namespace tiny {

template <class L>
struct Conv {
  static constexpr int taps = L::KH * L::KW;
  static constexpr int tall = (L::KH - 1) * L::DH + 1, margin = (L::KW - 1) * L::DW;  // of a kernel, its gaps included
  static constexpr int z_width = L::IW + 2 * L::PW;
  static constexpr int z_row = L::IC * z_width;
  static constexpr int z_rows = (L::STRIP - 1) * L::SH + tall;
  static constexpr int dc_width = L::OW + 2 * margin;
  static constexpr int dc_row = L::OC * dc_width;
  static constexpr int dc_rows = L::STRIP + (tall - 1) / L::SH + 1;
  static_assert(L::PW <= margin && L::PH < tall, "padding must be smaller than the kernel");
};

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

}  // namespace tiny
