#include "data/arrow.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "data/document.h"
#include "data/table_values.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxRow = size_t{64} << 20;  // as JSON; lists may share their values, and grow with every level
constexpr int kMaxDepth = 40;                 // of values: a dictionary's may be of a dictionary
constexpr uint32_t kMark = 0xFFFFFFFF;        // before each message
constexpr std::string_view kMagic = "ARROW1";

enum Header : uint8_t { kSchema = 1, kDictionaryBatch = 2, kRecordBatch = 3 };  // numbers of the format (Message.fbs)

template <class T>
T value_at(std::string_view bytes, uint64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

// The offset before and behind item i.
std::pair<uint64_t, uint64_t> bounds(const ArrowField& field, const ArrowArray& array, uint64_t i) {
  if (field.is_wide()) {
    return {value_at<uint64_t>(array.offsets, i), value_at<uint64_t>(array.offsets, i + 1)};
  }
  return {value_at<uint32_t>(array.offsets, i), value_at<uint32_t>(array.offsets, i + 1)};
}

int64_t integer_at(const ArrowField& field, const ArrowArray& array, uint64_t i) {
  switch (field.width) {
    case 8: return field.is_signed ? value_at<int8_t>(array.values, i) : value_at<uint8_t>(array.values, i);
    case 16: return field.is_signed ? value_at<int16_t>(array.values, i) : value_at<uint16_t>(array.values, i);
    case 32: return field.is_signed ? value_at<int32_t>(array.values, i) : static_cast<int64_t>(value_at<uint32_t>(array.values, i));
    default: return value_at<int64_t>(array.values, i);
  }
}

std::string_view text_at(const ArrowField& field, const ArrowArray& array, uint64_t i) {
  const auto [begin, end] = bounds(field, array, i);
  if (begin > end || end > array.values.size()) {
    throw BrokenFile(fmt::format("a text of '{}' that is outside its buffer", field.name));
  }
  return array.values.substr(begin, end - begin);
}

// Up to 12 bytes lie in the view; of longer ones it says which buffer and where.
std::string_view view_at(const ArrowField& field, const ArrowArray& array, uint64_t i) {
  const std::string_view view = array.values.substr(i * 16, 16);
  const auto size = value_at<uint32_t>(view, 0);
  if (size <= 12) {
    return view.substr(4, size);
  }
  const auto buffer = value_at<uint32_t>(view, 2);
  const auto offset = value_at<uint32_t>(view, 3);
  if (buffer >= array.others.size() || offset > array.others[buffer].size() || size > array.others[buffer].size() - offset) {
    throw BrokenFile(fmt::format("a text of '{}' that is outside its buffer", field.name));
  }
  return array.others[buffer].substr(offset, size);
}

template <class Append>
void quoted(std::string& out, const Append& append) {
  out += '"';
  append();
  out += '"';
}

int64_t day_of(int64_t milliseconds) noexcept {
  constexpr int64_t kDay = 86'400'000;
  return milliseconds >= 0 ? milliseconds / kDay : -((-(milliseconds + 1)) / kDay) - 1;
}

void write_number(const ArrowField& field, const ArrowArray& array, uint64_t i, std::string& out) {
  const int64_t value = integer_at(field, array, i);
  switch (field.type) {
    case ArrowType::kDate: quoted(out, [&] { append_date(field.width == 32 ? value : day_of(value), out); }); return;
    case ArrowType::kTimestamp: quoted(out, [&] { append_timestamp(value, field.per_second, out); }); return;
    case ArrowType::kTime:
      if (value >= 0) {
        quoted(out, [&] { append_clock(value, field.per_second, out); });
        return;
      }
      break;
    case ArrowType::kInt:
      if (field.width == 64 && !field.is_signed) {
        fmt::format_to(std::back_inserter(out), "{}", static_cast<uint64_t>(value));
        return;
      }
      break;
    default: break;
  }
  fmt::format_to(std::back_inserter(out), "{}", value);
}

// What has no children.
void write_plain(const ArrowField& field, const ArrowArray& array, uint64_t i, std::string& out) {
  switch (field.type) {
    case ArrowType::kBool: out += (static_cast<unsigned char>(array.values[i / 8]) >> (i % 8) & 1) != 0 ? "true" : "false"; return;
    case ArrowType::kFloat:
      field.width == 16   ? append_real(half_value(value_at<uint16_t>(array.values, i)), out)
      : field.width == 32 ? append_real(value_at<float>(array.values, i), out)
                          : append_real(value_at<double>(array.values, i), out);
      return;
    case ArrowType::kDecimal: {
      const auto size = static_cast<size_t>(field.width / 8);
      std::string bytes(array.values.substr(i * size, size));
      std::reverse(bytes.begin(), bytes.end());
      quoted(out, [&] { out += decimal_text(bytes, field.scale); });
      return;
    }
    case ArrowType::kFixedBinary:
      append_text_or_bytes(array.values.substr(i * static_cast<uint64_t>(field.width), static_cast<size_t>(field.width)), out);
      return;
    case ArrowType::kBinary:
    case ArrowType::kUtf8:
    case ArrowType::kLargeBinary:
    case ArrowType::kLargeUtf8: append_text_or_bytes(text_at(field, array, i), out); return;
    case ArrowType::kBinaryView:
    case ArrowType::kUtf8View: append_text_or_bytes(view_at(field, array, i), out); return;
    default: write_number(field, array, i, out);
  }
}

}  // namespace

struct ArrowRows::Message {
  uint8_t type = 0;
  FlatTable header;
  std::string_view body;
};

// A batch, and the metadata that it borrows.
struct ArrowRows::Batch {
  FlatTable record;
  ArrowBatch arrays;
  Batch(const FlatTable& metadata, std::string_view body, const std::vector<ArrowField>& fields)
      : record(metadata), arrays(record, body, fields) {}
};

bool looks_like_arrow(std::string_view head) noexcept {
  if (head.starts_with(kMagic)) {
    return true;
  }
  uint32_t size = 0;
  if (head.size() < 16 || value_at<uint32_t>(head, 0) != kMark) {
    return false;
  }
  size = value_at<uint32_t>(head, 1);
  return size >= 16 && size % 8 == 0;  // of the schema, padded
}

ArrowRows::ArrowRows(std::string_view file) : file_(file), at_(file.starts_with(kMagic) ? 8 : 0) {
  Message message;
  if (!read_message(message) || message.type != kSchema) {
    throw BrokenFile("not an Arrow file: it does not begin with a schema");
  }
  schema_ = read_arrow_schema(message.header);
}

ArrowRows::~ArrowRows() = default;

std::vector<std::string> ArrowRows::columns() const {
  std::vector<std::string> names;
  for (const ArrowField& field : schema_.fields) {
    names.push_back(field.name);
  }
  return names;
}

// False at the end. When it throws, at_ is behind what was wrong: where the next message may begin, or at the end.
bool ArrowRows::read_message(Message& message) {
  if (at_ >= file_.size()) {
    return false;
  }
  const uint64_t left = file_.size() - at_;
  const uint32_t mark = left >= 8 ? value_at<uint32_t>(file_.substr(at_), 0) : 0;
  const uint32_t size = left >= 8 ? value_at<uint32_t>(file_.substr(at_), 1) : 0;
  if (mark == kMark && size == 0) {
    at_ = file_.size();
    return false;
  }
  if (mark != kMark || size > left - 8) {
    at_ += std::min<uint64_t>(left, 8);
    find_message();
    throw BrokenFile(left < 8 || mark == kMark ? "the file ends in the middle of a message"
                                               : "no message where one should begin (files of before Arrow 0.15 are not read)");
  }
  const std::string_view metadata = file_.substr(at_ + 8, size);
  at_ += 8 + uint64_t{size};
  int64_t body = 0;
  try {
    const FlatTable root = FlatTable::root(metadata);
    body = root.number<int64_t>(3);
    message = {root.number<uint8_t>(1), root.table(2), {}};
  } catch (const BrokenFile&) {
    find_message();
    throw;
  }
  if (body < 0 || static_cast<uint64_t>(body) > file_.size() - at_) {
    find_message();
    throw BrokenFile("a batch that is longer than the file");
  }
  message.body = file_.substr(at_, static_cast<size_t>(body));
  at_ += static_cast<uint64_t>(body);
  return true;
}

// Goes to the next place, a multiple of 8, where a batch seems to begin, or to the end.
void ArrowRows::find_message() {
  constexpr std::string_view kBytes = "\xFF\xFF\xFF\xFF";
  for (size_t found = at_; (found = file_.find(kBytes, found)) != std::string_view::npos; ++found) {
    const std::string_view rest = file_.substr(found);
    const uint32_t size = rest.size() >= 8 ? value_at<uint32_t>(rest, 1) : 0;
    if (found % 8 != 0 || size < 16 || size % 8 != 0 || size > rest.size() - 8) {
      continue;
    }
    try {
      const FlatTable root = FlatTable::root(rest.substr(8, size));
      const auto type = root.number<uint8_t>(1);
      const auto body = root.number<int64_t>(3);
      if ((type == kDictionaryBatch || type == kRecordBatch) && body >= 0 && static_cast<uint64_t>(body) <= rest.size() - 8 - size) {
        at_ = found;
        return;
      }
    } catch (const BrokenFile&) {
    }
  }
  at_ = file_.size();
}

void ArrowRows::read_dictionary(Message& message) {
  const auto id = message.header.number<int64_t>(0);
  const auto field = schema_.dictionaries.find(id);
  if (field == schema_.dictionaries.end()) {
    throw BrokenFile("a dictionary that no column has");
  }
  auto part = std::make_unique<Batch>(message.header.table(1), message.body, std::vector<ArrowField>{field->second});
  std::vector<std::unique_ptr<Batch>>& known = dictionaries_[id];
  if (message.header.number<uint8_t>(2) == 0) {  // no delta: it replaces what there was
    known.clear();
  }
  known.push_back(std::move(part));
}

TableRows::Step ArrowRows::next(std::string& line) {
  line.clear();
  try {
    while (batch_ == nullptr || row_ == batch_->arrays.length()) {
      batch_.reset();
      row_ = 0;
      Message message;
      if (!read_message(message)) {
        return Step::kEnd;
      }
      if (message.type == kDictionaryBatch) {
        read_dictionary(message);
      } else if (message.type == kRecordBatch) {
        ++batches_;
        batch_ = std::make_unique<Batch>(message.header, message.body, schema_.fields);
      }
    }
    line += '{';
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      line += i == 0 ? "" : ",";
      append_json_string(schema_.fields[i].name, line);
      line += ':';
      write(schema_.fields[i], batch_->arrays.column(i), row_, 0, line);
    }
    line += '}';
    ++row_;
    return Step::kRow;
  } catch (const BrokenFile& broken) {
    const uint64_t lost = batch_ != nullptr ? batch_->arrays.length() - row_ : 0;
    batch_.reset();
    line = fmt::format("batch {}: {}; {} rows are lost", batches_, broken.what(), lost > 0 ? std::to_string(lost) : "its");
    return Step::kBroken;
  }
}

void ArrowRows::write(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const {
  if (depth > kMaxDepth) {
    throw BrokenFile(fmt::format("'{}' is nested more than {} levels deep", field.name, kMaxDepth));
  }
  if (out.size() > kMaxRow) {
    throw BrokenFile(fmt::format("a row of more than {} bytes", kMaxRow));
  }
  if (field.type == ArrowType::kNull || !array.has(i)) {
    out += "null";
  } else if (field.dictionary >= 0) {
    write_indexed(field, array, i, depth, out);
  } else if (field.is_list()) {
    write_list(field, array, i, depth, out);
  } else if (field.type == ArrowType::kStruct) {
    out += '{';
    for (size_t child = 0; child < field.children.size(); ++child) {
      out += child == 0 ? "" : ",";
      append_json_string(field.children[child].name, out);
      out += ':';
      write(field.children[child], array.children[child], i, depth + 1, out);
    }
    out += '}';
  } else {
    write_plain(field, array, i, out);
  }
}

void ArrowRows::write_indexed(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const {
  const int64_t index = integer_at(field, array, i);
  const auto known = dictionaries_.find(field.dictionary);
  if (known != dictionaries_.end() && (index >= 0 || !field.is_signed)) {
    auto at = static_cast<uint64_t>(index);
    for (const std::unique_ptr<Batch>& part : known->second) {
      if (at < part->arrays.length()) {
        write(schema_.dictionaries.at(field.dictionary), part->arrays.column(0), at, depth + 1, out);
        return;
      }
      at -= part->arrays.length();
    }
  }
  throw BrokenFile(fmt::format("'{}' refers beyond its dictionary", field.name));
}

void ArrowRows::write_list(const ArrowField& field, const ArrowArray& array, uint64_t i, int depth, std::string& out) const {
  const uint64_t width = static_cast<uint64_t>(field.width);
  const auto [begin, end] = field.type == ArrowType::kFixedList ? std::pair(i * width, (i + 1) * width) : bounds(field, array, i);
  if (begin > end || end > array.children[0].length) {
    throw BrokenFile(fmt::format("a list of '{}' that is outside its values", field.name));
  }
  out += '[';
  for (uint64_t item = begin; item < end; ++item) {
    out += item == begin ? "" : ",";
    write(field.children[0], array.children[0], item, depth + 1, out);
  }
  out += ']';
}

}  // namespace slipway::data
