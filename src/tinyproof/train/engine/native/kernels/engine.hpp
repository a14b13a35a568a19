// A training step and the threads that share it. The generated source defines the network before this file
// (kParameters, the types First and Last) and after it (forward, backward, setup, prepare).
#pragma once
#include "channel_norm.hpp"
#include "expand.hpp"
#include "gate.hpp"
#include "grouped.hpp"
#include "joins.hpp"
#include "loss.hpp"
#include "norm.hpp"
#include "pool.hpp"
#include "update.hpp"
#include "winograd.hpp"

namespace tiny {

// Batch norm needs the sums of all threads before anyone may go on.
template <class L>
INLINE void meet_forward(Run& run, Scratch& s, Barrier& barrier) {
  if (L::BN && run.train) barrier.wait();
  finish_forward<L>(run, s);
}

template <class L>
INLINE void meet_backward(Run& run, Scratch& s, Barrier& barrier) {
  if (L::BN) barrier.wait();
  finish_backward<L>(run, s);
}

void forward(Run&, Scratch&, Barrier&);
void backward(Run&, Scratch&, Barrier&);
void setup(Run&, Scratch*, int threads, int blocks);

template <class L>
void setup_stage(Run& run, Scratch* scratch, int threads, int blocks) {
  const size_t channels = size_t(blocks) * L::OC;
  if constexpr (L::KIND == INPUT)
    for (int t = 0; t < threads; t++) scratch[t].frames.reset(L::OC * kLanes * size_t(Frame<L>::size));
  if (!L::RECOMPUTE) run.y[L::ID].reset(size_t(blocks) * Traits<L>::size);
  if constexpr (L::WINOGRAD)
    for (int t = 0; t < threads; t++) scratch[t].filters[L::ID].reset(kProducts * Filter<L>::weights);
  run.affine[L::ID].reset(channels);
  run.backward[L::ID].reset(channels);
  if (L::CHANNEL_DROP || L::ELEMENT_DROP) run.keys[L::ID].reset(blocks);
  if (!L::BN) return;
  run.forward_sums[L::ID].reset(channels);
  run.backward_sums[L::ID].reset(channels);
  for (int t = 0; t < threads; t++) {
    scratch[t].mean[L::ID].reset(L::OC);
    scratch[t].mean32[L::ID].reset(L::OC);
    scratch[t].inverse_std[L::ID].reset(L::OC);
  }
}

// Dropout with probability p in this batch: each image's key comes from the batch's seed, the stage and its place.
template <class L>
INLINE void prepare_dropout(Run& run, const Scratch& s, uint64_t seed, float p) {
  if constexpr (L::CHANNEL_DROP || L::ELEMENT_DROP) {
    for (int block = s.first_block; block < s.end_block; block++)
      for (int lane = 0; lane < kLanes; lane++)
        run.keys[L::ID][block][lane] = uint32_t(mix64(mix64(seed + L::ID) + block * kLanes + lane));
    if (s.thread != 0) return;
    const bool drop = run.train && p > 0.0f;
    run.drop_below[L::ID] = drop ? uint32_t(double(p) * 4294967296.0) : 0u;
    run.keep_scale[L::ID] = drop ? 1.0f / (1.0f - p) : 1.0f;
  }
}
void prepare(Run&, const Scratch&, uint64_t seed);

// Numbers below 1e-38 count as zero while the kernels run: on x86 each of them costs a hundred cycles, and nothing
// in a training step depends on them. The caller's own mode comes back afterwards.
class FlushDenormals {
#if defined(__x86_64__)
 public:
  FlushDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040u); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(before_); }

 private:
  const unsigned before_;
#else
 public:
  FlushDenormals() {}
#endif
};

class Engine {
 public:
  // A thread beyond the number of blocks never has work, in any batch, so there is none: the bits are the same.
  static Engine* make(int threads, int max_batch) {
    const int blocks = (max_batch + kLanes - 1) / kLanes;
    return new Engine(threads < blocks ? threads : blocks, blocks);
  }

  ~Engine() { quit(); }

  enum Job { STEP, GRADIENT, EVALUATE, QUIT };

  // Everything a job reads; set by the caller before run().
  Batch batch{};
  Weights weights{};
  Optimizer optimizer{};
  float* running = nullptr;
  float rate = 0, ema_keep = 0;
  int64_t step_number = 1;
  uint64_t seed = 0;
  float* gradient = nullptr;           // [parameters] for GRADIENT
  float* log_probabilities = nullptr;  // [count, classes]
  Tally tally;

  void run(Job job, int count) {
    job_ = job;
    run_.count = count;
    run_.blocks = (count + kLanes - 1) / kLanes;
    run_.train = job != EVALUATE;
    run_.params = weights.params;
    run_.running = running;
    tallies_.assign(run_.threads, Tally());
    start();
    work(0);
    finish();
    if (job == EVALUATE) return;  // only training counts
    for (const Tally& t : tallies_) tally.loss += t.loss, tally.correct += t.correct, tally.count += t.count;
  }

  int max_batch() const { return run_.max_blocks * kLanes; }

 private:
  Engine(int threads, int blocks) : barrier_(threads), scratch_(new Scratch[threads]) {
    run_.threads = threads;
    run_.max_blocks = blocks;
    for (int t = 0; t < threads; t++) {
      scratch_[t].thread = t;
      scratch_[t].z.reset(kScratchZ);
      scratch_[t].zeros.reset(kScratchZeros);
      scratch_[t].dc.reset(kScratchDc);
      scratch_[t].sums.reset(kScratchSums);
      scratch_[t].input.reset(kScratchInput);
      scratch_[t].y_row.reset(kScratchYRow);
      scratch_[t].du_row.reset(kScratchDuRow);
      scratch_[t].products.reset(kScratchProducts);
      scratch_[t].sum1.reset(kScratchChannels);
      scratch_[t].sum2.reset(kScratchChannels);
      scratch_[t].origin.reset(kScratchChannels);
      scratch_[t].weight_gradient.reset(kScratchWeights);
      scratch_[t].bias_gradient.reset(kScratchChannels);
      scratch_[t].gradient.reset(kParameters);
    }
    for (auto& du : run_.du) du.reset(size_t(run_.max_blocks) * kLargestStage);
    setup(run_, scratch_.get(), threads, run_.max_blocks);
    try {
      for (int t = 1; t < threads; t++) workers_.emplace_back([this, t] { serve(t); });
    } catch (...) {  // the system gives no more threads: those that run must end before their memory does
      quit();
      throw;
    }
  }

  void quit() {
    job_ = QUIT;
    start();
    for (auto& w : workers_) w.join();
  }

  void start() {
    if (run_.threads == 1) return;
    pending_.store(run_.threads - 1);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round_.fetch_add(1);
    }
    wake_.notify_all();
  }

  void finish() {
    for (int spins = 0; pending_.load(std::memory_order_acquire) != 0; spins++)
      if (spins > 4000) std::this_thread::yield();
  }

  void serve(int t) {
    for (unsigned seen = 0;;) {
      for (int spins = 0; spins < 20000 && round_.load(std::memory_order_acquire) == seen; spins++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
      }
      if (round_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return round_.load() != seen; });
      }
      seen = round_.load(std::memory_order_acquire);
      if (job_ == QUIT) return;
      work(t);
      pending_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  void work(int t) {
    const FlushDenormals flush;
    Scratch& s = scratch_[t];
    const int share = (run_.blocks + run_.threads - 1) / run_.threads;
    s.first_block = t * share < run_.blocks ? t * share : run_.blocks;
    s.end_block = s.first_block + share < run_.blocks ? s.first_block + share : run_.blocks;
    s.ascending = false;
    prepare(run_, s, seed);
    load_images<First>(run_, s, batch);
    barrier_.wait();
    forward(run_, s, barrier_);
    loss<Last>(run_, s, batch, job_ == EVALUATE ? 0.0f : optimizer.label_smoothing, job_ != EVALUATE, log_probabilities, tallies_[t]);
    if (job_ == EVALUATE) return;
    backward(run_, s, barrier_);
    barrier_.wait();
    update(t);
    barrier_.wait();
  }

  // Each thread updates its share of the parameters, from all threads' gradients in order.
  void update(int t) {
    const size_t share = (kParameters + run_.threads - 1) / run_.threads;
    const size_t end = (t + 1) * share < kParameters ? (t + 1) * share : kParameters;
    const float root = float(std::sqrt(1.0 - std::pow(double(optimizer.beta2), double(step_number))));
    const float step_size = float(rate / (1.0 - std::pow(double(optimizer.beta1), double(step_number))));
    for (size_t i = t * share; i < end; i++) {
      float g = 0;
      for (int other = 0; other < run_.threads; other++) g += scratch_[other].gradient[i];
      if (job_ == GRADIENT) gradient[i] = g;
      else if (optimizer.adamw) adamw(optimizer, weights, rate, step_size, root, i, g);
      else sgd(optimizer, weights, rate, i, g);
      if (weights.ema && job_ == STEP) weights.ema[i] += (1.0f - ema_keep) * (weights.params[i] - weights.ema[i]);
    }
  }

  Run run_;
  Barrier barrier_;
  std::unique_ptr<Scratch[]> scratch_;
  std::vector<Tally> tallies_;
  std::vector<std::thread> workers_;
  Job job_ = STEP;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> round_{0};
  std::atomic<int> pending_{0};
};

}  // namespace tiny
