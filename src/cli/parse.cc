#include "cli/parse.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

std::vector<std::string> split_path(const std::string& path) {
  const size_t space = path.find(' ');
  return space == std::string::npos ? std::vector<std::string>{path}
                                    : std::vector<std::string>{path.substr(0, space), path.substr(space + 1)};
}

// The command whose words begin `words`, the longest match; `used` tells how many words named it.
std::unique_ptr<Command> find_command(const std::vector<std::string>& words, size_t& used) {
  std::unique_ptr<Command> best;
  std::vector<std::string> nouns;
  std::vector<std::string> verbs;
  used = 0;
  for (const CommandFactory& make : all_commands()) {
    std::unique_ptr<Command> command = make();
    const std::vector<std::string> path = split_path(command->info().path);
    nouns.push_back(path[0]);
    if (words[0] == path[0] && path.size() == 2) {
      verbs.push_back(path[1]);
    }
    if (path.size() > used && path.size() <= words.size() && std::equal(path.begin(), path.end(), words.begin())) {
      best = std::move(command);
      used = path.size();
    }
  }
  if (best) {
    return best;
  }
  if (!verbs.empty()) {
    throw Error(Code::kInvalid,
                words.size() < 2
                    ? fmt::format("'slipway {}' needs one of: {}", words[0], fmt::join(verbs, ", "))
                    : fmt::format("'slipway {}' has no '{}'{}", words[0], words[1], base::suggestion(words[1], verbs)));
  }
  std::sort(nouns.begin(), nouns.end());
  nouns.erase(std::unique(nouns.begin(), nouns.end()), nouns.end());
  throw Error(Code::kInvalid, fmt::format("unknown command '{}'{}", words[0], base::suggestion(words[0], nouns)));
}

void apply_environment(base::FieldTable& table, const Environment& environment) {
  for (const base::Field& field : table.fields()) {
    const std::string name = variable_name(field.name);
    if (const char* value = environment(name.c_str())) {
      table.set_text(field.name, value, name);
    }
  }
}

// Registers every field of the table with CLI11; values go through the table, which knows types and ranges.
void add_flags(CLI::App& app, base::FieldTable& table) {
  for (const base::Field& field : table.fields()) {
    const std::string flag = flag_name(field.name);
    const std::string name = field.name;
    if (field.type == "boolean") {
      app.add_flag_function(flag + ",!--no-" + flag.substr(2), [&table, name, flag](int64_t count) {
        table.set_text(name, count > 0 ? "true" : "false", flag);
      });
    } else {
      app.add_option_function<std::string>(
             flag, [&table, name, flag](const std::string& text) { table.set_text(name, text, flag); })
          ->multi_option_policy(field.type == "list" ? CLI::MultiOptionPolicy::Join : CLI::MultiOptionPolicy::TakeLast)
          ->delimiter(field.type == "list" ? ',' : '\0')
          ->allow_extra_args(false);
    }
  }
}

// Sets the global options that stand before the command; returns how many words they are.
size_t take_global_flags(const std::vector<std::string>& words, base::FieldTable& table) {
  size_t at = 0;
  while (at < words.size() && words[at].starts_with("--")) {
    const size_t equals = words[at].find('=');
    const std::string flag = words[at].substr(0, equals);
    const auto field = std::find_if(table.fields().begin(), table.fields().end(), [&](const base::Field& one) {
      return flag == flag_name(one.name) || (one.type == "boolean" && flag == "--no-" + flag_name(one.name).substr(2));
    });
    if (field == table.fields().end()) {
      break;
    }
    std::string value = flag.starts_with("--no-") ? "false" : "true";
    if (equals != std::string::npos) {
      value = words[at].substr(equals + 1);
    } else if (field->type != "boolean") {
      if (++at == words.size()) {
        throw Error(Code::kInvalid, fmt::format("{} needs a value", flag));
      }
      value = words[at];
    }
    table.set_text(field->name, value, flag);
    ++at;
  }
  return at;
}

[[noreturn]] void unknown_flag(const CLI::App& app, const std::string& word, const std::string& path) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty()) {
      known.push_back("--" + option->get_lnames().front());
    }
  }
  const std::string flag = word.substr(0, word.find('='));
  throw Error(Code::kInvalid,
              fmt::format("slipway {}: unknown option '{}'{}; 'slipway {} --help' lists them", path, flag,
                          base::nearest(flag, known).empty() ? "" : base::suggestion(flag, known), path));
}

}  // namespace

std::string flag_name(const std::string& field) {
  std::string flag = "--" + field;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string variable_name(const std::string& field) {
  std::string name = "SLIPWAY_" + field;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

Parsed parse(const std::vector<std::string>& all_words, GlobalOptions& global, const Environment& environment) {
  Parsed parsed;
  base::FieldTable global_table;
  global.describe(global_table);
  apply_environment(global_table, environment);
  const auto leading = static_cast<std::ptrdiff_t>(take_global_flags(all_words, global_table));
  const std::vector<std::string> words(all_words.begin() + leading, all_words.end());
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    parsed.help = true;
    parsed.nothing = words.empty();
    parsed.brief = parsed.nothing || words[0] == "-h";
    if (words.size() > 1 && words[0] == "help") {
      size_t used = 0;
      parsed.command = find_command({words.begin() + 1, words.end()}, used);
      parsed.parameters = parameters_of(*parsed.command);
    }
    return parsed;
  }
  if (words[0] == "--version" || words[0] == "version") {
    parsed.version = true;
    return parsed;
  }
  if (words[0].starts_with("-")) {
    std::vector<std::string> known;
    for (const base::Field& field : global_table.fields()) {
      known.push_back(flag_name(field.name));
    }
    throw Error(Code::kInvalid, fmt::format("'{}' is no option of all commands{}; those of one command follow it",
                                            words[0], base::suggestion(words[0].substr(0, words[0].find('=')), known)));
  }
  size_t used = 0;
  parsed.command = find_command(words, used);
  parsed.parameters = parameters_of(*parsed.command);
  const std::string path = parsed.command->info().path;

  apply_environment(parsed.parameters.flags, environment);

  CLI::App app;
  app.set_help_flag();
  bool help = false;
  bool brief = false;
  app.add_flag("--help", help);
  app.add_flag("-h", brief);
  add_flags(app, global_table);
  add_flags(app, parsed.parameters.flags);
  for (const Positional& positional : parsed.parameters.positionals) {
    if (positional.values != nullptr) {
      app.add_option(positional.name, *positional.values);
    } else {
      app.add_option(positional.name, *positional.value);
    }
  }
  app.allow_extras();
  std::vector<std::string> rest(words.rbegin(), words.rend() - static_cast<std::ptrdiff_t>(used));
  try {
    app.parse(rest);
  } catch (const CLI::ParseError& error) {
    throw Error(Code::kInvalid, fmt::format("slipway {}: {}", path, error.what()));
  }
  parsed.help = help || brief;
  parsed.brief = brief;
  if (parsed.help) {
    return parsed;
  }
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra.front() == '-') {
      unknown_flag(app, extra, path);
    }
    throw Error(Code::kInvalid,
                fmt::format("slipway {}: unexpected argument '{}'; see 'slipway {} --help'", path, extra, path));
  }
  for (const Positional& positional : parsed.parameters.positionals) {
    if (positional.required && positional.empty()) {
      throw Error(Code::kInvalid, fmt::format("slipway {}: {} is missing ({}); see 'slipway {} --help'", path,
                                              positional.name, positional.help, path));
    }
  }
  return parsed;
}

}  // namespace slipway::cli
