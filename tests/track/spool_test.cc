#include "track/spool.h"

#include <fstream>
#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::track {
namespace {

constexpr SpoolLimits kSmall{256 << 10, 64 << 10};

MetricFrame metric(int64_t step) { return {"loss", 1.0, step, step}; }

// Steps of all metrics that a new reader finds.
std::vector<int64_t> steps(const std::filesystem::path& folder, uint64_t* damaged = nullptr, Position from = {}) {
  SpoolReader reader(folder, from);
  std::vector<int64_t> found;
  while (const auto frame = reader.next(true)) {
    found.push_back(std::get<MetricFrame>(*frame).step);
  }
  if (damaged != nullptr) {
    *damaged = reader.damaged();
  }
  return found;
}

std::vector<int64_t> range(int64_t begin, int64_t end) {
  std::vector<int64_t> all;
  for (int64_t i = begin; i < end; ++i) {
    all.push_back(i);
  }
  return all;
}

void overwrite(const std::filesystem::path& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << bytes;
}

TEST(Spool, GoesOnFromSegmentToSegment) {
  const base::TempDir dir;
  SpoolWriter writer(dir.path(), kSmall);
  for (int64_t i = 0; i < 3000; ++i) {  // 40 bytes each: two segments
    ASSERT_TRUE(writer.append(metric(i)));
    if (i % 100 == 0) {
      writer.prepare();
    }
  }
  EXPECT_EQ(list_segments(dir.path()).size(), 2U);
  EXPECT_EQ(steps(dir.path()), range(0, 3000));
  EXPECT_EQ(writer.logged(), 3000U);
}

TEST(Spool, IsReadWhileItIsWritten) {
  const base::TempDir dir;
  SpoolWriter writer(dir.path(), kSmall);
  SpoolReader reader(dir.path(), {});
  EXPECT_FALSE(reader.next(false));
  for (int64_t i = 0; i < 4000; ++i) {
    ASSERT_TRUE(writer.append(metric(i)));
    const auto frame = reader.next(false);
    ASSERT_TRUE(frame) << i;
    EXPECT_EQ(std::get<MetricFrame>(*frame).step, i);
    EXPECT_FALSE(reader.next(false));
  }
  EXPECT_EQ(reader.position(), writer.end());
}

TEST(Spool, DropsAndCountsWhenFullUntilSegmentsGo) {
  const base::TempDir dir;
  SpoolWriter writer(dir.path(), {128 << 10, 64 << 10});
  int64_t kept = 0;
  while (writer.append(metric(kept))) {
    ++kept;
  }
  EXPECT_FALSE(writer.append(metric(-1)));
  EXPECT_EQ(writer.dropped(), 2U);
  EXPECT_EQ(dropped_in_segments(dir.path()), 2U);  // a process that is killed now has told it
  EXPECT_EQ(steps(dir.path()), range(0, kept));
  EXPECT_TRUE(writer.append(EndFrame{0, 1}, true)) << "the last word has room of its own";
  std::filesystem::remove(segment_path(dir.path(), 1));
  writer.forget_before(2);
  while (writer.append(metric(0))) {
  }
  EXPECT_EQ(list_segments(dir.path()).back(), 3U);
}

TEST(Spool, ATornTailEndsItAndTheNextWriterGoesOn) {
  const base::TempDir dir;
  Position end;
  {
    SpoolWriter writer(dir.path(), kSmall);
    for (int64_t i = 0; i < 10; ++i) {
      writer.append(metric(i));
    }
    end = writer.end();
  }
  overwrite(segment_path(dir.path(), 1), static_cast<std::streamoff>(end.offset), std::string("\x20\0\0\0torn", 8));
  uint64_t damaged = 0;
  EXPECT_EQ(steps(dir.path(), &damaged), range(0, 10));
  EXPECT_EQ(damaged, 8U);
  SpoolWriter next(dir.path(), kSmall);
  next.append(metric(10));
  EXPECT_EQ(steps(dir.path()), range(0, 11));
}

TEST(Spool, DamageCostsTheRestOfOneSegment) {
  const base::TempDir dir;
  SpoolWriter writer(dir.path(), kSmall);
  int64_t written = 0;
  while (list_segments(dir.path()).size() < 3) {
    writer.append(metric(written++));
  }
  overwrite(segment_path(dir.path(), 2), 4000, "?");
  uint64_t damaged = 0;
  const auto found = steps(dir.path(), &damaged);
  EXPECT_GT(damaged, 50'000U);
  EXPECT_LT(found.size(), static_cast<size_t>(written));
  EXPECT_EQ(found.back(), written - 1);
  std::filesystem::resize_file(segment_path(dir.path(), 1), 100);  // shorter than a page
  EXPECT_EQ(steps(dir.path()).back(), written - 1);
  overwrite(segment_path(dir.path(), 1), 0, "other");
  EXPECT_EQ(steps(dir.path()).back(), written - 1);
}

TEST(Spool, BrokenNotesAreRefusedInWords) {
  const base::TempDir dir;
  EXPECT_THROW(read_info(dir.path()), base::Error);
  for (const char* text : {"", "{", "[]", "{\"format\":\"slipway.spool/9\"}", "{\"format\":\"slipway.spool/1\"}",
                           "{\"format\":\"slipway.spool/1\",\"id\":3}"}) {
    base::write_file_atomic(dir.path() / "run.json", text);
    base::write_file_atomic(dir.path() / "sent.json", text);
    EXPECT_THROW(read_info(dir.path()), base::Error) << text;
    EXPECT_THROW(read_state(dir.path()), base::Error) << text;
  }
  SentState state;
  state.position.offset = 33;
  write_state(dir.path(), state);
  EXPECT_THROW(read_state(dir.path()), base::Error);
}

TEST(Spool, RefusesLimitsThatMakeNoSense) {
  const base::TempDir dir;
  EXPECT_THROW(SpoolWriter(dir.path(), {64 << 10, 64 << 10}), base::Error);
  EXPECT_THROW(SpoolWriter(dir.path(), {1 << 20, 100}), base::Error);
}

}  // namespace
}  // namespace slipway::track
