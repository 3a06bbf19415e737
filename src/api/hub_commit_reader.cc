#include "api/hub_commit_reader.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace slipway::api {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr int kMaxDepth = 8;

HubCommitHeader read_header(const Json& value, const std::string& source) {
  return {base::get<std::string>(value, "summary", source), base::get_or<std::string>(value, "description", "", source),
          base::get_or<std::string>(value, "parentCommit", "", source)};
}

std::string content_of(const Json& value, const std::string& source) {
  auto content = base::get<std::string>(value, "content", source);
  const auto encoding = base::get_or<std::string>(value, "encoding", "utf-8", source);
  if (encoding == "utf-8") {
    return content;
  }
  if (encoding != "base64") {
    throw Error(Code::kInvalid, fmt::format("{}: the encoding '{}' is neither base64 nor utf-8", source, encoding.substr(0, 50)));
  }
  auto bytes = base::base64_decode(content);
  if (!bytes) {
    throw Error(Code::kInvalid, fmt::format("{}: the content is not base64", source));
  }
  return *std::move(bytes);
}

HubOperation read_lfs(const Json& value, const std::string& source) {
  HubOperation operation;
  operation.kind = HubOperation::Kind::kLfsFile;
  if (const auto algorithm = base::get_or<std::string>(value, "algo", "sha256", source); algorithm != "sha256") {
    throw Error(Code::kInvalid, fmt::format("{}: the algorithm '{}' is not sha256", source, algorithm.substr(0, 50)));
  }
  operation.digest = "sha256:" + base::get<std::string>(value, "oid", source);
  if (!base::is_digest(operation.digest)) {
    throw Error(Code::kInvalid, fmt::format("{}: the oid is not 64 hex digits", source));
  }
  if (const auto size = value.find("size"); size != value.end() && !size->is_null()) {
    if (!size->is_number_unsigned()) {
      throw Error(Code::kInvalid, fmt::format("{}: the size is not a number of bytes", source));
    }
    operation.size = size->get<uint64_t>();
  }
  return operation;
}

HubOperation read_operation(const std::string& key, const Json& value, const std::string& source) {
  HubOperation operation;
  if (key == "file") {
    operation.content = content_of(value, source);
  } else if (key == "lfsFile") {
    operation = read_lfs(value, source);
  } else if (key == "deletedFile" || key == "deletedEntry") {
    operation.kind = HubOperation::Kind::kDeletedFile;
  } else if (key == "deletedFolder") {
    operation.kind = HubOperation::Kind::kDeletedFolder;
  } else {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is no operation of a commit; file, lfsFile, deletedFile and "
                                            "deletedFolder are",
                                            source, key.substr(0, 50)));
  }
  operation.path = base::get<std::string>(value, "path", source);
  return operation;
}

}  // namespace

HubCommitHeader read_hub_commit(std::string_view body, const std::function<void(HubOperation)>& take) {
  std::optional<HubCommitHeader> header;
  size_t number = 0;
  while (!body.empty()) {
    const size_t end = std::min(body.find('\n'), body.size());
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    const std::string source = fmt::format("line {} of the commit", ++number);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    if (number > kMaxHubLines) {
      throw Error(Code::kInvalid, fmt::format("a commit of more than {} lines; make several", kMaxHubLines));
    }
    const Json json = base::parse_json(line, source, {kMaxHubLine, kMaxDepth});
    const auto key = base::get<std::string>(json, "key", source);
    const auto value = json.find("value");
    if (value == json.end() || !value->is_object()) {
      throw Error(Code::kInvalid, source + ": 'value' must be an object");
    }
    if (!header) {
      if (key != "header") {
        throw Error(Code::kInvalid, source + ": the first line must be the header");
      }
      header = read_header(*value, source);
    } else {
      take(read_operation(key, *value, source));
    }
  }
  if (!header) {
    throw Error(Code::kInvalid, "the commit is empty: not even a header");
  }
  return *std::move(header);
}

}  // namespace slipway::api
