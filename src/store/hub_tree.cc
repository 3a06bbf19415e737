#include "store/hub_tree.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::store {

using base::Code;
using base::Error;

namespace {

constexpr size_t kMaxLines = 10'000;  // branches of branches
constexpr int kRowsAtOnce = 1000;      // a server sends all rows of a query at once

}  // namespace

std::vector<HubPlace> hub_chain(Database& database, HubPlace place) {
  std::vector<HubPlace> chain;
  Statement query = database.prepare("SELECT base, base_depth FROM hub_lines WHERE number = ?");
  while (place.line != 0) {
    chain.push_back(place);
    if (chain.size() > kMaxLines || !query.bind(place.line).step()) {
      throw Error(Code::kIntegrity, fmt::format("the line {} of a repository's commits leads nowhere", place.line));
    }
    place = {query.integer(0), query.integer(1)};
  }
  return chain;
}

std::optional<HubRow> find_hub_row(Database& database, const std::vector<HubPlace>& chain, const std::string& path) {
  Statement query = database.prepare(
      "SELECT digest, size, oid, lfs, depth FROM hub_files WHERE line = ? AND path = ? AND depth <= ? "
      "ORDER BY depth DESC LIMIT 1");
  for (const HubPlace& place : chain) {
    if (!query.bind(place.line, path, place.depth).step()) {
      continue;
    }
    if (query.is_null(0)) {
      return std::nullopt;
    }
    return HubRow{path,          query.text(0),         static_cast<uint64_t>(query.integer(1)),
                  query.text(2), query.integer(3) != 0, {place.line, query.integer(4)}};
  }
  return std::nullopt;
}

HubWalk::HubWalk(Database& database, const std::vector<HubPlace>& chain, const std::string& from, std::string end)
    : end_(std::move(end)) {
  for (const HubPlace& place : chain) {
    lines_.push_back({place,
                      database.prepare("SELECT path, digest, size, oid, lfs, depth FROM hub_files WHERE line = ? AND "
                                       "(path, depth) > (?, ?) AND path < ? AND depth <= ? ORDER BY path, depth LIMIT ?"),
                      {},
                      {},
                      0});
  }
  skip_to(from);
}

void HubWalk::skip_to(const std::string& from) {
  for (LineWalk& line : lines_) {
    line.query.bind(line.place.line, from, -1, end_, line.place.depth, kRowsAtOnce);
    line.left = kRowsAtOnce;
    read_ahead(line);
    advance(line);
  }
}

void HubWalk::read_ahead(LineWalk& line) {
  Statement& query = line.query;
  if (line.left == 0 && line.ahead) {  // there may be more
    query.bind(line.place.line, line.ahead->path, line.ahead->written.depth, end_, line.place.depth, kRowsAtOnce);
    line.left = kRowsAtOnce;
  }
  line.ahead.reset();
  if (line.left == 0 || !query.step()) {
    line.left = 0;
    return;
  }
  --line.left;
  line.ahead = HubRow{query.text(0), std::nullopt,          static_cast<uint64_t>(query.integer(2)),
                      query.text(3), query.integer(4) != 0, {line.place.line, query.integer(5)}};
  if (!query.is_null(1)) {
    line.ahead->digest = query.text(1);
  }
}

void HubWalk::advance(LineWalk& line) {
  line.current = line.ahead;
  if (!line.current) {
    return;
  }
  for (read_ahead(line); line.ahead && line.ahead->path == line.current->path; read_ahead(line)) {
    line.current = line.ahead;
  }
}

const HubRow* HubWalk::next() {
  while (true) {
    LineWalk* first = nullptr;  // of those with the least path the newest line
    for (LineWalk& line : lines_) {
      if (line.current && (first == nullptr || line.current->path < first->current->path)) {
        first = &line;
      }
    }
    if (first == nullptr) {
      return nullptr;
    }
    row_ = *first->current;
    for (LineWalk& line : lines_) {
      if (line.current && line.current->path == row_.path) {
        advance(line);
      }
    }
    if (row_.digest) {
      return &row_;
    }
  }
}

// '0' is the character after '/', and nothing in UTF-8 sorts behind the last character.
HubRange::HubRange(const std::string& folder)
    : begin(folder.empty() ? "" : folder + "/"), end(folder.empty() ? "\xF4\x8F\xBF\xBF" : folder + "0") {}

record::HubCommit read_hub_commit(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.integer(3)};
}

record::HubCommit hub_commit_at(Database& database, HubPlace place) {
  Statement query =
      database.prepare("SELECT id, title, message, created_ms FROM hub_commits WHERE line = ? AND depth = ?");
  if (!query.bind(place.line, place.depth).step()) {
    throw Error(Code::kIntegrity, fmt::format("commit {} of line {} is missing", place.depth, place.line));
  }
  return read_hub_commit(query);
}

std::optional<HubPlace> find_hub_place(Database& database, int64_t repo, const std::string& revision) {
  Statement refs = database.prepare("SELECT line, depth FROM hub_refs WHERE repo = ? AND name = ?");
  if (refs.bind(repo, revision).step()) {
    return HubPlace{refs.integer(0), refs.integer(1)};
  }
  Statement commits = database.prepare("SELECT line, depth FROM hub_commits WHERE repo = ? AND id = ?");
  if (commits.bind(repo, revision).step()) {
    return HubPlace{commits.integer(0), commits.integer(1)};
  }
  return std::nullopt;
}

}  // namespace slipway::store
