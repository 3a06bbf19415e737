#include "data/parquet.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "data/document.h"
#include "data/table_values.h"

namespace slipway::data {
namespace {

void append_bytes(const ParquetNode& node, std::string_view bytes, std::string& out) {
  if (node.type == ParquetType::kInt96 && bytes.size() == 12) {  // nanoseconds of a Julian day
    int64_t nanoseconds = 0;
    uint32_t day = 0;
    std::memcpy(&nanoseconds, bytes.data(), 8);
    std::memcpy(&day, bytes.data() + 8, 4);
    constexpr int64_t kDay = int64_t{86'400} * 1'000'000'000;
    out += '"';
    append_date(static_cast<int64_t>(day) - 2'440'588 + nanoseconds / kDay, out);
    out += 'T';
    append_clock(std::abs(nanoseconds % kDay), 1'000'000'000, out);
    out += '"';
  } else if (node.meaning == ParquetMeaning::kDecimal && bytes.size() <= 256) {
    out += '"' + decimal_text(bytes, node.scale) + '"';
  } else if (node.meaning == ParquetMeaning::kHalf && bytes.size() == 2) {
    append_real(half_value(static_cast<uint16_t>(static_cast<unsigned char>(bytes[0]) | static_cast<unsigned char>(bytes[1]) << 8)), out);
  } else if (node.meaning == ParquetMeaning::kUuid && bytes.size() == 16) {
    out += '"';
    for (size_t i = 0; i < 16; ++i) {
      fmt::format_to(std::back_inserter(out), "{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                     static_cast<unsigned char>(bytes[i]));
    }
    out += '"';
  } else {
    append_text_or_bytes(bytes, out);
  }
}

void append_integer(const ParquetNode& node, int64_t value, std::string& out) {
  switch (node.meaning) {
    case ParquetMeaning::kDecimal: out += '"' + decimal_text(big_endian(value), node.scale) + '"'; return;
    case ParquetMeaning::kDate:
      out += '"';
      append_date(value, out);
      out += '"';
      return;
    case ParquetMeaning::kTime:
      if (value >= 0) {
        out += '"';
        append_clock(value, node.per_second, out);
        out += '"';
        return;
      }
      break;
    case ParquetMeaning::kTimestamp:
      out += '"';
      append_timestamp(value, node.per_second, out);
      out += '"';
      return;
    case ParquetMeaning::kUnsigned:
      fmt::format_to(std::back_inserter(out), "{}",
                     node.type == ParquetType::kInt32 ? static_cast<uint32_t>(value) : static_cast<uint64_t>(value));
      return;
    default: break;
  }
  fmt::format_to(std::back_inserter(out), "{}", value);
}

}  // namespace

ParquetRows::ParquetRows(std::string_view file) : file_(file) { read_parquet_meta(file, meta_); }
ParquetRows::~ParquetRows() = default;

std::vector<std::string> ParquetRows::columns() const {
  std::vector<std::string> names;
  for (const ParquetNode& child : meta_.root.children) {
    names.push_back(child.name);
  }
  return names;
}

bool ParquetRows::open_group() {
  columns_.clear();
  while (group_ < meta_.groups.size()) {
    const ParquetRowGroup& group = meta_.groups[group_++];
    rows_ = group.rows;
    if (rows_ == 0) {
      continue;
    }
    for (size_t i = 0; i < meta_.columns.size(); ++i) {
      columns_.push_back(std::make_unique<ParquetColumn>(file_, *meta_.columns[i], group.chunks[i]));
      consumed_ = std::max<uint64_t>(consumed_, group.chunks[i].begin);
    }
    return true;
  }
  consumed_ = file_.size();
  return false;
}

TableRows::Step ParquetRows::next(std::string& line) {
  line.clear();
  try {
    if (rows_ == 0 && !open_group()) {
      return Step::kEnd;
    }
    --rows_;
    write_present(meta_.root, line);
    return Step::kRow;
  } catch (const BrokenFile& broken) {
    const uint64_t lost = rows_ + (columns_.size() == meta_.columns.size() ? 1 : 0);
    rows_ = 0;
    columns_.clear();
    line = fmt::format("row group {}: {}; {} rows are lost", group_, broken.what(), lost);
    return Step::kBroken;
  }
}

// One entry of each column below is none of our business.
void ParquetRows::pass(const ParquetNode& node) {
  for (size_t i = node.leaf; i < node.leaf + node.leaves; ++i) {
    if (columns_[i]->done()) {
      throw BrokenFile(fmt::format("the column '{}' ends before the others", columns_[i]->node().name));
    }
    columns_[i]->next();
  }
}

void ParquetRows::write_value(const ParquetNode& node, std::string& out) {
  const ParquetColumn& first = *columns_[node.leaf];
  if (first.done()) {
    throw BrokenFile(fmt::format("the column '{}' ends before the others", first.node().name));
  }
  if (node.repetition == 2) {  // of a schema without LIST around it
    write_array(node, false, out);
  } else if (first.definition() < node.definition) {
    out += "null";
    pass(node);
  } else {
    write_present(node, out);
  }
}

void ParquetRows::write_present(const ParquetNode& node, std::string& out) {
  if (node.children.empty()) {
    write_leaf(*columns_[node.leaf], out);
    columns_[node.leaf]->next();
    return;
  }
  const bool list = node.meaning == ParquetMeaning::kList || node.meaning == ParquetMeaning::kMap;
  if (list && node.children.size() == 1 && node.children[0].repetition == 2) {
    const ParquetNode& repeated = node.children[0];
    // Of LIST's middle group the one child is the element, but for what old writers called so ("array", "…_tuple").
    const bool unwrap = node.meaning == ParquetMeaning::kList && repeated.children.size() == 1 && repeated.name != "array" &&
                        repeated.name != node.name + "_tuple";
    write_array(repeated, unwrap, out);
    return;
  }
  out += '{';
  for (size_t i = 0; i < node.children.size(); ++i) {
    out += i == 0 ? "" : ",";
    append_json_string(node.children[i].name, out);
    out += ':';
    write_value(node.children[i], out);
  }
  out += '}';
}

void ParquetRows::write_array(const ParquetNode& repeated, bool unwrap, std::string& out) {
  const ParquetColumn& first = *columns_[repeated.leaf];
  if (first.done()) {
    throw BrokenFile(fmt::format("the column '{}' ends before the others", first.node().name));
  }
  if (first.definition() < repeated.definition) {
    out += "[]";
    pass(repeated);
    return;
  }
  out += '[';
  do {
    out += out.back() == '[' ? "" : ",";
    if (unwrap) {
      write_value(repeated.children[0], out);
    } else {
      write_present(repeated, out);
    }
  } while (!first.done() && first.repeat() == repeated.repeat);
  out += ']';
}

void ParquetRows::write_leaf(const ParquetColumn& column, std::string& out) const {
  const ParquetNode& node = column.node();
  if (column.done() || !column.has_value()) {
    throw BrokenFile(fmt::format("the column '{}' has no value where there should be one", node.name));
  }
  switch (node.type) {
    case ParquetType::kBoolean: out += column.integer() != 0 ? "true" : "false"; break;
    case ParquetType::kInt32:
    case ParquetType::kInt64: append_integer(node, column.integer(), out); break;
    case ParquetType::kFloat: append_real(static_cast<float>(column.real()), out); break;
    case ParquetType::kDouble: append_real(column.real(), out); break;
    default: append_bytes(node, column.bytes(), out); break;
  }
}

}  // namespace slipway::data
