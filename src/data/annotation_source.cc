#include "data/annotation_source.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr int kMaxIndent = 16;

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Bytes of the JSON object, array or text that begins `text`; 0 when it does not end in it, npos when it is none of those.
class ValueScanner {
 public:
  // Goes on where it stopped.
  size_t scan(std::string_view text) {
    for (; at_ < text.size(); ++at_) {
      const char c = text[at_];
      if (in_text_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_text_ = false;
        }
      } else if (c == '"') {
        in_text_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        --depth_;
      }
      if (depth_ == 0 && !in_text_) {
        return at_ + 1;
      }
    }
    return 0;
  }

 private:
  size_t at_ = 0;
  int depth_ = 0;
  bool in_text_ = false;
  bool escaped_ = false;
};

void append_text(const std::string& text, const JsonStyle& style, std::string& out) {
  const std::string written = Json(text).dump(-1, ' ', style.ascii, Json::error_handler_t::replace);
  if (!style.slash) {
    out += written;
    return;
  }
  for (const char c : written) {
    if (c == '/') {
      out += '\\';
    }
    out += c;
  }
}

int digits(std::string_view text, size_t at, size_t count) noexcept {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') {
      return -1;
    }
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Minutes east of UTC of "", "Z", "+02:00", "+0200"; nothing for anything else.
std::optional<int> zone_of(std::string_view text) noexcept {
  if (text.empty() || text == "Z" || text == "z") {
    return 0;
  }
  if (text[0] != '+' && text[0] != '-') {
    return std::nullopt;
  }
  const size_t minutes_at = text.size() == 6 && text[3] == ':' ? 4 : 3;
  const int hours = digits(text, 1, 2);
  const int minutes = digits(text, minutes_at, 2);
  if (text.size() != minutes_at + 2 || hours < 0 || minutes < 0) {
    return std::nullopt;
  }
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

SourceBytes::SourceBytes(AnnotationBytes read, std::string name) : read_(std::move(read)), name_(std::move(name)) {}

bool SourceBytes::more() {
  if (at_end_) {
    return false;
  }
  if (begin_ > 0 && begin_ >= buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const size_t size = buffer_.size();
  buffer_.resize(size + std::max(kReadBytes, size / 2));
  const size_t got = read_(buffer_.data() + size, buffer_.size() - size);
  buffer_.resize(size + got);
  at_end_ = got == 0;
  return !at_end_;
}

std::string_view SourceBytes::peek(size_t wanted) {
  skip(0);
  while (buffer_.size() - begin_ < wanted && more()) {
  }
  return std::string_view(buffer_).substr(begin_);
}

void SourceBytes::skip(size_t bytes) {
  begin_ += pending_;
  pending_ = 0;
  line_number_ += static_cast<uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                                   buffer_.begin() + static_cast<std::ptrdiff_t>(begin_ + bytes), '\n'));
  begin_ += bytes;
}

bool SourceBytes::line(std::string_view& line) {
  begin_ += pending_;
  pending_ = 0;
  size_t searched = 0;
  for (;;) {
    const size_t end = buffer_.find('\n', begin_ + searched);
    if (end != std::string::npos) {
      line = std::string_view(buffer_).substr(begin_, end - begin_);
      pending_ = line.size() + 1;
      break;
    }
    searched = buffer_.size() - begin_;
    if (searched > kMaxAnnotationRecord) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: the line is longer than {} MiB", name_, line_number_ + 1, kMaxAnnotationRecord >> 20));
    }
    if (!more()) {
      if (searched == 0) {
        return false;
      }
      line = std::string_view(buffer_).substr(begin_);
      pending_ = line.size();
      ended_by_feed_ = false;
      ++line_number_;
      return true;
    }
  }
  ended_by_feed_ = true;
  ++line_number_;
  return true;
}

Json to_json(const JsonStyle& style) {
  Json json = Json::object();
  const auto put = [&](const char* key, bool value) {
    if (value) {
      json[key] = true;
    }
  };
  put("array", style.array);
  if (style.indent > 0) {
    json["indent"] = style.indent;
  }
  put("spaces", style.spaces);
  put("ascii", style.ascii);
  put("slash", style.slash);
  return json;
}

JsonStyle style_of(const Json& source) noexcept {
  JsonStyle style;
  const Json* json = member(source, "style");
  if (json == nullptr) {
    return style;
  }
  const auto flag = [&](const char* key) {
    const Json* value = member(*json, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
  };
  style.array = flag("array");
  style.spaces = flag("spaces");
  style.ascii = flag("ascii");
  style.slash = flag("slash");
  if (const Json* indent = member(*json, "indent"); indent != nullptr) {
    style.indent = static_cast<int>(std::clamp<int64_t>(integer_in(*indent).value_or(0), 0, kMaxIndent));
  }
  return style;
}

void append_styled(const Json& value, const JsonStyle& style, int outer, std::string& out) {
  if (value.is_string()) {
    append_text(value.get_ref<const std::string&>(), style, out);
    return;
  }
  if (!value.is_structured()) {
    out += value.dump();
    return;
  }
  const bool object = value.is_object();
  out += object ? '{' : '[';
  const int inner = outer + style.indent;
  const auto line = [&](int blanks) {
    if (style.indent > 0) {
      out += '\n';
      out.append(static_cast<size_t>(blanks), ' ');
    }
  };
  bool first = true;
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (!first) {
      out += style.spaces && style.indent == 0 ? ", " : ",";
    }
    first = false;
    line(inner);
    if (object) {
      append_text(it.key(), style, out);
      out += style.spaces ? ": " : ":";
    }
    append_styled(*it, style, inner, out);
  }
  if (!first) {
    line(outer);
  }
  out += object ? '}' : ']';
}

size_t JsonValues::skip_space() {
  size_t skipped = 0;
  for (;;) {
    const std::string_view text = bytes_.peek(1);
    size_t n = 0;
    while (n < text.size() && is_space(text[n])) {
      ++n;
    }
    // The blanks at the end of the last line are the indent.
    const size_t feed = text.substr(0, n).rfind('\n');
    skipped = feed == std::string_view::npos ? skipped + n : n - feed - 1;
    bytes_.skip(n);
    if (n < text.size() || n == 0) {
      return skipped;
    }
  }
}

bool JsonValues::next_in_array(std::string_view& value) {
  const size_t indent = skip_space();
  std::string_view text = bytes_.peek(1);
  const auto fail = [&](const char* what) { throw Error(Code::kInvalid, fmt::format("{}: {}, after {} elements of the array", bytes_.name(), what, count_)); };
  if (text.empty()) {
    fail("the file ends in the middle");
  }
  if (text[0] == ']') {
    bytes_.skip(1);
    closed_ = true;
    skip_space();
    if (!bytes_.peek(1).empty()) {
      fail("there is something behind the array's end");
    }
    return false;
  }
  if (count_ > 0) {
    if (text[0] != ',') {
      fail("a comma is missing");
    }
    bytes_.skip(1);
    skip_space();
    text = bytes_.peek(1);
  } else {
    indent_ = static_cast<int>(std::min<size_t>(indent, kMaxIndent));
  }
  if (text.empty() || (text[0] != '{' && text[0] != '[')) {
    fail("an element is no object");
  }
  ValueScanner scanner;
  for (size_t wanted = 1;; wanted = text.size() + 1) {
    text = bytes_.peek(wanted);
    const size_t size = scanner.scan(text);
    if (size > kMaxAnnotationRecord || (size == 0 && text.size() > kMaxAnnotationRecord)) {
      fail("an element is longer than 64 MiB");
    }
    if (size > 0) {
      value = text.substr(0, size);
      pending_ = size;
      return true;
    }
    if (text.size() < wanted) {
      fail("the file ends in the middle of an element");
    }
  }
}

bool JsonValues::next(std::string_view& value, std::string& where) {
  bytes_.skip(pending_);
  pending_ = 0;
  if (closed_) {
    return false;
  }
  if (kind_ == Kind::kUnknown) {
    if (const std::string_view head = bytes_.peek(3); head.starts_with("\xEF\xBB\xBF")) {
      bytes_.skip(3);
    }
    skip_space();
    const std::string_view text = bytes_.peek(1);
    if (text.empty()) {
      return false;
    }
    kind_ = text[0] == '[' ? Kind::kArray : Kind::kValues;
    if (kind_ == Kind::kArray) {
      bytes_.skip(1);
    }
  }
  if (kind_ == Kind::kArray) {
    where = fmt::format("{}: element {}", bytes_.name(), count_ + 1);
    const bool there = next_in_array(value);
    count_ += there ? 1 : 0;
    return there;
  }
  if (kind_ == Kind::kLines) {
    while (bytes_.line(value)) {
      if (std::any_of(value.begin(), value.end(), [](char c) { return !is_space(c); })) {
        where = fmt::format("{}:{}", bytes_.name(), bytes_.line_number());
        return true;
      }
    }
    return false;
  }
  skip_space();
  where = fmt::format("{}:{}", bytes_.name(), bytes_.line_number() + 1);
  ValueScanner scanner;
  std::string_view text;
  for (size_t wanted = 1;; wanted = text.size() + 1) {
    text = bytes_.peek(wanted);
    if (text.empty()) {
      return false;
    }
    if (text[0] != '{') {
      bad_record(where, "is no JSON object");
    }
    const size_t size = scanner.scan(text);
    if (size > 0) {
      value = text.substr(0, size);
      // An object on a line of its own: so are all others, and a broken one takes no other with it.
      const size_t feed = text.find('\n');
      if (count_++ == 0 && (feed == std::string_view::npos || feed >= size)) {
        kind_ = Kind::kLines;
        return bytes_.line(value);
      }
      pending_ = size;
      return true;
    }
    if (text.size() < wanted || text.size() > kMaxAnnotationRecord) {
      bad_record(where, text.size() < wanted ? "the object does not end" : "the object is longer than 64 MiB");
    }
  }
}

JsonStyle JsonValues::style(std::string_view value) const {
  JsonStyle style;
  style.array = kind_ == Kind::kArray;
  bool non_ascii = false;
  bool escapes = false;
  bool in_text = false;
  int outer = style.array ? indent_ : 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    non_ascii = non_ascii || static_cast<unsigned char>(c) >= 0x80;
    if (in_text && c == '\\' && i + 1 < value.size()) {
      style.slash = style.slash || value[i + 1] == '/';
      escapes = escapes || (value[i + 1] == 'u' && i + 5 < value.size() && value.substr(i + 2, 4) > "007f");
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == ':' || c == ',') && i + 1 < value.size() && value[i + 1] == ' ') {
      style.spaces = true;
    } else if (!in_text && c == '\n' && style.indent == 0) {
      const size_t blanks = value.find_first_not_of(' ', i + 1);
      const size_t wide = blanks == std::string_view::npos ? 0 : blanks - i - 1;
      style.indent = std::clamp(static_cast<int>(std::min<size_t>(wide, 1000)) - outer, 0, kMaxIndent);
    }
  }
  style.ascii = escapes && !non_ascii;
  return style;
}

std::optional<Original> original_of(const record::Task& task, AnnotationFormat format) {
  const Json* source = member(task.meta, kSourceKey);
  const std::string* name = source == nullptr ? nullptr : text_member(*source, "format");
  const Json* kept = source == nullptr ? nullptr : member(*source, "record");
  if (name == nullptr || *name != name_of(format) || kept == nullptr) {
    return std::nullopt;
  }
  Original original{*kept, ""};
  if (const std::string* pointer = text_member(*source, "text"); pointer != nullptr) {
    original.pointer = *pointer;
    try {
      original.record.at(Json::json_pointer(*pointer)) = task.text;
    } catch (const nlohmann::json::exception&) {
      return std::nullopt;  // somebody changed meta: the record cannot be had back
    }
  }
  return original;
}

void keep_source(record::Task& task, AnnotationFormat format, Json record, const std::string& pointer, const JsonStyle& style) {
  Json source = {{"format", name_of(format)}};
  if (!pointer.empty()) {
    record.at(Json::json_pointer(pointer)) = nullptr;
    source["text"] = pointer;
  }
  source["record"] = std::move(record);
  if (Json layout = to_json(style); !layout.empty()) {
    source["style"] = std::move(layout);
  }
  task.meta[kSourceKey] = std::move(source);
}

Json plain_meta(const record::Task& task) {
  Json meta = task.meta.is_object() ? task.meta : Json::object();
  meta.erase(kSourceKey);
  return meta;
}

bool same_annotation(const record::Annotation& a, const record::Annotation& b) noexcept {
  return a.answer == b.answer && a.annotator == b.annotator && a.skipped == b.skipped && a.ground_truth == b.ground_truth && a.note == b.note &&
         a.seconds == b.seconds && a.created_ms == b.created_ms && a.updated_ms == b.updated_ms;
}

bool same_suggestion(const record::Suggestion& a, const record::Suggestion& b) noexcept {
  return a.source == b.source && a.score == b.score && a.answer == b.answer;
}

std::string text_key(const record::Task& task) {
  std::string all = task.text;
  for (const std::string& candidate : task.candidates) {
    all += '\0' + candidate;
  }
  for (const record::Message& message : task.messages) {
    all += '\0' + message.role + '\0' + message.content;
  }
  return fmt::format("{:016x}", base::xxh64(all));
}

const Json* member(const Json& object, const char* key) noexcept {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const std::string* text_member(const Json& object, const char* key) noexcept {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get_ptr<const std::string*>() : nullptr;
}

std::optional<int64_t> integer_in(const Json& value) noexcept {
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) {
    return std::nullopt;
  }
  if (value.is_number_integer()) {
    return value.get<int64_t>();
  }
  if (value.is_number_float()) {  // pandas writes 3.0
    const double number = value.get<double>();
    if (number >= -9e15 && number <= 9e15 && number == static_cast<double>(static_cast<int64_t>(number))) {
      return static_cast<int64_t>(number);
    }
  }
  return std::nullopt;
}

std::string id_text(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>().substr(0, 500);
  }
  const auto number = integer_in(value);
  return number ? std::to_string(*number) : std::string();
}

void bad_record(const std::string& where, const std::string& what) { throw Error(Code::kInvalid, where + ": " + what); }

std::optional<int64_t> parse_time_ms(std::string_view text) noexcept {
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
      text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  size_t at = 19;
  int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    int64_t unit = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      fraction += unit * (text[at] - '0');
      unit /= 10;
    }
  }
  const auto zone = zone_of(text.substr(at));
  if (!zone) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute - *zone) * 60000 + second * 1000 + fraction;
}

Positions::Positions(std::string_view text) : text_(text) {
  for (size_t at = 0; at < text.size();) {
    starts_.push_back(at);
    const uint32_t size = text::decode_at(text, at).size;
    astral_ = astral_ || size == 4;
    at += size;
  }
  starts_.push_back(text.size());
  if (astral_) {
    size_t units = 0;
    for (size_t i = 0; i + 1 < starts_.size(); ++i) {
      units_.push_back(units);
      units += starts_[i + 1] - starts_[i] == 4 ? 2 : 1;
    }
    units_.push_back(units);
  }
}

std::string_view Positions::slice(int64_t start, int64_t end) const {
  const size_t from = byte_of(std::clamp<int64_t>(start, 0, size()));
  const size_t to = byte_of(std::clamp<int64_t>(end, 0, size()));
  return to > from ? text_.substr(from, to - from) : std::string_view();
}

int64_t Positions::of_byte(size_t byte) const noexcept {
  return std::upper_bound(starts_.begin(), starts_.end(), byte) - starts_.begin() - 1;
}

int64_t Positions::of_utf16(int64_t units) const {
  if (!astral_) {
    return std::clamp<int64_t>(units, 0, size());
  }
  const auto after = std::upper_bound(units_.begin(), units_.end(), static_cast<size_t>(std::max<int64_t>(units, 0)));
  return after - units_.begin() - 1;
}

}  // namespace slipway::data
