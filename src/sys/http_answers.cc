#include "sys/http_answers.h"

#include "base/text.h"

namespace windlass {
namespace {

void append_json_text(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {  // safe inside HTML as well (webhook/T8)
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_text(std::string& out, std::string_view text) {
  if (is_valid_utf8(text))
    append_json_text(out, text);
  else
    append_json_text(out, printable(text, text.size() * 4));
}

ServerResponse finish(int status, std::string body, std::string_view job_id) {
  body += R"(,"job_id":")";
  body += job_id;  // made by us: nothing to escape
  body += "\"}\n";
  return {.status = status, .body = std::move(body), .headers = {{"X-Content-Type-Options", "nosniff"}}};
}

}  // namespace

ServerResponse text_answer(int status, std::string_view content, std::string_view job_id) {
  std::string body;
  body.reserve(content.size() + job_id.size() + 40);
  body += R"({"content":)";
  append_text(body, content);
  return finish(status, std::move(body), job_id);
}

ServerResponse json_answer(int status, std::string_view content_json, std::string_view job_id) {
  std::string body;
  body.reserve(content_json.size() + job_id.size() + 40);
  body += R"({"content":)";
  body += content_json;
  return finish(status, std::move(body), job_id);
}

ServerResponse error_answer(int status, std::string_view error, std::string_view content, std::string_view job_id) {
  std::string body;
  body.reserve(error.size() + content.size() + job_id.size() + 50);
  body += R"({"error":)";
  append_text(body, error);
  body += R"(,"content":)";
  append_text(body, content);
  return finish(status, std::move(body), job_id);
}

ServerResponse error_json_answer(int status, std::string_view error, std::string_view content_json,
                                 std::string_view job_id) {
  std::string body = R"({"error":)";
  append_text(body, error);
  body += R"(,"content":)";
  body += content_json;
  return finish(status, std::move(body), job_id);
}

ServerResponse page_not_found() {
  return {.status = 404,
          .content_type = "text/plain; charset=utf-8",
          .body = "404 page not found\n",
          .headers = {{"X-Content-Type-Options", "nosniff"}}};
}

}  // namespace windlass
