#include "serve/models.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "serve/handling.h"

namespace slipway::serve {

using base::Code;
using base::Error;

namespace {

constexpr std::chrono::seconds kRetryLoad{10};  // a version that cannot be loaded is tried again that much later

std::string without_latest(std::string_view name) {
  constexpr std::string_view kLatest = ":latest";
  return std::string(name.ends_with(kLatest) ? name.substr(0, name.size() - kLatest.size()) : name);
}

auto of_name(const Models::Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(), [&](const Models::Entry& entry) { return entry.name == name; });
}

std::set<std::string> offers_of(const ServedModel& model) {
  std::set<std::string> offers;
  for (const auto& [method, pattern] : model.routes().routes()) {
    offers.insert(method + " " + pattern);
  }
  return offers;
}

}  // namespace

Retirement::Retirement() : thread_([this] { run(); }) {}

Retirement::~Retirement() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::shared_ptr<ServedModel> Retirement::adopt(std::unique_ptr<ServedModel> model, std::shared_future<void>& gone) {
  auto promise = std::make_shared<std::promise<void>>();
  gone = promise->get_future().share();
  {
    const std::lock_guard lock(mutex_);
    ++alive_;
  }
  return {model.release(), [this, promise](ServedModel* last) {
            const std::lock_guard lock(mutex_);
            leaving_.push_back({std::unique_ptr<ServedModel>(last), promise});
            wake_.notify_all();  // under the lock: once alive_ is 0 this may be gone
          }};
}

void Retirement::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !leaving_.empty() || (stopping_ && alive_ == 0); });
    if (leaving_.empty()) {
      return;
    }
    std::vector<Leaving> leaving = std::move(leaving_);
    leaving_.clear();
    lock.unlock();
    for (Leaving& one : leaving) {
      one.model->stop(0);
      one.model.reset();
      one.gone->set_value();
    }
    lock.lock();
    alive_ -= static_cast<int>(leaving.size());
  }
}

Models::Models(MakeModel make, Host host, std::function<void()> on_change)
    : make_(std::move(make)), host_(host), on_change_(std::move(on_change)), table_(std::make_shared<Table>()) {}

Models::~Models() { stop(0); }

std::shared_ptr<const Models::Table> Models::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

std::vector<ModelCard> Models::cards() const {
  const std::shared_ptr<const Table> now = table();
  std::vector<ModelCard> cards;
  for (const Entry& entry : *now) {
    if (entry.model) {
      cards.push_back(entry.model->card());
    }
  }
  return cards;
}

const Models::Entry* Models::find(const Table& table, std::string_view name) {
  for (const std::string& called : {std::string(name), without_latest(name)}) {
    if (const auto found = of_name(table, called); found != table.end()) {
      return &*found;
    }
  }
  const std::string called = without_latest(name);
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Entry& entry) { return entry.model && entry.model->answers_to(called); });
  return found == table.end() ? nullptr : &*found;
}

void Models::publish(Table table) {
  auto next = std::make_shared<const Table>(std::move(table));
  {
    const std::lock_guard lock(mutex_);
    table_.swap(next);
  }
  next.reset();  // may be what held a model last
  on_change_();
}

void Models::leave(std::shared_ptr<ServedModel> model) {
  std::erase_if(leaving_, [](const auto& weak) { return weak.expired(); });
  leaving_.push_back(model);
}

void Models::load(const ModelSource& source) {
  const std::lock_guard change(change_mutex_);
  replace(source);
}

void Models::set_unavailable(const std::string& name, const std::string& reason) {
  Table next = *table();
  const auto found = of_name(next, name);
  if (found != next.end() && !found->model) {
    Entry& entry = next[static_cast<size_t>(found - next.begin())];
    entry.state = State::kUnavailable;
    entry.reason = reason;
    publish(std::move(next));
  }
}

void Models::replace(const ModelSource& source) {
  Table next = *table();
  const auto known = of_name(next, source.name);
  std::string reference = source.reference;
  if (reference.empty()) {
    if (source.name.empty() || known == next.end()) {
      throw StatusError(404, fmt::format("there is no model '{}' to load", source.name.substr(0, 100)), "model",
                        "model_not_found");
    }
    reference = known->reference;
  }
  if (known != next.end() && !known->model) {
    next[static_cast<size_t>(known - next.begin())].state = State::kLoading;
    publish(next);
  }
  Entry entry;
  try {
    std::unique_ptr<ServedModel> made = make_(source.name, reference, host_);
    const ModelCard card = made->card();
    entry.name = card.name;
    entry.kind = card.kind;
    entry.reference = reference;
    entry.offers = offers_of(*made);
    entry.model = retirement_.adopt(std::move(made), entry.gone);
  } catch (const std::exception& error) {
    set_unavailable(source.name, error.what());
    throw;
  }
  next = *table();
  const auto place = of_name(next, entry.name);
  if (place != next.end() && source.name.empty()) {
    throw Error(Code::kConflict,
                fmt::format("two models are called '{}'; give one another name: NAME={}", entry.name, reference));
  }
  if (!url_.empty()) {
    entry.model->ready(url_);
  }
  if (place != next.end()) {
    Entry& old = next[static_cast<size_t>(place - next.begin())];
    leave(std::move(old.model));
    old = std::move(entry);
  } else {
    next.push_back(std::move(entry));
  }
  publish(std::move(next));
}

void Models::unload(const std::string& name, std::chrono::milliseconds limit) {
  std::shared_future<void> gone;
  {
    const std::lock_guard change(change_mutex_);
    Table next = *table();
    const auto found = of_name(next, name);
    if (found == next.end() || !found->model) {
      throw StatusError(404, fmt::format("there is no model '{}' loaded", name.substr(0, 100)), "model",
                        "model_not_found");
    }
    Entry& entry = next[static_cast<size_t>(found - next.begin())];
    gone = entry.gone;
    leave(std::move(entry.model));
    entry.state = State::kUnavailable;
    entry.reason = "unloaded";
    publish(std::move(next));
  }
  gone.wait_for(limit);
}

void Models::follow() {
  const std::shared_ptr<const Table> now = table();
  for (const Entry& entry : *now) {
    try {
      if (!entry.model || std::chrono::steady_clock::now() < entry.retry || !entry.model->follow()) {
        continue;
      }
      const std::lock_guard change(change_mutex_);
      Table next = *table();
      const auto found = of_name(next, entry.name);
      if (found == next.end() || found->model != entry.model) {
        continue;  // loaded again or unloaded meanwhile
      }
      // Set before it is tried: what fails leaves it.
      next[static_cast<size_t>(found - next.begin())].retry = std::chrono::steady_clock::now() + kRetryLoad;
      publish(std::move(next));
      replace({entry.name, entry.reference});
      host_.context.log.info("the alias moved: another version answers", {{"model", entry.name}});
    } catch (const std::exception& error) {
      host_.context.log.error("cannot follow the alias", {{"model", entry.name}, {"error", std::string(error.what())}});
    }
  }
}

void Models::listening(const std::string& url) {
  const std::lock_guard change(change_mutex_);
  url_ = url;
  const std::shared_ptr<const Table> now = table();
  for (const Entry& entry : *now) {
    if (entry.model) {
      entry.model->ready(url);
    }
  }
}

// Without the lock of changes: a model that is being loaded must not hold up the drain.
void Models::draining() {
  const std::shared_ptr<const Table> now = table();
  for (const Entry& entry : *now) {
    if (entry.model) {
      entry.model->draining();
    }
  }
}

void Models::stop(int cut_off) {
  const std::lock_guard change(change_mutex_);
  const std::shared_ptr<const Table> now = table();
  for (const Entry& entry : *now) {
    if (entry.model) {
      entry.model->stop(cut_off);
    }
  }
  for (const std::weak_ptr<ServedModel>& weak : leaving_) {
    if (const std::shared_ptr<ServedModel> model = weak.lock()) {
      model->stop(cut_off);
    }
  }
}

}  // namespace slipway::serve
