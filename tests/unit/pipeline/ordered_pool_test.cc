#include "engine/pipeline/ordered_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace fovea {
namespace {

using std::chrono::milliseconds;

/// Items whose Result carries their number. `work` may wait on an item or throw at it.
class Stream {
 public:
  explicit Stream(int count) : count_(count) {}

  /// An ordered run over the items, with results that are collected and checked by this object.
  OrderedRun run(std::size_t workers, std::size_t chunk) {
    return {.workers = workers,
            .chunk = chunk,
            .next = [this] { return next(); },
            .work = [this](std::size_t worker,
                           std::span<const LoadPicture> items) { return work(worker, items); },
            .sink = [this](std::size_t index, const Result& result) { sink(index, result); }};
  }

  std::function<void(int item)> on_next = [](int) {};
  std::function<void(int item)> on_work = [](int) {};
  std::function<void(int item)> on_sink = [](int) {};

  std::atomic<int> taken = 0;
  std::atomic<int> delivered = 0;
  std::atomic<int> most_ahead = 0;  ///< items taken and not yet delivered
  std::set<std::thread::id> threads;

 private:
  std::optional<LoadPicture> next() {
    // Both are called by one thread at a time; a counter without a lock would let tsan see if not.
    if (next_item_ == count_) return std::nullopt;
    const int item = next_item_++;
    on_next(item);
    most_ahead = std::max<int>(most_ahead, ++taken - delivered);
    return [item](StageTimes& /*times*/) {
      Image picture(sizeof item, 1, PixelFormat::kGray8);
      std::memcpy(picture.data(), &item, sizeof item);
      return picture;
    };
  }

  std::vector<Result> work(std::size_t /*worker*/, std::span<const LoadPicture> items) {
    std::vector<Result> results;
    for (const LoadPicture& load : items) {
      int item = -1;
      StageTimes times;
      std::memcpy(&item, load(times).view().data, sizeof item);
      on_work(item);
      Result result;
      result.predictions.push_back({.index = item, .id = {}, .label = {}});
      results.push_back(std::move(result));
    }
    const std::lock_guard lock(mutex_);
    threads.insert(std::this_thread::get_id());
    return results;
  }

  void sink(std::size_t index, const Result& result) {
    on_sink(static_cast<int>(index));
    ASSERT_EQ(index, next_index_++) << "out of order";
    ASSERT_EQ(result.predictions.at(0).index, static_cast<int>(index)) << "another item's result";
    ++delivered;
  }

  const int count_;
  int next_item_ = 0;
  std::size_t next_index_ = 0;
  std::mutex mutex_;
};

TEST(OrderedPool, DeliversEveryResultInOrder) {
  for (const std::size_t workers : {1U, 2U, 4U, 9U}) {
    for (const std::size_t chunk : {1U, 3U, 8U, 100U}) {
      for (const int count : {0, 1, 2, 7, 8, 9, 64, 101}) {
        Stream stream(count);

        run_ordered(stream.run(workers, chunk));

        EXPECT_EQ(stream.delivered, count) << workers << " workers, chunks of " << chunk;
        EXPECT_EQ(stream.taken, count);
      }
    }
  }
}

TEST(OrderedPool, AsksForNothingAfterTheEnd) {
  int asked = 0;
  Stream stream(0);
  OrderedRun run = stream.run(4, 2);
  run.next = [&]() -> std::optional<LoadPicture> {
    ++asked;
    return std::nullopt;
  };

  run_ordered(run);

  EXPECT_EQ(asked, 1);
}

TEST(OrderedPool, WorksOnSeveralThreadsAtOnce) {
  constexpr int kWorkers = 3;
  Stream stream(kWorkers);
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  // Nobody goes on before all have come: one thread alone would wait for ever.
  stream.on_work = [&](int) {
    std::unique_lock lock(mutex);
    ++here;
    all_here.notify_all();
    ASSERT_TRUE(
        all_here.wait_for(lock, std::chrono::seconds(30), [&] { return here == kWorkers; }));
  };

  run_ordered(stream.run(kWorkers, 1));

  EXPECT_EQ(stream.threads.size(), 3U);
  EXPECT_EQ(stream.threads.count(std::this_thread::get_id()), 1U) << "the caller works as well";
}

/// While the first item takes its time, the other worker goes on, but not without bound.
TEST(OrderedPool, ASlowItemStopsNobodyUntilTheyAreFarAhead) {
  constexpr std::size_t kWorkers = 2;
  constexpr std::size_t kChunk = 3;
  constexpr int kBound = 8 * kWorkers * kChunk;
  Stream stream(1'000);
  stream.on_work = [&](int item) {
    if (item != 0) return;
    for (int i = 0; i < 3'000 && stream.taken < kBound; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_EQ(stream.delivered, 0);
    EXPECT_EQ(stream.taken, kBound);
  };

  run_ordered(stream.run(kWorkers, kChunk));

  EXPECT_EQ(stream.delivered, 1'000);
  EXPECT_EQ(stream.most_ahead, kBound);
}

TEST(OrderedPool, ASlowSinkHoldsTheSourceBack) {
  Stream stream(200);
  stream.on_sink = [](int) { std::this_thread::sleep_for(milliseconds(1)); };

  run_ordered(stream.run(4, 1));

  EXPECT_EQ(stream.delivered, 200);
  EXPECT_LE(stream.most_ahead, 8 * 4);
}

struct Stop : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Wherever it is thrown, an exception comes out once, what was delivered before it was in order,
/// and nothing runs afterwards.
TEST(OrderedPool, AnExceptionEndsTheRunAndIsThrownOn) {
  for (const std::string where : {"next", "work", "sink"}) {
    for (const int at : {0, 1, 37, 499}) {
      for (const std::size_t workers : {1U, 2U, 5U}) {
        Stream stream(500);
        std::atomic<int> thrown = 0;
        const auto fail = [&](int item) {
          if (item != at) return;
          ++thrown;
          throw Stop(where);
        };
        (where == "next"   ? stream.on_next
         : where == "work" ? stream.on_work
                           : stream.on_sink) = fail;

        try {
          run_ordered(stream.run(workers, 2));
          ADD_FAILURE() << "nothing was thrown by " << where;
        } catch (const Stop& stop) {
          EXPECT_EQ(stop.what(), where);
        }

        EXPECT_EQ(thrown, 1);
        EXPECT_LE(stream.delivered, at);
        EXPECT_TRUE(where != "sink" || stream.delivered == at);
        EXPECT_LE(stream.taken, at + 2 + 8 * 2 * static_cast<int>(workers)) << "it went on";
      }
    }
  }
}

TEST(OrderedPool, OfSeveralExceptionsTheFirstIsThrownOn) {
  Stream stream(100);
  std::latch all_at_work(4);
  stream.on_work = [&](int item) {
    all_at_work.arrive_and_wait();
    if (item != 0) std::this_thread::sleep_for(milliseconds(100));
    throw Stop(std::to_string(item));
  };

  try {
    run_ordered(stream.run(4, 1));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Stop& stop) {
    EXPECT_EQ(std::string(stop.what()), "0");
  }
  EXPECT_EQ(stream.delivered, 0);
}

TEST(OrderedPool, ManySmallItemsOnManyThreads) {
  for (int round = 0; round < 5; ++round) {
    Stream stream(10'000);

    run_ordered(stream.run(8, static_cast<std::size_t>(round) + 1));

    EXPECT_EQ(stream.delivered, 10'000);
  }
}

TEST(OrderedPool, ManyRunsOneAfterTheOther) {
  for (int round = 0; round < 500; ++round) {
    Stream stream(round % 13);
    const bool fails = round % 3 == 0;
    stream.on_work = [&](int item) {
      if (fails && item == round % 7) throw Stop("now and then");
    };

    try {
      run_ordered(stream.run(3, round % 2 == 0 ? 1 : 2));
      EXPECT_EQ(stream.delivered, round % 13);
    } catch (const Stop&) {
      EXPECT_TRUE(fails);
    }
  }
}

}  // namespace
}  // namespace fovea
