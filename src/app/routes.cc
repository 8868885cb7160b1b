#include "app/routes.h"

#include "sys/http_answers.h"

namespace windlass {

void Routes::handle(ServerRequest request, Responder respond) {
  if (webhook_.serves(request.path)) return webhook_.handle(std::move(request), std::move(respond));
  if (api_.serves(request.path)) return api_.handle(std::move(request), std::move(respond));
  respond(page_not_found());
}

}  // namespace windlass
