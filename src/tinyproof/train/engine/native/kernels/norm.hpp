// Batch norm and dropout: what is computed once per stage, when every thread has delivered its sums.
#pragma once
#include "stage.hpp"

namespace tiny {

template <class L>
INLINE double gamma_of(const Run& run, int c) { return L::GAMMA < 0 ? 1.0 : run.params[L::GAMMA + c]; }

// Scale and shift of batch norm per channel, from the batch (sums over blocks in order, so that the result does
// not depend on who summed) or from the running statistics. One thread also moves the running statistics.
template <class L>
INLINE void batch_statistics(Run& run, const Scratch& s, int c, double& mean, double& inverse_std) {
  double variance;
  if (run.train) {
    double sum = 0, squares = 0;
    for (int b = 0; b < run.blocks; b++) {
      sum += run.forward_sums[L::ID][size_t(b) * L::OC + c].first;
      squares += run.forward_sums[L::ID][size_t(b) * L::OC + c].second;
    }
    const double n = double(run.count) * Traits<L>::plane;
    mean = sum / n;
    variance = squares / n - mean * mean;
    if (variance < 0) variance = 0;
    if (s.thread == 0) {
      float* const m = run.running + L::RUNNING + c;
      float* const v = m + L::OC;
      *m = float((1 - L::MOMENTUM) * *m + L::MOMENTUM * mean);
      *v = float((1 - L::MOMENTUM) * *v + L::MOMENTUM * variance * (n > 1 ? n / (n - 1) : 1.0));
    }
  } else {
    mean = run.running[L::RUNNING + c];
    variance = run.running[L::RUNNING + L::OC + c];
  }
  inverse_std = 1.0 / std::sqrt(variance + double(L::EPS));
}

// Whole channels of an image are kept or dropped together.
template <class L>
INLINE Vec channel_mask(const Run& run, int block, int channel) {
  Vec mask;
  const VecBits h = mix32(run.keys[L::ID][block], channel);
  for (int i = 0; i < kLanes; i++) mask[i] = h[i] >= run.drop_below[L::ID] ? run.keep_scale[L::ID] : 0.0f;
  return mask;
}

template <class L>
void finish_forward(Run& run, Scratch& s) {
  if constexpr (!Traits<L>::affine) return;
  for (int c = 0; c < L::OC; c++) {
    double scale = 1.0, shift = 0.0;
    if constexpr (L::BN) {
      double mean, inverse_std;
      batch_statistics<L>(run, s, c, mean, inverse_std);
      scale = gamma_of<L>(run, c) * inverse_std;
      shift = (L::GAMMA < 0 ? 0.0 : double(run.params[L::GAMMA + L::OC + c])) - scale * mean;
      s.mean[L::ID][c] = mean;
      s.mean32[L::ID][c] = float(mean);
      s.inverse_std[L::ID][c] = inverse_std;
    }
    for (int block = s.first_block; block < s.end_block; block++) {
      Affine& k = run.affine[L::ID][size_t(block) * L::OC + c];
      k.a = broadcast(float(scale));
      k.b = broadcast(float(shift));
      k.m = broadcast(1.0f);
      if constexpr (L::CHANNEL_DROP) k.m = channel_mask<L>(run, block, c);
      if constexpr (!L::ACT2) k.a *= k.m, k.b *= k.m;
    }
  }
}

// dL/dy = scale * (du - sum du / n - (y - mean) / std^2 * sum(du (y - mean)) / n), as a * du + b * y + c. Lanes
// without an image get zeros, so that they touch no weight.
template <class L>
void finish_backward(Run& run, Scratch& s) {
  if constexpr (!L::BN) return;
  const double n = double(run.count) * Traits<L>::plane;
  for (int ch = 0; ch < L::OC; ch++) {
    double sum = 0, product = 0;
    for (int b = 0; b < run.blocks; b++) {
      sum += run.backward_sums[L::ID][size_t(b) * L::OC + ch].first;
      product += run.backward_sums[L::ID][size_t(b) * L::OC + ch].second;
    }
    const double mean = s.mean[L::ID][ch], inverse_std = s.inverse_std[L::ID][ch];
    if (s.thread == 0 && L::GAMMA >= 0) {
      s.gradient[L::GAMMA + ch] = float(product * inverse_std);
      s.gradient[L::GAMMA + L::OC + ch] = float(sum);
    }
    const double a = gamma_of<L>(run, ch) * inverse_std;
    const double b = -a * inverse_std * inverse_std * product / n;
    const double c = -a * sum / n - b * mean;
    for (int block = s.first_block; block < s.end_block; block++) {
      const Vec mask = run.lane_mask(block);
      run.backward[L::ID][size_t(block) * L::OC + ch] = {float(a) * mask, float(b) * mask, float(c) * mask};
    }
  }
}

}  // namespace tiny
