// The plain C interface.
#pragma once
#include "engine.hpp"

extern "C" {
using tiny::Engine;

void* tiny_create(int threads, int max_batch) {
  try {
    return Engine::make(threads, max_batch);
  } catch (...) {
    return nullptr;
  }
}
void tiny_destroy(void* e) { delete static_cast<Engine*>(e); }

void tiny_bind(void* e, const tiny::Weights* weights, float* running, const tiny::Optimizer* optimizer) {
  auto& engine = *static_cast<Engine*>(e);
  engine.weights = *weights;
  engine.running = running;
  engine.optimizer = *optimizer;
}

void tiny_step(void* e, const tiny::Batch* batch, int count, uint64_t seed, int64_t number, float rate, float ema_keep) {
  auto& engine = *static_cast<Engine*>(e);
  engine.batch = *batch;
  engine.seed = seed;
  engine.step_number = number;
  engine.rate = rate;
  engine.ema_keep = ema_keep;
  engine.log_probabilities = nullptr;
  engine.run(Engine::STEP, count);
}

void tiny_gradient(void* e, const tiny::Batch* batch, int count, uint64_t seed, float* gradient, float* log_probabilities) {
  auto& engine = *static_cast<Engine*>(e);
  engine.batch = *batch;
  engine.seed = seed;
  engine.gradient = gradient;
  engine.log_probabilities = log_probabilities;
  engine.run(Engine::GRADIENT, count);
}

// Evaluation with other weights and running statistics (the EMA's, say), in pieces of the largest batch.
void tiny_evaluate(void* e, const tiny::Batch* batch, int64_t count, float* params, float* running, float* log_probabilities) {
  auto& engine = *static_cast<Engine*>(e);
  const tiny::Weights weights = engine.weights;
  float* const own_running = engine.running;
  engine.weights.params = params;
  engine.running = running;
  engine.seed = 0;
  constexpr size_t pixels = tiny::Traits<tiny::First>::size, classes = tiny::Traits<tiny::Last>::size;
  for (int64_t at = 0; at < count; at += engine.max_batch()) {
    engine.batch = *batch;
    engine.batch.images += size_t(at) * pixels;
    if (engine.batch.labels) engine.batch.labels += at;
    if (engine.batch.borders) engine.batch.borders += size_t(at) * tiny::First::OC;
    engine.log_probabilities = log_probabilities + size_t(at) * classes;
    engine.run(Engine::EVALUATE, int(count - at < engine.max_batch() ? count - at : engine.max_batch()));
  }
  engine.weights = weights;
  engine.running = own_running;
}

// What accumulated since the last call.
void tiny_tally(void* e, double* loss, int64_t* correct, int64_t* count) {
  auto& tally = static_cast<Engine*>(e)->tally;
  *loss = tally.loss, *correct = tally.correct, *count = tally.count;
  tally = tiny::Tally();
}
}
