#include "config/yaml.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "config/yaml_tree.h"

namespace windlass {
namespace {

struct DestroyDiagnostics {
  void operator()(fy_diag* diagnostics) const noexcept { fy_diag_destroy(diagnostics); }
};
using Diagnostics = std::unique_ptr<fy_diag, DestroyDiagnostics>;

struct DestroyParser {
  void operator()(fy_parser* parser) const noexcept { fy_parser_destroy(parser); }
};
using Parser = std::unique_ptr<fy_parser, DestroyParser>;

struct FreeEvent {
  fy_parser* parser;
  void operator()(fy_event* event) const noexcept { fy_parser_event_free(parser, event); }
};
using Event = std::unique_ptr<fy_event, FreeEvent>;

std::string text_of(fy_token* token) {
  if (token == nullptr) return "";
  std::size_t length = 0;
  const char* text = fy_token_get_text(token, &length);
  return text == nullptr ? "" : std::string(text, length);
}

// The text of a single-quoted scalar from its source between the quotes (YAML 1.2.2, 7.3.2): two quotes are one, line
// breaks are folded. Ours, because libfyaml 0.7 loses the end of a text that holds two such pairs in a row.
std::string single_quoted_text(std::string_view source) {
  std::string text;
  std::size_t breaks = 0;  // since the last line that is not empty
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '\n' || c == '\r') {
      if (c == '\r' && source.substr(i + 1, 1) == "\n") ++i;
      if (breaks++ == 0) text.erase(text.find_last_not_of(" \t") + 1);
      continue;
    }
    if (breaks > 0 && (c == ' ' || c == '\t')) continue;  // indentation
    if (breaks == 1) text += ' ';
    if (breaks > 1) text.append(breaks - 1, '\n');
    breaks = 0;
    text += c;
    if (c == '\'') ++i;
  }
  if (breaks == 1) text += ' ';
  if (breaks > 1) text.append(breaks - 1, '\n');
  return text;
}

// `document` is what the parser reads.
std::string text_of_scalar(fy_token* token, std::string_view document) {
  if (token == nullptr || fy_token_scalar_style(token) != FYSS_SINGLE_QUOTED) return text_of(token);
  const auto* start = fy_token_start_mark(token);
  const auto* end = fy_token_end_mark(token);
  if (start == nullptr || end == nullptr || end->input_pos > document.size()) return text_of(token);
  return single_quoted_text(document.substr(start->input_pos, end->input_pos - start->input_pos));
}

YamlTree::Start start_of(fy_event* event, fy_token* anchor, fy_token* tag, int last_line) {
  const auto* mark = fy_event_start_mark(event);
  return {.anchor = text_of(anchor),
          .tag = text_of(tag),
          .line = mark != nullptr ? mark->line + 1 : last_line,  // an empty value has no place of its own
          .column = mark != nullptr ? mark->column + 1 : 1};
}

Status take(YamlTree& tree, fy_event* event, std::string_view document, int& line) {
  const auto start = [&](fy_token* anchor, fy_token* tag) {
    auto result = start_of(event, anchor, tag, line);
    line = result.line;
    return result;
  };
  switch (event->type) {
    case FYET_DOCUMENT_START:
      return tree.begin_document(start(nullptr, nullptr).line);
    case FYET_SCALAR: {
      const auto& data = event->scalar;
      const bool quoted = data.value != nullptr && fy_token_scalar_style(data.value) != FYSS_PLAIN;
      return tree.scalar(start(data.anchor, data.tag), text_of_scalar(data.value, document), quoted);
    }
    case FYET_SEQUENCE_START:
      return tree.begin_collection(start(event->sequence_start.anchor, event->sequence_start.tag),
                                   YamlNode::Kind::sequence);
    case FYET_MAPPING_START:
      return tree.begin_collection(start(event->mapping_start.anchor, event->mapping_start.tag),
                                   YamlNode::Kind::mapping);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
      return tree.end_collection();
    case FYET_ALIAS: {
      const auto at = start(nullptr, nullptr);
      return tree.alias(text_of(event->alias.anchor), at.line, at.column);
    }
    default:
      return {};
  }
}

tl::unexpected<Error> syntax_error(fy_diag* diagnostics, std::string_view file) {
  void* position = nullptr;
  const auto* error = fy_diag_errors_iterate(diagnostics, &position);
  if (error == nullptr || error->msg == nullptr) return fail(Kind::invalid, fmt::format("{}: not YAML", file));
  return fail(Kind::invalid, fmt::format("{}:{}:{}: {}", file, std::max(error->line, 1), std::max(error->column, 1),
                                         printable(error->msg, 400)));
}

// What the parser must not see: it reads C strings in places, and other encodings by their first bytes.
Status check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > kYamlBytesMax)
    return fail(Kind::invalid, fmt::format("{}: larger than {} bytes", file, kYamlBytesMax));
  int number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    const auto nul = line.find('\0');
    if (nul != line.npos) return fail(Kind::invalid, fmt::format("{}:{}:{}: NUL byte in YAML", file, number, nul + 1));
    if (!is_valid_utf8(line)) return fail(Kind::invalid, fmt::format("{}:{}:1: YAML is not UTF-8", file, number));
  }
  return {};
}

}  // namespace

bool YamlNode::is_null() const {
  return kind == Kind::scalar && !quoted &&
         (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

Result<YamlFile> parse_yaml(std::string_view text, std::string_view file, YamlTags tags) {
  if (auto checked = check_bytes(text, file); !checked) return tl::unexpected(checked.error());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);

  fy_diag_cfg diagnostics_config;
  fy_diag_cfg_default(&diagnostics_config);
  diagnostics_config.fp = nullptr;  // else the library writes to standard error
  diagnostics_config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  const Diagnostics diagnostics(fy_diag_create(&diagnostics_config));
  if (!diagnostics) return fail(Kind::internal, "making a YAML parser: out of memory");
  fy_diag_set_collect_errors(diagnostics.get(), true);
  // The library's own depth limit guards recursion of its tree, which is not used; YamlTree has one of ours.
  const auto flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT | FYPCF_JSON_NONE;
  const fy_parse_cfg config{.search_path = nullptr,
                            .flags = static_cast<fy_parse_cfg_flags>(flags),
                            .userdata = nullptr,
                            .diag = diagnostics.get()};
  const Parser parser(fy_parser_create(&config));
  if (!parser || fy_parser_set_string(parser.get(), text.data(), text.size()) != 0)
    return fail(Kind::internal, "making a YAML parser: out of memory");

  YamlTree tree(file, tags);
  int line = 1;
  while (const Event event{fy_parser_parse(parser.get()), FreeEvent{parser.get()}})
    if (auto taken = take(tree, event.get(), text, line); !taken) return tl::unexpected(taken.error());
  if (fy_parser_get_stream_error(parser.get())) return syntax_error(diagnostics.get(), file);
  return tree.take();
}

}  // namespace windlass
