// slipway completion | man: generated from the table of commands.
#include <ostream>

#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/help.h"

namespace slipway::cli {
namespace {

class CompletionCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"completion", "a completion script for bash, zsh or fish", "",
            "slipway completion bash > /etc/bash_completion.d/slipway"};
  }
  void describe(Parameters& parameters) override { parameters.positional("SHELL", shell_, "bash, zsh or fish"); }
  int run(App& app) override {
    app.out() << completion(shell_);
    return 0;
  }

 private:
  std::string shell_;
};

class ManCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"man", "the manual page, as man(1) reads it", "", "slipway man > slipway.1 && man ./slipway.1"};
  }
  void describe(Parameters&) override {}
  int run(App& app) override {
    app.out() << man_page();
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_completion() { return std::make_unique<CompletionCommand>(); }
std::unique_ptr<Command> make_man() { return std::make_unique<ManCommand>(); }

}  // namespace slipway::cli
