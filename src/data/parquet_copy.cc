#include "data/parquet_copy.h"

#include <cstring>
#include <fmt/format.h>
#include <vector>

#include "base/file.h"
#include "base/input.h"
#include "data/parquet_decode.h"
#include "data/parquet_meta.h"
#include "data/parquet_page.h"

namespace slipway::data {
namespace {

using Type = ThriftReader::Type;

constexpr size_t kGroupBytes = size_t{64} << 20;
constexpr uint64_t kGroupRows = 1'000'000;
constexpr int kZstd = 6;  // codec of the format

// Thrift's compact protocol, written.
class ThriftWriter {
 public:
  void begin() { ids_.push_back(0); }
  void end() {
    out_ += '\0';
    ids_.pop_back();
  }
  void field(int16_t id, Type type) {
    const int step = id - ids_.back();
    if (step > 0 && step < 16) {
      out_ += static_cast<char>(static_cast<unsigned>(step) << 4U | type);
    } else {
      out_ += static_cast<char>(type);
      varint(zigzag(id));
    }
    ids_.back() = id;
  }
  void integer(int16_t id, Type type, int64_t value) {
    field(id, type);
    varint(zigzag(value));
  }
  void text(int16_t id, std::string_view value) {
    field(id, Type::kBinary);
    bytes(value);
  }
  void list(int16_t id, Type of, size_t size) {
    field(id, Type::kList);
    if (size < 15) {
      out_ += static_cast<char>(size << 4U | of);
    } else {
      out_ += static_cast<char>(0xF0U | of);
      varint(size);
    }
  }
  void item(int64_t value) { varint(zigzag(value)); }
  void bytes(std::string_view value) {
    varint(value.size());
    out_ += value;
  }
  // A value as it stands in another file.
  void raw(int16_t id, Type type, std::string_view value) {
    field(id, type);
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  static uint64_t zigzag(int64_t value) { return (static_cast<uint64_t>(value) << 1U) ^ static_cast<uint64_t>(value >> 63); }
  void varint(uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    out_ += static_cast<char>(value);
  }
  std::string out_;
  std::vector<int> ids_;  // the last field of each open struct
};

void append_u32(uint32_t value, std::string& out) { out.append(reinterpret_cast<const char*>(&value), 4); }  // the format is little-endian, as we are

// Lists of the footer as they stand.
struct Footer {
  std::string_view schema;
  std::string_view metadata;  // key and value pairs; empty: none
};

Footer footer_of(std::string_view file) {
  ParquetMeta meta;
  read_parquet_meta(file, meta);  // checks all of it
  uint32_t size = 0;
  std::memcpy(&size, file.data() + file.size() - 8, 4);
  const std::string_view bytes = file.substr(file.size() - 8 - size, size);
  ThriftReader in(bytes);
  Footer footer;
  in.read_struct([&](int id, Type type) {
    if (type != Type::kList || (id != 2 && id != 5)) {
      return false;
    }
    const size_t from = in.at();
    if (id == 2) {
      in.read_list([&](Type) { in.skip(Type::kStruct); });  // as read_parquet_meta does, whatever the list says it is of
    } else {
      in.skip(type);
    }
    (id == 2 ? footer.schema : footer.metadata) = bytes.substr(from, in.at() - from);
    return true;
  });
  return footer;
}

bool is_bytes(const ParquetNode& node) { return node.type == ParquetType::kBytes; }

// The value at hand as PLAIN has it; a boolean is a byte until its page is made.
void append_value(const ParquetColumn& column, std::string& out) {
  const ParquetNode& node = column.node();
  switch (node.type) {
    case ParquetType::kBoolean: out += static_cast<char>(column.integer() != 0 ? 1 : 0); return;
    case ParquetType::kInt32: append_u32(static_cast<uint32_t>(column.integer()), out); return;
    case ParquetType::kInt64: {
      const int64_t value = column.integer();
      out.append(reinterpret_cast<const char*>(&value), 8);
      return;
    }
    case ParquetType::kFloat: {
      const auto value = static_cast<float>(column.real());
      out.append(reinterpret_cast<const char*>(&value), 4);
      return;
    }
    case ParquetType::kDouble: {
      const double value = column.real();
      out.append(reinterpret_cast<const char*>(&value), 8);
      return;
    }
    default:
      if (is_bytes(node)) {
        append_u32(static_cast<uint32_t>(column.bytes().size()), out);
      }
      out += column.bytes();
  }
}

// Runs of equal numbers: Parquet's hybrid without bit packing. Numbers are below 256, so that a run's value is one byte.
void append_runs(const std::vector<uint8_t>& levels, std::string& out) {
  for (size_t i = 0; i < levels.size();) {
    size_t end = i;
    while (end < levels.size() && levels[end] == levels[i]) {
      ++end;
    }
    for (uint64_t head = (end - i) << 1U; ; head >>= 7U) {
      if (head < 0x80) {
        out += static_cast<char>(head);
        break;
      }
      out += static_cast<char>(head | 0x80U);
    }
    out += static_cast<char>(levels[i]);
    i = end;
  }
}

void append_levels(const std::vector<uint8_t>& levels, std::string& out) {
  std::string runs;
  append_runs(levels, runs);
  append_u32(static_cast<uint32_t>(runs.size()), out);
  out += runs;
}

// Names from the root down to each leaf, and the highest level of repetition there.
struct LeafPath {
  std::vector<std::string> names;
  const ParquetNode* node;
};

void paths_of(const ParquetNode& node, std::vector<std::string>& names, std::vector<LeafPath>& paths) {
  for (const ParquetNode& child : node.children) {
    names.push_back(child.name);
    if (child.children.empty()) {
      paths.push_back({names, &child});
    } else {
      paths_of(child, names, paths);
    }
    names.pop_back();
  }
}

}  // namespace

std::string_view parquet_schema(std::string_view file) { return footer_of(file).schema; }

struct ParquetCopyReader::State {
  std::string_view file;
  ParquetMeta meta;
  std::vector<std::unique_ptr<ParquetColumn>> columns;
  size_t group = 0;
  uint64_t rows = 0;
};

ParquetCopyReader::ParquetCopyReader(std::string_view file) : state_(std::make_unique<State>()) {
  state_->file = file;
  read_parquet_meta(file, state_->meta);
}
ParquetCopyReader::~ParquetCopyReader() = default;

// Of each column: the number of its entries, then definition, repetition and, where there is one, the value of each.
bool ParquetCopyReader::next(std::string& record) {
  State& state = *state_;
  record.clear();
  while (state.rows == 0) {
    if (state.group == state.meta.groups.size()) {
      return false;
    }
    const ParquetRowGroup& group = state.meta.groups[state.group++];
    state.rows = group.rows;
    state.columns.clear();
    for (size_t i = 0; i < state.meta.columns.size() && state.rows > 0; ++i) {
      state.columns.push_back(std::make_unique<ParquetColumn>(state.file, *state.meta.columns[i], group.chunks[i]));
    }
  }
  --state.rows;
  for (const auto& column : state.columns) {
    const size_t head = record.size();
    append_u32(0, record);
    uint32_t entries = 0;
    if (!column->done() && column->repeat() != 0) {
      throw BrokenFile(fmt::format("a row of the column '{}' begins in the middle of a list", column->node().name));
    }
    do {
      if (column->done()) {
        throw BrokenFile(fmt::format("the column '{}' ends before the others", column->node().name));
      }
      record += static_cast<char>(column->definition());
      record += static_cast<char>(column->repeat());
      if (column->has_value()) {
        append_value(*column, record);
      }
      column->next();
      ++entries;
    } while (!column->done() && column->repeat() != 0);
    std::memcpy(record.data() + head, &entries, 4);
  }
  return true;
}

struct ParquetCopyWriter::State {
  struct Column {
    LeafPath path;
    std::vector<uint8_t> definitions, repeats;
    std::string values;
  };
  struct Chunk {
    uint64_t offset = 0, size = 0, unpacked = 0, values = 0;
  };
  struct Group {
    std::vector<Chunk> chunks;
    uint64_t rows = 0;
  };
  explicit State(const std::filesystem::path& place) : file(place) {}

  void flush();
  std::string page(Column& column, Chunk& chunk) const;
  std::string footer() const;

  base::AtomicFile file;
  uint64_t written = 0;
  std::string schema, metadata;
  ParquetMeta meta;
  std::vector<Column> columns;
  std::vector<Group> groups;
  uint64_t rows = 0;  // of the open group
  size_t bytes = 0;
};

ParquetCopyWriter::ParquetCopyWriter(const std::filesystem::path& place, std::string_view like) : state_(std::make_unique<State>(place)) {
  const Footer footer = footer_of(like);
  state_->schema = footer.schema;
  state_->metadata = footer.metadata;
  read_parquet_meta(like, state_->meta);
  std::vector<std::string> names;
  std::vector<LeafPath> paths;
  paths_of(state_->meta.root, names, paths);
  for (LeafPath& path : paths) {
    state_->columns.push_back({std::move(path), {}, {}, {}});
  }
  // What is taken as bytes must read as it did: a footer may have its schema twice.
  const std::string tail = state_->footer();
  std::string empty = "PAR1" + tail;
  append_u32(static_cast<uint32_t>(tail.size()), empty);
  empty += "PAR1";
  ParquetMeta again;
  read_parquet_meta(empty, again);
  state_->file.write("PAR1");
  state_->written = 4;
}
ParquetCopyWriter::~ParquetCopyWriter() = default;

void ParquetCopyWriter::write(std::string_view record) {
  State& state = *state_;
  size_t at = 0;
  const auto take = [&](size_t size) {
    if (size > record.size() - at) {
      throw BrokenFile("a row of another schema");
    }
    at += size;
    return record.substr(at - size, size);
  };
  for (State::Column& column : state.columns) {
    const ParquetNode& node = *column.path.node;
    uint32_t entries = 0;
    std::memcpy(&entries, take(4).data(), 4);
    for (uint32_t i = 0; i < entries; ++i) {
      const std::string_view levels = take(2);
      column.definitions.push_back(static_cast<uint8_t>(levels[0]));
      column.repeats.push_back(static_cast<uint8_t>(levels[1]));
      if (static_cast<uint8_t>(levels[0]) != node.definition) {
        continue;
      }
      size_t size = node.type == ParquetType::kBoolean ? 1 : plain_width(node);
      if (is_bytes(node)) {
        uint32_t length = 0;
        std::memcpy(&length, take(4).data(), 4);
        append_u32(length, column.values);
        size = length;
      }
      column.values += take(size);
    }
  }
  if (at != record.size()) {
    throw BrokenFile("a row of another schema");
  }
  ++state.rows;
  state.bytes += record.size();
  if (state.bytes >= kGroupBytes || state.rows >= kGroupRows) {
    state.flush();
  }
}

// One page: its header and its content.
std::string ParquetCopyWriter::State::page(Column& column, Chunk& chunk) const {
  const ParquetNode& node = *column.path.node;
  std::string content;
  if (node.repeat > 0) {
    append_levels(column.repeats, content);
  }
  if (node.definition > 0) {
    append_levels(column.definitions, content);
  }
  if (node.type == ParquetType::kBoolean) {
    std::string packed((column.values.size() + 7) / 8, '\0');
    for (size_t i = 0; i < column.values.size(); ++i) {
      packed[i / 8] = static_cast<char>(static_cast<unsigned char>(packed[i / 8]) | static_cast<unsigned>(column.values[i]) << (i % 8));
    }
    content += packed;
  } else {
    content += column.values;
  }
  const std::string packed = base::zstd_compress(content);
  ThriftWriter header;
  header.begin();
  header.integer(1, Type::kI32, 0);  // DATA_PAGE
  header.integer(2, Type::kI32, static_cast<int64_t>(content.size()));
  header.integer(3, Type::kI32, static_cast<int64_t>(packed.size()));
  header.field(5, Type::kStruct);
  header.begin();
  header.integer(1, Type::kI32, static_cast<int64_t>(column.definitions.size()));
  header.integer(2, Type::kI32, 0);  // PLAIN
  header.integer(3, Type::kI32, 3);  // RLE, twice
  header.integer(4, Type::kI32, 3);
  header.end();
  header.end();
  const std::string head = header.take();
  chunk.values = column.definitions.size();
  chunk.unpacked = head.size() + content.size();
  chunk.size = head.size() + packed.size();
  column.definitions.clear();
  column.repeats.clear();
  column.values.clear();
  return head + packed;
}

void ParquetCopyWriter::State::flush() {
  if (rows == 0) {
    return;
  }
  Group group;
  group.rows = rows;
  for (Column& column : columns) {
    Chunk chunk;
    chunk.offset = written;
    const std::string bytes_of_page = page(column, chunk);
    file.write(bytes_of_page);
    written += bytes_of_page.size();
    group.chunks.push_back(chunk);
  }
  groups.push_back(std::move(group));
  rows = bytes = 0;
}

// docs of the format: parquet-format's parquet.thrift, FileMetaData.
std::string ParquetCopyWriter::State::footer() const {
  uint64_t all = 0;
  for (const Group& group : groups) {
    all += group.rows;
  }
  ThriftWriter out;
  out.begin();
  out.integer(1, Type::kI32, 2);  // version
  out.raw(2, Type::kList, schema);
  out.integer(3, Type::kI64, static_cast<int64_t>(all));
  out.list(4, Type::kStruct, groups.size());
  for (const Group& group : groups) {
    uint64_t unpacked = 0;
    out.begin();
    out.list(1, Type::kStruct, group.chunks.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      const Chunk& chunk = group.chunks[i];
      unpacked += chunk.unpacked;
      out.begin();
      out.integer(2, Type::kI64, static_cast<int64_t>(chunk.offset));
      out.field(3, Type::kStruct);
      out.begin();
      out.integer(1, Type::kI32, static_cast<int64_t>(columns[i].path.node->type));
      out.list(2, Type::kI32, 2);
      out.item(0);
      out.item(3);
      out.list(3, Type::kBinary, columns[i].path.names.size());
      for (const std::string& name : columns[i].path.names) {
        out.bytes(name);
      }
      out.integer(4, Type::kI32, kZstd);
      out.integer(5, Type::kI64, static_cast<int64_t>(chunk.values));
      out.integer(6, Type::kI64, static_cast<int64_t>(chunk.unpacked));
      out.integer(7, Type::kI64, static_cast<int64_t>(chunk.size));
      out.integer(9, Type::kI64, static_cast<int64_t>(chunk.offset));
      out.end();
      out.end();
    }
    out.integer(2, Type::kI64, static_cast<int64_t>(unpacked));
    out.integer(3, Type::kI64, static_cast<int64_t>(group.rows));
    out.end();
  }
  if (!metadata.empty()) {
    out.raw(5, Type::kList, metadata);
  }
  out.text(6, "slipway");
  out.end();
  return out.take();
}

void ParquetCopyWriter::finish() {
  State& state = *state_;
  state.flush();
  std::string tail = state.footer();
  append_u32(static_cast<uint32_t>(tail.size()), tail);
  tail += "PAR1";
  state.file.write(tail);
  state.file.commit();
}

}  // namespace slipway::data
