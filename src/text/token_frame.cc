#include "text/token_frame.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/vocabulary.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;
using Item = TokenFrame::Item;

int32_t checked_id(int64_t id, const std::string& where) {
  if (id < 0 || id > Vocabulary::kMaxId) {
    throw Error(Code::kInvalid, fmt::format("{}: id {} is not in 0 to {}", where, id, Vocabulary::kMaxId));
  }
  return static_cast<int32_t>(id);
}

// ["[SEP]", 102]
int32_t pair_id(const Json& json, const char* key, const std::string& where) {
  const Json pair = base::get<Json>(json, key, where);
  if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_integer()) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is not a pair of token and id", where, key));
  }
  return checked_id(pair[1].get<int64_t>(), where);
}

int32_t type_id_of(const Json& item, const std::string& where) {
  const auto type = base::get_or<int64_t>(item, "type_id", 0, where);
  if (type < 0 || type > 255) {
    throw Error(Code::kInvalid, fmt::format("{}: type_id {} is not in 0 to 255", where, type));
  }
  return static_cast<int32_t>(type);
}

std::vector<Item> parse_items(const Json& json, const char* key, const Json& special, const std::string& where) {
  constexpr size_t kMaxItems = 64;
  const Json list = base::get_or<Json>(json, key, Json::array(), where);
  if (!list.is_array() || list.size() > kMaxItems) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is not a list of at most {} items", where, key, kMaxItems));
  }
  std::vector<Item> items;
  for (const Json& entry : list) {
    if (entry.is_object() && entry.contains("Sequence")) {
      const Json& sequence = entry["Sequence"];
      const auto name = base::get<std::string>(sequence, "id", where);
      const int index = name == "B" ? 1 : 0;
      items.push_back({index, 0, type_id_of(sequence, where), index});
    } else if (entry.is_object() && entry.contains("SpecialToken")) {
      const Json& token = entry["SpecialToken"];
      const auto name = base::get<std::string>(token, "id", where);
      const Json definition = base::get<Json>(special, name, where + ": special_tokens");
      for (const auto id : base::get<std::vector<int64_t>>(definition, "ids", where + ": " + name)) {
        items.push_back({-1, checked_id(id, where), type_id_of(token, where)});
      }
    } else {
      throw Error(Code::kInvalid, fmt::format("{}: an item of '{}' is neither Sequence nor SpecialToken", where, key));
    }
  }
  return items;
}

void check_texts(const std::vector<Item>& items, int texts, const char* key, const std::string& where) {
  for (int sequence = 0; sequence < 2; ++sequence) {
    const auto times = std::count_if(items.begin(), items.end(), [&](const Item& i) { return i.sequence == sequence; });
    if (times != (sequence < texts ? 1 : 0)) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' has the {} text {} times; exactly {} is supported", where, key,
                                              sequence == 0 ? "first" : "second", times, sequence < texts ? 1 : 0));
    }
  }
}

TokenFrame parse_template(const Json& json, const std::string& where) {
  TokenFrame frame;
  const Json special = base::get_or<Json>(json, "special_tokens", Json::object(), where);
  frame.single = parse_items(json, "single", special, where);
  check_texts(frame.single, 1, "single", where);
  std::vector<Item> pair = parse_items(json, "pair", special, where);
  if (!pair.empty()) {
    check_texts(pair, 2, "pair", where);
    frame.pair = std::move(pair);
  }
  return frame;
}

// The processors of a Sequence work one after the other: what a later one adds goes around what is there.
void wrap(std::vector<Item>& inner, const std::vector<Item>& outer) {
  std::vector<Item> items;
  for (const Item& item : outer) {
    if (item.sequence == 0) {
      items.insert(items.end(), inner.begin(), inner.end());
    } else {
      items.push_back(item);
    }
  }
  inner = std::move(items);
}

bool adds_tokens(const std::vector<Item>& items) {
  return std::any_of(items.begin(), items.end(), [](const Item& item) { return item.sequence < 0; });
}

TokenFrame parse_sequence(const Json& json, const std::string& where, const std::string& source) {
  TokenFrame frame;
  const Json processors = base::get<Json>(json, "processors", where);
  for (const Json& part : processors) {
    TokenFrame next = parse_post_processor(part, source);
    if (next.trim_offsets) {
      frame.trim_offsets = true;
      frame.add_prefix_space = next.add_prefix_space;
    }
    wrap(frame.single, next.single);
    if (!adds_tokens(frame.pair)) {
      frame.pair = std::move(next.pair);
    }
  }
  return frame;
}

}  // namespace

TokenFrame make_frame(const std::vector<int32_t>& before, const std::vector<int32_t>& after,
                      const std::vector<int32_t>& between) {
  TokenFrame frame;
  const auto add = [](std::vector<Item>& items, const std::vector<int32_t>& ids, int32_t type) {
    for (const int32_t id : ids) {
      items.push_back({-1, id, type});
    }
  };
  frame.single.clear();
  frame.pair.clear();
  add(frame.single, before, 0);
  add(frame.pair, before, 0);
  frame.single.push_back({0, 0, 0});
  frame.pair.push_back({0, 0, 0});
  add(frame.single, after, 0);
  add(frame.pair, after, 0);
  add(frame.pair, between, 1);
  frame.pair.push_back({1, 0, 1});
  add(frame.pair, after, 1);
  return frame;
}

TokenFrame parse_post_processor(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return {};
  }
  const auto type = base::get<std::string>(json, "type", source + ": post_processor");
  const std::string where = fmt::format("{}: post_processor {}", source, type);
  if (type == "TemplateProcessing") {
    return parse_template(json, where);
  }
  if (type == "BertProcessing") {
    return make_frame({pair_id(json, "cls", where)}, {pair_id(json, "sep", where)}, {});
  }
  if (type == "RobertaProcessing") {
    const int32_t sep = pair_id(json, "sep", where);
    TokenFrame frame = make_frame({pair_id(json, "cls", where)}, {sep}, {sep});
    for (Item& item : frame.pair) {
      item.type_id = 0;  // RoBERTa has one type only
    }
    frame.trim_offsets = base::get_or(json, "trim_offsets", true, where);
    frame.add_prefix_space = base::get_or(json, "add_prefix_space", true, where);
    return frame;
  }
  if (type == "ByteLevel") {
    TokenFrame frame;
    frame.trim_offsets = base::get_or(json, "trim_offsets", true, where);
    frame.add_prefix_space = base::get_or(json, "add_prefix_space", true, where);
    return frame;
  }
  if (type == "Sequence") {
    return parse_sequence(json, where, source);
  }
  throw Error(Code::kInvalid, fmt::format("{}: post_processor type '{}' is not supported; supported: BertProcessing, "
                                          "ByteLevel, RobertaProcessing, Sequence, TemplateProcessing",
                                          source, type));
}

}  // namespace slipway::text
