// From what happens to what people are told of it (api 6.2, A10 to A18). Texts are sendable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/observer.h"
#include "notify/message.h"

namespace windlass {

Message message_of_start(const StackEvent& event);       // A10
Message message_of_deployment(const StackEvent& event);  // A11
Message message_of_removal(const StackEvent& event);     // A12
Message message_of_restart(const RestartEvent& event);   // A16 to A18

// A15 of a source that cannot be looked at.
Message message_of_outage(const JobRequest& request, std::string_view error);
// What a failure of the whole job is about, of no stack.
MessageContext context_of(const JobRequest& request);
MessageContext context_of(const RunRecord& record);
MessageContext context_of(const RunRecord& record, const StackResult& stack);  // of that stack of it

// A13 for each stack that failed, else A14 or A15 by what triggered the job; empty for a job that did not fail.
// The record tells all, so that a job of an earlier life is told in the same words.
std::vector<Message> messages_of_failure(const RunRecord& record);

// A11 for each stack that a rollback by hand has brought back.
std::vector<Message> messages_of_rollback(const RunRecord& record);

}  // namespace windlass
