#include "data/parquet_meta.h"

#include <cstring>
#include <fmt/format.h>

namespace slipway::data {
namespace {

constexpr size_t kMaxFooter = size_t{64} << 20;
constexpr size_t kMaxColumns = 10'000;
constexpr size_t kMaxGroups = 1'000'000;
constexpr int kMaxLevels = 16;
using Type = ThriftReader::Type;

struct Element {
  ParquetNode node;
  int64_t children = 0;
  bool typed = false;
};

void read_unit(ThriftReader& in, ParquetNode& node) {
  in.read_struct([&](int id, Type) {
    node.per_second = id == 1 ? 1000 : id == 2 ? 1'000'000 : 1'000'000'000;
    return false;
  });
}

// The union LogicalType: one field, whose number is the meaning.
void read_logical(ThriftReader& in, ParquetNode& node) {
  in.read_struct([&](int id, Type type) {
    switch (id) {
      case 1:
      case 4:
      case 12: node.meaning = ParquetMeaning::kText; return false;
      case 2: node.meaning = ParquetMeaning::kMap; return false;
      case 3: node.meaning = ParquetMeaning::kList; return false;
      case 6: node.meaning = ParquetMeaning::kDate; return false;
      case 14: node.meaning = ParquetMeaning::kUuid; return false;
      case 15: node.meaning = ParquetMeaning::kHalf; return false;
      case 5: node.meaning = ParquetMeaning::kDecimal; break;
      case 7: node.meaning = ParquetMeaning::kTime; break;
      case 8: node.meaning = ParquetMeaning::kTimestamp; break;
      case 10: break;
      default: return false;
    }
    if (type != ThriftReader::kStruct) {
      return false;
    }
    in.read_struct([&](int field, Type inner) {
      if (id == 5 && field == 1 && inner == ThriftReader::kI32) {
        node.scale = static_cast<int>(in.integer());
        return true;
      }
      if ((id == 7 || id == 8) && field == 2 && inner == ThriftReader::kStruct) {
        read_unit(in, node);
        return true;
      }
      if (id == 10 && field == 2 && inner == ThriftReader::kFalse) {
        node.meaning = ParquetMeaning::kUnsigned;
      }
      return false;
    });
    return true;
  });
}

// ConvertedType, what came before LogicalType.
void apply_converted(int64_t converted, ParquetNode& node) {
  switch (converted) {
    case 0:
    case 4:
    case 19: node.meaning = ParquetMeaning::kText; break;
    case 1:
    case 2: node.meaning = ParquetMeaning::kMap; break;
    case 3: node.meaning = ParquetMeaning::kList; break;
    case 5: node.meaning = ParquetMeaning::kDecimal; break;
    case 6: node.meaning = ParquetMeaning::kDate; break;
    case 7:
    case 8:
      node.meaning = ParquetMeaning::kTime;
      node.per_second = converted == 7 ? 1000 : 1'000'000;
      break;
    case 9:
    case 10:
      node.meaning = ParquetMeaning::kTimestamp;
      node.per_second = converted == 9 ? 1000 : 1'000'000;
      break;
    case 11:
    case 12:
    case 13:
    case 14: node.meaning = ParquetMeaning::kUnsigned; break;
    default: break;
  }
}

Element read_element(ThriftReader& in) {
  Element element;
  int64_t converted = -1;
  bool logical = false;
  in.read_struct([&](int id, Type type) {
    if (id == 4 && type == ThriftReader::kBinary) {
      element.node.name = in.binary();
      return true;
    }
    if (id == 10 && type == ThriftReader::kStruct) {
      read_logical(in, element.node);
      logical = element.node.meaning != ParquetMeaning::kNone;
      return true;
    }
    if (type != ThriftReader::kI32) {
      return false;
    }
    const int64_t value = in.integer();
    switch (id) {
      case 1:
        if (value < 0 || value > 7) {
          throw BrokenFile(fmt::format("a column of the unknown type {}", value));
        }
        element.node.type = static_cast<ParquetType>(value);
        element.typed = true;
        break;
      case 2: element.node.length = static_cast<int>(value); break;
      case 3: element.node.repetition = static_cast<int>(value); break;
      case 5: element.children = value; break;
      case 6: converted = value; break;
      case 7: element.node.scale = static_cast<int>(value); break;
      default: break;
    }
    return true;
  });
  if (!logical && converted >= 0) {
    apply_converted(converted, element.node);
  }
  const ParquetNode& node = element.node;
  if (node.repetition < 0 || node.repetition > 2 || node.scale < 0 || node.scale > 80 ||
      (node.type == ParquetType::kFixedBytes && (node.length <= 0 || node.length > (1 << 20)))) {
    throw BrokenFile(fmt::format("a column '{}' that cannot be", node.name.substr(0, 64)));
  }
  return element;
}

ParquetNode build(std::vector<Element>& elements, size_t& at, int definition, int repeat, int depth, size_t& leaf) {
  if (at == elements.size() || depth > kMaxLevels) {
    throw BrokenFile(depth > kMaxLevels ? "columns nested deeper than 16" : "a schema that ends in the middle");
  }
  Element& element = elements[at++];
  ParquetNode node = std::move(element.node);
  node.definition = definition + (depth > 0 && node.repetition > 0 ? 1 : 0);
  node.repeat = repeat + (depth > 0 && node.repetition == 2 ? 1 : 0);
  node.leaf = leaf;
  if (element.typed) {
    ++leaf;
    return node;
  }
  if (element.children <= 0 && depth > 0) {
    throw BrokenFile(fmt::format("the group '{}' has no columns", node.name.substr(0, 64)));
  }
  for (int64_t i = 0; i < element.children; ++i) {
    node.children.push_back(build(elements, at, node.definition, node.repeat, depth + 1, leaf));
  }
  node.leaves = leaf - node.leaf;
  return node;
}

void add_leaves(const ParquetNode& node, std::vector<const ParquetNode*>& out) {
  for (const ParquetNode& child : node.children) {
    child.children.empty() ? out.push_back(&child) : add_leaves(child, out);
  }
}

ParquetChunk read_chunk(ThriftReader& in, uint64_t file_size) {
  ParquetChunk chunk;
  int64_t data = -1;
  int64_t dictionary = -1;
  bool found = false;
  in.read_struct([&](int id, Type type) {
    if (id == 1 && type == ThriftReader::kBinary) {
      throw BrokenFile("a column that is kept in another file");
    }
    if (id != 3 || type != ThriftReader::kStruct) {
      return false;
    }
    found = true;
    in.read_struct([&](int field, Type inner) {
      if (inner != ThriftReader::kI32 && inner != ThriftReader::kI64) {
        return false;
      }
      const int64_t value = in.integer();
      switch (field) {
        case 1: chunk.type = static_cast<ParquetType>(value & 7); break;
        case 4: chunk.codec = static_cast<int>(value); break;
        case 5: chunk.values = static_cast<uint64_t>(value); break;
        case 7: chunk.size = static_cast<uint64_t>(value); break;
        case 9: data = value; break;
        case 11: dictionary = value; break;
        default: break;
      }
      return true;
    });
    return true;
  });
  if (!found) {
    throw BrokenFile("a column without metadata (its own may be encrypted)");
  }
  const int64_t begin = dictionary > 0 && dictionary < data ? dictionary : data;
  chunk.begin = static_cast<uint64_t>(begin);
  if (begin < 0 || chunk.begin > file_size || chunk.size > file_size - chunk.begin) {
    throw BrokenFile(fmt::format("a column that should be at byte {} of the file, with {} bytes", begin, chunk.size));
  }
  return chunk;
}

}  // namespace

void read_parquet_meta(std::string_view file, ParquetMeta& meta) {
  if (file.size() < 12 || !file.starts_with("PAR1")) {
    throw BrokenFile(file.ends_with("PARE") || file.starts_with("PARE") ? "the footer is encrypted" : "not a Parquet file");
  }
  if (!file.ends_with("PAR1")) {
    throw BrokenFile(file.ends_with("PARE") ? "the footer is encrypted" : "its end is missing: Parquet files end in PAR1");
  }
  uint32_t size = 0;
  std::memcpy(&size, file.data() + file.size() - 8, 4);
  if (size > file.size() - 12 || size > kMaxFooter) {
    throw BrokenFile(fmt::format("a footer of {} bytes", size));
  }
  ThriftReader in(file.substr(file.size() - 8 - size, size));
  std::vector<Element> elements;
  in.read_struct([&](int id, Type type) {
    if (id == 2 && type == ThriftReader::kList) {
      in.read_list([&](Type) {
        if (elements.size() > 2 * kMaxColumns) {
          throw BrokenFile(fmt::format("a schema of more than {} columns", kMaxColumns));
        }
        elements.push_back(read_element(in));
      });
    } else if (id == 3 && type == ThriftReader::kI64) {
      meta.rows = static_cast<uint64_t>(in.integer());
    } else if (id == 4 && type == ThriftReader::kList) {
      in.read_list([&](Type) {
        ParquetRowGroup group;
        in.read_struct([&](int field, Type inner) {
          if (field == 1 && inner == ThriftReader::kList) {
            in.read_list([&](Type) { group.chunks.push_back(read_chunk(in, file.size())); });
          } else if (field == 3 && inner == ThriftReader::kI64) {
            group.rows = static_cast<uint64_t>(in.integer());
          } else {
            return false;
          }
          return true;
        });
        if (meta.groups.size() == kMaxGroups) {
          throw BrokenFile(fmt::format("more than {} row groups", kMaxGroups));
        }
        meta.groups.push_back(std::move(group));
      });
    } else {
      return false;
    }
    return true;
  });
  size_t at = 0;
  size_t leaf = 0;
  meta.root = build(elements, at, 0, 0, 0, leaf);
  add_leaves(meta.root, meta.columns);
  if (meta.columns.size() != leaf || leaf == 0 || leaf > kMaxColumns || at != elements.size()) {
    throw BrokenFile(fmt::format("a schema of {} columns", leaf));
  }
  for (const ParquetRowGroup& group : meta.groups) {
    if (group.chunks.size() != leaf) {
      throw BrokenFile(fmt::format("a row group of {} columns; the schema has {}", group.chunks.size(), leaf));
    }
  }
}

}  // namespace slipway::data
