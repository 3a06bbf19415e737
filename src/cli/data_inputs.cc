#include "cli/data_inputs.h"

#include <cstdlib>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/blob_transport.h"
#include "cli/model_argument.h"
#include "cli/object_files.h"
#include "hub/address.h"
#include "store/s3.h"

namespace slipway::cli {
namespace {

std::vector<std::filesystem::path> local_objects(App& app, const std::string& input) {
  const ObjectAddress address = object_address(input);
  store::S3Options options = store::s3_options("s3://" + address.bucket, "", [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return std::string(value != nullptr ? value : "");
  });
  options.prefix = address.listed;
  BlobTransport transport;
  const base::SystemClock clock;
  const auto objects = store::open_s3(std::move(options), transport, clock);
  base::Context context = app.context();
  return bring_objects(*objects, address, cache_folder("s3"), context);
}

}  // namespace

std::vector<std::string> local_inputs(App& app, const std::vector<std::string>& inputs, data::SourceNames* names) {
  std::vector<std::string> local;
  const auto add = [&](const std::filesystem::path& path, const std::string& shown) {
    local.push_back(path.string());
    if (names != nullptr) {
      names->add(path, shown);
    }
  };
  for (const std::string& input : inputs) {
    if (hub::is_address(input)) {
      add(hub_snapshots(app)->locate(input).path, input);
    } else if (store::is_s3_url(input)) {
      const ObjectAddress address = object_address(input);
      const std::filesystem::path root = cache_folder("s3") / address.bucket;
      for (const std::filesystem::path& path : local_objects(app, input)) {
        add(path, "s3://" + address.bucket + "/" + path.lexically_relative(root).generic_string());
      }
    } else {
      local.push_back(input);
    }
  }
  return local;
}

data::SourceOptions local_source(App& app, const data::SourceOptions& source) {
  data::SourceOptions local = source;
  if (hub::is_address(source.path) || store::is_s3_url(source.path)) {
    const std::vector<std::string> paths = local_inputs(app, {source.path});
    if (paths.size() != 1) {
      throw base::Error(base::Code::kInvalid, "source '" + source.id + "': a pattern of objects is no source; name their folder");
    }
    local.local = paths.front();
  }
  return local;
}

}  // namespace slipway::cli
