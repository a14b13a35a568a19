// One step of the optimiser on a range of the parameters: SGD as torch.optim.SGD, AdamW as torch.optim.AdamW.
#pragma once
#include "context.hpp"

namespace tiny {

struct Optimizer {
  int32_t adamw, nesterov;
  float momentum, beta1, beta2, epsilon;
  float label_smoothing;
};

// The state belongs to the caller; all arrays [parameters]. `decay` is each parameter's own weight decay.
struct Weights {
  float *params, *first, *second, *ema;
  const float* decay;
};

INLINE void sgd(const Optimizer& o, const Weights& w, float rate, size_t i, float g) {
  g += w.decay[i] * w.params[i];
  if (o.momentum != 0.0f) {
    w.first[i] = o.momentum * w.first[i] + g;
    g = o.nesterov ? g + o.momentum * w.first[i] : w.first[i];
  }
  w.params[i] -= rate * g;
}

INLINE void adamw(const Optimizer& o, const Weights& w, float rate, float step_size, float root, size_t i, float g) {
  w.params[i] -= rate * w.decay[i] * w.params[i];
  w.first[i] += (1.0f - o.beta1) * (g - w.first[i]);
  w.second[i] = o.beta2 * w.second[i] + (1.0f - o.beta2) * g * g;
  w.params[i] -= step_size * w.first[i] / (std::sqrt(w.second[i]) / root + o.epsilon);
}

}  // namespace tiny
