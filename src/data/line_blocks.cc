#include "data/line_blocks.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {

void Block::clear() {
  bytes.clear();
  lines.clear();
}

LineBlocks::LineBlocks(std::vector<std::filesystem::path> files, size_t block_bytes, size_t max_line_bytes, base::Pool* pool,
                       SourceNames names)
    : files_(std::move(files)),
      pool_(pool),
      names_(std::move(names)),
      block_bytes_(block_bytes),
      max_line_bytes_(max_line_bytes),
      buffer_(size_t{1} << 18U, '\0') {}

// More bytes of the open file; false at its end.
bool LineBlocks::fill() {
  begin_ = 0;
  try {
    end_ = input_->read(buffer_.data(), buffer_.size());
  } catch (const base::Error& error) {
    throw base::Error(error.code(),
                      fmt::format("{} (behind line {} of '{}')", error.what(), line_, files_[file_].string()));
  }
  return end_ > 0;
}

void LineBlocks::open() {
  const std::filesystem::path file = files_[file_] == "-" ? "/dev/stdin" : files_[file_];
  table_ = open_table(file);
  pages_ = table_ == nullptr;
  if (pages_) {
    table_ = open_page_rows(file, pool_, names_);
  }
  if (table_ == nullptr) {
    input_ = std::make_unique<base::Input>(file);
  }
  line_ = 0;
  offset_ = 0;
  begin_ = 0;
  end_ = 0;
}

uint64_t LineBlocks::consumed() const { return table_ != nullptr ? table_->consumed() : input_ != nullptr ? input_->consumed() : 0; }

// One line: pieces of it up to the limit go into the block, the rest of a longer one is only counted. False at the end of the file.
bool LineBlocks::add_line(Block& block) {
  size_t size = 0;
  bool ended = false;
  const size_t start = block.bytes.size();
  while (!ended && (begin_ < end_ || fill())) {
    const char* from = buffer_.data() + begin_;
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    const size_t piece = feed == nullptr ? end_ - begin_ : static_cast<size_t>(feed - from);
    if (size + piece <= max_line_bytes_) {
      block.bytes.append(from, piece);
    }
    size += piece;
    ended = feed != nullptr;
    begin_ += piece + static_cast<size_t>(ended);
  }
  if (size > 0 || ended) {
    ++line_;
    const bool too_long = size > max_line_bytes_;
    if (too_long) {
      block.bytes.resize(start);
    }
    block.lines.push_back({file_, line_, offset_, start, size, too_long});
    offset_ += size + static_cast<uint64_t>(ended);
  }
  return ended;
}

bool LineBlocks::add_row(Block& block) {
  const TableRows::Step step = table_->next(row_);
  if (step == TableRows::Step::kEnd) {
    return false;
  }
  ++line_;
  const bool too_long = row_.size() > max_line_bytes_;
  const RowFault fault = step != TableRows::Step::kBroken ? RowFault::kNone : pages_ ? RowFault::kPage : RowFault::kTable;
  block.lines.push_back({file_, line_, offset_, block.bytes.size(), row_.size(), too_long, fault});
  if (!too_long) {
    block.bytes += row_;
  }
  offset_ += row_.size() + 1;
  return true;
}

bool LineBlocks::next(Block& block) {
  block.clear();
  while (file_ < files_.size()) {
    if (input_ == nullptr && table_ == nullptr) {
      open();
    }
    const bool more = table_ != nullptr ? add_row(block) : add_line(block);
    if (!more) {
      before_ += consumed();
      input_.reset();
      table_.reset();
      ++file_;
    }
    // A block of empty lines must end, too.
    if (block.bytes.size() >= block_bytes_ || block.lines.size() * sizeof(BlockLine) >= block_bytes_) {
      break;
    }
  }
  block.consumed = before_ + consumed();
  block.index = index_;
  index_ += static_cast<uint64_t>(!block.lines.empty());
  return !block.lines.empty();
}

}  // namespace slipway::data
