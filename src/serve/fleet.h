// Which versions are loaded and who gets a request: a primary, perhaps a canary with a share of the traffic, and the
// version before, kept loaded so that going back is instant. Versions change by a switch of pointers; one that is no
// longer picked finishes what it has and is unloaded by the controlling thread, never by the thread that answers.
// pick() and snapshot() are for any thread; the rest is serialised inside.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "record/stores.h"
#include "serve/options.h"
#include "serve/served.h"
#include "serve/source.h"

namespace slipway::serve {

struct Routing {
  std::shared_ptr<Served> primary;
  std::shared_ptr<Served> canary;  // null without one
  double canary_percent = 0;
};

class Fleet {
 public:
  // Called after each change with the new split and why: "canary", "alias", "rollback", "promoted". Under the change
  // lock.
  using OnChange = std::function<void(const Routing&, const std::string& reason)>;

  Fleet(const ServeOptions& options, record::Store* store, base::Context& context, BackendLoader loader);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void start();
  void on_change(OnChange callback) { on_change_ = std::move(callback); }

  // By hash of the request's id, so that a repeated request meets the same version. With `version` (of the
  // protocols' paths), that one; null when it is not loaded.
  std::shared_ptr<Served> pick(std::string_view request_id) const;
  std::shared_ptr<Served> pick_version(std::string_view version) const;
  Routing snapshot() const;

  void set_canary(const std::string& reference, double percent);
  void rollback();
  // Looks where the followed alias points and follows it. Unloads what nobody uses. Does not throw.
  void follow();
  // Finishes what the engines have, then frees them; afterwards nothing may be picked.
  void unload();
  // "champion", or "" when no alias is followed.
  const std::string& alias() const { return alias_; }

 private:
  // Loaded already, or loads it.
  std::shared_ptr<Served> obtain(const std::string& reference);
  void switch_to(Routing next, const std::string& reason);
  void follow_alias();
  void reap();

  const ServeOptions& options_;
  record::Store* store_;
  const Sources sources_;
  base::Context& context_;
  BackendLoader loader_;
  OnChange on_change_;
  std::string alias_;
  std::string followed_model_;

  std::mutex change_mutex_;  // one change at a time; guards what follows
  std::vector<std::shared_ptr<Served>> loaded_;
  std::shared_ptr<Served> previous_;
  int failed_version_ = 0;  // of the alias: could not be loaded
  int64_t retry_ms_ = 0;    // not before then

  mutable std::mutex routing_mutex_;  // guards routing_; held for a copy only
  Routing routing_;
};

}  // namespace slipway::serve
