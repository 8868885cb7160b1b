// zot's events, CloudEvents in binary mode or, through a relay, in structured mode (zot docs, "Event generation"). The
// host is not told.
#include "webhook/registry/adapters.h"

namespace windlass {

std::vector<RegistryEvent> read_zot(const RegistryRequest& request, const RegistryHook& hook) {
  auto type = request.http.header("Ce-Type");
  const auto* data = &request.body;
  if (type.empty()) {
    type = text_at(request.body, "/type");
    data = value_at(request.body, "/data");
  }
  if (type != "zotregistry.image.updated" || data == nullptr)
    return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  if (const auto media_type = text_at(*data, "/mediaType"); !is_manifest_type(media_type))
    return {RegistryEvent::pass_over(Ignored::not_manifest, media_type)};
  return {event_of({.host = {},
                    .repository = std::string(text_at(*data, "/name")),
                    .tag = std::string(text_at(*data, "/reference")),
                    .digest = std::string(text_at(*data, "/digest"))},
                   hook)};
}

}  // namespace windlass
