// Vectors of LANES images, and the few things the language does not give for them.
//
// One vector holds the same number (channel, row, column) of LANES images, so every layer is plain
// arithmetic on vectors, whatever its number of channels. Compiler vector extensions give AVX-512 (16 lanes),
// AVX2 (8) and NEON (4) from this one source.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if (TINY_LANES == 16 && defined(__AVX512F__)) || (TINY_LANES == 8 && defined(__AVX__))
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

namespace tiny {

constexpr int kLanes = TINY_LANES;
typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef int32_t VecInt __attribute__((vector_size(4 * kLanes)));
typedef uint32_t VecBits __attribute__((vector_size(4 * kLanes)));

// x - 0 is x for every x (also -0), so this costs one broadcast and no arithmetic.
INLINE Vec broadcast(float value) { return value - Vec{}; }

// Holds a value in a register. Without it compilers like to load it again for each of its uses, and a tile of sums then
// waits for its loads. A vector wider than the machine's registers is left to the compiler.
INLINE void hold(Vec& v) {
#if defined(__x86_64__) && (TINY_LANES == 4 || (TINY_LANES == 8 && defined(__AVX__)) || defined(__AVX512F__))
  asm("" : "+v"(v));
#elif defined(__aarch64__) && TINY_LANES == 4
  asm("" : "+w"(v));
#else
  (void)v;
#endif
}

// Adds the lanes pairwise, always in the same order.
INLINE float lane_sum(Vec v) {
  float lanes[kLanes];
  std::memcpy(lanes, &v, sizeof v);
  for (int half = kLanes / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}

// x where positive, else 0; NaN stays NaN. One instruction does that, and compilers do not find it.
INLINE Vec positive(Vec x) {
#if TINY_LANES == 16 && defined(__AVX512F__)
  return _mm512_max_ps(Vec{}, x);
#elif TINY_LANES == 8 && defined(__AVX__)
  return _mm256_max_ps(Vec{}, x);
#else
  return 0.0f > x ? Vec{} : x;
#endif
}

// x where positive, else slope * x. NaN stays NaN, as in PyTorch.
INLINE Vec rectify(Vec x, float slope) {
  if (slope == 0.0f) return positive(x);
  return x > 0.0f ? x : x * slope;
}

// The gradient of rectify: passes where x (or rectify(x), which has the same sign) is positive.
INLINE Vec rectify_gradient(Vec x, Vec gradient, float slope) {
  return x > 0.0f ? gradient : (slope == 0.0f ? Vec{} : gradient * slope);
}

// splitmix64 (Steele, Lea, Flood 2014): the keys of the random streams.
INLINE uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// The 32-bit finaliser of MurmurHash3: a random number from (image key, position), so that the backward
// pass computes the same dropout mask again and nothing is stored.
INLINE VecBits mix32(VecBits key, uint32_t position) {
  VecBits h = key ^ (position * 0x9E3779B1u);
  h ^= h >> 16;
  h *= 0x85EBCA6Bu;
  h ^= h >> 13;
  h *= 0xC2B2AE35u;
  h ^= h >> 16;
  return h;
}

}  // namespace tiny
