#include "cli/help.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/parse.h"

namespace slipway::cli {
namespace {

constexpr size_t kFlagColumn = 28;
constexpr size_t kWidth = 100;

std::string bold(const std::string& text, bool color) { return color ? "\033[1m" + text + "\033[0m" : text; }

// Wraps words to the width, continuation lines indented.
std::string wrapped(const std::string& text, size_t indent) {
  std::string result;
  size_t column = indent;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const size_t length = end - begin;
    if (column + length > kWidth && column > indent) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!result.empty()) {
      result += ' ';
      ++column;
    }
    result.append(text, begin, length);
    column += length;
    begin = end + 1;
  }
  return result;
}

std::string default_text(const base::Field& field) {
  const base::Json value = field.get();
  if (value.is_boolean() || (value.is_string() && value.get<std::string>().empty()) || (value.is_array() && value.empty())) {
    return "";
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value) {
      items.push_back(item.get<std::string>());
    }
    return fmt::format(" [{}]", fmt::join(items, ","));
  }
  return fmt::format(" [{}]", value.is_string() ? value.get<std::string>() : value.dump());
}

std::string placeholder(const base::Field& field) {
  return field.type == "boolean" ? "" : field.type == "list" ? " A,B" : field.type == "string" ? " TEXT" : " N";
}

std::string flag_lines(const base::FieldTable& table) {
  std::string lines;
  for (const base::Field& field : table.fields()) {
    std::string left = "  " + flag_name(field.name) + placeholder(field);
    left += left.size() + 2 > kFlagColumn ? "\n" + std::string(kFlagColumn, ' ') : std::string(kFlagColumn - left.size(), ' ');
    lines += left + wrapped(field.help + default_text(field), kFlagColumn) + "\n";
  }
  return lines;
}

std::string usage_of(const CommandInfo& info, const Parameters& parameters) {
  std::string usage = "slipway " + info.path;
  for (const Positional& positional : parameters.positionals) {
    usage += positional.required ? " " + positional.name : " [" + positional.name + "]";
    usage += positional.values != nullptr ? "…" : "";
  }
  return usage + " [OPTIONS]";
}

std::string man_escaped(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (line_start && (text[i] == '.' || text[i] == '\'')) {
      result += "\\&";
    }
    if (text[i] == '\\') {
      result += "\\\\";
    } else if (text[i] == '-') {
      result += "\\-";
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string man_flags(const base::FieldTable& table) {
  std::string page;
  for (const base::Field& field : table.fields()) {
    page += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", man_escaped(flag_name(field.name)), man_escaped(placeholder(field)),
                        man_escaped(field.help + default_text(field)));
  }
  return page;
}

struct Described {
  std::unique_ptr<Command> command;
  CommandInfo info;
  Parameters parameters;
};

std::vector<Described> described() {
  std::vector<Described> list;
  for (const CommandFactory& make : all_commands()) {
    Described one;
    one.command = make();
    one.info = one.command->info();
    one.parameters = parameters_of(*one.command);
    list.push_back(std::move(one));
  }
  return list;
}

std::vector<std::string> flags_of(const base::FieldTable& table) {
  std::vector<std::string> flags;
  for (const base::Field& field : table.fields()) {
    flags.push_back(flag_name(field.name));
  }
  return flags;
}

}  // namespace

std::string program_help(bool color) {
  std::string text = bold("slipway", color) +
                     ": the whole life of a language model in one program\n\n" + bold("usage", color) +
                     ": slipway COMMAND [ARGUMENTS] [OPTIONS]\n\n" + bold("commands", color) + "\n";
  for (const Described& one : described()) {
    text += fmt::format("  {:<22} {}\n", one.info.path, one.info.summary);
  }
  GlobalOptions global;
  base::FieldTable table;
  global.describe(table);
  text += "\n" + bold("options of every command", color) + "\n" + flag_lines(table);
  text += "  --help, -h                with an example / brief\n\n";
  text += "Each option is also a variable: --log-level is SLIPWAY_LOG_LEVEL. Exit codes: 0 good, 1 failure, 2 bad usage,\n"
          "3 not found, 4 not allowed, 5 conflict, 6 a gate said no, 7 unavailable, 8 integrity, 130 interrupted.\n\n"
          "  $ slipway run examples/sentiment/slipway.yaml\n";
  return text;
}

std::string command_help(const Command& command, const Parameters& parameters, bool brief, bool color) {
  const CommandInfo info = command.info();
  std::string text = bold("slipway " + info.path, color) + ": " + info.summary + "\n\n" + bold("usage", color) + ": " +
                     usage_of(info, parameters) + "\n";
  if (!brief && !info.details.empty()) {
    text += "\n" + info.details + "\n";
  }
  if (!parameters.positionals.empty()) {
    text += "\n" + bold("arguments", color) + "\n";
    for (const Positional& positional : parameters.positionals) {
      text += fmt::format("  {:<25} {}\n", positional.name, wrapped(positional.help, kFlagColumn));
    }
  }
  if (!parameters.flags.fields().empty()) {
    text += "\n" + bold("options", color) + "\n" + flag_lines(parameters.flags);
  }
  if (!brief) {
    GlobalOptions global;
    base::FieldTable table;
    global.describe(table);
    text += "\n" + bold("options of every command", color) + "\n" + flag_lines(table);
  }
  text += "\n" + bold("example", color) + "\n";
  for (size_t begin = 0; begin < info.example.size();) {
    const size_t end = std::min(info.example.find('\n', begin), info.example.size());
    text += "  $ " + info.example.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return text;
}

std::string man_page() {
  std::string page = ".TH SLIPWAY 1 \"\" \"slipway\" \"User Commands\"\n.SH NAME\nslipway \\- the whole life of a language model\n"
                     ".SH SYNOPSIS\n.B slipway\n.I COMMAND\n[ARGUMENTS] [OPTIONS]\n.SH COMMANDS\n";
  for (const Described& one : described()) {
    page += fmt::format(".SS {}\n{}.\n.PP\n{}\n", man_escaped(usage_of(one.info, one.parameters)), man_escaped(one.info.summary),
                        man_escaped(one.info.details));
    for (const Positional& positional : one.parameters.positionals) {
      page += fmt::format(".TP\n\\fI{}\\fR\n{}\n", positional.name, man_escaped(positional.help));
    }
    page += man_flags(one.parameters.flags);
    page += ".PP\nExample:\n.PP\n.nf\n" + man_escaped(one.info.example) + "\n.fi\n";
  }
  GlobalOptions global;
  base::FieldTable table;
  global.describe(table);
  page += ".SH OPTIONS OF EVERY COMMAND\n" + man_flags(table);
  page += ".SH EXIT STATUS\n0 good, 1 failure, 2 bad usage, 3 not found, 4 not allowed, 5 conflict, 6 a gate said no, "
          "7 unavailable, 8 integrity or signature, 130 interrupted.\n";
  return page;
}

std::string completion(const std::string& shell) {
  std::map<std::string, std::vector<std::string>> verbs;
  std::map<std::string, std::vector<std::string>> flags;
  GlobalOptions global;
  base::FieldTable global_table;
  global.describe(global_table);
  const std::vector<std::string> everywhere = flags_of(global_table);
  for (const Described& one : described()) {
    const size_t space = one.info.path.find(' ');
    const std::string noun = one.info.path.substr(0, space);
    verbs[noun];
    if (space != std::string::npos) {
      verbs[noun].push_back(one.info.path.substr(space + 1));
    }
    flags[one.info.path] = flags_of(one.parameters.flags);
  }
  std::vector<std::string> nouns;
  for (const auto& [noun, list] : verbs) {
    nouns.push_back(noun);
  }
  if (shell == "fish") {
    std::string script = fmt::format("complete -c slipway -n __fish_use_subcommand -f -a '{}'\n", fmt::join(nouns, " "));
    for (const auto& [noun, list] : verbs) {
      if (!list.empty()) {
        script += fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}' -f -a '{}'\n", noun, fmt::join(list, " "));
      }
    }
    for (const auto& [path, list] : flags) {
      for (const std::string& flag : list) {
        script += fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}' -l {}\n", path.substr(0, path.find(' ')),
                              flag.substr(2));
      }
    }
    for (const base::Field& field : global_table.fields()) {
      script += fmt::format("complete -c slipway -l {}{}\n", flag_name(field.name).substr(2), field.type == "boolean" ? "" : " -r");
    }
    return script;
  }
  if (shell != "bash" && shell != "zsh") {
    throw base::Error(base::Code::kInvalid, fmt::format("no completion for shell '{}'; known: bash, zsh, fish", shell));
  }
  std::string script = shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  // Two words first: a case takes the first pattern that fits. A noun alone offers its verbs too.
  script += "_slipway() {\n  local cur=${COMP_WORDS[COMP_CWORD]} at=1 path words=\"\"\n";
  // Options of all commands may come first; bash gives "--threads=2" as three words.
  std::vector<std::string> with_value;
  for (const base::Field& field : global_table.fields()) {
    if (field.type != "boolean") {
      with_value.push_back(flag_name(field.name));
    }
  }
  script += fmt::format(
      "  while [ \"$at\" -lt \"$COMP_CWORD\" ]; do case \"${{COMP_WORDS[at]}}\" in\n"
      "    {}) if [ \"${{COMP_WORDS[at + 1]}}\" = \"=\" ]; then at=$((at + 3)); else at=$((at + 2)); fi ;;\n"
      "    --*) at=$((at + 1)) ;;\n    *) break ;;\n  esac; done\n",
      fmt::join(with_value, "|"));
  script += "  path=\"${COMP_WORDS[at]}\"\n";
  script += "  if [ \"$COMP_CWORD\" -gt $((at + 1)) ]; then path=\"$path ${COMP_WORDS[at + 1]}\"; fi\n";
  script += "  if [ \"$COMP_CWORD\" -lt \"$at\" ]; then COMPREPLY=(); return; fi  # the value of an option\n";
  script += fmt::format("  if [ \"$COMP_CWORD\" -eq \"$at\" ]; then words=\"{} {}\"\n  else case \"$path\" in\n", fmt::join(nouns, " "),
                        fmt::join(everywhere, " "));
  for (const auto& [path, list] : flags) {
    if (path.find(' ') != std::string::npos) {
      script += fmt::format("    \"{}\") words=\"{} {}\" ;;\n", path, fmt::join(list, " "), fmt::join(everywhere, " "));
    }
  }
  for (const auto& [noun, list] : verbs) {
    script += fmt::format("    \"{0}\"|\"{0} \"*) words=\"{1} {2} {3}\" ;;\n", noun, fmt::join(list, " "),
                          fmt::join(flags[noun], " "), fmt::join(everywhere, " "));
  }
  script += "  esac; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _slipway slipway\n";
  return script;
}

}  // namespace slipway::cli
