#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "config/scalars.h"
#include "config/schema.h"

namespace windlass {
namespace {

const std::map<std::string, LayerCompression> kCompressions{
    {"gzip", LayerCompression::gzip}, {"zstd", LayerCompression::zstd}, {"none", LayerCompression::none}};

const CLI::Validator& duration() {
  static const CLI::Validator validator(
      [](const std::string& text) {
        const auto span = parse_duration(text);
        return span && *span > std::chrono::nanoseconds(0) ? std::string()
                                                           : text + " is not a duration such as 90s, 30m or 1h30m";
      },
      "DURATION");
  return validator;
}

// "" is what a pipeline passes for a variable that is not set; for the commands it would mean "not given".
void refuse_empty_values(CLI::App& app) {
  const CLI::Validator filled(
      [](const std::string& text) { return text.empty() ? std::string("the value is empty") : std::string(); }, "");
  for (auto* command : app.get_subcommands({}))
    for (auto* option : command->get_options())
      if (option->get_items_expected_max() > 0) option->check(filled);  // flags have no value
}

// They mean something only beside `whom`, if it is given.
void add_notify_options(CLI::App& command, NotifyOptions& notify, CLI::Option* whom) {
  std::vector<CLI::Option*> options;
  options.push_back(command.add_option("--target", notify.target, "target of the deployment: .doco-cd.TARGET.yaml"));
  options.push_back(command.add_option(
      "--secret-file", notify.secret_file,
      "file with the webhook secret, - is standard input; else WEBHOOK_SECRET or WEBHOOK_SECRET_FILE"));
  options.push_back(
      command.add_flag("--wait", notify.waits, "wait for the end of the deployment, which decides the exit code"));
  options.push_back(command
                        .add_option_function<std::string>(
                            "--timeout",
                            [&notify](const std::string& text) {
                              notify.timeout =
                                  std::chrono::duration_cast<std::chrono::milliseconds>(*parse_duration(text));
                            },
                            "for all attempts together (5m, with --wait 45m)")
                        ->check(duration()));
  for (auto* option : options)
    if (whom != nullptr) option->needs(whom);
}

void add_ca_option(CLI::App& command, std::string& file) {
  command.add_option("--ca-file", file, "PEM file of the authorities to trust, instead of the system's");
}

CLI::App* add_push(CLI::App& app, PushCommand& push, NotifyOptions& notify) {
  auto* command = app.add_subcommand("push", "pack a folder and push it to a registry");
  command->add_option("DIR", push.folder, "folder with .doco-cd.yaml and compose files")->required();
  command->add_option("REF", push.reference, "registry/repository:tag")->required();
  command->add_option("--tag", push.tags, "another tag for it; may be repeated")->allow_extra_args(false);
  command->add_option("--annotation", push.annotations, "KEY=VALUE for the manifest; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::string>(
          "--compression", [&push](const std::string& name) { push.compression = kCompressions.at(name); },
          "gzip (default), zstd or none")
      ->check(CLI::IsMember({"gzip", "zstd", "none"}));
  command->add_flag_callback(
      "--no-config", [&push] { push.needs_config = false; }, "push although there is no .doco-cd.yaml");
  command->add_flag("--json", push.as_json, "print one JSON object instead of REF@DIGEST");
  command->add_flag("--quiet", push.quiet, "say nothing but what is wrong");
  command->add_option("--digest-file", push.digest_file, "write the digest to this file");
  command->add_option("--sign", push.key_file, "sign it with this key: PEM (PKCS#8) or cosign's own");
  command->add_option("--sign-password-file", push.password_file,
                      "file with the password of the key, - is standard input; else COSIGN_PASSWORD");
  auto* whom = command->add_option("--notify", notify.url, "URL of a service to send the signed webhook to");
  add_notify_options(*command, notify, whom);
  add_ca_option(*command, push.ca_file);
  return command;
}

CLI::App* add_send(CLI::App& app, SendCommand& send) {
  auto* command = app.add_subcommand("send", "send the signed webhook for an artifact");
  command->add_option("REF", send.reference, "REF@DIGEST, or a reference with --digest")->required();
  command->add_option("--digest", send.digest, "digest of the artifact");
  command->add_option("--url", send.notify.url, "URL of the service or of its webhook; else WEBHOOK_URL");
  add_notify_options(*command, send.notify, nullptr);
  add_ca_option(*command, send.ca_file);
  return command;
}

const CLI::App* add_verify_bundle(CLI::App& app, VerifyBundleCommand& command) {
  auto* verify = app.add_subcommand("verify-bundle", "judge a Sigstore bundle about a file");
  verify->add_option("--bundle", command.bundle, "the bundle, a JSON file")->required();
  auto* key = verify->add_option("--key", command.key, "a public key, a PEM file");
  auto* identity = verify->add_option("--certificate-identity", command.certificate_identity,
                                      "the subject that the certificate must be for");
  auto* issuer = verify->add_option("--certificate-oidc-issuer", command.certificate_oidc_issuer,
                                    "the issuer of the token that the certificate was got with");
  identity->needs(issuer)->excludes(key);
  issuer->needs(identity)->excludes(key);
  verify->add_option("--trusted-root", command.trusted_root,
                     "trusted_root.json of the Sigstore instance; without it OCI_TRUSTED_ROOT_FILE names it");
  verify->add_flag("--staging")->description("changes nothing: the trusted root says which instance is meant");
  verify->add_option("FILE_OR_DIGEST", command.file_or_digest, "the file, or sha256: and its digest")->required();
  return verify;
}

CLI::App* add_verify(CLI::App& app, VerifyCommand& verify) {
  auto* command = app.add_subcommand("verify", "say why an artifact is or is not trusted");
  command->footer(
      "Without a rule of its own it takes those of the service: OCI_TRUST_POLICY and what inline deployments of "
      "POLL_CONFIG demand of that repository. Exit code: 0 trusted, 1 not trusted, 2 unknown.");
  command->add_option("REF", verify.reference, "registry/repository:tag, or with @digest")->required();
  command->add_option("--key", verify.key_files, "PEM file of a public key to trust; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--issuer", verify.identity.issuer, "issuer of the identity to trust");
  command->add_option("--identity", verify.identity.subject, "exact subject of the identity to trust");
  command->add_option("--identity-regexp", verify.identity.subject_regexp, "expression for that subject");
  command->add_flag("--ignore-tlog", verify.ignore_tlog, "do not ask for an entry in the transparency log");
  command->add_option("--trusted-root", verify.trusted_root_file, "trusted_root.json; else OCI_TRUSTED_ROOT_FILE");
  add_ca_option(*command, verify.ca_file);
  return command;
}

void add_api_options(CLI::App& command, ApiOptions& api) {
  command.add_option("--url", api.url, "URL of the service; else WINDLASS_URL, else the service on this machine");
  command.add_option("--api-secret-file", api.key_file,
                     "file with the API secret, - is standard input; else API_SECRET or API_SECRET_FILE");
  command.add_flag("--json", api.as_json, "print JSON as the service gives it");
  add_ca_option(command, api.ca_file);
}

void add_context(CLI::App& command, std::string& context) {
  command.add_option("--context", context, "Docker context that the stack is on, default for the default engine");
}

void add_limit(CLI::App& command, std::size_t& limit) {
  command.add_option("--limit", limit, "so many at most (20)")->check(CLI::Range(1, 200));
}

const CLI::App* add_validate(CLI::App& app, ValidateCommand& validate) {
  auto* command = app.add_subcommand("validate", "check a folder that is to become an artifact, as the service would");
  command->add_option("DIR", validate.folder, "folder with .doco-cd.yaml and compose files")->required();
  command->add_flag("--strict", validate.is_strict, "unknown keys are faults, as with CONFIG_STRICT");
  command->add_flag("--json", validate.as_json, "print one JSON object");
  return command;
}

const CLI::App* add_schema(CLI::App& app, std::string& which) {
  auto* command = app.add_subcommand("schema", "print the JSON schema of a deploy or poll configuration, for editors");
  command->add_option("WHICH", which, "deploy (default) or poll")->check(CLI::IsMember({"deploy", "poll"}));
  return command;
}

// The commands that ask the running service.
struct OperatorCommands {
  RunsCommand runs;
  HistoryCommand history;
  StatusCommand status;
  RollbackCommand rollback;
  PlanCommand plan;
  CLI::App *runs_app, *history_app, *status_app, *rollback_app, *plan_app;

  explicit OperatorCommands(CLI::App& app) {
    runs_app = app.add_subcommand("runs", "list the runs of the service, newest first, or show one");
    runs_app->add_option("RUN", runs.job_id, "id of one run");
    runs_app->add_option("--status", runs.status, "accepted, running, succeeded, failed or skipped");
    runs_app->add_option("--trigger", runs.trigger, "webhook, poll or scheduled_job");
    add_limit(*runs_app, runs.limit);
    add_api_options(*runs_app, runs.api);
    history_app = app.add_subcommand("history", "list the releases of a stack, newest first");
    history_app->add_option("STACK", history.stack, "name of the stack")->required();
    add_context(*history_app, history.context);
    add_limit(*history_app, history.limit);
    add_api_options(*history_app, history.api);
    status_app = app.add_subcommand("status", "say how the service is and what each stack was last brought to");
    add_api_options(*status_app, status.api);
    rollback_app = app.add_subcommand("rollback", "bring an earlier good release of a stack back");
    rollback_app->add_option("STACK", rollback.stack, "name of the stack")->required();
    add_context(*rollback_app, rollback.context);
    rollback_app->add_option("--to", rollback.to,
                             "id of the release, or how it begins; else the last good one that is not what runs");
    rollback_app->add_flag("--dry-run", rollback.is_dry, "only say which release it would be");
    rollback_app->add_flag("--no-wait", rollback.returns_at_once, "do not wait for the end");
    add_api_options(*rollback_app, rollback.api);
    plan_app = app.add_subcommand("plan", "say what deploying an artifact would do, and do nothing");
    plan_app->add_option("REF|DIR", plan.reference, "registry/repository:tag, or with @digest; or a folder")
        ->required();
    plan_app->add_option("--as", plan.as, "of a folder: the artifact that it would become");
    plan_app->add_option("--target", plan.target, "target of the deployment: .doco-cd.TARGET.yaml");
    add_api_options(*plan_app, plan.api);
  }

  std::optional<CommandLine> parsed() const {
    if (runs_app->parsed()) return runs;
    if (history_app->parsed()) return history;
    if (status_app->parsed()) return status;
    if (rollback_app->parsed()) return rollback;
    if (plan_app->parsed()) return plan;
    return std::nullopt;
  }
};

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app("GitOps continuous delivery for Docker", "windlass");
  app.footer("Without a command the service is started. Its settings are environment variables.");
  app.set_version_flag("--version", "windlass " WINDLASS_VERSION);
  app.require_subcommand(0, 1);
  ServeCommand serve;
  app.add_subcommand("serve", "start the service")
      ->add_flag("--rebuild-state", serve.rebuild_state,
                 "set a damaged state file aside and read from the engine what is deployed");
  const auto* healthcheck = app.add_subcommand("healthcheck", "ask the service on this machine for its health");
  const auto* take_over = app.add_subcommand("take-over", "")->group("");
  PushCommand push_command;
  NotifyOptions notify;
  SendCommand send_command;
  const auto* push = add_push(app, push_command, notify);
  const auto* send = add_send(app, send_command);
  VerifyBundleCommand verify_bundle_command;
  const auto* verify_bundle = add_verify_bundle(app, verify_bundle_command);
  VerifyCommand verify_command;
  const auto* verify = add_verify(app, verify_command);
  const OperatorCommands operate(app);
  ValidateCommand validate_command;
  const auto* validate = add_validate(app, validate_command);
  std::string wanted_schema = "deploy";
  const auto* schema = add_schema(app, wanted_schema);
  refuse_empty_values(app);
  try {
    auto reversed = arguments;  // CLI11 takes them last first
    std::reverse(reversed.begin(), reversed.end());
    app.parse(reversed);
  } catch (const CLI::CallForVersion& version) {
    return PrintCommand{0, std::string(version.what()) + "\n"};
  } catch (const CLI::CallForHelp&) {
    return PrintCommand{0, app.help()};
  } catch (const CLI::ParseError& error) {
    return PrintCommand{2, std::string(error.what()) + "\n\n" + app.help()};
  }
  if (healthcheck->parsed()) return HealthcheckCommand{};
  if (take_over->parsed()) return TakeOverCommand{};
  if (push->parsed()) {
    if (!notify.url.empty()) push_command.notify = notify;
    return push_command;
  }
  if (send->parsed()) return send_command;
  if (verify_bundle->parsed()) return verify_bundle_command;
  if (verify->parsed()) return verify_command;
  if (validate->parsed()) return validate_command;
  if (schema->parsed())
    return PrintCommand{0, json::serialize(wanted_schema == "poll" ? poll_schema() : deploy_schema()) + "\n"};
  if (auto command = operate.parsed()) return *std::move(command);
  return serve;
}

}  // namespace windlass
