#include "deploy/settled_secrets.h"

namespace windlass {

SettledSecrets settled_secrets(const SecretReferences& references, const StackSecrets& secrets,
                               const SecretHash& hash) {
  SettledSecrets settled;
  for (const auto& [name, value] : secrets.values)
    if (const auto found = references.find(name); found != references.end() && !secrets.one_time.contains(name))
      settled[name] = {.reference = found->second.text, .hash = hash(found->second.text, value)};
  return settled;
}

std::string changed_secret(const SettledSecrets& secrets, const SecretAnswers& answers, const SecretHash& hash) {
  for (const auto& [name, secret] : secrets) {
    const auto answer = answers.find(secret.reference);
    if (answer != answers.end() && answer->second && hash(secret.reference, *answer->second) != secret.hash)
      return name;
  }
  return "";
}

json::object to_json(const SettledSecrets& secrets) {
  json::object object;
  for (const auto& [name, secret] : secrets)
    object[name] = json::object{{"reference", secret.reference}, {"hash", secret.hash}};
  return object;
}

SettledSecrets settled_secrets(const json::object* object) {
  SettledSecrets secrets;
  if (object == nullptr) return secrets;
  for (const auto& member : *object)
    if (const auto* fields = member.value().if_object())
      secrets[std::string(member.key())] = {.reference = std::string(text_of(*fields, "reference")),
                                            .hash = std::string(text_of(*fields, "hash"))};
  return secrets;
}

}  // namespace windlass
