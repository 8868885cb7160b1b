// What a registry is answered (registry-events 3.9, 3.12): every answer but a refusal is a success to its sender.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sys/http_server.h"
#include "webhook/registry/event.h"

namespace windlass {

struct TakenPush {
  std::string job_id;
  std::string artifact;
  std::string digest;  // "" where the job resolves the tag
};

// 202 with the jobs and what was ignored; 200 for a connection test; the answer that Event Grid's handshake wants.
ServerResponse registry_answer(const std::vector<TakenPush>& taken, const std::vector<RegistryEvent>& ignored,
                               std::string_view request_id);

// To the OPTIONS request of CloudEvents' abuse protection (CloudEvents "HTTP 1.1 Web Hooks", 4); 400 for a stranger.
ServerResponse handshake_answer(std::string_view origin, std::string_view request_id);

}  // namespace windlass
