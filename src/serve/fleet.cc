#include "serve/fleet.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::serve {

using base::Code;
using base::Error;

namespace {

constexpr int64_t kRetryLoadMs = 10'000;  // a version that cannot be loaded is tried again that much later
constexpr uint64_t kShares = 10'000;      // traffic is split in hundredths of a per cent

bool is_share(double percent) { return std::isfinite(percent) && percent >= 0 && percent <= 100; }

}  // namespace

Fleet::Fleet(const ServeOptions& options, record::Store* store, base::Context& context, BackendLoader loader)
    : options_(options), store_(store), sources_(store, options.store, options.hub), context_(context), loader_(std::move(loader)) {}

Fleet::~Fleet() { unload(); }

void Fleet::unload() {
  const std::lock_guard change(change_mutex_);
  // A backend ends by joining its thread, whose last callbacks may still hold a Served: only the backend goes here.
  for (const std::shared_ptr<Served>& served : loaded_) {
    served->backend.reset();
  }
}

void Fleet::start() {
  const std::lock_guard change(change_mutex_);
  if (options_.model.starts_with("models:")) {
    const record::ModelReference reference = record::parse_model_reference(options_.model);
    alias_ = reference.alias;
    followed_model_ = reference.model;
  }
  if (!is_share(options_.canary_percent)) {
    throw Error(Code::kInvalid,
                fmt::format("canary_percent is {}; it must be between 0 and 100", options_.canary_percent));
  }
  Routing first;
  first.primary = obtain(options_.model);
  if (!options_.canary.empty() && options_.canary_percent > 0) {
    first.canary = obtain(options_.canary);
    first.canary_percent = options_.canary_percent;
  }
  const std::lock_guard lock(routing_mutex_);
  routing_ = std::move(first);
}

std::shared_ptr<Served> Fleet::obtain(const std::string& reference) {
  const Source located = sources_.locate(reference, options_.precision);
  for (const std::shared_ptr<Served>& served : loaded_) {
    if (served->model == located.model && served->version == located.version && served->digest == located.digest &&
        (located.version > 0 || served->reference == reference)) {
      return served;
    }
  }
  BackendOptions backend_options;
  backend_options.precision = options_.precision;
  backend_options.max_batch_tokens = options_.max_batch_tokens;
  backend_options.max_queue = options_.max_queue;
  auto served = std::make_shared<Served>();
  served->model = located.model;
  served->version = located.version;
  served->reference = reference;
  served->digest = located.digest;
  served->backend = loader_(located.path, backend_options, context_.pool);
  served->labels = served->backend->labels();
  served->info = served->backend->info();
  loaded_.push_back(served);
  return served;
}

std::shared_ptr<Served> Fleet::pick(std::string_view request_id) const {
  const std::lock_guard lock(routing_mutex_);
  if (routing_.canary) {
    const auto limit = static_cast<uint64_t>(std::llround(routing_.canary_percent * (kShares / 100.0)));
    if (base::xxh64(request_id) % kShares < limit) {
      return routing_.canary;
    }
  }
  return routing_.primary;
}

std::shared_ptr<Served> Fleet::pick_version(std::string_view version) const {
  const std::lock_guard lock(routing_mutex_);
  for (const auto& served : {routing_.primary, routing_.canary}) {
    if (served && served->version_text() == version) {
      return served;
    }
  }
  return nullptr;
}

Routing Fleet::snapshot() const {
  const std::lock_guard lock(routing_mutex_);
  return routing_;
}

void Fleet::switch_to(Routing next, const std::string& reason) {
  {
    const std::lock_guard lock(routing_mutex_);
    if (routing_.primary != next.primary) {
      previous_ = routing_.primary;
    }
    routing_ = next;
  }
  if (on_change_) {
    on_change_(next, reason);
  }
}

void Fleet::set_canary(const std::string& reference, double percent) {
  if (!is_share(percent)) {
    throw Error(Code::kInvalid, fmt::format("percent is {}; it must be between 0 and 100", percent));
  }
  const std::lock_guard change(change_mutex_);
  Routing next = snapshot();
  if (percent == 0) {
    next.canary = nullptr;
  } else {
    next.canary = obtain(reference);
    if (next.canary == next.primary) {
      throw Error(Code::kConflict, fmt::format("{} is the primary already", next.primary->display()));
    }
  }
  next.canary_percent = percent;
  switch_to(std::move(next), "canary");
}

void Fleet::rollback() {
  const std::lock_guard change(change_mutex_);
  Routing next = snapshot();
  if (next.canary) {
    next.canary = nullptr;
    next.canary_percent = 0;
    switch_to(std::move(next), "rollback");
    return;
  }
  if (alias_.empty() || store_ == nullptr) {
    throw Error(Code::kConflict, "there is no canary to take away, and no alias is followed that could move back");
  }
  int back_to = 0;
  for (const record::Alias& moved : store_->registry().alias_history(followed_model_, alias_)) {
    if (moved.version != next.primary->version) {
      back_to = moved.version;
      break;
    }
  }
  if (back_to == 0) {
    throw Error(Code::kConflict,
                fmt::format("alias '{}' of {} never pointed to another version", alias_, followed_model_));
  }
  next.primary = obtain(fmt::format("models:/{}/{}", followed_model_, back_to));
  const int expected = snapshot().primary->version;
  store_->registry().set_alias(followed_model_, alias_, back_to, expected);
  switch_to(std::move(next), "rollback");
}

void Fleet::follow() {
  const std::lock_guard change(change_mutex_);
  try {
    if (!alias_.empty() && store_ != nullptr) {
      follow_alias();
    }
  } catch (const std::exception& error) {
    context_.log.error("cannot follow the alias", {{"alias", alias_}, {"error", std::string(error.what())}});
  }
  reap();
}

void Fleet::follow_alias() {
  const std::optional<record::Alias> alias = store_->registry().find_alias(followed_model_, alias_);
  Routing next = snapshot();
  if (!alias || alias->version == next.primary->version) {
    failed_version_ = 0;
    return;
  }
  if (alias->version == failed_version_ && context_.clock.unix_ms() < retry_ms_) {
    return;
  }
  failed_version_ = alias->version;
  retry_ms_ = context_.clock.unix_ms() + kRetryLoadMs;
  next.primary = obtain(fmt::format("models:/{}/{}", followed_model_, alias->version));
  failed_version_ = 0;
  if (next.canary == next.primary) {
    next.canary = nullptr;
    next.canary_percent = 0;
  }
  switch_to(std::move(next), "alias");
}

// A Served that only loaded_ holds cannot be picked again: nobody can get at it but through loaded_, under this lock.
void Fleet::reap() {
  std::erase_if(loaded_, [](const std::shared_ptr<Served>& served) { return served.use_count() == 1; });
}

}  // namespace slipway::serve
