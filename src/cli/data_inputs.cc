#include "cli/data_inputs.h"

#include "cli/app.h"
#include "cli/model_argument.h"
#include "hub/address.h"

namespace slipway::cli {

std::vector<std::string> local_inputs(App& app, const std::vector<std::string>& inputs) {
  std::vector<std::string> local;
  for (const std::string& input : inputs) {
    local.push_back(hub::is_address(input) ? hub_snapshots(app)->locate(input).path.string() : input);
  }
  return local;
}

}  // namespace slipway::cli
