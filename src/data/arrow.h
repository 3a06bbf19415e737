// Arrow IPC files and streams (format 1: what Hugging Face datasets keeps, "feather" version 2) as rows of JSON, a line each, in the same
// form as Parquet's (parquet.h). Buffers plain, LZ4 or Zstandard; dictionaries, views; not intervals, unions, run-ends, big-endian files, and not
// files of before Arrow 0.15. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/arrow_batch.h"
#include "data/table_rows.h"

namespace slipway::data {

// Do these first bytes begin an Arrow file or stream?
bool looks_like_arrow(std::string_view head) noexcept;

class ArrowRows final : public TableRows {
 public:
  // `file` is the whole file, borrowed. Throws BrokenFile when its schema cannot be read. A broken batch costs its rows alone.
  explicit ArrowRows(std::string_view file);
  ~ArrowRows() override;
  Step next(std::string& line) override;
  uint64_t consumed() const noexcept override { return at_; }
  std::vector<std::string> columns() const override;

 private:
  struct Batch;
  struct Message;
  bool read_message(Message& message);
  void find_message();
  void open_batch(Message& message);
  void read_dictionary(Message& message);
  void write(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const;
  void write_indexed(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const;
  void write_list(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const;

  const std::string_view file_;
  uint64_t at_ = 0;
  ArrowSchema schema_;
  std::map<int64_t, std::vector<std::unique_ptr<Batch>>> dictionaries_;  // parts of each, in their order
  std::unique_ptr<Batch> batch_;
  uint64_t row_ = 0;
  uint64_t batches_ = 0;
};

}  // namespace slipway::data
