// Which part answers a request, by its path.
#pragma once

#include "api/endpoint.h"
#include "sys/http_server.h"
#include "webhook/endpoint.h"

namespace windlass {

class Routes {
 public:
  Routes(WebhookEndpoint& webhook, ApiEndpoint& api) : webhook_(webhook), api_(api) {}

  // What is no route is told so as plain text, whatever its method (webhook/A1, A7; api/B2).
  void handle(ServerRequest request, Responder respond);

 private:
  WebhookEndpoint& webhook_;
  ApiEndpoint& api_;
};

}  // namespace windlass
