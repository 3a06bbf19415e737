// Files of lines, or of tables and web pages (table_rows.h) whose rows are lines of JSON, cut into blocks, the same blocks however many
// threads work on them: a block ends behind the line that fills it, and may hold the end of one file and the beginning of the next. A line that is too long is told, not held.
// One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/input.h"
#include "data/table_rows.h"

namespace slipway::data {

enum class RowFault : uint8_t { kNone, kTable, kPage };

struct BlockLine {
  uint32_t file;    // index in the list of files
  uint64_t line;    // 1-based
  uint64_t offset;  // of the line's first byte in the decompressed file
  size_t begin;     // in the block's bytes; a line that was too long has none
  size_t size;      // bytes, without the line feed
  bool too_long;
  RowFault fault = RowFault::kNone;  // of a table or a page: the bytes say what is wrong there
};

// Why it is no line; "" when it is one.
inline std::string_view fault_of(const BlockLine& line) noexcept {
  return line.too_long                     ? std::string_view("line_too_long")
         : line.fault == RowFault::kNone   ? std::string_view()
         : line.fault == RowFault::kTable  ? std::string_view("broken_table")
                                           : std::string_view("unreadable_page");
}

struct Block {
  uint64_t index = 0;
  std::string bytes;
  std::vector<BlockLine> lines;
  uint64_t consumed = 0;  // compressed bytes of all files read when the block was full
  void clear();
};

class LineBlocks {
 public:
  // "-" among the files is standard input. Nothing is opened yet. `pool` (borrowed, may be null) reads pages, `names` is what they are called.
  LineBlocks(std::vector<std::filesystem::path> files, size_t block_bytes, size_t max_line_bytes, base::Pool* pool = nullptr,
             SourceNames names = {});
  // Fills `block` (reusing its memory); false at the end. Throws Error(kNotFound | kIntegrity) naming the file.
  bool next(Block& block);

 private:
  bool fill();
  void open();
  bool add_line(Block& block);
  bool add_row(Block& block);
  uint64_t consumed() const;

  std::vector<std::filesystem::path> files_;
  base::Pool* pool_;
  SourceNames names_;
  bool pages_ = false;  // the open file is of pages
  size_t block_bytes_;
  size_t max_line_bytes_;
  std::unique_ptr<base::Input> input_;   // of the open file, or
  std::unique_ptr<TableRows> table_;
  uint32_t file_ = 0;
  uint64_t line_ = 0;
  uint64_t offset_ = 0;  // of the next line
  uint64_t before_ = 0;  // compressed bytes of the files that are done
  uint64_t index_ = 0;
  std::string buffer_;
  std::string row_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace slipway::data
