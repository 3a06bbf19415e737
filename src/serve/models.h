// The models of a server by name: loaded, found, replaced and unloaded while requests come. A request holds the model
// that it was given (Responder::keep), so a model that is replaced or unloaded finishes what it has; whoever lets it go
// last, its own thread perhaps, hands it to a thread that stops and frees it. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "serve/served_model.h"

namespace slipway::serve {

struct ModelSource {
  std::string name;       // what clients call it; empty: its own
  std::string reference;  // a folder, a .gguf file, models:/NAME@ALIAS, models:/NAME/3
};

// Stops and frees models on a thread of its own, once nobody holds them.
class Retirement {
 public:
  Retirement();
  // Blocks until the last of its models is gone: stop() them first, so that nobody holds them for long.
  ~Retirement();
  Retirement(const Retirement&) = delete;
  Retirement& operator=(const Retirement&) = delete;
  // `gone` becomes ready when the model was freed.
  std::shared_ptr<ServedModel> adopt(std::unique_ptr<ServedModel> model, std::shared_future<void>& gone);

 private:
  struct Leaving {
    std::unique_ptr<ServedModel> model;
    std::shared_ptr<std::promise<void>> gone;
  };
  void run();

  std::mutex mutex_;  // guards the rest
  std::condition_variable wake_;
  std::vector<Leaving> leaving_;
  int alive_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

class Models {
 public:
  enum class State { kReady, kLoading, kUnavailable };
  // A model as it is now; a value.
  struct Entry {
    std::string name;
    std::string reference;
    State state = State::kReady;
    std::string reason;                  // why it is unavailable
    std::shared_ptr<ServedModel> model;  // null unless kReady
    ModelKind kind = ModelKind::kEncoder;
    std::set<std::string> offers;                   // "POST /v1/embeddings", …: kept when it is unloaded
    std::shared_future<void> gone;                  // of the model
    std::chrono::steady_clock::time_point retry{};  // a failed change of version is not tried again before
  };
  using Table = std::vector<Entry>;  // in the order of loading

  // `host` and what `make` borrows outlive this. `on_change` is called, under the lock of changes, after each.
  Models(MakeModel make, Host host, std::function<void()> on_change);
  ~Models();

  std::shared_ptr<const Table> table() const;
  // Of those that are loaded.
  std::vector<ModelCard> cards() const;
  // By its name, "NAME:latest" as Ollama writes it, or a name that the model answers to; null for none.
  static const Entry* find(const Table& table, std::string_view name);

  // Loads; a model that is there already is replaced once the new one is ready. Without a reference: the one that the
  // name had before. Throws StatusError(404) for a name without one, Error(kConflict) for a name that is taken, and
  // what loading throws; what was loaded stays then.
  void load(const ModelSource& source);
  // Blocks until the memory is given back, or `limit`: then what is under way goes on and is freed at its end. Throws
  // StatusError(404) when it is not loaded.
  void unload(const std::string& name, std::chrono::milliseconds limit);
  // Lets every model look where its alias points, and loads what took its place. Does not throw.
  void follow();
  // The address of the models that are loaded from now on, and of those that are.
  void listening(const std::string& url);
  void draining();
  // Stops every model, those that are leaving too.
  void stop(int cut_off);

 private:
  void replace(const ModelSource& source);
  void publish(Table table);
  void leave(std::shared_ptr<ServedModel> model);
  void set_unavailable(const std::string& name, const std::string& reason);

  MakeModel make_;
  Host host_;
  std::function<void()> on_change_;
  Retirement retirement_;
  std::mutex change_mutex_;                          // one change at a time; guards url_ and leaving_
  std::string url_;                                  // empty: not listening yet
  std::vector<std::weak_ptr<ServedModel>> leaving_;  // replaced or unloaded, and perhaps still held
  mutable std::mutex mutex_;                         // guards table_; held for a copy only
  std::shared_ptr<const Table> table_;
};

}  // namespace slipway::serve
