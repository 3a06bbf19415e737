#include "data/frames.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/input.h"

namespace slipway::data {
namespace {

constexpr size_t kFrameBytes = size_t{1} << 20;
constexpr size_t kBatchLines = 4096;
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr int kLevel = 3;

}  // namespace

FrameWriter::FrameWriter(std::filesystem::path path, base::Pool& pool) : file_(std::move(path)), pool_(pool) {
  frames_.emplace_back();
}

void FrameWriter::append(std::string_view lines) {
  raw_bytes_ += lines.size();
  frames_.back() += lines;
  if (frames_.back().size() >= kFrameBytes) {
    if (frames_.size() >= static_cast<size_t>(pool_.size())) {
      flush();
    }
    frames_.emplace_back();
    frames_.back().reserve(kFrameBytes + (kFrameBytes >> 3));
  }
}

void FrameWriter::flush() {
  std::vector<std::string> packed(frames_.size());
  pool_.parallel_for(static_cast<int64_t>(frames_.size()), [&](int64_t i) {
    const std::string& frame = frames_[static_cast<size_t>(i)];
    if (!frame.empty()) {
      packed[static_cast<size_t>(i)] = base::zstd_compress(frame, kLevel);
    }
  });
  for (const std::string& bytes : packed) {
    file_.write(bytes);
    sha256_.update(bytes);
  }
  frames_.clear();
}

FrameWriter::Result FrameWriter::finish() {
  if (raw_bytes_ == 0) {  // an empty file is one empty frame, so that it reads as zstd
    const std::string bytes = base::zstd_compress("", kLevel);
    file_.write(bytes);
    sha256_.update(bytes);
  } else {
    flush();
  }
  Result result{sha256_.hex(), file_.size()};
  file_.commit();
  return result;
}

PassProgress::PassProgress(base::Progress& outer, std::string_view task, const std::filesystem::path& file, int passes)
    : outer_(outer) {
  outer_.start(task, progress_size(file) * passes, "B");
}

void PassProgress::update(int64_t done, std::string_view note) {
  if (done < last_) {
    before_ += last_;
  }
  last_ = done;
  outer_.update(before_ + done, note);
}

int64_t progress_size(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<int64_t>(size);
}

void for_each_batch(const std::filesystem::path& file, base::Context& context, std::string_view what,
                    const std::function<void(std::vector<Document>&, uint64_t)>& body) {
  // A document may be larger than its raw row: escapes make up to six bytes of one, and kept columns come on top.
  base::LineReader reader(file, size_t{256} << 20);
  const std::string name = file.filename().string();
  std::vector<std::string> lines;
  std::vector<Document> documents;
  uint64_t first = 0;
  bool more = true;
  while (more) {
    base::check_stop(context, what);
    lines.clear();
    size_t bytes = 0;
    std::string_view line;
    while (lines.size() < kBatchLines && bytes < kBatchBytes && (more = reader.next(line))) {
      lines.emplace_back(line);
      bytes += line.size();
    }
    documents.resize(lines.size());
    context.pool.parallel_chunks(static_cast<int64_t>(lines.size()), 64, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        parse_line(lines[i], fmt::format("'{}' line {}", name, first + i + 1), documents[i]);
      }
    });
    if (!documents.empty()) {
      body(documents, first);
    }
    first += lines.size();
    context.progress.update(static_cast<int64_t>(reader.consumed()), "");
  }
}

}  // namespace slipway::data
