// Sums and concatenations of several stages' values. On the way back each stage gets its share of the gradient in a pass of
// its own.
#pragma once
#include "stage.hpp"

namespace tiny {

// Calls body(offset, integral constant COUNT) for all places of a plane.
template <class L, class Body>
INLINE void for_places(const Body& body) {
  constexpr int plane = Traits<L>::plane, count = plane < 8 ? plane : 8;
  int offset = 0;
  for (; offset + count <= plane; offset += count) body(offset, std::integral_constant<int, count>());
  if constexpr (plane % count != 0) body(offset, std::integral_constant<int, plane % count>());
}

template <class L, class A, class B>
void forward_add(const Run& run, Scratch& s) {
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    for (int c = 0; c < L::OC; c++)
      for_places<L>([&](int offset, auto count) {
        Vec one[count], other[count];
        z_span<A>(run, block, c, offset, count, one);
        z_span<B>(run, block, c, offset, count, other);
        UNROLL for (int i = 0; i < count; i++) one[i] += other[i];
        put<L, count>(y_of<L>(run, block), s, c, offset, one);
      });
    keep_moments<L>(run, s, block);
  }
}

// The channels of one part, which lie from `first` on; moves `first` behind them.
template <class L, class P>
INLINE void put_part(const Run& run, Scratch& s, int block, int& first) {
  for (int c = 0; c < P::OC; c++)
    for_places<L>([&](int offset, auto count) {
      Vec z[count];
      z_span<P>(run, block, c, offset, count, z);
      put<L, count>(y_of<L>(run, block), s, first + c, offset, z);
    });
  first += P::OC;
}

template <class L, class... Parts>
void forward_concat(const Run& run, Scratch& s) {
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    int first = 0;
    (put_part<L, Parts>(run, s, block, first), ...);
    keep_moments<L>(run, s, block);
  }
}

// Hands P's share on: the channels from FIRST on (of a sum: all of them).
template <class L, class P, int FIRST>
void backward_join(const Run& run, Scratch& s) {
  if constexpr (P::KIND == INPUT) return;
  for (const int block : s.turn()) {
    clear_sums<P>(s);
    for (int c = 0; c < P::OC; c++)
      for_places<L>([&](int offset, auto count) {
        Vec dc[count];
        dc_span<L>(run, block, FIRST + c, offset, count, dc);
        pull_stored<P, count>(run, s, block, c, offset, 1, dc);
      });
    keep_sums<P>(run, s, block, run.backward_sums[P::ID]);
  }
}

}  // namespace tiny
