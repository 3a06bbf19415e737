#include "track/frame.h"

#include <cstring>
#include <gtest/gtest.h>

namespace slipway::track {
namespace {

// One frame in a buffer of its size.
std::string bytes_of(const Frame& frame) {
  const Payload payload = payload_of(frame);
  std::string bytes(frame_bytes(payload.size()), '\0');
  write_frame(bytes.data(), payload);
  return bytes;
}

TEST(Frame, ComesBackAsItWasWritten) {
  const std::string metric = bytes_of(MetricFrame{"loss", 0.1, -3, 1'700'000'000'123});
  const Parsed parsed = parse_frame(metric);
  ASSERT_EQ(parsed.found, Found::kFrame);
  EXPECT_EQ(parsed.bytes, metric.size());
  const auto& back = std::get<MetricFrame>(parsed.frame);
  EXPECT_EQ(back.key, "loss");
  EXPECT_EQ(back.value, 0.1);
  EXPECT_EQ(back.step, -3);
  EXPECT_EQ(back.time_ms, 1'700'000'000'123);

  const std::string tag = bytes_of(PairFrame{true, "k", std::string_view("a\0b", 3)});
  const Parsed tag_back = parse_frame(tag);
  EXPECT_TRUE(std::get<PairFrame>(tag_back.frame).tag);
  EXPECT_EQ(std::get<PairFrame>(tag_back.frame).value, std::string_view("a\0b", 3));
  const std::string file = bytes_of(FileFrame{"model/w.bin", "/tmp/w.bin", 12, 34});
  const Parsed file_back = parse_frame(file);
  EXPECT_EQ(std::get<FileFrame>(file_back.frame).source, "/tmp/w.bin");
  EXPECT_EQ(std::get<FileFrame>(file_back.frame).mtime_ns, 34);
  const std::string content = bytes_of(BytesFrame{"a.txt", ""});
  const Parsed bytes_back = parse_frame(content);
  EXPECT_EQ(std::get<BytesFrame>(bytes_back.frame).path, "a.txt");
  const std::string end = bytes_of(EndFrame{1, 5});
  const Parsed end_back = parse_frame(end);
  EXPECT_EQ(std::get<EndFrame>(end_back.frame).status, 1);
}

TEST(Frame, AnyChangedByteIsNoticed) {
  const std::string good = bytes_of(PairFrame{false, "lr", "3e-5"});
  const size_t used = kFrameHeaderBytes + payload_of(PairFrame{false, "lr", "3e-5"}).size();
  for (size_t i = 0; i < used; ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    EXPECT_NE(parse_frame(bad).found, Found::kFrame) << "byte " << i;
  }
}

TEST(Frame, IsCutOffAnywhereWithoutHarm) {
  const std::string good = bytes_of(MetricFrame{"accuracy", 1, 2, 3});
  for (size_t size = 0; size + 8 < good.size(); ++size) {
    EXPECT_NE(parse_frame(std::string_view(good).substr(0, size)).found, Found::kFrame) << size;
  }
  EXPECT_EQ(parse_frame(std::string(64, '\0')).found, Found::kEnd);
}

TEST(Frame, AWholeOneOfAnUnknownKindIsStepped) {
  Payload payload;
  payload.head[0] = 'z';
  payload.head_size = 1;
  std::string bytes(frame_bytes(1), '\0');
  write_frame(bytes.data(), payload);
  const Parsed parsed = parse_frame(bytes);
  EXPECT_EQ(parsed.found, Found::kUnknown);
  EXPECT_EQ(parsed.bytes, 16U);
}

TEST(Frame, ASegmentHeaderKnowsItsNumber) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  write_segment_header(bytes.data(), 7);
  SegmentHeader header;
  ASSERT_TRUE(parse_segment_header(bytes, header));
  EXPECT_EQ(header.number, 7U);
  bytes[9] = 1;
  EXPECT_FALSE(parse_segment_header(bytes, header));
  EXPECT_FALSE(parse_segment_header("SLWY", header));
}

}  // namespace
}  // namespace slipway::track
