// The files of a commit, out of the changes that led to it. A commit is (line, depth); a line goes on from a commit of
// another one, so what holds at a commit is, for each path, the newest row of the first line that has one. Costs what the
// changes are, not what the files are. Inside a transaction or on a reader's connection; one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/hub.h"
#include "store/database.h"

namespace slipway::store {

struct HubPlace {
  int64_t line = 0;
  int64_t depth = 0;
};

// The line and those it goes on from, each with its last depth that counts; the newest first.
std::vector<HubPlace> hub_chain(Database& database, HubPlace place);

struct HubRow {
  std::string path;
  std::optional<std::string> digest;  // nullopt: it was removed
  uint64_t size = 0;
  std::string oid;
  bool lfs = false;
  HubPlace written;
};

// What `path` is there; nullopt when it is not.
std::optional<HubRow> find_hub_row(Database& database, const std::vector<HubPlace>& chain, const std::string& path);

// The files of a commit in the order of their paths' bytes.
class HubWalk {
 public:
  // Those in [from, end).
  HubWalk(Database& database, const std::vector<HubPlace>& chain, const std::string& from, std::string end);
  // The next file; null at the end. Valid until the next call.
  const HubRow* next();
  // Goes on at `from`, which lies after what was given.
  void skip_to(const std::string& from);

 private:
  // Over one line, some rows at a time.
  struct LineWalk {
    HubPlace place;
    Statement query;
    std::optional<HubRow> ahead;    // read, of a path to come
    std::optional<HubRow> current;  // what the line says of its next path
    int left = 0;                   // rows of the query's that may still come
  };
  void read_ahead(LineWalk& line);
  void advance(LineWalk& line);

  std::string end_;
  std::vector<LineWalk> lines_;  // as the chain
  HubRow row_;
};

// All paths below `folder` ("" is the root) lie in [begin, end).
struct HubRange {
  explicit HubRange(const std::string& folder);
  std::string begin;
  std::string end;
};

// "SELECT id, title, message, created_ms FROM hub_commits …".
record::HubCommit read_hub_commit(const Statement& row);
record::HubCommit hub_commit_at(Database& database, HubPlace place);
std::optional<HubPlace> find_hub_place(Database& database, int64_t repo, const std::string& revision);

}  // namespace slipway::store
