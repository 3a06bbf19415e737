#include "base/yaml.h"

#include <yaml.h>

#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {
namespace {

// The core schema of YAML 1.2 (section 10.3.2); everything else is text.
Json plain_scalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  const char* begin = text.data();
  const char* end = begin + text.size();
  const bool hex = text.starts_with("0x");
  const bool octal = text.starts_with("0o");
  int64_t whole = 0;
  const char* digits = begin + (hex || octal ? 2 : text.front() == '+' ? 1 : 0);
  const auto as_whole = std::from_chars(digits, end, whole, hex ? 16 : octal ? 8 : 10);
  if (digits != end && as_whole.ec == std::errc() && as_whole.ptr == end) {
    return whole;
  }
  const std::string_view magnitude = text.front() == '-' || text.front() == '+' ? text.substr(1) : text;
  if (magnitude == ".inf" || magnitude == ".Inf" || magnitude == ".INF") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text.front() == '-' ? -infinity : infinity;
  }
  const bool number_like = !magnitude.empty() && magnitude.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                           magnitude.find_first_of("0123456789") != std::string_view::npos &&
                           magnitude.front() != 'e' && magnitude.front() != 'E';
  double real = 0;
  const char* number = begin + (text.front() == '+' ? 1 : 0);
  if (number_like) {
    const auto as_real = std::from_chars(number, end, real);
    if (as_real.ec == std::errc() && as_real.ptr == end) {
      return real;
    }
  }
  return std::string(text);
}

size_t count_nodes(const Json& value) {
  size_t count = 1;
  if (value.is_structured()) {
    for (const auto& child : value) {
      count += count_nodes(child);
    }
  }
  return count;
}

class Builder {
 public:
  Builder(std::string_view text, std::string_view source, const YamlLimits& limits) : source_(source), limits_(limits) {
    if (yaml_parser_initialize(&parser_) == 0) {
      throw Error(Code::kFailure, "cannot start the YAML parser: out of memory");
    }
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Builder() {
    clear();
    yaml_parser_delete(&parser_);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  YamlDocument document() {
    YamlDocument result;
    result.value = Json::object();
    next();  // stream start
    next();
    if (event_.type == YAML_STREAM_END_EVENT) {
      return result;
    }
    next();  // past document start
    result.value = node("", 0, result.lines);
    if (result.value.is_null()) {
      result.value = Json::object();
    }
    next();  // document end
    next();
    if (event_.type != YAML_STREAM_END_EVENT) {
      fail("has a second document; one is wanted");
    }
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { fail_at(event_.start_mark, what); }
  [[noreturn]] void fail_at(const yaml_mark_t& mark, const std::string& what) const {
    throw Error(Code::kInvalid, fmt::format("{}:{}:{}: {}", source_, mark.line + 1, mark.column + 1, what));
  }

  void clear() {
    if (has_event_) {
      yaml_event_delete(&event_);
      has_event_ = false;
    }
  }

  void next() {
    clear();
    if (yaml_parser_parse(&parser_, &event_) == 0) {
      event_ = {};
      fail_at(parser_.problem_mark, parser_.problem != nullptr ? parser_.problem : "is not valid YAML");
    }
    has_event_ = true;
  }

  std::string scalar_text() const {
    return {reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length};
  }

  static std::string anchor_of(const yaml_char_t* anchor) {
    return anchor == nullptr ? std::string() : reinterpret_cast<const char*>(anchor);
  }

  void count(size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.max_nodes) {
      fail(fmt::format("holds more than {} values (aliases counted each time)", limits_.max_nodes));
    }
  }

  // The node at the current event, which is its last one on return.
  Json node(const std::string& pointer, int depth, std::map<std::string, int>& lines) {
    if (depth > limits_.max_depth) {
      fail(fmt::format("is nested deeper than {} levels", limits_.max_depth));
    }
    count(1);
    lines[pointer] = static_cast<int>(event_.start_mark.line) + 1;
    switch (event_.type) {
      case YAML_SCALAR_EVENT: {
        const std::string anchor = anchor_of(event_.data.scalar.anchor);
        const bool plain = event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event_.data.scalar.tag == nullptr;
        Json value = plain ? plain_scalar(scalar_text()) : Json(scalar_text());
        return remember(anchor, std::move(value));
      }
      case YAML_ALIAS_EVENT: {
        const std::string name = anchor_of(event_.data.alias.anchor);
        const auto found = anchors_.find(name);
        if (found == anchors_.end()) {
          fail(fmt::format("alias '*{}' has no anchor before it", name));
        }
        count(count_nodes(found->second));
        return found->second;
      }
      case YAML_SEQUENCE_START_EVENT: return sequence(pointer, depth, lines);
      case YAML_MAPPING_START_EVENT: return mapping(pointer, depth, lines);
      default: fail("has an unexpected end");
    }
  }

  Json remember(const std::string& anchor, Json value) {
    if (!anchor.empty()) {
      anchors_[anchor] = value;
    }
    return value;
  }

  Json sequence(const std::string& pointer, int depth, std::map<std::string, int>& lines) {
    const std::string anchor = anchor_of(event_.data.sequence_start.anchor);
    Json list = Json::array();
    for (next(); event_.type != YAML_SEQUENCE_END_EVENT; next()) {
      list.push_back(node(fmt::format("{}/{}", pointer, list.size()), depth + 1, lines));
    }
    return remember(anchor, std::move(list));
  }

  Json mapping(const std::string& pointer, int depth, std::map<std::string, int>& lines) {
    const std::string anchor = anchor_of(event_.data.mapping_start.anchor);
    Json object = Json::object();
    for (next(); event_.type != YAML_MAPPING_END_EVENT; next()) {
      if (event_.type != YAML_SCALAR_EVENT) {
        fail("a key must be text");
      }
      const std::string key = scalar_text();
      if (object.contains(key)) {
        fail(fmt::format("key '{}' is given twice", key));
      }
      next();
      object[key] = node(pointer + "/" + key, depth + 1, lines);
    }
    return remember(anchor, std::move(object));
  }

  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool has_event_ = false;
  std::string source_;
  YamlLimits limits_;
  size_t nodes_ = 0;
  std::map<std::string, Json> anchors_;
};

}  // namespace

std::string YamlDocument::where(std::string_view source, const std::string& pointer) const {
  const auto found = lines.find(pointer);
  return found == lines.end() ? std::string(source) : fmt::format("{}:{}", source, found->second);
}

YamlDocument parse_yaml(std::string_view text, std::string_view source, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(Code::kInvalid, fmt::format("{}: is {} bytes long; the limit is {}", source, text.size(), limits.max_bytes));
  }
  return Builder(text, source, limits).document();
}

}  // namespace slipway::base
