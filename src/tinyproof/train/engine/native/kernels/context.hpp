// What one training run keeps in memory, and how its threads meet.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "vector.hpp"

namespace tiny {

// Zeroed memory on a cache-line boundary; large pieces on large pages where the system has them, because a row of
// every channel lies on a page of its own otherwise.
template <class T>
class Buffer {
 public:
  explicit Buffer(size_t count = 0) { reset(count); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }
  void reset(size_t count) {
    std::free(data_);
#if defined(__SANITIZE_ADDRESS__)
    const size_t slack = count == 0 ? 64 : 0;  // one vector too many is to be seen
#else
    const size_t slack = 64;
#endif
    const size_t wanted = count * sizeof(T) + slack, page = wanted < (size_t(1) << 20) ? 64 : size_t(1) << 21;
    const size_t bytes = (wanted + page - 1) / page * page;
    data_ = static_cast<T*>(std::aligned_alloc(page, bytes));
    if (!data_) throw std::bad_alloc();
#if defined(__linux__)
    if (page > 64) madvise(static_cast<void*>(data_), bytes, MADV_HUGEPAGE);  // only advice: failing does no harm
#endif
    std::memset(static_cast<void*>(data_), 0, bytes);
  }
  T* get() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
};

// All threads wait here for each other. Spins for a short while (both cores are ours as a rule), then gives
// the core away, so that runs side by side do not burn each other's time.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  void wait() {
    if (threads_ == 1) return;
    const unsigned round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; round_.load(std::memory_order_acquire) == round; spins++) {
      if (spins > 4000) std::this_thread::yield();
#if defined(__x86_64__)
      else __builtin_ia32_pause();
#endif
    }
  }

 private:
  const int threads_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> round_{0};
};

// One per channel and block of images: z = m * act(a * y + b); m is folded into a and b where there is no act.
struct Affine {
  Vec a, b, m;
};

// One per channel and block of images: the gradient before batch norm is a * du + b * y + c.
struct Backward {
  Vec a, b, c;
};

// Batch-norm sums of one block of images: forward sum y and sum y*y, backward sum du and sum du*(y - mean).
struct Sums {
  double first, second;
};

}  // namespace tiny
