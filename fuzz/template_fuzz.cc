// Templates of notification bodies (api 6.3), and what is logged of the answers to notifications (api/A5).
#include "fuzz/fuzz.h"
#include "notify/body_template.h"
#include "notify/redaction.h"
#include "template/template_printf.h"

namespace windlass {
namespace {

const Message kMessage{
    .level = NotificationLevel::failure,
    .title = "Deployment Failed",
    .text = "why\nnot",
    .about = {
        .repository = "ghcr.io/acme/app", .stack = "web", .job_id = "j1", .changed_services = {"api", "db", "web"}}};

void check_template(std::string_view text) {
  const auto body = BodyTemplate::parse(text);
  if (!body) return require_printable(body.error().message);
  const auto output = body->body_of(kMessage);
  if (!output) return require_printable(output.error().message);
  require(output->size() <= Template::kOutputBytesMax, "the output is bounded");
  require(*body->body_of(kMessage) == *output, "the same message has the same body");
  if (text.find("{{") == text.npos) require(*output == text, "text without actions means itself");
}

// Quoted by Go's rules, any text is a literal of itself.
void check_quoting(std::string_view text) {
  const auto parsed = Template::parse("{{" + go_quoted(text) + "}}");
  require(parsed.has_value() || text.size() > 8192, "a quoted text is a literal");
  if (!parsed) return;
  const auto output = parsed->render({});
  require(output && *output == text, "a quoted text means itself");
}

}  // namespace

void fuzz(std::string_view input) {
  check_template(input);
  check_quoting(input);
  if (const auto shown = redacted(input); !shown.empty()) require_printable(shown);
}

}  // namespace windlass
