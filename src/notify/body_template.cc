#include "notify/body_template.h"

namespace windlass {
namespace {

using Record = TemplateValue::Record;

TemplateValue sample_commit() {
  const std::string hash(40, 'a'), subject = "Make it better";
  return Record{
      .fields = {{"Hash", hash}, {"ShortHash", hash.substr(0, 7)}, {"Subject", subject}, {"Author", "A. Uthor"}},
      .text = hash.substr(0, 7) + " " + subject};
}

Message sample_message() {
  return {.level = NotificationLevel::success,
          .title = "Deployment completed",
          .text = "Successfully deployed stack web",
          .about = {.repository = "ghcr.io/acme/app",
                    .stack = "web",
                    .target = "prod",
                    .context = "default",
                    .revision = "main (sha256:" + std::string(64, 'a') + ")",
                    .job_id = "00000000-0000-7000-8000-000000000000",
                    .duration = "12.483s",
                    .changed_services = {"api", "worker"},
                    .is_reconciliation = true,
                    .reconciliation_event = "unhealthy",
                    .trace_id = "00000000-0000-7000-8000-000000000001",
                    .actor_kind = "container",
                    .actor_id = "0123456789ab",
                    .actor_name = "web-api-1"}};
}

TemplateValue::List texts(const std::vector<std::string>& items) { return {items.begin(), items.end()}; }

TemplateValue values_of(const Message& message, TemplateValue::List commits) {
  const auto& about = message.about;
  return Record{.fields = {{"Level", to_string(message.level)},
                           {"Emoji", emoji_of(message.level)},
                           {"Title", message.title},
                           {"Message", message.text},
                           {"IsReconciliation", about.is_reconciliation},
                           {"Repository", about.repository},
                           {"Stack", about.stack},
                           {"Target", about.target},
                           {"Context", about.context},
                           {"Revision", about.revision},
                           {"JobID", about.job_id},
                           {"ReconciliationEvent", about.reconciliation_event},
                           {"TraceID", about.trace_id},
                           {"AffectedActorKind", about.actor_kind},
                           {"AffectedActorID", about.actor_id},
                           {"AffectedActorName", about.actor_name},
                           {"Commits", std::move(commits)},
                           {"Duration", about.duration},
                           {"ChangedServices", texts(about.changed_services)},
                           {"DefaultBody", default_body(message)}},
                .text = ""};
}

}  // namespace

Result<BodyTemplate> BodyTemplate::parse(std::string_view text) {
  auto parsed = Template::parse(text);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto sample = parsed->render(values_of(sample_message(), {sample_commit(), sample_commit()}));
  if (!sample) return tl::unexpected(sample.error());
  return BodyTemplate(*std::move(parsed));
}

// OCI artifacts have no commits; the field is there for templates that serve Git sources too.
Result<std::string> BodyTemplate::body_of(const Message& message) const {
  return template_.render(values_of(message, {}));
}

}  // namespace windlass
