// Files of lines as a row of independent zstd frames, each of about one MiB of text: they compress on all cores, and
// their bytes depend only on the lines. Internal to this room.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/document.h"

namespace slipway::data {

// Writes one file; nothing is visible before finish(). One thread (which lends the pool's).
class FrameWriter {
 public:
  FrameWriter(std::filesystem::path path, base::Pool& pool);
  // Whole lines, newlines included.
  void append(std::string_view lines);
  uint64_t raw_bytes() const noexcept { return raw_bytes_; }
  // Compresses what is left and makes the file visible.
  struct Result {
    std::string sha256;
    uint64_t size = 0;
  };
  Result finish();

 private:
  void flush();

  base::AtomicFile file_;
  base::Pool& pool_;
  base::Sha256 sha256_;
  std::vector<std::string> frames_;  // waiting; the last is being filled
  uint64_t raw_bytes_ = 0;
};

// Makes one rising count of the passes that a step makes over the same file: an update below the last one begins a new
// pass.
class PassProgress final : public base::Progress {
 public:
  // Tells `outer` that `task` begins: `passes` times the size of `file`.
  PassProgress(base::Progress& outer, std::string_view task, const std::filesystem::path& file, int passes);
  void start(std::string_view, int64_t, std::string_view) override {}
  void update(int64_t done, std::string_view note) override;
  void finish(std::string_view summary) override { outer_.finish(summary); }
  // The same context with this progress.
  base::Context within(const base::Context& context) {
    return {context.pool, context.log, context.clock, *this, context.stop};
  }

 private:
  base::Progress& outer_;
  int64_t before_ = 0;
  int64_t last_ = 0;
};

// Size of a file on disk; 0 when it is not there.
int64_t progress_size(const std::filesystem::path& file);

// Reads the documents of `file` in order, in batches parsed on the pool; `first` is the index of the batch's first.
// Updates context.progress with compressed bytes and checks the stop token with each batch. Throws Error(kInvalid)
// naming file and line for a line that is not a document.
void for_each_batch(const std::filesystem::path& file, base::Context& context, std::string_view what,
                    const std::function<void(std::vector<Document>& documents, uint64_t first)>& body);

}  // namespace slipway::data
