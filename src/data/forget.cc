#include "data/forget.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/row_file.h"

namespace slipway::data {
namespace {

constexpr const char* kForgotten = "[forgotten]";
constexpr size_t kPiece = size_t{1} << 20;

std::string as_key(const Json& value) { return value.is_string() ? value.get<std::string>() : base::dump_json(value); }

// The texts as bytes may show them: plain, and inside JSON.
std::vector<std::string> needles(const ForgetTarget& target) {
  std::vector<std::string> all;
  for (const std::string& text : target.texts) {
    if (text.size() < kMinSearchedBytes) {
      continue;
    }
    all.push_back(text);
    for (const bool ascii : {false, true}) {
      std::string quoted = Json(text).dump(-1, ' ', ascii, Json::error_handler_t::replace);
      all.push_back(quoted.substr(1, quoted.size() - 2));
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool holds_text(const std::string& value, const ForgetTarget& target) {
  if (target.text_digests.contains(base::digest_of(value))) {
    return true;
  }
  return std::any_of(target.texts.begin(), target.texts.end(), [&](const std::string& text) {
    // A report shows the beginning of a text: the value without its ellipsis begins the text.
    std::string_view begin = value;
    for (const std::string_view end : {"…", "..."}) {
      if (begin.ends_with(end)) {
        begin.remove_suffix(end.size());
      }
    }
    return text.size() >= kMinSearchedBytes &&
           (value.find(text) != std::string::npos || (begin.size() >= kMinSearchedBytes && std::string_view(text).starts_with(begin)));
  });
}

}  // namespace

bool ForgetTarget::matches(const Json& row) const {
  if (!row.is_object()) {
    return false;
  }
  if (!key.empty()) {
    for (const std::string& field : fields) {
      if (const auto it = row.find(field); it != row.end() && (it->is_string() || it->is_number()) && as_key(*it) == key) {
        return true;
      }
    }
  }
  const auto text = row.find(text_field);
  return text != row.end() && text->is_string() && !text_digests.empty() && text_digests.contains(base::digest_of(text->get_ref<const std::string&>()));
}

void ForgetTarget::learn(const Json& row) {
  const auto text = row.find(text_field);
  if (text == row.end() || !text->is_string() || text->get_ref<const std::string&>().empty()) {
    return;
  }
  text_digests.insert(base::digest_of(text->get_ref<const std::string&>()));
  if (std::find(texts.begin(), texts.end(), *text) == texts.end()) {
    texts.push_back(text->get<std::string>());
  }
}

std::vector<FoundRow> find_rows(const std::filesystem::path& place, const std::string& name, const ForgetTarget& target) {
  std::vector<FoundRow> found;
  if (row_format(name) == RowFormat::kNone) {
    return found;
  }
  RowFileReader reader(place, name);
  while (reader.next()) {
    if (const Json row = reader.json(); target.matches(row)) {
      found.push_back({fmt::format("{}:{}", name, reader.line()), row});
    }
  }
  return found;
}

int64_t count_texts(const std::filesystem::path& place, const ForgetTarget& target) {
  const std::vector<std::string> wanted = needles(target);
  if (wanted.empty()) {
    return 0;
  }
  size_t longest = 0;
  for (const std::string& one : wanted) {
    longest = std::max(longest, one.size());
  }
  int64_t count = 0;
  try {
    base::Input input(place);
    std::string buffer;
    std::string piece(kPiece, '\0');
    uint64_t from = 0;  // of the buffer, in the content
    std::vector<uint64_t> after(wanted.size(), 0);  // where the last one ended: none is counted twice
    while (const size_t got = input.read(piece.data(), piece.size())) {
      buffer.append(piece.data(), got);
      for (size_t i = 0; i < wanted.size(); ++i) {
        size_t at = after[i] > from ? static_cast<size_t>(after[i] - from) : 0;
        while ((at = buffer.find(wanted[i], at)) != std::string::npos) {
          ++count;
          at += wanted[i].size();
          after[i] = from + at;
        }
      }
      const size_t keep = std::min(buffer.size(), longest - 1);
      from += buffer.size() - keep;
      buffer.erase(0, buffer.size() - keep);
    }
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kIntegrity) {
      throw;
    }
  }
  return count;
}

int64_t write_without(const std::filesystem::path& place, const std::string& name, const ForgetTarget& target, const std::filesystem::path& out) {
  RowFileReader reader(place, name);
  RowFileWriter writer(out, name, place);
  if (!reader.columns().empty()) {
    writer.write(delimited_line(reader.columns(), reader.format()));
  }
  int64_t gone = 0;
  while (reader.next()) {
    if (target.matches(reader.json())) {
      ++gone;
    } else {
      writer.write(reader.record());
    }
  }
  writer.finish();
  return gone;
}

int64_t scrub_json(Json& document, const ForgetTarget& target) {
  int64_t gone = 0;
  if (document.is_array()) {
    for (auto it = document.begin(); it != document.end();) {
      if (target.matches(*it)) {
        it = document.erase(it);
        ++gone;
      } else {
        gone += scrub_json(*it, target);
        ++it;
      }
    }
  } else if (document.is_object()) {
    for (auto it = document.begin(); it != document.end(); ++it) {
      if (target.matches(*it)) {
        *it = kForgotten;
        ++gone;
      } else {
        gone += scrub_json(*it, target);
      }
    }
  } else if (document.is_string() && holds_text(document.get_ref<const std::string&>(), target)) {
    document = kForgotten;
    ++gone;
  }
  return gone;
}

int64_t scrub_text(std::string& text, const ForgetTarget& target) {
  std::vector<std::string> wanted = needles(target);
  for (const std::string& one : target.texts) {
    std::string html;
    for (const char c : one) {
      html += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : std::string(1, c);
    }
    if (one.size() >= kMinSearchedBytes && html != one) {
      wanted.push_back(std::move(html));
    }
  }
  int64_t count = 0;
  for (const std::string& one : wanted) {
    for (size_t at = text.find(one); at != std::string::npos; at = text.find(one, at)) {
      text.replace(at, one.size(), kForgotten);
      ++count;
    }
  }
  return count;
}

namespace {

constexpr size_t kMaxStored = size_t{64} << 20;
constexpr int kMaxStoredDepth = 8;  // of JSON in strings of JSON

std::optional<Json> as_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[' && text[first] != '"')) {
    return std::nullopt;
  }
  try {
    return base::parse_json(text, "text", {kMaxStored, kMaxRowDepth});
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

int64_t scrub_stored(std::string& text, const ForgetTarget& target, int depth);

// The strings of a document that are JSON themselves.
int64_t scrub_inner(Json& document, const ForgetTarget& target, int depth) {
  if (document.is_string()) {
    std::string inner = document.get<std::string>();
    const int64_t gone = depth < kMaxStoredDepth && as_json(inner) ? scrub_stored(inner, target, depth + 1) : 0;
    if (gone > 0) {
      document = inner;
    }
    return gone;
  }
  int64_t gone = 0;
  if (document.is_structured()) {
    for (auto it = document.begin(); it != document.end(); ++it) {
      gone += scrub_inner(*it, target, depth);
    }
  }
  return gone;
}

// What is left of a text that was cut within one of the target's.
bool scrub_cut(std::string& text, const std::string& wanted) {
  constexpr size_t kBegin = 40;
  const std::string_view begin = std::string_view(wanted).substr(0, std::max(kBegin, kMinSearchedBytes));
  std::string_view rest = text;
  for (const std::string_view end : {"…", "..."}) {
    if (rest.ends_with(end)) {
      rest.remove_suffix(end.size());
    }
  }
  const size_t at = rest.find(begin);
  if (at == std::string_view::npos || !std::string_view(wanted).starts_with(rest.substr(at))) {
    return false;
  }
  text = text.substr(0, at) + kForgotten;
  return true;
}

int64_t scrub_stored(std::string& text, const ForgetTarget& target, int depth) {
  if (std::optional<Json> document = as_json(text)) {
    // In a list, so that it may be the document's itself, or its text.
    Json list = Json::array({std::move(*document)});
    int64_t gone = scrub_inner(list, target, depth);
    gone += scrub_json(list, target);
    if (gone > 0) {
      text = base::dump_json(list.empty() ? Json(kForgotten) : list[0]);
    }
    return gone;
  }
  if (target.text_digests.contains(base::digest_of(text))) {
    text = kForgotten;
    return 1;
  }
  int64_t gone = scrub_text(text, target);
  for (const std::string& wanted : needles(target)) {
    gone += scrub_cut(text, wanted) ? 1 : 0;
  }
  return gone;
}

}  // namespace

int64_t scrub_stored_text(std::string& text, const ForgetTarget& target) { return scrub_stored(text, target, 0); }

void rewrite_manifest(Json& manifest, const std::map<std::string, RewrittenShard>& shards) {
  std::vector<std::string> leaves;
  int64_t all = 0;
  for (const char* name : {"train", "validation", "test"}) {
    Json& split = manifest.at("splits").at(name);
    for (Json& shard : split.at("shards")) {
      if (const auto changed = shards.find(shard.at("file").get<std::string>()); changed != shards.end()) {
        const auto& [place, removed] = changed->second;
        const auto lost = static_cast<int64_t>(removed.size());
        shard["rows"] = shard.at("rows").get<int64_t>() - lost;
        shard["sha256"] = base::sha256_file(place);
        shard["size"] = std::filesystem::file_size(place);
        split["rows"] = split.at("rows").get<int64_t>() - lost;
        for (const Json& row : removed) {
          split["text_bytes"] = split.value("text_bytes", int64_t{0}) - static_cast<int64_t>(row.value("text", "").size());
          Json& labels = split["labels"];
          if (const auto label = labels.find(row.value("label", "")); label != labels.end()) {
            *label = label->get<int64_t>() - 1;
          }
        }
      }
      leaves.push_back(shard.at("sha256").get<std::string>());
    }
    all += split.at("rows").get<int64_t>();
  }
  manifest["rows"] = all;
  manifest["merkle_root"] = base::merkle_root(leaves);
}

}  // namespace slipway::data
