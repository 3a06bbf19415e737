#include "data/row_table.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxColumns = 10'000;
constexpr uint64_t kRowsBetweenLooks = 4096;

}  // namespace

RowTable::RowTable(const VersionFiles& files, base::Context& context, std::string doing) : files_(files), context_(context), doing_(std::move(doing)) {
  if (std::none_of(files.files.begin(), files.files.end(), [](const auto& file) { return row_format(file.path) != RowFormat::kNone; })) {
    throw base::Error(base::Code::kInvalid, fmt::format("there is no file with rows ({})", kRowFormats));
  }
}

size_t RowTable::column(const std::string& name) {
  const auto [it, fresh] = index_.emplace(name, columns_.size());
  if (fresh) {
    if (columns_.size() == kMaxColumns) {
      throw base::Error(base::Code::kInvalid, fmt::format("there are more than {} columns; is this a table of rows?", kMaxColumns));
    }
    columns_.push_back(name);
  }
  return it->second;
}

bool RowTable::open_next() {
  while (file_ < files_.files.size() && row_format(files_.files[file_].path) == RowFormat::kNone) {
    ++file_;
  }
  if (file_ == files_.files.size()) {
    return false;
  }
  const record::FolderFile& file = files_.files[file_++];
  reader_ = std::make_unique<RowFileReader>(files_.place(file), file.path);
  header_.clear();
  for (const std::string& name : reader_->columns()) {
    header_.push_back(column(name));
  }
  return true;
}

bool RowTable::next() {
  cells_.clear();
  while (true) {
    if (looked_++ % kRowsBetweenLooks == 0) {
      base::check_stop(context_, doing_);
    }
    if (reader_ == nullptr || !reader_->next()) {
      if (!open_next()) {
        return false;
      }
      continue;
    }
    if (!header_.empty()) {
      const auto& fields = reader_->fields();
      for (size_t i = 0; i < fields.size(); ++i) {
        cells_.emplace_back(i < header_.size() ? header_[i] : column(fmt::format("column_{}", i + 1)), cell_of(fields[i]));
      }
      ++rows_;
      return true;
    }
    row_ = reader_->json();
    if (row_.is_null()) {
      ++broken_;
      continue;
    }
    for (auto it = row_.begin(); it != row_.end(); ++it) {
      cells_.emplace_back(column(it.key()), cell_of(it.value()));
    }
    ++rows_;
    return true;
  }
}

std::string RowTable::at() const { return fmt::format("{}:{}", files_.files[file_ - 1].path, reader_->line()); }

}  // namespace slipway::data
