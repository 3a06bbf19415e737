// Where long-running work tells how far it is. The terminal's live line is one implementation (cli); tests and servers use
// the silent one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::base {

class Progress {
 public:
  virtual ~Progress() = default;
  // A task begins: "train", 1200 "samples". total 0 = unknown.
  virtual void start(std::string_view task, int64_t total, std::string_view unit) = 0;
  // `done` units so far (not since the last call); `note` is short and changes, e.g. "loss 0.213".
  virtual void update(int64_t done, std::string_view note) = 0;
  // The task ended; `summary` replaces the live line.
  virtual void finish(std::string_view summary) = 0;
};

class SilentProgress final : public Progress {
 public:
  void start(std::string_view, int64_t, std::string_view) override {}
  void update(int64_t, std::string_view) override {}
  void finish(std::string_view) override {}
};

}  // namespace slipway::base
