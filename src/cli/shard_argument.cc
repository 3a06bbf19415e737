#include "cli/shard_argument.h"

#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

}  // namespace

WorkShare parse_shards(const std::string& text, const std::function<const char*(const char* name)>& variable) {
  const auto integer = [&](const char* name) -> std::optional<int> {
    const char* const value = variable(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    const std::optional<int> result = number(value);
    if (!result) {
      throw Error(Code::kInvalid, fmt::format("{}='{}' is no number", name, value));
    }
    return result;
  };
  const size_t slash = text.find('/');
  const std::string_view first = std::string_view(text).substr(0, slash);
  const std::optional<int> count = slash == std::string::npos ? std::nullopt : number(std::string_view(text).substr(slash + 1));
  WorkShare share;
  if (first == "auto" && slash == std::string::npos) {
    const std::optional<int> task = integer("SLURM_ARRAY_TASK_ID");
    const std::optional<int> least = integer("SLURM_ARRAY_TASK_MIN");
    const std::optional<int> most = integer("SLURM_ARRAY_TASK_MAX");
    const std::optional<int> tasks = integer("SLURM_ARRAY_TASK_COUNT");
    if (!task || !least || !most || !tasks) {
      throw Error(Code::kInvalid, "--shards auto: this is no task of a Slurm array (SLURM_ARRAY_TASK_ID and its like are not set); "
                                  "write i/n, or auto/n in an indexed job of Kubernetes");
    }
    if (*most - *least + 1 != *tasks) {
      throw Error(Code::kInvalid, fmt::format("--shards auto: the array has {} tasks from {} to {}: with gaps, or a part of another; "
                                              "number all from 0 and write auto/n", *tasks, *least, *most));
    }
    share = {*task - *least + 1, *tasks};
  } else if (first == "auto" && count) {
    std::optional<int> index = integer("SLURM_ARRAY_TASK_ID");
    if (!index) {
      index = integer("JOB_COMPLETION_INDEX");
    }
    if (!index) {
      throw Error(Code::kInvalid, fmt::format("--shards {}: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; write i/n", text));
    }
    share = {*index + 1, *count};
  } else if (const std::optional<int> shard = number(first); shard && count) {
    share = {*shard, *count};
  } else {
    throw Error(Code::kInvalid, fmt::format("--shards '{}': write i/n with 1 <= i <= n, as in 2/4, or auto, or auto/n", text));
  }
  if (share.shard < 1 || share.shard > share.shards) {
    throw Error(Code::kInvalid, fmt::format("--shards '{}' is shard {} of {}: 1 <= i <= n must hold", text, share.shard, share.shards));
  }
  return share;
}

WorkShare parse_shards(const std::string& text) {
  return parse_shards(text, [](const char* name) { return std::getenv(name); });  // NOLINT(concurrency-mt-unsafe): no thread sets any
}

}  // namespace slipway::cli
