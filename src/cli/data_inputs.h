// Where the inputs of data commands are on this machine. Main thread.
#pragma once

#include <string>
#include <vector>

namespace slipway::cli {

class App;

// hf://datasets/NS/NAME[@REV][/FILE] as the path of its folder or file, fetched into the cache when it is not there; others as they are.
// Throws as hub::Snapshots.
std::vector<std::string> local_inputs(App& app, const std::vector<std::string>& inputs);

}  // namespace slipway::cli
