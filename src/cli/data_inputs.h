// Where the inputs of data commands are on this machine. Main thread.
#pragma once

#include <string>
#include <vector>

#include "data/source.h"
#include "data/source_names.h"

namespace slipway::cli {

class App;

// hf://datasets/NS/NAME[@REV][/FILE] and s3://BUCKET/PREFIX (a folder, an object, a pattern) as the paths of folders or files, fetched into
// the cache when they are not there; others as they are. `names`: what documents and messages call them. Throws as hub::Snapshots and
// the store.
std::vector<std::string> local_inputs(App& app, const std::vector<std::string>& inputs, data::SourceNames* names = nullptr);

// A source of a project with the place where its files are (a pattern of objects is no source: name their folder).
data::SourceOptions local_source(App& app, const data::SourceOptions& source);

}  // namespace slipway::cli
