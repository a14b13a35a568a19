// Activations besides ReLU and leaky ReLU, and their slopes, both from the value before them: they are computed again
// while loading, as everything between y and z is (stage.hpp).
#pragma once
#include "vector.hpp"

namespace tiny {

enum Curve { NO_CURVE, RELU6, SILU, SIGMOID, TANH, HARDSWISH, HARDSIGMOID, ELU, GELU, GELU_TANH };

INLINE Vec limit(Vec x, float least, float most) {  // NaN stays NaN
  x = x < least ? broadcast(least) : x;
  return x > most ? broadcast(most) : x;
}

// e to the x: two to the nearest whole number, times the series of what is left, which lies between +-0.35; to 2e-7 of it.
// x beyond +-87 counts as that, where the result still is a normal number.
INLINE Vec exponential(Vec x) {
  x = limit(x, -87.0f, 87.0f);
  const float shift = 12582912.0f;  // 1.5 * 2^23: the sum's last bits are the nearest whole number
  const Vec shifted = x * 1.44269504f + shift, whole = shifted - shift;
  const Vec r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // ln 2 in two parts, the first of few digits
  Vec series = r * (1.0f / 5040) + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  VecBits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  Vec power;
  std::memcpy(&power, &bits, sizeof power);
  return series * power;
}

INLINE Vec sigmoid(Vec x) { return 1.0f / (1.0f + exponential(-x)); }

// The normal distribution: the share below x, and the density there. The share is of M. Abramowitz and I. Stegun,
// Handbook of Mathematical Functions, 7.1.26, to 8e-8.
struct Normal {
  Vec below, density;
};

INLINE Normal normal(Vec x) {
  const Vec far = x < 0.0f ? -x : x, power = exponential(-0.5f * x * x);
  const Vec t = 1.0f / (1.0f + 0.3275911f * 0.70710678f * far);
  Vec tail = t * 1.061405429f - 1.453152027f;
  tail = tail * t + 1.421413741f;
  tail = tail * t - 0.284496736f;
  tail = tail * t + 0.254829592f;
  tail = 0.5f * (tail * t * power);
  return {x < 0.0f ? tail : 1.0f - tail, 0.39894228f * power};
}

// GELU by tanh is x * sigmoid of this.
INLINE Vec gelu_inside(Vec x) { return 1.59576912f * (x + 0.044715f * (x * x * x)); }

template <Curve CURVE>
INLINE Vec curve(Vec x, float alpha) {
  if constexpr (CURVE == RELU6) return limit(x, 0.0f, 6.0f);
  if constexpr (CURVE == SILU) return x * sigmoid(x);
  if constexpr (CURVE == SIGMOID) return sigmoid(x);
  if constexpr (CURVE == TANH) return 2.0f * sigmoid(2.0f * x) - 1.0f;
  if constexpr (CURVE == HARDSWISH) return x * limit(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6);
  if constexpr (CURVE == HARDSIGMOID) return limit(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6);
  if constexpr (CURVE == ELU) return x > 0.0f ? x : alpha * (exponential(x) - 1.0f);
  if constexpr (CURVE == GELU) return x * normal(x).below;
  if constexpr (CURVE == GELU_TANH) return x * sigmoid(gelu_inside(x));
  return x;
}

template <Curve CURVE>
INLINE Vec slope(Vec x, float alpha) {
  const Vec none = {}, one = broadcast(1.0f);
  if constexpr (CURVE == RELU6) return x > 0.0f ? (x < 6.0f ? one : none) : none;
  if constexpr (CURVE == HARDSIGMOID) return x > -3.0f ? (x < 3.0f ? broadcast(1.0f / 6) : none) : none;
  if constexpr (CURVE == HARDSWISH) return x > -3.0f ? (x < 3.0f ? x * (1.0f / 3) + 0.5f : one) : none;
  if constexpr (CURVE == ELU) return x > 0.0f ? one : alpha * exponential(x);
  if constexpr (CURVE == GELU) {
    const Normal at = normal(x);
    return at.below + x * at.density;
  }
  const Vec s = sigmoid(CURVE == TANH ? 2.0f * x : CURVE == GELU_TANH ? gelu_inside(x) : x), falling = s * (1.0f - s);
  if constexpr (CURVE == SILU) return s + x * falling;
  if constexpr (CURVE == TANH) return 4.0f * falling;
  if constexpr (CURVE == GELU_TANH) return s + x * falling * (1.59576912f * (1.0f + 0.134145f * (x * x)));
  return falling;
}

}  // namespace tiny
