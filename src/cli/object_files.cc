#include "cli/object_files.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <set>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "data/source.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using store::StoredObject;

// Beside each copy, hidden from what walks folders: of which object it is.
fs::path tag_file(const fs::path& file) { return file.parent_path() / ("." + file.filename().string() + ".tag"); }

std::string tag_of(const StoredObject& object) { return fmt::format("{} {} {}\n", object.size, object.tag, object.modified); }

bool is_here(const StoredObject& object, const fs::path& file) {
  std::error_code error;
  return base::is_file(tag_file(file)) && fs::file_size(file, error) == object.size && !error && base::read_file(tag_file(file)) == tag_of(object);
}

// The time of the copy is that of the object.
void set_time(const fs::path& file, const std::string& modified) {
  std::tm time{};
  if (std::sscanf(modified.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &time.tm_year, &time.tm_mon, &time.tm_mday, &time.tm_hour, &time.tm_min,  // NOLINT
                  &time.tm_sec) != 6) {
    return;
  }
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  const timespec seconds{::timegm(&time), 0};
  const timespec both[2] = {seconds, seconds};  // NOLINT: utimensat's form
  ::utimensat(AT_FDCWD, file.c_str(), both, 0);
}

// Copies of what the bucket has no more.
void remove_others(const fs::path& folder, const std::set<fs::path>& wanted) {
  std::vector<fs::path> gone;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    const bool hidden = it->path().filename().string().starts_with('.');
    if (it->is_regular_file() && !hidden && !wanted.contains(it->path())) {
      gone.push_back(it->path());
    }
  }
  for (const fs::path& file : gone) {
    fs::remove(file);
    fs::remove(tag_file(file));
  }
}

}  // namespace

bool ObjectAddress::matches(const std::string& other) const {
  if (pattern) {
    return ::fnmatch(key.c_str(), other.c_str(), 0) == 0;
  }
  const std::string below = key.empty() || key.ends_with('/') ? key : key + "/";
  return other == key || (other.starts_with(below) && data::is_source_file(other));
}

ObjectAddress object_address(const std::string& address) {
  constexpr std::string_view kScheme = "s3://";
  ObjectAddress result;
  const std::string rest = address.starts_with(kScheme) ? address.substr(kScheme.size()) : "";
  const size_t slash = std::min(rest.find('/'), rest.size());
  result.bucket = rest.substr(0, slash);
  result.key = slash < rest.size() ? rest.substr(slash + 1) : "";
  if (result.bucket.empty()) {
    throw Error(Code::kInvalid, fmt::format("'{}' names no objects; it looks like s3://BUCKET/PREFIX", address.substr(0, 300)));
  }
  const size_t wild = result.key.find_first_of("*?[");
  result.pattern = wild != std::string::npos;
  result.listed = result.key.substr(0, wild);
  return result;
}

std::vector<fs::path> bring_objects(store::ObjectStore& objects, const ObjectAddress& address, const fs::path& folder, base::Context& context) {
  std::vector<StoredObject> found;
  int64_t total = 0;
  objects.list([&](const StoredObject& object) {
    StoredObject whole = object;
    whole.key = address.listed + object.key;
    if (whole.key.ends_with('/') || !address.matches(whole.key)) {
      return;
    }
    base::check_entry_path(whole.key);  // it becomes a path here
    total += static_cast<int64_t>(whole.size);
    found.push_back(std::move(whole));
  });
  if (found.empty()) {
    throw Error(Code::kNotFound, fmt::format("s3://{}/{} has no object that a source may hold", address.bucket, address.key));
  }
  const fs::path root = folder / address.bucket;
  std::set<fs::path> wanted;
  int64_t done = 0;
  context.progress.start("fetch", total, "bytes");
  for (const StoredObject& object : found) {
    const fs::path file = root / object.key;
    wanted.insert(file);
    if (!is_here(object, file)) {
      base::make_dirs(file.parent_path());
      fs::remove(tag_file(file));
      base::AtomicFile out(file);
      objects.get(object.key.substr(address.listed.size()), 0, object.size, [&](std::string_view piece) {
        base::check_stop(context, "fetching objects");
        out.write(piece);
        context.progress.update(done + static_cast<int64_t>(out.size()), object.key);
      });
      out.commit();
      set_time(file, object.modified);
      base::write_file_atomic(tag_file(file), tag_of(object));
    }
    done += static_cast<int64_t>(object.size);
  }
  context.progress.finish(fmt::format("{} objects", found.size()));
  if (address.pattern) {
    std::vector<fs::path> files(wanted.begin(), wanted.end());
    return files;
  }
  const fs::path place = root / address.key;
  if (found.size() == 1 && found.front().key == address.key) {
    return {place};
  }
  remove_others(place, wanted);
  return {place};
}

}  // namespace slipway::cli
