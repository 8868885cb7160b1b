// What the endpoint answers: the rows of webhook 11, one function each.
#pragma once

#include <string>
#include <string_view>

#include "jobs/queue.h"
#include "model/job.h"
#include "sys/http_server.h"
#include "webhook/oci_payload.h"
#include "webhook/signature.h"

namespace windlass {

struct WebhookAnswer {
  int status = 200;
  std::string error;  // empty: the key is left out
  std::string content;
  bool close = false;
  HttpHeader extra_header{};  // none if its name is empty

  ServerResponse response(std::string_view job_id) const;
  // The message of the run record: "<error>: <content>" (webhook 11, below the table).
  std::string run_message() const;
};

WebhookAnswer method_not_allowed();                                             // R1, R39
WebhookAnswer missing_signature();                                              // R3
WebhookAnswer wrong_signature(Sender sender);                                   // R4, R5
WebhookAnswer artifact_not_allowed(const Reference& reference);                 // R6
WebhookAnswer invalid_target();                                                 // R7
WebhookAnswer not_accepted(JobQueue::Refusal refusal, const std::string& why);  // R8, K6
WebhookAnswer unreadable_body(BodyFault fault);                                 // R9, R10
WebhookAnswer empty_body();                                                     // R11
WebhookAnswer bad_payload(const PayloadFault& fault);                           // R12, R14 to R16
WebhookAnswer git_not_enabled();                                                // R19
WebhookAnswer job_accepted();                                                   // R20
WebhookAnswer job_ended(const JobOutcome& outcome, std::string_view job_id);    // R21, R25 to R34

}  // namespace windlass
