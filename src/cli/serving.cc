#include "cli/serving.h"

#include <ostream>

#include "base/file.h"

namespace slipway::cli {

void say_ready(App& app, const std::string& ready_file, const base::Json& ready, const std::string& text) {
  if (!ready_file.empty()) {
    base::write_file_atomic(ready_file, base::dump_json(ready) + "\n");
  }
  if (app.json()) {
    app.print_json(ready);
  } else {
    app.out() << text << std::flush;
  }
}

void say_cut(App& app, int requests) {
  if (requests > 0) {
    app.log().warning("requests were cut off at the drain's deadline", {{"requests", requests}});
  }
}

}  // namespace slipway::cli
