// Log-softmax and negative log-likelihood with label smoothing. Log-softmax of log-probabilities is the identity, so a
// network may end with it or not.
#pragma once
#include "input.hpp"

namespace tiny {

struct Tally {
  double loss = 0;
  int64_t correct = 0, count = 0;
};

// log_probabilities [count, classes] may be null; without `backward` no gradient is left in du.
template <class L>
void loss(const Run& run, Scratch& s, const Batch& batch, float smoothing, bool backward, float* log_probabilities, Tally& tally) {
  constexpr int classes = Traits<L>::size, plane = Traits<L>::plane;
  Vec logits[classes];
  for (const int block : s.turn()) {
    clear_sums<L>(s);
    for (int c = 0; c < L::OC; c++) z_span<L>(run, block, c, 0, plane, logits + c * plane);
    Vec gradient[classes] = {};
    for (int lane = 0; lane < run.images_in(block); lane++) {
      const int i = block * kLanes + lane;
      float largest = logits[0][lane];
      int guess = 0;
      for (int k = 1; k < classes; k++)
        if (logits[k][lane] > largest || std::isnan(logits[k][lane])) largest = logits[k][lane], guess = k;
      float sum = 0;
      for (int k = 0; k < classes; k++) sum += std::exp(logits[k][lane] - largest);
      const float log_sum = largest + std::log(sum);
      const int64_t label = batch.labels ? batch.labels[batch.rows ? batch.rows[i] : int64_t(i)] : -1;
      double loss = 0;
      for (int k = 0; k < classes; k++) {
        const float log_p = logits[k][lane] - log_sum;
        const float target = (k == label ? 1.0f - smoothing : 0.0f) + smoothing / classes;
        if (log_probabilities) log_probabilities[size_t(i) * classes + k] = log_p;
        if (label >= 0 && target != 0.0f) loss -= double(target) * log_p;
        gradient[k][lane] = (std::exp(log_p) - target) / run.count;
      }
      tally.loss += loss;
      tally.correct += guess == label;
      tally.count += 1;
    }
    if (!backward) continue;
    for (int c = 0; c < L::OC; c++) {
      for (int k = 0; k < plane; k++) pull_stored<L, 1>(run, s, block, c, k, 1, {gradient[c * plane + k]});
    }
    keep_sums<L>(run, s, block, run.backward_sums[L::ID]);
  }
}

}  // namespace tiny
